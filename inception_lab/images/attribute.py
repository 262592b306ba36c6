"""Which pixels of a photograph speak for a class: `attribute("cat.jpg", "inception_v4", method="grad_cam")`."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from inception_lab.images import estimate as estimates
from inception_lab.images import methods
from inception_lab.images.attribution import Attribution
from inception_lab.images.crops import pixels as cut
from inception_lab.images.estimate import Estimate
from inception_lab.images.explain import entering, explained, layer
from inception_lab.images.joints import held
from inception_lab.images.load import Photo, Source, load
from inception_lab.images.methods import METHODS, Method, Progress
from inception_lab.images.networks import MODELS, Loaded, borrowed, shares, threads_set
from inception_lab.images.parts import Scales, in_words
from inception_lab.images.perturbations import superpixels
from inception_lab.images.trained import known
from inception_lab.models.records import EMBEDDED

__all__ = ["METHODS", "Attribution", "Estimate", "Method", "Progress", "attribute", "cost", "default_layer", "estimate"]


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
    ask = Ask(method=method, target=target, against=against, at=at, progress=progress)
    return asked(image, network, ask, threads=threads)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What is asked of one network, as the arguments of `attribute` and `images.moved.moved` have it."""

    method: Method
    target: int | None
    against: int | None
    at: str | None
    progress: Progress | None
    scales: Scales | None = None
    relative: bool = False

    @property
    def changed(self) -> str:
        """What the scales add to the words of a setting."""
        return "" if self.scales is None else f"; {in_words(self.scales, relative=self.relative)}"


def asked(image: Source | Photo, network: str, ask: Ask, *, threads: int | None) -> Attribution:
    """The answer; the first choice is that of the network as it was built, whatever its residuals' scales are then."""
    methods.passes(ask.method, 1)  # refuses an unknown one before anything is loaded
    photo = load(image)
    methods.prepare()
    with threads_set(threads), borrowed(network) as loaded:
        start = time.perf_counter()
        square = cut(photo, loaded.record)
        x, target, before = entering(loaded, square), ask.target, 1
        if target is None and ask.scales is not None:
            target, before = int(_probabilities(loaded, x).argmax()), 2
        with held(loaded, ask.scales, relative=ask.relative):
            return _answer(loaded, photo.name, square, x, ask, target=target, before=before, start=start)


def _answer(
    loaded: Loaded,
    file: str,
    square: Image.Image,
    x: Tensor,
    ask: Ask,
    *,
    target: int | None,
    before: int,
    start: float,
) -> Attribution:
    """The map of a network as it is held now, after `before` images, this one's prediction among them."""
    probabilities = _probabilities(loaded, x)
    target = int(probabilities.argmax()) if target is None else target
    found = explained(
        loaded,
        square,
        method=ask.method,
        target=target,
        against=ask.against,
        at=ask.at,
        before=before,
        progress=ask.progress,
    )
    return Attribution(
        values=found.map.values,
        pixels=np.asarray(square),
        file=file,
        network=loaded.record.tag,
        method=ask.method,
        setting=found.setting + ask.changed,
        **_classes(loaded, probabilities, target, ask.against),
        layer=found.layer,
        completeness_error=found.map.completeness_error,
        difference=found.map.difference,
        scales=ask.scales,
        relative=ask.relative,
        passes=found.images,
        forwards=before + found.images,
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
