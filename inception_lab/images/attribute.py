"""Which pixels of a photograph speak for a class: `attribute("cat.jpg", "inception_v4", method="grad_cam")`."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from inception_lab.errors import SettingsError, UnknownAddress
from inception_lab.images import methods
from inception_lab.images.crops import pixels as cut
from inception_lab.images.load import Photo, Source, load
from inception_lab.images.methods import METHODS, Map, Method, Progress
from inception_lab.images.networks import Loaded, borrowed, shares, tensor, threads_set
from inception_lab.images.trained import known
from inception_lab.models.records import EMBEDDED, WeightRecord

__all__ = ["METHODS", "Attribution", "Method", "Progress", "attribute", "cost"]

EMBEDDED_LAYER = "bn2"  # timm's last convolution ends in it, activation included
FULL_COLOUR = 99.0  # percentile of the map's size that gets the full colour: single pixels would dim all others

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Attribution:
    """A map over the pixels that entered the network.

    `values` float32 (H, W): signed logits per pixel for integrated gradients and occlusion, 0 and more for Grad-CAM.
    `pixels` uint8 (H, W, 3). `layer` is Grad-CAM's address. `completeness_error` is integrated gradients' own error in
    logits, to be read against `difference`, the score of the image less that of a black one. `setting` says in words
    what was run.
    """

    values: Array
    pixels: Array
    file: str
    network: str
    method: Method
    target: int
    label: str
    probability: float
    setting: str
    layer: str | None = None
    completeness_error: float | None = None
    difference: float | None = None
    forwards: int = 0
    seconds: float = 0.0

    @property
    def signed(self) -> bool:
        """Whether negative values mean something: pixels that speak against the class."""
        return self.method != "grad_cam"

    @property
    def limit(self) -> float:
        """The size at which `overlay` reaches its full colour; the few larger values (1 in 100) look the same."""
        return float(np.percentile(np.abs(self.values), FULL_COLOUR)) or float(np.abs(self.values).max()) or 1.0

    def overlay(self, alpha: float = 0.7) -> Image.Image:
        """The map over the greyed pixels: PuOr (purple for, orange against) if signed, else cividis from 0."""
        strength = np.clip(self.values / self.limit, -1 if self.signed else 0, 1)
        grey = np.repeat(self.pixels.mean(axis=2, keepdims=True), 3, axis=2)
        if self.signed:
            colour, share = _colours("PuOr", (strength + 1) / 2), alpha * np.abs(strength)[..., None]
        else:
            colour, share = _colours("Cividis", strength), np.full((*strength.shape, 1), alpha)
        return Image.fromarray(np.rint(grey * (1 - share) + colour * share).astype(np.uint8))

    def to_dict(self) -> dict[str, Any]:
        """Plain values without the map itself, as the command line prints them."""
        named = ("network", "method", "target", "label", "probability", "file", "layer", "setting")
        numbers = ("completeness_error", "difference", "forwards", "seconds")
        return {"shape": list(self.values.shape), **{name: getattr(self, name) for name in (*named, *numbers)}}

    def _repr_png_(self) -> bytes:
        out = BytesIO()
        self.overlay().save(out, "PNG")
        return out.getvalue()


def cost(method: Method, *, network: str = EMBEDDED) -> int:
    """How many times `attribute` runs an image through the network, the one for the prediction included."""
    return 1 + methods.forwards(method, known(network).size)


def attribute(
    image: Source | Photo,
    network: str = EMBEDDED,
    *,
    method: Method = "integrated_gradients",
    target: int | None = None,
    at: str | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Attribution:
    """The pixels of `image` that speak for class `target` (the network's first choice if None), single centre crop.

    `at` is the address of Grad-CAM's layer, by default the end of the last stage. `progress` is called with (images
    run, images in all) and may raise to cancel. Raises `ImageError`, `WeightsError`, `RunError`, `UnknownAddress`,
    `SettingsError`.
    """
    photo, total = load(image), cost(method, network=network)
    methods.prepare()
    with threads_set(threads), borrowed(network) as loaded:
        start = time.perf_counter()
        square = cut(photo, loaded.record)
        x = tensor([square], loaded.record)
        target, probability = _chosen(loaded, x, target)
        layer, setting, found = _run(loaded, x, target, method, at, _later(progress, 1, total))
    return Attribution(
        values=found.values,
        pixels=np.asarray(square),
        file=photo.name,
        network=loaded.record.tag,
        method=method,
        target=target,
        label=loaded.labels[target],
        probability=probability,
        setting=setting,
        layer=layer,
        completeness_error=found.completeness_error,
        difference=found.difference,
        forwards=total,
        seconds=time.perf_counter() - start,
    )


def _run(
    loaded: Loaded, x: Tensor, target: int, method: Method, at: str | None, progress: Progress | None
) -> tuple[str | None, str, Map]:
    if at is not None and method != "grad_cam":
        raise SettingsError(f"A layer ({at}) is for Grad-CAM only; {method} looks at the input.")
    match method:
        case "integrated_gradients":
            black = _plain_colour("black", loaded.record)
            found = methods.integrated_gradients(loaded.model, x, target, baseline=black, progress=progress)
            return None, f"{methods.STEPS} steps from a black image", found
        case "grad_cam":
            address, layer = _layer(loaded, at)
            return address, f"layer {address}", methods.grad_cam(loaded.model, layer, x, target, progress=progress)
        case "occlusion":
            side, stride = methods.window(loaded.record.size)
            grey = torch.zeros_like(x)  # the mean colour of the record
            found = methods.occlusion(
                loaded.model, x, target, baseline=grey, side=side, stride=stride, progress=progress
            )
            return None, f"grey square of {side} pixels, moved by {stride}", found


def _chosen(loaded: Loaded, x: Tensor, target: int | None) -> tuple[int, float]:
    """The class to explain and its probability."""
    with torch.inference_mode():
        found = shares(loaded.model(x), loaded.record)[0]
    chosen = int(found.argmax()) if target is None else target
    if not 0 <= chosen < len(found):
        raise SettingsError(f"There is no class {chosen}; this network has 0 to {len(found) - 1}.")
    return chosen, found[chosen].item()


def _layer(loaded: Loaded, at: str | None) -> tuple[str, nn.Module]:
    """Grad-CAM's layer with its full address."""
    own, model, tag = loaded.own, loaded.model, loaded.record.tag
    if own is not None:
        place = at or own.net.stages[-1].name
        return f"{own.net.name}/{place.removeprefix(f'{own.net.name}/')}", own.at(place)
    place = (at or EMBEDDED_LAYER).removeprefix(f"{tag}/").replace("/", ".")
    try:
        return f"{tag}/{place.replace('.', '/')}", model.get_submodule(place)
    except AttributeError:
        names = ", ".join(name for name, _ in model.named_children())
        raise UnknownAddress(f"There is no {place!r} in {tag}; it has {names}.") from None


def _plain_colour(colour: str, record: WeightRecord) -> Tensor:
    return tensor([Image.new("RGB", (record.size, record.size), colour)], record)


def _later(progress: Progress | None, done: int, total: int) -> Progress | None:
    """`progress` for a part that starts when `done` of `total` images are through."""
    if progress is None:
        return None
    progress(done, total)
    return lambda here, _: progress(done + here, total)


def _colours(name: str, places: Array) -> Array:
    """RGB (H, W, 3), 0 to 255, at places 0 to 1 of the scale that the figures use too."""
    table = _table(name)
    steps = np.linspace(0, 1, len(table))
    return np.stack([np.interp(places, steps, table[:, channel]) for channel in range(3)], axis=-1)


@cache
def _table(name: str) -> Array:
    from plotly.colors import get_colorscale, unlabel_rgb

    colours = [colour for _, colour in get_colorscale(name)]
    if colours[0].startswith("#"):
        return np.array([[int(colour[place : place + 2], 16) for place in (1, 3, 5)] for colour in colours], float)
    return np.array([unlabel_rgb(colour) for colour in colours], float)
