"""What the telemetry costs: the same run with and without it, taken in turns so that both meet the same machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median
from time import perf_counter

from inception_lab.training.events import Step
from inception_lab.training.run import run
from inception_lab.training.settings import Settings

WARM_UP = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Overhead:
    """Median seconds a step, with and without telemetry, over `steps` pairs after a warm-up."""

    with_telemetry: float
    without_telemetry: float
    steps: int

    @property
    def ratio(self) -> float:
        """How many times longer a step takes with telemetry."""
        return self.with_telemetry / self.without_telemetry


def telemetry_overhead(settings: Settings, *, steps: int = 100, clock: Callable[[], float] = perf_counter) -> Overhead:
    """Time `steps` steps of two equal runs, one measured at every step and one never.

    On a CPU that others use too, `clock=time.process_time` counts this process's work alone.
    """
    watched = run(settings.with_(telemetry_every=1, steps=steps + WARM_UP + 1))
    bare = run(settings.with_(telemetry_every=0, steps=steps + WARM_UP + 1))
    pairs = [(_seconds(watched, clock), _seconds(bare, clock)) for _ in range(steps + WARM_UP)][WARM_UP:]
    return Overhead(
        with_telemetry=median(pair[0] for pair in pairs),
        without_telemetry=median(pair[1] for pair in pairs),
        steps=steps,
    )


def _seconds(steps: Iterator[Step], clock: Callable[[], float]) -> float:
    began = clock()
    next(steps)
    return clock() - began
