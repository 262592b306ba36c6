"""How much of two cores a sweep uses: the wall time of its runs two at a time, against their work one after another.

Both sides count core-seconds. Ours is the time from the first submit to the last end, times the runs that go at once;
the other is the time the same runs take in one process, one by one, on one core, each with everything a run does
(loading, steps, telemetry, test accuracy, files). So 1 is a machine whose every core works on runs all the time.

The supervisor and its fork server are up before the clock starts, as they are on the Train page: they load torch while
people choose.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.harness import Sides, Skip, bench
from inception_lab.training.settings import Settings

if TYPE_CHECKING:
    from inception_lab.jobs.store import Store

AT_ONCE = 2
FULL = "INCEPTION_LAB_BENCH_FULL"
SCALES = (1.0, 0.5, 0.3, 0.2, 0.1, 0.05)


@bench("sweep", "core-seconds of 4 runs of 20 steps of micro: two at a time, one by one", ratio=1.1, rounds=1)
def short_sweep() -> Iterator[Sides]:
    from inception_lab.training.presets import preset

    runs = [preset("micro", scale=scale, seed=seed, steps=20) for seed in (0, 1) for scale in (1.0, 0.1)]
    yield from _sides(runs)


@bench("sweep-full", "core-seconds of 6 scales × 5 seeds of micro: two at a time, one by one", ratio=1.1, rounds=1)
def full_sweep() -> Iterator[Sides]:
    from inception_lab.training.presets import preset

    if not os.environ.get(FULL):
        raise Skip(f"it takes some half an hour of a quiet machine; set {FULL}=1")
    yield from _sides([preset("micro", scale=scale, seed=seed) for seed in range(5) for scale in SCALES])


def _sides(runs: Sequence[Settings]) -> Iterator[Sides]:
    from inception_lab.jobs.room import cores

    if cores() < AT_ONCE:
        raise Skip(f"it needs {AT_ONCE} cores, and there is {cores()}")
    click.echo(f"sweep: load {os.getloadavg()[0]:.1f} before the start; only a quiet machine tells the truth", err=True)
    home = Path(tempfile.mkdtemp(prefix="bench-sweep-"))
    os.environ.update(INCEPTION_LAB_PARALLEL=str(AT_ONCE), OMP_NUM_THREADS="1")
    os.environ.pop("RAY_ADDRESS", None)
    try:
        yield {"sweep": _sweep(home, runs), "one by one": lambda: _one_by_one(home, runs)}
    finally:
        from inception_lab.jobs import launch

        launch.stop(home)
        shutil.rmtree(home, ignore_errors=True)


def _sweep(home: Path, runs: Sequence[Settings]) -> Callable[[], float]:
    from inception_lab.jobs.store import Store

    store = Store(home)

    def work() -> float:
        _wait(store, store.submit_many([runs[0].with_(steps=1)]))  # the fork server has loaded torch after it
        begun = time.perf_counter()
        _wait(store, store.submit_many(runs))
        return AT_ONCE * (time.perf_counter() - begun)

    return work


def _wait(store: Store, ids: Sequence[str]) -> None:
    while any(store.run(id).active for id in ids):
        time.sleep(0.05)
    failed = [run for id in ids if (run := store.run(id)).status != "finished"]
    if failed:
        raise Skip(f"run {failed[0].id} {failed[0].status}: {failed[0].error}")


def _one_by_one(home: Path, runs: Sequence[Settings]) -> float:
    """In this process, warmed up with a run of one step, so that torch is loaded here too."""
    import torch

    from inception_lab.training.run import work

    torch.set_num_threads(1)
    folder = home / "alone"
    seconds = 0.0
    for settings in (runs[0].with_(steps=1), *runs):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / "settings.json").write_text(json.dumps(settings.to_dict()))
        begun = time.perf_counter()
        if work(folder):
            raise Skip(f"the run alone failed: {(folder / 'result.json').read_text()}")
        seconds = 0.0 if settings.steps == 1 else seconds + time.perf_counter() - begun
    return seconds
