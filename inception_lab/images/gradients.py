"""Attribution by gradients at the input: how the score changes with each pixel."""

from __future__ import annotations

import torch
from torch import Tensor

from inception_lab.images.methods import BATCH, NOISE, SAMPLES, SEED, STEPS, Map, Score, ends, plain, recording
from inception_lab.images.rules import check, loose, register


def saliency(score: Score, image: Tensor) -> Map:
    """The size of the score's gradient at each pixel, the largest of the channels (Simonyan et al. 2014)."""
    from captum.attr import Saliency

    with recording(image) as x:
        return Map(plain(Saliency(score).attribute(x, abs=True).amax(dim=1)[0]))


def input_x_gradient(score: Score, image: Tensor) -> Map:
    """Gradient times the value that entered, summed over the channels (Shrikumar et al. 2016)."""
    from captum.attr import InputXGradient

    with recording(image) as x:
        return Map(plain(InputXGradient(score).attribute(x).sum(dim=1)[0]))


def smoothgrad(
    score: Score, image: Tensor, *, samples: int = SAMPLES, noise: float = NOISE, seed: int = SEED, batch: int = BATCH
) -> Map:
    """The size of the mean gradient over `samples` noisy copies, the largest of the channels (Smilkov et al. 2017).

    The noise is normal, its standard deviation `noise` times the image's range. It comes from a generator of its own:
    Captum's NoiseTunnel draws from torch's, which all threads of a process share. The digits are the tunnel's for the
    same noise.
    """
    from captum.attr import Saliency

    generator = torch.Generator().manual_seed(seed)
    deviation = noise * (image.max() - image.min())
    total = torch.zeros_like(image, dtype=torch.float64)
    for start in range(0, samples, batch):
        drawn = [torch.randn(image.shape, generator=generator) for _ in range(min(batch, samples - start))]
        noisy = image + deviation * torch.cat(drawn)  # one by one: the noise does not depend on the batch
        with recording(noisy) as x:
            total = total + Saliency(score).attribute(x, abs=False).detach().double().sum(dim=0, keepdim=True)
    return Map(plain((total / samples).abs().amax(dim=1)[0]))


def guided_gradients(score: Score, image: Tensor) -> tuple[Tensor, int]:
    """The gradient (1, C, H, W) with what is negative dropped behind each ReLU, and how many ReLUs there were.

    (Springenberg et al. 2015.) Raises `SettingsError` for a network whose activations are not all ReLU modules.
    """
    from captum.attr import GuidedBackprop

    free = loose(score)
    count = check(free, image, "guided backpropagation")
    with recording(image) as x:
        return GuidedBackprop(free).attribute(x).detach(), count


def guided_backprop(score: Score, image: Tensor) -> Map:
    """The size of the guided gradient at each pixel, the largest of the channels; errors as `guided_gradients`."""
    return Map(plain(guided_gradients(score, image)[0].abs().amax(dim=1)[0]))


def deeplift(score: Score, image: Tensor, *, baseline: Tensor) -> Map:
    """What each pixel's change from `baseline` brings, by the rescale rule, summed over channels (Shrikumar 2017).

    The parts add up to score(image) - score(baseline) but for rounding, which `completeness_error` measures.
    Raises `SettingsError` for a network on which they would not: see `rules`.
    """
    from captum.attr import DeepLift

    register()
    free = loose(score)
    check(free, image, "DeepLift")
    with recording(image) as x:
        values = DeepLift(free).attribute(x, baselines=baseline).detach().double().sum(dim=1)[0]
    here, there = free.last.double().tolist()
    return Map(plain(values), abs(values.sum().item() - (here - there)), here - there)


def integrated_gradients(
    score: Score, image: Tensor, *, baseline: Tensor, steps: int = STEPS, batch: int = BATCH
) -> Map:
    """Gradients along the straight path from `baseline` to `image`, times the way; summed over the channels.

    By the completeness axiom the map adds up to score(image) - score(baseline), which is `difference`; what is missing
    is `completeness_error` (absolute, in logits), the error of `steps` Gauss-Legendre points (Sundararajan 2017).
    """
    from captum.attr import IntegratedGradients

    with recording(image) as x:
        method = IntegratedGradients(score, multiply_by_inputs=True)
        values = method.attribute(x, baselines=baseline, n_steps=steps, internal_batch_size=batch)
        summed = values.detach().double().sum(dim=1)[0]
    difference = ends(score, image, baseline)
    return Map(plain(summed), abs(summed.sum().item() - difference), difference)
