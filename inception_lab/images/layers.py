"""Attribution at a layer: which cells of its maps the score came through, enlarged to the image."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from inception_lab.errors import SettingsError
from inception_lab.images.gradients import guided_gradients
from inception_lab.images.methods import BATCH, STEPS, Map, Score, ends, entering_short, plain, recording


def grad_cam(score: Score, layer: nn.Module, image: Tensor) -> Map:
    """The layer's channels weighted by their mean gradient, negative sums dropped, enlarged bilinearly.

    (Selvaraju et al. 2017; this is the map before they multiply it with guided backpropagation.)
    Raises `SettingsError` for a layer whose output is no (N, C, h, w).
    """
    return Map(plain(_cam(score, layer, image)[0, 0]))


def guided_grad_cam(score: Score, layer: nn.Module, image: Tensor) -> Map:
    """Grad-CAM's map times the guided gradient, as its size, the largest of the channels (Selvaraju et al. 2017).

    Errors as `grad_cam` and `gradients.guided_gradients`.
    """
    coarse = _cam(score, layer, image)
    fine, _ = guided_gradients(score, image)
    return Map(plain((fine * coarse).abs().amax(dim=1)[0]))


def layer_conductance(
    score: Score, layer: nn.Module, image: Tensor, *, baseline: Tensor, steps: int = STEPS, batch: int = BATCH
) -> Map:
    """The part of integrated gradients that flows through each cell of the layer, summed over its channels.

    (Dhamdhere et al. 2019.) The cells add up to score(image) - score(baseline) where all of the score flows through
    the layer, which a branch does not give; then they are enlarged bilinearly, each pixel with its cell's value.
    Errors as `grad_cam`.
    """
    from captum.attr import LayerConductance

    with recording(image) as x:
        method = LayerConductance(score, layer)
        cells = method.attribute(x, baselines=baseline, n_steps=steps, internal_batch_size=max(batch, 2))
        summed = _maps(cells).detach().double().sum(dim=1, keepdim=True)
    difference = ends(score, image, baseline)
    return Map(plain(_large(summed, image)[0, 0]), abs(summed.sum().item() - difference), difference)


def _cam(score: Score, layer: nn.Module, image: Tensor) -> Tensor:
    from captum.attr import LayerGradCam

    with entering_short(image) as x:
        coarse = LayerGradCam(score, layer).attribute(x, relu_attributions=True)
        return _large(_maps(coarse).detach(), image)


def _maps(values: Tensor | tuple[Tensor, ...]) -> Tensor:
    if not isinstance(values, Tensor) or values.dim() != 4:
        raise SettingsError("This needs a layer that puts out maps (N, C, h, w); choose one before global pooling.")
    return values


def _large(values: Tensor, image: Tensor) -> Tensor:
    height, width = image.shape[2:]
    return torch.nn.functional.interpolate(values, (height, width), mode="bilinear")
