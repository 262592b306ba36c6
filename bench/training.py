"""What the telemetry costs a run."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator

import click

from bench.harness import Sides, bench

STEPS = 100
QUIET = 0.5
"""Load (processes that want a processor, over the last minute) below which the clock on the wall can be trusted."""


@bench("telemetry", "a run of 100 steps of micro: measured at every step, never measured", ratio=1.15, rounds=1)
def telemetry() -> Iterator[Sides]:
    from inception_lab.training.overhead import telemetry_overhead
    from inception_lab.training.presets import preset

    load = os.getloadavg()[0]
    clock = time.perf_counter if load < QUIET else time.process_time
    word = "wall time" if load < QUIET else "this process's processor time, since the machine is busy"
    click.echo(f"telemetry: {word} (load {load:.1f})", err=True)
    waiting: dict[str, deque[float]] = {"ours": deque(), "bare": deque()}

    def take(side: str) -> float:
        """Both sides are measured at once, their steps in turns; each is handed out when asked for."""
        if not waiting[side]:
            found = telemetry_overhead(preset("micro"), steps=STEPS, clock=clock)
            waiting["ours"].append(found.with_telemetry * STEPS)
            waiting["bare"].append(found.without_telemetry * STEPS)
        return waiting[side].popleft()

    yield {"ours": lambda: take("ours"), "bare": lambda: take("bare")}
