"""Residual against pure Inception at equal cost, in numbers: how far each network has come, and how soon.

Whether the paper's "greatly accelerates" holds here is not a word but a table: the gap depends on the depth and on the
rate, and `experiments.RACE.caveat` belongs beside it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Protocol

from inception_lab.readers.shapes import shapes
from inception_lab.training.events import Step
from inception_lab.training.experiments import RACE, Arm
from inception_lab.training.settings import Settings

AT = (50, 100, 200)
SPAN = 10
GOAL = 0.7


class Raced(Protocol):
    """A run as the race sees it; a shipped run and an arm of the page are such."""

    @property
    def settings(self) -> Settings:
        """What was asked for."""

    @property
    def steps(self) -> Sequence[Step]:
        """Its steps so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RaceRow:
    """One network at one rate over `n` runs. `accuracy` holds, for 50, 100 and 200 steps, the mean over runs of the
    accuracy of the ten training batches before it (nan where a run has not come so far); `goal` the first step of each
    run by which such a mean has reached 0.7, None for a run that never did. Costs are those of one image.
    """

    key: str
    label: str
    rate: float
    multiply_adds: int
    parameters: int
    n: int
    seeds: tuple[int, ...]
    accuracy: tuple[float, ...]
    worst: float
    best: float
    goal: tuple[int | None, ...]


def race_table(runs: Iterable[Raced]) -> list[RaceRow]:
    """A row for each arm of the experiment `race` that has a run, in its order; runs that belong to none are left out,
    and of runs with equal settings the last counts. `worst` and `best` are the range of the last `accuracy` there is.

    Raises `RunError` if the runs differ in more than arm and seed, as they then had no equal budget.
    """
    found: dict[str, dict[int, Raced]] = {}
    for run in runs:
        arm = RACE.arm_of(run.settings)
        if arm is not None and run.steps:
            found.setdefault(arm.key, {})[run.settings.seed] = run
    RACE.check_budget(run.settings for arm in found.values() for run in arm.values())
    steps = {key: {seed: run.steps for seed, run in raced.items()} for key, raced in found.items()}
    return [_row(arm, steps[arm.key]) for arm in RACE.arms if arm.key in steps]


def _row(arm: Arm, runs: dict[int, Sequence[Step]]) -> RaceRow:
    table = shapes(arm.settings.net())
    seeds = tuple(sorted(runs))
    at = [[_mean_before(runs[seed], step) for seed in seeds] for step in AT]
    last = next((each for each in reversed(at) if all(map(math.isfinite, each))), [math.nan])
    return RaceRow(
        key=arm.key,
        label=arm.label,
        rate=arm.settings.rate,
        multiply_adds=table.multiply_adds,
        parameters=table.parameters,
        n=len(seeds),
        seeds=seeds,
        accuracy=tuple(fmean(each) for each in at),
        worst=min(last),
        best=max(last),
        goal=tuple(_reached(runs[seed]) for seed in seeds),
    )


def _mean_before(steps: Sequence[Step], count: int) -> float:
    if len(steps) < count:
        return math.nan
    return fmean(step.accuracy for step in steps[count - SPAN : count])


def _reached(steps: Sequence[Step]) -> int | None:
    for last in range(SPAN, len(steps) + 1):
        if _mean_before(steps, last) >= GOAL:
            return steps[last - 1].step
    return None
