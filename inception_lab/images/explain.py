"""One method on one loaded network: the layer it looks at, its baseline, its batches, and all of it in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import assert_never

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from inception_lab.errors import SettingsError, UnknownAddress
from inception_lab.images import estimate, gradients, layers, methods, perturbations
from inception_lab.images.methods import AT_LAYER, Map, Meter, Method, Progress, Score
from inception_lab.images.networks import Loaded, aimed, tensor
from inception_lab.models.records import EMBEDDED

EMBEDDED_LAYER = "bn2"  # timm's last convolution ends in it, activation included


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Explained:
    """A map, the full address of its layer if it has one, what ran in words, and how many images that were."""

    map: Map
    layer: str | None
    setting: str
    images: int


def entering(loaded: Loaded, square: Image.Image) -> Tensor:
    """The square as the network takes it, (1, 3, S, S), channels last: convolutions on a CPU are faster so."""
    return tensor([square], loaded.record).contiguous(memory_format=torch.channels_last)


def explained(
    loaded: Loaded,
    square: Image.Image,
    *,
    method: Method,
    target: int,
    against: int | None = None,
    at: str | None = None,
    before: int = 0,
    batch: int | None = None,
    progress: Progress | None = None,
) -> Explained:
    """Run `method` for class `target`, or for `target` rather than `against`; the caller holds the network's lock.

    `batch` images go through at a time, by default as many as the cap on memory allows, which is measured the first
    time. `progress` counts from `before` images on. Raises `SettingsError` and `UnknownAddress`.
    """
    if at is not None and method not in AT_LAYER:
        raise SettingsError(f"A layer ({at}) is for {', '.join(AT_LAYER)} only; {method} looks at the input.")
    aimed(loaded, target, against)
    x = entering(loaded, square)
    batch = batch or batch_of(loaded, method, at)
    regions = perturbations.superpixels(np.asarray(square)) if method == "feature_ablation" else None
    count = methods.REGIONS if regions is None else int(regions.max()) + 1
    images = methods.passes(method, loaded.record.size, batch=batch, regions=count).images
    meter = Meter(before + images, progress)
    meter.add(before)
    score = Score(loaded.model, target, against, meter=meter)
    if method in AT_LAYER:
        layer, setting, found = _at_layer(loaded, score, x, method, at, batch)
    elif regions is not None:
        layer, setting = None, f"{count} superpixels (SLIC), each covered with grey in turn"
        found = perturbations.feature_ablation(score, x, baseline=grey(x), regions=regions, batch=batch)
    else:
        layer, (setting, found) = None, _at_input(loaded, score, x, method, batch)
    return Explained(map=found, layer=layer, setting=setting, images=images)


def batch_of(loaded: Loaded, method: Method, at: str | None = None) -> int:
    """How many images `method` lets through at a time, from passes measured the first time; errors as `explained`."""
    module = layer(loaded, at)[1] if method in estimate.SHORT else None
    return estimate.batch_of(method, estimate.reach(method, loaded, module))


def layer(loaded: Loaded, at: str | None) -> tuple[str, nn.Module]:
    """The layer at an address, by default the end of the last stage, with its full address."""
    own, model, tag = loaded.own, loaded.model, loaded.record.tag
    if own is not None:
        place = at or own.net.stages[-1].name
        return f"{own.net.name}/{place.removeprefix(f'{own.net.name}/')}", own.at(place)
    place = (at or _last(loaded)).removeprefix(f"{tag}/").replace("/", ".")
    try:
        return f"{tag}/{place.replace('.', '/')}", model.get_submodule(place)
    except AttributeError:
        names = ", ".join(name for name, _ in model.named_children())
        raise UnknownAddress(f"There is no {place!r} in {tag}; it has {names}.") from None


def grey(x: Tensor) -> Tensor:
    """A plain image of the mean colour of the network's preprocessing, which enters it as zeros."""
    return torch.zeros_like(x)


def black(loaded: Loaded) -> Tensor:
    """A black image as the network takes it."""
    return entering(loaded, Image.new("RGB", (loaded.record.size, loaded.record.size), "black"))


def _at_input(loaded: Loaded, score: Score, x: Tensor, method: Method, batch: int) -> tuple[str, Map]:
    match method:
        case "saliency":
            return "size of the gradient, largest of the channels", gradients.saliency(score, x)
        case "input_x_gradient":
            return "gradient times the value that entered", gradients.input_x_gradient(score, x)
        case "smoothgrad":
            noise = f"{methods.SAMPLES} copies with noise of {methods.NOISE:.0%} of the range, seed {methods.SEED}"
            return noise, gradients.smoothgrad(score, x, batch=batch)
        case "guided_backprop":
            return "gradient, what is negative dropped at each ReLU", gradients.guided_backprop(score, x)
        case "deeplift":
            found = gradients.deeplift(score, x, baseline=black(loaded))
            return "rescale rule, change from a black image", found
        case "integrated_gradients":
            found = gradients.integrated_gradients(score, x, baseline=black(loaded), batch=batch)
            return f"{methods.STEPS} steps from a black image", found
        case "occlusion":
            side, stride = methods.window(loaded.record.size)
            found = perturbations.occlusion(score, x, baseline=grey(x), side=side, stride=stride, batch=batch)
            return f"grey square of {side} pixels, moved by {stride}", found
        case "grad_cam" | "guided_grad_cam" | "layer_conductance" | "feature_ablation":
            raise SettingsError(f"{method} needs more than the input.")
        case _:
            assert_never(method)


def _at_layer(
    loaded: Loaded, score: Score, x: Tensor, method: Method, at: str | None, batch: int
) -> tuple[str, str, Map]:
    address, module = layer(loaded, at)
    named = f"layer {address}" + (" (the default)" if at is None else "")
    with _reached(module, address):
        if method == "grad_cam":
            return address, named, layers.grad_cam(score, module, x)
        if method == "guided_grad_cam":
            return address, f"{named}, times the guided gradient", layers.guided_grad_cam(score, module, x)
        found = layers.layer_conductance(score, module, x, baseline=black(loaded), batch=batch)
    return address, f"{named}, {methods.STEPS} steps from a black image, summed over channels", found


@contextmanager
def _reached(module: nn.Module, address: str) -> Iterator[None]:
    """Raises `UnknownAddress` if the block fails and the module was not called in it: what only trains, or is folded
    into another, has an address and no output."""
    calls: list[int] = []
    handle = module.register_forward_hook(lambda *_: calls.append(1))
    try:
        yield
    except (AssertionError, LookupError):  # Captum's, where the hooks it hung heard nothing
        if calls:
            raise
        raise UnknownAddress(f"{address} is not run in a pass; choose the block around it.") from None
    finally:
        handle.remove()


def _last(loaded: Loaded) -> str:
    """The last part of a network of timm's that still puts out maps."""
    if loaded.record.tag == EMBEDDED:
        return EMBEDDED_LAYER
    names = [name for name, _ in loaded.model.named_children()]
    ahead = [name for name in names if name not in ("global_pool", "pool", "head", "fc", "classifier", "last_linear")]
    return ahead[-1]
