"""What runs will take, before they start: seconds and bytes, and what that rests on."""

from __future__ import annotations

import math
import os
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from inception_lab.errors import SettingsError
from inception_lab.jobs import memory, room
from inception_lab.jobs.process import machine
from inception_lab.jobs.store import Run, Store
from inception_lab.readers.shapes import shapes
from inception_lab.training.settings import Settings

PASSES = 3
"""The backward pass costs about two forward passes."""
MULTIPLY_ADDS = 7.8e10
"""Per second, of one thread; this, the next and `THREADS` were fitted to seconds a step on a quiet core at batch 32:
0.12 for micro (26.5 million multiply-adds an image), 0.2 for 40 blocks of that width, 0.55 for the full width (377.5
million), and 0.33 for that on two threads."""
CALL = 7e-4
"""Seconds a convolution with its norm takes in a step beyond its arithmetic, forward, backward and update."""
THREADS = 0.93
"""Threads to this power is how much faster the arithmetic goes."""
LEAST = 20
"""Steps below which a run's seconds say more about its start than about its steps."""
KEPT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Wall `seconds` from start to end, of a step and of the whole; `bytes` of memory at the peak; `basis` says in
    words what the seconds rest on.
    """

    seconds_per_step: float
    seconds: float
    bytes: int
    basis: str

    def __str__(self) -> str:
        return f"about {duration(self.seconds)} and {self.bytes / 1e9:.1f} GB, {self.basis}"


def finished(store: Store) -> list[Run]:
    """The newest finished runs of the store that were made on this machine, for `estimate`."""
    here = machine().partition(":")[0]
    return [
        run
        for run in store.runs(limit=KEPT)
        if run.status == "finished" and (run.process is None or run.process.machine.partition(":")[0] == here)
    ]


def estimate(settings: Settings, runs: Iterable[Run] = ()) -> Cost:
    """What one run will take alone on this machine.

    If among the finished `runs` some have the same network, images, batch, threads and device, the median of their
    seconds a step; else from multiply-adds and the number of convolutions, as measured on a quiet core.
    """
    like = _shape(settings)
    times = [seconds for run in runs if (seconds := _seconds(run)) is not None and _shape(run.settings) == like]
    if times:
        each, basis = median(times), f"measured on {len(times)} run{'s' * (len(times) != 1)} here"
    else:
        each, basis = _reckoned(settings), "estimated from multiply-adds"
        if room.on_gpu(settings):
            basis += " for one processor core; no such run was measured on this GPU yet, which should take less"
    return Cost(seconds_per_step=each, seconds=each * settings.steps, bytes=memory.needed(settings), basis=basis)


def sweep_cost(settings: Sequence[Settings], runs: Iterable[Run] = (), *, at_once: int | None = None) -> Cost:
    """What many runs will take, `at_once` at a time (None: as many as this machine takes); `seconds_per_step` is the
    mean of one run's."""
    if not settings:
        return Cost(seconds_per_step=0.0, seconds=0.0, bytes=0, basis="no run")
    known = list(runs)
    alike = {one: estimate(one, known) for one in dict.fromkeys(one.with_(seed=0) for one in settings)}
    each = [alike[one.with_(seed=0)] for one in settings]
    together = min(len(settings), at_once or min(map(room.at_once, alike)))
    whole = sum(cost.seconds for cost in each)
    return Cost(
        seconds_per_step=whole / sum(one.steps for one in settings),
        seconds=max(whole / together, *(cost.seconds for cost in each)) if len(each) > 1 else whole,
        bytes=sum(sorted((cost.bytes for cost in each), reverse=True)[:together]),
        basis=f"{together} at a time; " + "; ".join(dict.fromkeys(cost.basis for cost in each)),
    )


def check(settings: Settings) -> None:
    """Raise `SettingsError` for a run that needs more memory than this machine has.

    Not for one on a GPU, whose memory is not known here, nor for one that goes to a Ray cluster.
    """
    if room.on_gpu(settings) or os.environ.get("RAY_ADDRESS"):
        return
    need, have = memory.needed(settings), memory.available()
    if have is not None and need > have:
        raise SettingsError(
            f"A run with a batch of {settings.batch:,} needs about {need / 1e9:.1f} GB of memory and this machine has "
            f"{have / 1e9:.1f} GB. Take a smaller batch, width or image."
        )


def duration(seconds: float) -> str:
    """A length of time in the unit that fits."""
    if seconds < 100:
        return f"{max(seconds, 1):.0f} seconds" if seconds >= 1.5 else "1 second"
    return f"{seconds / 60:.0f} minutes" if seconds < 100 * 60 else f"{seconds / 3600:.1f} hours"


def _shape(settings: Settings) -> Hashable:
    """What decides the seconds of a step; how residuals are scaled and weights start does not."""
    one = settings
    network = (one.design or one.network, one.width, one.repeats, one.small, one.end_norm, one.data, one.image_size)
    return (
        *network,
        one.batch,
        one.threads,
        one.precision,
        room.on_gpu(one),
        one.telemetry_every,
        one.checkpoint_every,
    )


def _seconds(run: Run) -> float | None:
    """Seconds a step of a finished run, its start and its evaluation spread over them; None if that says little."""
    result = run.result or {}
    steps, seconds = result.get("steps"), result.get("seconds")
    if run.status != "finished" or not isinstance(seconds, int | float) or not isinstance(steps, int) or steps < LEAST:
        return None
    return seconds / steps


def _reckoned(settings: Settings) -> float:
    table = shapes(settings.net())
    calls = sum(row.op in ("conv", "linear") for row in table.rows)
    work = PASSES * settings.batch * table.multiply_adds / MULTIPLY_ADDS
    return work / math.pow(min(settings.threads, room.cores()), THREADS) + CALL * calls
