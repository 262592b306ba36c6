"""Three attribution methods on plain tensors, by Captum: which pixels speak for a class.

Each takes a model in evaluation mode, one image as (1, C, H, W) and a class, and returns a float32 map of H x W. The
score that is explained is the class's logit. The caller keeps other threads off the model: Captum hangs hooks on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn

from inception_lab.errors import SettingsError

Method = Literal["integrated_gradients", "grad_cam", "occlusion"]
METHODS: tuple[Method, ...] = get_args(Method)
Progress = Callable[[int, int], None]
"""Called with (images run forward, images in all); what it raises ends the attribution and leaves no hook behind."""

STEPS = 50
BATCH = 2  # on a CPU as fast as more, with half the memory of 4 and a finer progress


@dataclass(frozen=True, slots=True, eq=False)
class Map:
    """`values` (H, W); for integrated gradients also how far their sum is from the difference they should add up to."""

    values: np.ndarray[Any, np.dtype[np.float32]]
    completeness_error: float | None = None
    difference: float | None = None


def prepare() -> None:
    """Imports Captum, which takes seconds the first time; better before a lock is held or a clock runs."""
    import captum.attr  # noqa: F401


def window(size: int) -> tuple[int, int]:
    """Side and stride in pixels of the square that occlusion moves: a seventh of the input, by half of itself."""
    side = max(1, round(size / 7))
    return side, max(1, side // 2)


def forwards(method: Method, size: int) -> int:
    """How many images of `size` x `size` a method runs through the network."""
    match method:
        case "integrated_gradients":
            return STEPS + 2  # the two ends of the path give the difference to compare with
        case "grad_cam":
            return 1
        case "occlusion":
            side, stride = window(size)
            return 1 + (ceil((size - side) / stride) + 1) ** 2
        case _:
            raise SettingsError(f"There is no method {method!r}; there are {', '.join(METHODS)}.")


def integrated_gradients(
    model: nn.Module,
    image: Tensor,
    target: int,
    *,
    baseline: Tensor,
    steps: int = STEPS,
    progress: Progress | None = None,
) -> Map:
    """Gradients along the straight path from `baseline` to `image`, times the way; summed over the channels.

    By the completeness axiom the map adds up to score(image) - score(baseline), which is `difference`; what is missing
    is `completeness_error` (absolute, in logits), the error of `steps` Gauss-Legendre points (Sundararajan 2017).
    """
    from captum.attr import IntegratedGradients

    with _gradients(image) as x:
        score = _counted(model, steps + 2, progress)
        method = IntegratedGradients(score, multiply_by_inputs=True)
        values = method.attribute(x, baselines=baseline, target=target, n_steps=steps, internal_batch_size=BATCH)
        with torch.no_grad():
            difference = (score(image) - score(baseline))[0, target].item()
        summed = values.detach().double().sum(dim=1)[0]
    return Map(_plain(summed), abs(summed.sum().item() - difference), difference)


def grad_cam(
    model: nn.Module, layer: nn.Module, image: Tensor, target: int, *, progress: Progress | None = None
) -> Map:
    """The layer's channels weighted by their mean gradient, negative sums dropped, enlarged bilinearly.

    (Selvaraju et al. 2017; this is the map before they multiply it with guided backpropagation.)
    Raises `SettingsError` for a layer whose output is no (N, C, h, w).
    """
    from captum.attr import LayerAttribution, LayerGradCam

    with _gradients(image) as x:
        method = LayerGradCam(_counted(model, 1, progress), layer)
        coarse = method.attribute(x, target=target, relu_attributions=True)
        if not isinstance(coarse, Tensor) or coarse.dim() != 4:
            raise SettingsError(
                "Grad-CAM needs a layer that puts out maps (N, C, h, w); choose one before global pooling."
            )
        values = LayerAttribution.interpolate(coarse.detach(), tuple(image.shape[2:]), "bilinear")
    return Map(_plain(values[0, 0]))


def occlusion(
    model: nn.Module,
    image: Tensor,
    target: int,
    *,
    baseline: Tensor,
    side: int,
    stride: int,
    progress: Progress | None = None,
) -> Map:
    """By how much the score falls when a square of `baseline` covers the pixel, averaged over the squares that do.

    The square of `side` pixels moves by `stride` (Zeiler and Fergus 2014).
    """
    from captum.attr import Occlusion

    channels, height, width = image.shape[1:]
    runs = 1 + (ceil((height - side) / stride) + 1) * (ceil((width - side) / stride) + 1)
    with torch.no_grad():
        values = Occlusion(_counted(model, runs, progress)).attribute(
            image,
            sliding_window_shapes=(channels, side, side),
            strides=(channels, stride, stride),
            baselines=baseline,
            target=target,
            perturbations_per_eval=BATCH,
        )
    return Map(_plain(values.mean(dim=1)[0]))


def _counted(model: nn.Module, total: int, progress: Progress | None) -> Callable[[Tensor], Tensor]:
    """The model's forward, which tells how many images went through it."""
    done = 0

    def forward(x: Tensor) -> Tensor:
        nonlocal done
        if progress is not None:
            progress(done, total)
        scores: Tensor = model(x)
        done += len(x)
        if progress is not None:
            progress(done, total)
        return scores

    return forward


@contextmanager
def _gradients(image: Tensor) -> Iterator[Tensor]:
    """A copy of the image that records gradients, whatever mode the calling thread is in."""
    with torch.inference_mode(False), torch.enable_grad():
        yield image.clone().requires_grad_()


def _plain(values: Tensor) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.ascontiguousarray(values.detach().cpu().numpy(), dtype=np.float32)
