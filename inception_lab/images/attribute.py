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
from torch import Tensor

from inception_lab.images import estimate as estimates
from inception_lab.images import methods
from inception_lab.images.crops import pixels as cut
from inception_lab.images.estimate import Estimate
from inception_lab.images.explain import entering, explained, layer
from inception_lab.images.load import Photo, Source, load
from inception_lab.images.methods import METHODS, SIGNED, Method, Progress
from inception_lab.images.networks import MODELS, Loaded, borrowed, shares, threads_set
from inception_lab.images.perturbations import superpixels
from inception_lab.images.trained import known
from inception_lab.models.records import EMBEDDED

__all__ = ["METHODS", "Attribution", "Estimate", "Method", "Progress", "attribute", "cost", "default_layer", "estimate"]

FULL_COLOUR = 99.0  # percentile of the map's size that gets the full colour: single pixels would dim all others

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Attribution:
    """A map over the pixels that entered the network.

    `values` float32 (H, W): signed logits per pixel for the methods of `methods.SIGNED` (at a layer: per cell), else 0
    and more. `pixels` uint8 (H, W, 3). The score is the logit of `target`, or, with a class `against`, the difference
    of the two. `layer` is the address of a layer's map. `completeness_error` is the error in logits of a method that
    promises completeness, to be read against `difference`, the score of the image less that of a black one. `setting`
    says in words what was run.
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
    against: int | None = None
    against_label: str | None = None
    against_probability: float | None = None
    layer: str | None = None
    completeness_error: float | None = None
    difference: float | None = None
    forwards: int = 0
    seconds: float = 0.0

    @property
    def signed(self) -> bool:
        """Whether negative values mean something: pixels that speak against the class."""
        return self.method in SIGNED

    @property
    def question(self) -> str:
        """The class that is explained: `espresso`, or `espresso rather than cup`."""
        return self.label if self.against_label is None else f"{self.label} rather than {self.against_label}"

    @property
    def limit(self) -> float:
        """The size at which `overlay` reaches its full colour; the few larger values (1 in 100) look the same."""
        return full_colour(self.values)

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
        left_out = ("values", "pixels")
        return {"shape": list(self.values.shape)} | {
            name: getattr(self, name) for name in self.__slots__ if name not in left_out
        }

    def _repr_png_(self) -> bytes:
        out = BytesIO()
        self.overlay().save(out, "PNG")
        return out.getvalue()


def full_colour(values: Array) -> float:
    """The size that gets the full colour in a map of these values; 1 for a map of zeros."""
    sizes = np.abs(values)
    return float(np.percentile(sizes, FULL_COLOUR)) or float(sizes.max()) or 1.0


def cost(method: Method, *, network: str = EMBEDDED) -> int:
    """About how many times `attribute` runs an image through the network, the one for the prediction included.

    Exact but for feature ablation, whose regions depend on the picture, and for a layer's conductance on a network so
    large that the cap on memory makes its batches smaller; `estimate` is exact for both.
    """
    return 1 + methods.passes(method, known(network).size).images


def estimate(
    method: Method,
    *,
    network: str = EMBEDDED,
    image: Source | Photo | None = None,
    at: str | None = None,
    threads: int | None = None,
) -> Estimate:
    """What `attribute` will take: images, seconds and memory, by a pass measured on this machine the first time.

    With the `image` the number of superpixels is its own. Errors as `attribute`.
    """
    record = known(network)
    methods.passes(method, record.size)
    regions, square = methods.REGIONS, None if image is None else cut(load(image), record)
    if square is not None and method == "feature_ablation":
        regions = int(superpixels(np.asarray(square)).max()) + 1
    loaded = MODELS.get(network)
    with threads_set(threads):
        found = estimates.reach(method, loaded, layer(loaded, at)[1] if method in estimates.SHORT else None)
    return estimates.estimate(method, found, size=record.size, regions=regions)


def default_layer(network: str = EMBEDDED, at: str | None = None) -> str:
    """The full address of the layer that Grad-CAM and conductance look at, or of `at`; errors as `attribute`."""
    return layer(MODELS.get(network), at)[0]


def attribute(
    image: Source | Photo,
    network: str = EMBEDDED,
    *,
    method: Method = "integrated_gradients",
    target: int | None = None,
    against: int | None = None,
    at: str | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Attribution:
    """The pixels of `image` that speak for class `target` (the network's first choice if None), single centre crop.

    With `against` for `target` rather than that class: what is explained is the difference of their logits. `at` is
    the address of a layer's method, by default the end of the last stage. `progress` is called with (images run, images
    in all) and may raise to cancel. Raises `ImageError`, `WeightsError`, `RunError`, `UnknownAddress`, `SettingsError`
    (also for a method that is not sound on this network).
    """
    methods.passes(method, 1)  # refuses an unknown one before anything is loaded
    photo = load(image)
    methods.prepare()
    with threads_set(threads), borrowed(network) as loaded:
        start = time.perf_counter()
        square = cut(photo, loaded.record)
        probabilities = _probabilities(loaded, entering(loaded, square))
        target = int(probabilities.argmax()) if target is None else target
        found = explained(
            loaded, square, method=method, target=target, against=against, at=at, before=1, progress=progress
        )
        classes = _classes(loaded, probabilities, target, against)
    return Attribution(
        values=found.map.values,
        pixels=np.asarray(square),
        file=photo.name,
        network=loaded.record.tag,
        method=method,
        setting=found.setting,
        **classes,
        layer=found.layer,
        completeness_error=found.map.completeness_error,
        difference=found.map.difference,
        forwards=1 + found.images,
        seconds=time.perf_counter() - start,
    )


def _classes(loaded: Loaded, probabilities: Tensor, target: int, against: int | None) -> dict[str, Any]:
    """What an `Attribution` says of its classes."""
    asked = {"target": target, "label": loaded.labels[target], "probability": probabilities[target].item()}
    if against is None:
        return asked
    other = {"against": against, "against_label": loaded.labels[against]}
    return asked | other | {"against_probability": probabilities[against].item()}


def _probabilities(loaded: Loaded, x: Tensor) -> Tensor:
    with torch.inference_mode():
        return shares(loaded.model(x), loaded.record)[0]


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
