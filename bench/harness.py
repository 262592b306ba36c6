"""How a benchmark is declared, run and judged.

A benchmark is a generator function that yields its sides once: names and functions that do the work and return the
seconds it took. The sides run in turns, so that whatever else the machine does falls on all of them alike; what counts
is the median. The first side is ours, the second what ours is measured against.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

Work = Callable[[], float]
Sides = Mapping[str, Work]
Unit = Literal["s", "bytes", "logits", "share"]


class Skip(Exception):
    """A benchmark that cannot be run here and now; the message says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """The promise: ours takes less than `limit` seconds, or less than `limit` times what the other side takes.

    `noise` is the share by which a measurement may miss a promise that equal sides keep only half of the time.
    """

    limit: float
    of: Literal["seconds", "ratio"]
    noise: float = 0.0

    def met(self, seconds: float, ratio: float | None) -> bool:
        """Whether the measurement keeps the promise."""
        measured = seconds if self.of == "seconds" else ratio
        return measured is not None and measured < self.limit * (1 + self.noise)

    def __str__(self) -> str:
        limit = f"< {duration(self.limit)}" if self.of == "seconds" else f"< {self.limit:g} ×"
        return f"{limit} +{self.noise:.0%}" if self.noise else limit


@dataclass(frozen=True, slots=True)
class Bench:
    """A registered benchmark."""

    name: str
    what: str
    target: Target
    rounds: int
    sides: Callable[[], Iterator[Sides]]
    unit: Unit = "s"


@dataclass(frozen=True, slots=True)
class Result:
    """Seconds per side, in the order they were taken."""

    bench: Bench
    seconds: Mapping[str, tuple[float, ...]]

    @property
    def medians(self) -> dict[str, float]:
        """The median of each side, ours first."""
        return {side: median(taken) for side, taken in self.seconds.items()}

    @property
    def ratio(self) -> float | None:
        """Our median over the other side's; None where ours stands alone."""
        first, *others = self.medians.values()
        return first / others[0] if others else None

    @property
    def met(self) -> bool:
        """Whether the promise is kept."""
        return self.bench.target.met(next(iter(self.medians.values())), self.ratio)

    def to_dict(self) -> dict[str, Any]:
        """For machines."""
        return {
            "name": self.bench.name,
            "what": self.bench.what,
            "n": len(next(iter(self.seconds.values()))),
            "medians": self.medians,
            "seconds": {side: list(taken) for side, taken in self.seconds.items()},
            "unit": self.bench.unit,
            "ratio": self.ratio,
            "target": {
                "limit": self.bench.target.limit,
                "of": self.bench.target.of,
                "noise": self.bench.target.noise,
            },
            "met": self.met,
        }


BENCHES: dict[str, Bench] = {}


def bench(
    name: str,
    what: str,
    *,
    seconds: float | None = None,
    ratio: float | None = None,
    noise: float = 0.0,
    rounds: int = 9,
    unit: Unit = "s",
) -> Callable[[Callable[[], Iterator[Sides]]], Callable[[], Iterator[Sides]]]:
    """Register a benchmark with its promise: `seconds=` or `ratio=`, and the noise a measurement may have.

    Where the sides return bytes, logits or shares the `unit` says so, and the promise is a ratio.
    """
    if (seconds is None) == (ratio is None):
        raise ValueError(f"{name} needs one promise: seconds= or ratio=")
    if name in BENCHES:
        raise ValueError(f"there are two benchmarks named {name}")
    target = Target(seconds, "seconds", noise) if seconds is not None else Target(ratio or 0.0, "ratio", noise)

    def register(sides: Callable[[], Iterator[Sides]]) -> Callable[[], Iterator[Sides]]:
        BENCHES[name] = Bench(name, what, target, rounds, sides, unit)
        return sides

    return register


def measure(one: Bench, *, rounds: int | None = None) -> Result:
    """Run the sides in turns, each round the other way round; the first round warms up and does not count."""
    with contextmanager(one.sides)() as sides:
        taken: dict[str, list[float]] = {side: [] for side in sides}
        for number in range((rounds or one.rounds) + 1):
            order = list(sides) if number % 2 else list(sides)[::-1]
            for side in order:
                seconds = sides[side]()
                if number:
                    taken[side].append(seconds)
    return Result(one, {side: tuple(values) for side, values in taken.items()})


def timed(work: Callable[[], object], *, times: int = 1, processor: bool = False) -> Work:
    """`work` with a clock around it; `times` repeats what is too short for one reading.

    `processor` counts this process's time on the processor: for work in one thread that is the clock's time on a quiet
    machine, and stays true on a busy one.
    """
    clock = time.process_time if processor else time.perf_counter

    def clocked() -> float:
        started = clock()
        for _ in range(times):
            work()
        return (clock() - started) / times

    return clocked


def amount(value: float, unit: Unit) -> str:
    """A measurement for people."""
    match unit:
        case "s":
            return duration(value)
        case "bytes":
            return f"{value / 1e6:.0f} MB"
        case "logits":
            return f"{value:.0e}"
        case "share":
            return f"{value:.0%}"


def duration(seconds: float) -> str:
    """Three digits, in the unit that fits."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} µs"
