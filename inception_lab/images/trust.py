"""Every explanation carries its test: `trust(attribute("cat.jpg"))`.

Deletion and insertion beside random orders (`images.deletion`), the same method on networks with random weights
(`images.redrawn`), the completeness error where a method promises completeness, and one sentence by the rules of
`images.verdict`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from inception_lab.errors import SettingsError
from inception_lab.images import deletion, verdict
from inception_lab.images.attribution import Attribution
from inception_lab.images.deletion import SEEDS, STEPS, Asked, Curves, Ground, Progress, Regions
from inception_lab.images.networks import borrowed, threads_set
from inception_lab.images.randomised import KINDS, Kind
from inception_lab.images.redrawn import Draws, Remade, again, draws_for
from inception_lab.images.tested import Trust
from inception_lab.images.verdict import DEFINITIONS, Verdict

__all__ = ["DEFINITIONS", "Remade", "Trust", "Verdict", "checked", "cost", "trust"]

MOST_DRAWS = 20


def cost(
    result: Attribution,
    *,
    steps: int = STEPS,
    seeds: int = SEEDS,
    kinds: Sequence[Kind] = KINDS,
    draws: int | None = None,
) -> int:
    """How many images `trust` runs through a network; the map's own method takes as many as it did before.

    None for a map of zeros, which cannot be tested.
    """
    if result.note:
        return 0
    return deletion.forwards(steps, seeds) + draws_for(result.passes, kinds=kinds, draws=draws).images(result.passes)


def checked(
    *,
    steps: int = STEPS,
    seeds: int = SEEDS,
    ground: str = "blur",
    regions: str = "squares",
    kinds: Sequence[str] = KINDS,
    draws: int | None = None,
    seed: int = 0,
) -> None:
    """Raises `SettingsError` for arguments of `trust` that give no test; to be asked before a map is made."""
    deletion.checked(steps, seeds, ground, regions)
    if wrong := [kind for kind in kinds if kind not in KINDS]:
        raise SettingsError(f"There is no kind {wrong[0]!r} of random weights; there are {' and '.join(KINDS)}.")
    if draws is not None and not 1 <= draws <= MOST_DRAWS:
        raise SettingsError(f"{draws} draws of random weights are not to be had; take 1 to {MOST_DRAWS}.")
    if not 0 <= seed < 2**31:
        raise SettingsError(f"{seed} is no seed; take a whole number from 0 on.")


def trust(
    result: Attribution,
    *,
    steps: int = STEPS,
    seeds: int = SEEDS,
    ground: Ground = "blur",
    regions: Regions = "squares",
    kinds: Sequence[Kind] = KINDS,
    draws: int | None = None,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Trust:
    """Test a map on the very pixels it was made from, in the network it was made from, changed scales included.

    `steps` points of each curve, `seeds` random orders; the strongest of the `regions` go to `ground` first. The method
    runs again on `draws` networks (by default 10 or 5, and 3: `images.redrawn`) of each of `kinds` ("top": the
    classifier drawn anew; "whole": all weights), drawn with the seeds from `seed` on. At most 4 images are in the
    network at a time, or as many as the method's own cap allows. `progress` is called with (images run, images in all)
    and may raise to cancel. Raises `SettingsError`, and what `attribute` raises.
    """
    checked(steps=steps, seeds=seeds, ground=ground, regions=regions, kinds=kinds, draws=draws, seed=seed)
    if result.note:
        return _judged(result, None, (), setting="a map of zeros has no order to test")
    plan, start = draws_for(result.passes, kinds=kinds, draws=draws, seed=seed), time.perf_counter()
    total = cost(result, steps=steps, seeds=seeds, kinds=kinds, draws=draws)
    with threads_set(threads):
        found, parts, remade = _run(result, plan, steps, seeds, ground, regions, total=total, progress=progress)
    setting = (
        f"{parts} {regions}, strongest first to {deletion.ground_in_words(ground)}, {steps} steps; "
        f"{seeds} random orders, seeds 1 to {seeds}; {plan.in_words()}, seeds from {seed}"
    )
    return _judged(result, found, remade, setting, forwards=total, seconds=time.perf_counter() - start)


def _run(
    result: Attribution,
    plan: Draws,
    steps: int,
    seeds: int,
    ground: Ground,
    regions: Regions,
    *,
    total: int,
    progress: Progress | None,
) -> tuple[Curves, int, tuple[Remade, ...]]:
    """The curves, how many regions they are over, and the maps of random weights."""
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
        scales=result.scales,
        relative=result.relative,
        progress=progress,
        total=total,
    )
    found = deletion.curves(asked, result.values, parts, steps=steps, seeds=seeds)
    remade = again(loaded, result, plan, done=asked.done, total=total, progress=progress)
    if progress is not None:
        progress(total, total)
    return found, int(parts.max()) + 1, remade


def _judged(result: Attribution, found: Curves | None, remade: tuple[Remade, ...], setting: str, **spent: Any) -> Trust:
    """All that was found of a map, with the verdict that follows from it."""
    missing = _missing(result)
    said = verdict.blank(result) if found is None else verdict.judged(found, remade, missing=missing)
    return Trust(
        result=result,
        verdict=said.verdict,
        sentence=said.sentence,
        findings=said.findings,
        measure=said.measure,
        curves=found,
        remade=remade,
        missing=missing,
        setting=setting,
        **spent,
    )


def _missing(result: Attribution) -> float | None:
    if result.completeness_error is None or result.difference is None:
        return None
    return result.completeness_error / max(abs(result.difference), 1e-9)
