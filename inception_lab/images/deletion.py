"""Deletion and insertion: what the score does as the strongest parts of a map are taken from the image and come back.

The image is cut into regions. Deletion replaces them one after the other, strongest first, by a ground that says little
(Samek et al. 2017, where it is "pixel flipping"; Petsiuk et al. 2018); insertion starts from the ground and brings them
back in the same order. What a fall is worth is seen beside orders that know nothing: the same regions, shuffled. Taking
a shuffled order away shows the same images as bringing its reverse back, so one set of them serves both curves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, assert_never, get_args

import numpy as np
import torch
from PIL import Image, ImageFilter
from torch import Tensor

from inception_lab.errors import SettingsError
from inception_lab.images.joints import held
from inception_lab.images.networks import Loaded, shares, tensor

Ground = Literal["blur", "grey"]
GROUNDS: tuple[Ground, ...] = get_args(Ground)
Regions = Literal["squares", "superpixels", "pixels"]
REGIONS: tuple[Regions, ...] = get_args(Regions)
Measure = Literal["probability", "logit"]
Progress = Callable[[int, int], None]

STEPS = 16
SEEDS = 5
GRID = 16  # squares along a side
BLUR = 12  # the blur's deviation is a twelfth of the side: the eye no longer finds the thing, its colours stay
CHUNK = 4  # images at a time, whatever the network: 4 maps of each layer are the memory

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curve:
    """A score at `steps` + 1 shares of the regions, 0 to 1: `probability` and `logit`, each (steps + 1,)."""

    probability: Array
    logit: Array

    def of(self, measure: Measure) -> Array:
        """The values of one measure."""
        return self.probability if measure == "probability" else self.logit

    def area(self, measure: Measure) -> float:
        """The area under the curve over shares from 0 to 1, by trapezoids: the mean score on the way."""
        values = self.of(measure)
        return float((values[:-1] + values[1:]).mean() / 2)

    @property
    def reversed(self) -> Curve:
        """The same images seen from the other end: regions brought back, last first."""
        return Curve(probability=self.probability[::-1], logit=self.logit[::-1])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curves:
    """A map's two curves over the `shares` (steps + 1,) of regions, and those of `chance`, one deletion for each seed.

    With a class `against` the logit is the difference of the two classes' and the probability is that of the target
    among the two.
    """

    shares: Array
    deletion: Curve
    insertion: Curve
    chance: tuple[Curve, ...]

    def drop(self, measure: Measure) -> float:
        """The score of the whole image less that of the ground alone."""
        values = self.deletion.of(measure)
        return float(values[0] - values[-1])

    def chance_areas(self, measure: Measure) -> Array:
        """The area of each shuffled order; that of its reverse, brought back, is the same."""
        return np.array([curve.area(measure) for curve in self.chance])


class Asked:
    """One question to a network, with its residuals' `scales` if there are any, about the images between a square and
    its ground; it counts what it runs.

    The network's lock is held for each chunk alone, so that another caller waits for a few images and not for all.
    """

    def __init__(
        self,
        loaded: Loaded,
        pixels: Array,
        *,
        target: int,
        against: int | None = None,
        ground: Ground = "blur",
        regions: Array,
        scales: float | Mapping[str, float] | None = None,
        relative: bool = False,
        progress: Progress | None = None,
        total: int = 0,
    ) -> None:
        self._loaded, self._target, self._against = loaded, target, against
        self._regions = torch.from_numpy(np.ascontiguousarray(regions, dtype=np.int64))
        self._count = int(regions.max()) + 1
        square = Image.fromarray(pixels)
        self._whole = tensor([square], loaded.record)
        self._ground = torch.zeros_like(self._whole) if ground == "grey" else tensor([blurred(square)], loaded.record)
        self._scales, self._relative = scales, relative
        self._progress, self._total, self.done = progress, total, 0

    def ends(self) -> Curve:
        """The whole image and the ground alone."""
        return self._run([np.zeros(self._count, bool), np.ones(self._count, bool)])

    def between(self, order: Array, steps: int) -> Curve:
        """The inner points of a deletion in this order of regions, (steps - 1,)."""
        gone = []
        for step in range(1, steps):
            mask = np.zeros(self._count, bool)
            mask[order[: round(step * self._count / steps)]] = True
            gone.append(mask)
        return self._run(gone)

    def _run(self, gone: Sequence[Array]) -> Curve:
        found: list[tuple[float, float]] = []
        for start in range(0, len(gone), CHUNK):
            self._tell()
            part = torch.from_numpy(np.stack(gone[start : start + CHUNK]))
            covered = part[:, self._regions][:, None]
            images = torch.where(covered, self._ground, self._whole)
            with held(self._loaded, self._scales, relative=self._relative), torch.inference_mode():
                logits = self._loaded.model(images)
            found += self._scores(logits)
            self.done += len(part)
        self._tell()
        probability, logit = np.array(found).T
        return Curve(probability=probability, logit=logit)

    def _scores(self, logits: Tensor) -> list[tuple[float, float]]:
        probabilities = shares(logits, self._loaded.record)[:, self._target]
        score = logits[:, self._target]
        if self._against is not None:
            score = score - logits[:, self._against]
            probabilities = score.sigmoid()
        return list(zip(probabilities.tolist(), score.tolist(), strict=True))

    def _tell(self) -> None:
        if self._progress is not None:
            self._progress(self.done, self._total)


def forwards(steps: int, seeds: int, *, maps: int = 1, insertion: bool = True) -> int:
    """How many images `maps` maps of one network take: the two ends, and the inner points of every curve."""
    return 2 + (maps * (2 if insertion else 1) + seeds) * (steps - 1)


def checked(steps: int, seeds: int, ground: str, regions: str) -> None:
    """Raises `SettingsError` for settings that give no test."""
    if not 2 <= steps <= 1000:
        raise SettingsError(f"{steps} steps make no curve; take 2 to 1000.")
    if not 3 <= seeds <= 100:
        raise SettingsError(f"{seeds} random orders say nothing about chance; take 3 to 100.")
    if ground not in GROUNDS:
        raise SettingsError(f"There is no ground {ground!r}; there are {' and '.join(GROUNDS)}.")
    if regions not in REGIONS:
        raise SettingsError(f"There are no regions {regions!r}; there are {', '.join(REGIONS)}.")


def regions_of(pixels: Array, kind: Regions) -> Array:
    """The number of each pixel's region from 0 on, (H, W); squares are a grid of at most `GRID` x `GRID`."""
    high, wide = pixels.shape[:2]
    match kind:
        case "squares":
            rows, columns = (np.arange(side) // -(-side // GRID) for side in (high, wide))
            return np.asarray(rows[:, None] * (columns[-1] + 1) + columns[None, :])
        case "superpixels":
            from inception_lab.images.perturbations import superpixels

            return np.asarray(superpixels(pixels))
        case "pixels":
            return np.arange(high * wide).reshape(high, wide)
        case _:
            assert_never(kind)


def means(values: Array, regions: Array) -> Array:
    """The mean of a map (H, W) over each region, (regions,)."""
    flat = regions.ravel()
    return np.asarray(np.bincount(flat, values.ravel().astype(np.float64)) / np.bincount(flat))


def order_of(values: Array, regions: Array) -> Array:
    """The regions from the strongest for the class to the strongest against it; of equals the order is chance's."""
    strength = means(values, regions)
    shuffled = np.random.default_rng(0).permutation(len(strength))
    return np.asarray(shuffled[np.argsort(-strength[shuffled], kind="stable")])


def random_orders(count: int, seeds: int) -> list[Array]:
    """Shuffled orders of `count` regions, of the seeds 1, 2, ... (0 parts the equals of a map)."""
    return [np.random.default_rng(seed).permutation(count) for seed in range(1, seeds + 1)]


def joined(ends: Curve, inner: Curve) -> Curve:
    """A deletion curve from its ends and its inner points."""
    return Curve(
        **{
            name: np.concatenate([getattr(ends, name)[:1], getattr(inner, name), getattr(ends, name)[1:]])
            for name in ("probability", "logit")
        }
    )


def curves(asked: Asked, values: Array, regions: Array, *, steps: int, seeds: int) -> Curves:
    """Both curves of a map and the shuffled ones beside them; `forwards(steps, seeds)` images."""
    order, ends = order_of(values, regions), asked.ends()
    return Curves(
        shares=np.linspace(0, 1, steps + 1),
        deletion=joined(ends, asked.between(order, steps)),
        insertion=joined(ends, asked.between(order[::-1], steps)).reversed,
        chance=tuple(joined(ends, asked.between(one, steps)) for one in random_orders(len(order), seeds)),
    )


def blurred(square: Image.Image) -> Image.Image:
    """The square out of focus: a Gaussian whose deviation is 1/`BLUR` of its side."""
    return square.filter(ImageFilter.GaussianBlur(square.width / BLUR))


def ground_in_words(ground: Ground) -> str:
    """The ground as captions say it."""
    return "a blurred copy" if ground == "blur" else "the mean colour"
