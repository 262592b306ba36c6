"""Every explanation carries its test: `trust(attribute("cat.jpg"))`.

Deletion and insertion beside random orders (`images.deletion`), the same method on a network with random weights
(`images.randomised`), the completeness error where a method promises completeness, and one sentence by the rules of
`images.verdict`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from inception_lab.errors import SettingsError
from inception_lab.images import deletion, verdict
from inception_lab.images.attribute import Attribution
from inception_lab.images.deletion import SEEDS, STEPS, Asked, Curves, Ground, Measure, Progress, Regions
from inception_lab.images.explain import batch_of, explained
from inception_lab.images.networks import Loaded, borrowed, threads_set
from inception_lab.images.randomised import KINDS, Kind, Remade, calibration, randomised
from inception_lab.images.ranks import spearman
from inception_lab.images.verdict import DEFINITIONS, Verdict

__all__ = ["DEFINITIONS", "Remade", "Trust", "Verdict", "cost", "trust"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trust:
    """What the tests of one map found.

    `verdict` and `sentence` follow from the rest by `DEFINITIONS`; `measure` is what their areas are of. `missing` is
    the completeness error as a share of the change of the score, None for a method that promises nothing.
    """

    verdict: Verdict
    sentence: str
    measure: Measure
    curves: Curves
    remade: tuple[Remade, ...]
    missing: float | None
    network: str
    method: str
    target: int
    label: str
    setting: str
    forwards: int
    seconds: float

    @property
    def deletion_area(self) -> float:
        """The area under the deletion curve of `measure`; the smaller, the better."""
        return self.curves.deletion.area(self.measure)

    @property
    def insertion_area(self) -> float:
        """The area under the insertion curve of `measure`; the larger, the better."""
        return self.curves.insertion.area(self.measure)

    @property
    def chance(self) -> tuple[float, float]:
        """Mean and standard deviation of the area over the random orders, the same for both curves."""
        found = self.curves.chance_areas(self.measure)
        return float(found.mean()), float(found.std(ddof=1))

    def rows(self) -> list[dict[str, float]]:
        """The curves as a table: share of the regions, both curves, mean and deviation of the random deletions."""
        chance = np.array([curve.of(self.measure) for curve in self.curves.chance])
        columns = {
            "share": self.curves.shares,
            "deletion": self.curves.deletion.of(self.measure),
            "insertion": self.curves.insertion.of(self.measure),
            "random deletion": chance.mean(axis=0),
            "random deletion sd": chance.std(axis=0, ddof=1),
            "random insertion": chance[:, ::-1].mean(axis=0),
            "random insertion sd": chance[:, ::-1].std(axis=0, ddof=1),
        }
        names = list(columns)
        return [dict(zip(names, map(float, row), strict=True)) for row in zip(*columns.values(), strict=True)]

    def to_dict(self) -> dict[str, Any]:
        """Plain values without the maps, as machines read them."""
        mean, deviation = self.chance
        named = ("network", "method", "target", "label", "verdict", "sentence", "measure", "setting", "missing")
        return {
            **{name: getattr(self, name) for name in named},
            "deletion_area": self.deletion_area,
            "insertion_area": self.insertion_area,
            "chance_area": mean,
            "chance_deviation": deviation,
            "random_orders": len(self.curves.chance),
            "random_weights": [one.to_dict() for one in self.remade],
            "curves": self.rows(),
            "forwards": self.forwards,
            "seconds": self.seconds,
        }


def cost(
    result: Attribution, *, steps: int = STEPS, seeds: int = SEEDS, kinds: Sequence[Kind] = KINDS, draws: int = 1
) -> int:
    """How many images `trust` runs through a network; the map's own method takes as many as it did before."""
    again = draws * len(kinds) * (result.forwards - 1) + draws * ("whole" in kinds) * calibration()
    return deletion.forwards(steps, seeds) + again


def trust(
    result: Attribution,
    *,
    steps: int = STEPS,
    seeds: int = SEEDS,
    ground: Ground = "blur",
    regions: Regions = "squares",
    kinds: Sequence[Kind] = KINDS,
    draws: int = 1,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Trust:
    """Test a map on the very pixels it was made from.

    `steps` points of each curve, `seeds` random orders; the strongest of the `regions` go to `ground` first. The method
    runs again on `draws` networks of each of `kinds` ("top": the classifier drawn anew; "whole": all weights). At most
    4 images are in the network at a time, or as many as the method's own cap allows. `progress` is called with (images
    run, images in all) and may raise to cancel. Raises `SettingsError`, and what `attribute` raises.
    """
    _checked(steps, seeds, ground, regions, kinds, draws)
    total = cost(result, steps=steps, seeds=seeds, kinds=kinds, draws=draws)
    start = time.perf_counter()
    with threads_set(threads):
        with borrowed(result.network) as loaded:
            pass  # asked for in parts: others get their turn in between
        parts = deletion.regions_of(result.pixels, regions)
        asked = Asked(
            loaded,
            result.pixels,
            target=result.target,
            against=result.against,
            ground=ground,
            regions=parts,
            progress=progress,
            total=total,
        )
        found = deletion.curves(asked, result.values, parts, steps=steps, seeds=seeds)
        remade = _again(loaded, result, kinds, draws, done=asked.done, total=total, progress=progress)
    setting = (
        f"{int(parts.max()) + 1} {regions}, strongest first to {deletion.ground_in_words(ground)}, {steps} steps; "
        f"{seeds} random orders, seeds 1 to {seeds}; {draws} drawn network{'s' * (draws > 1)} of each kind"
    )
    return _judged(result, found, remade, setting, forwards=total, seconds=time.perf_counter() - start)


def _judged(
    result: Attribution, found: Curves, remade: tuple[Remade, ...], setting: str, *, forwards: int, seconds: float
) -> Trust:
    """All that was found of a map, with the verdict that follows from it."""
    missing = _missing(result)
    said = verdict.judged(found, remade, missing=missing)
    return Trust(
        verdict=said.verdict,
        sentence=said.sentence,
        measure=said.measure,
        curves=found,
        remade=remade,
        missing=missing,
        network=result.network,
        method=result.method,
        target=result.target,
        label=result.question,
        setting=setting,
        forwards=forwards,
        seconds=seconds,
    )


def _checked(steps: int, seeds: int, ground: str, regions: str, kinds: Sequence[str], draws: int) -> None:
    deletion.checked(steps, seeds, ground, regions)
    if wrong := [kind for kind in kinds if kind not in KINDS]:
        raise SettingsError(f"There is no kind {wrong[0]!r} of random weights; there are {' and '.join(KINDS)}.")
    if not 1 <= draws <= 20:
        raise SettingsError(f"{draws} draws of random weights are not to be had; take 1 to 20.")


def _again(
    loaded: Loaded,
    result: Attribution,
    kinds: Sequence[Kind],
    draws: int,
    *,
    done: int,
    total: int,
    progress: Progress | None,
) -> tuple[Remade, ...]:
    """The same question to networks of random weights, one in memory at a time."""
    # as many images at a time as of the network that made the map, whose memory is known already
    found, batch = [], batch_of(loaded, result.method, result.layer)
    for kind in kinds:
        for seed in range(draws):
            if progress is not None:
                progress(done, total)
            with loaded.lock:
                random = randomised(loaded, kind=kind, seed=seed)
            done += calibration() if kind == "whole" else 0
            values = _map(random, result, batch, _later(progress, done, total))
            alike = spearman(np.abs(result.values), np.abs(values))
            found.append(Remade(kind=kind, seed=seed, values=values, correlation=alike))
            done += result.forwards - 1
    if progress is not None:
        progress(total, total)
    return tuple(found)


def _map(random: Loaded, result: Attribution, batch: int, progress: Progress | None) -> deletion.Array:
    with random.lock:
        found = explained(
            random,
            Image.fromarray(result.pixels),
            method=result.method,
            target=result.target,
            against=result.against,
            at=result.layer,
            batch=batch,
            progress=progress,
        )
    return found.map.values


def _later(progress: Progress | None, done: int, total: int) -> Progress | None:
    """`progress` for a part that starts when `done` of `total` images are through."""
    return None if progress is None else lambda here, _: progress(min(done + here, total), total)


def _missing(result: Attribution) -> float | None:
    if result.completeness_error is None or result.difference is None:
        return None
    return result.completeness_error / max(abs(result.difference), 1e-9)
