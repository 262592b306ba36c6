"""Attribution by covering parts of the image: how far the score falls without them. No gradient is needed."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from inception_lab.images.methods import BATCH, REGIONS, Map, Score, plain


def occlusion(score: Score, image: Tensor, *, baseline: Tensor, side: int, stride: int, batch: int = BATCH) -> Map:
    """By how much the score falls when a square of `baseline` covers the pixel, averaged over the squares that do.

    The square of `side` pixels moves by `stride` (Zeiler and Fergus 2014).
    """
    from captum.attr import Occlusion

    channels = image.shape[1]
    with torch.no_grad():
        values = Occlusion(score).attribute(
            image,
            sliding_window_shapes=(channels, side, side),
            strides=(channels, stride, stride),
            baselines=baseline,
            perturbations_per_eval=batch,
        )
    return Map(plain(values.mean(dim=1)[0]))


def feature_ablation(
    score: Score, image: Tensor, *, baseline: Tensor, regions: np.ndarray[Any, Any], batch: int = BATCH
) -> Map:
    """By how much the score falls when a region is replaced by `baseline`; each of its pixels has the whole fall.

    `regions` is (H, W), the number of each pixel's region from 0 on.
    """
    from captum.attr import FeatureAblation

    mask = torch.from_numpy(np.ascontiguousarray(regions, dtype=np.int64))[None, None]
    with torch.no_grad():
        values = FeatureAblation(score).attribute(
            image, baselines=baseline, feature_mask=mask, perturbations_per_eval=batch
        )
    return Map(plain(values.mean(dim=1)[0]))


def superpixels(pixels: np.ndarray[Any, Any], count: int = REGIONS) -> np.ndarray[Any, Any]:
    """Regions of like colour (H, W), numbered from 0, by SLIC (Achanta et al. 2012), of pixels uint8 (H, W, 3).

    `count` is asked for; a picture may have some more or fewer. The same picture always has the same.
    """
    from skimage.segmentation import slic

    found = slic(pixels, n_segments=count, compactness=10, start_label=0, channel_axis=-1)
    return np.unique(found, return_inverse=True)[1].reshape(found.shape)
