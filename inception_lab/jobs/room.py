"""How many runs go at once on this machine: as many as its cores have threads for and its memory holds, and one on its
GPU.

INCEPTION_LAB_PARALLEL outweighs all: it counts runs, whatever they ask for.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Sequence

from inception_lab.errors import RunError
from inception_lab.jobs import memory
from inception_lab.training import accelerator
from inception_lab.training.settings import Settings


def at_once(settings: Settings) -> int:
    """How many runs of these settings go at once here. Raises `RunError` if INCEPTION_LAB_PARALLEL is no count."""
    if asked := parallel():
        return asked
    if on_gpu(settings):
        return 1
    have = memory.available()
    held = math.inf if have is None else have // memory.needed(settings)
    return int(max(1, min(cores() // settings.threads, held)))


def fits(
    run: Settings,
    beside: Sequence[Settings],
    *,
    threads: int,
    gpus: int,
    takes_gpu: Callable[[Settings], bool],
    held: int | None = None,
) -> bool:
    """Whether a run may start beside others where so many threads and runs on a GPU have room; alone, each may.

    `held` is how many bytes of memory there are, None if nobody knows.
    """
    if not beside:
        return True
    if takes_gpu(run) and sum(map(takes_gpu, beside)) >= gpus:
        return False
    if held is not None and sum(map(memory.needed, [run, *beside])) > held:
        return False
    return run.threads + sum(each.threads for each in beside) <= threads


def on_gpu(settings: Settings) -> bool:
    """Whether a run takes the GPU: told to, or left to choose where there is one.

    "There is one" is the guess of `training.accelerator`. A wrong one costs time (runs go one by one), never a number.
    """
    match settings.device:
        case "cuda":
            return True
        case "cpu":
            return False
        case "auto":
            return accelerator.present()


def cores() -> int:
    """CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def parallel() -> int | None:
    """INCEPTION_LAB_PARALLEL, how many runs at once; None if it is not set. Raises `RunError` if it is no count."""
    asked = os.environ.get("INCEPTION_LAB_PARALLEL")
    if not asked:
        return None
    if not asked.isdecimal() or int(asked) < 1:
        raise RunError(f"INCEPTION_LAB_PARALLEL is {asked!r}; it must be a whole number of at least 1.")
    return int(asked)
