"""Small networks trained together, beside the same ones one after another and in processes of their own.

`python -m bench stacked` holds the promise on a GPU. `python -m bench.stacked` prints all sides anywhere, and needs
torch, numpy and what the package itself imports for a run; on a GPU it takes two or three minutes.
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from collections.abc import Iterator, Sequence
from typing import Any

from bench.harness import Sides, Skip, bench

NETWORKS = 30  # 6 scales with 5 seeds
STEPS = 60
WARM_UP = 6  # a stack records its step at the third
SCALES = (1.0, 0.6, 0.3, 0.2, 0.1, 0.05)


@bench("stacked", "30 micro networks on a GPU: together, one after another", ratio=0.25, rounds=1)
def stacked() -> Iterator[Sides]:
    import torch

    if not torch.cuda.is_available():
        raise Skip("on a CPU runs share cores, not a stack; this is a promise for a GPU")
    arms = settings(NETWORKS)
    yield {"ours": lambda: together(arms, STEPS)[0], "serial": lambda: serial(arms[:3], STEPS)[0] * NETWORKS / 3}


def settings(count: int, **changes: Any) -> list[Any]:
    """The settings of `count` micro runs that last as long as they are asked to."""
    from inception_lab.training.presets import preset

    given = {"steps": 1_000_000, **changes}
    return [preset("micro", scale=SCALES[n % 6], seed=n // 6, **given) for n in range(count)]


def serial(arms: Sequence[Any], steps: int) -> tuple[float, list[list[float]]]:
    """Seconds for `steps` of each run after the warm-up, one run after another, and their losses."""
    from inception_lab.training.loop import Training

    seconds, losses = 0.0, []
    for arm in arms:
        run = Training(arm)
        first = [step.loss for step in run.steps(until=WARM_UP)]
        began = now()
        rest = [step.loss for step in run.steps(until=WARM_UP + steps)]
        seconds += now() - began
        losses.append(first + rest)
    return seconds, losses


def together(arms: Sequence[Any], steps: int) -> tuple[float, list[list[float]]]:
    """Seconds for `steps` of all runs in one stack after the warm-up, and their losses."""
    from inception_lab.training.stacked import Stacked

    runs = Stacked(arms)
    rows = list(runs.steps(until=WARM_UP))
    began = now()
    rows += runs.steps(until=WARM_UP + steps)
    return now() - began, [[step.loss for step in row] for row in zip(*rows, strict=True)]


def beside(arms: Sequence[Any], steps: int, *, processes: int) -> float:
    """Seconds for `steps` of each run, shared out over processes that begin when all have warmed up."""
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(processes + 1)
    shares = [context.Process(target=_share, args=(arms[n::processes], steps, ready)) for n in range(processes)]
    for share in shares:
        share.start()
    ready.wait()
    began = time.perf_counter()
    for share in shares:
        share.join()
        if share.exitcode:
            raise RuntimeError(f"a process ended with {share.exitcode}")
    return time.perf_counter() - began


def _share(arms: Sequence[Any], steps: int, ready: Any) -> None:
    from inception_lab.training.loop import Training

    runs = [Training(arm) for arm in arms]
    for run in runs:
        list(run.steps(until=WARM_UP))
    now()
    ready.wait()
    for run in runs:
        list(run.steps(until=WARM_UP + steps))
    now()


def now() -> float:
    """The time once the device has done what it was asked."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


def main() -> None:
    """Print every side's milliseconds for one step of all networks, the ratios, the memory, and how far losses part."""
    import torch

    read = argparse.ArgumentParser(prog="python -m bench.stacked", description=__doc__)
    read.add_argument("--networks", type=int, default=NETWORKS)
    read.add_argument("--steps", type=int, default=STEPS)
    read.add_argument("--sample", type=int, default=3, help="runs that are made one after another, for the serial time")
    read.add_argument("--processes", type=int, nargs="*", default=[2, 6])
    read.add_argument("--precision", default="fp32")
    read.add_argument("--telemetry", type=int, default=1)
    told = read.parse_args()
    gpu = torch.cuda.is_available()
    where = torch.cuda.get_device_name() if gpu else f"CPU, {torch.get_num_threads()} threads offered, 1 used"
    print(f"{where}, torch {torch.__version__}, {told.networks} micro networks, {told.steps} steps, {told.precision}")
    arms = settings(told.networks, precision=told.precision, telemetry_every=told.telemetry)
    sample = min(told.sample, told.networks)
    seconds, alone = serial(arms[:sample], told.steps)
    one = seconds * told.networks / sample / told.steps
    print(f"one after another  {one * 1e3:9.1f} ms a step of all ({sample} runs made, the rest reckoned)", flush=True)
    if gpu:
        print(f"                   {torch.cuda.max_memory_allocated() / 1e9:9.2f} GB at most", flush=True)
        torch.cuda.reset_peak_memory_stats()
    seconds, stack = together(arms, told.steps)
    _say("one stack", seconds / told.steps, one)
    if gpu:
        print(f"                   {torch.cuda.max_memory_allocated() / 1e9:9.2f} GB at most", flush=True)
        torch.cuda.empty_cache()
    for place in range(sample):
        parts = [abs(a - b) / abs(b) for a, b in zip(stack[place], alone[place], strict=True)]
        print(f"  scale {arms[place].scale:g}: losses part by {parts[0]:.1e} at step 0, {max(parts):.1e} at most")
    for processes in told.processes:
        _say(f"{processes} processes", beside(arms, told.steps, processes=processes) / told.steps, one)


def _say(name: str, seconds: float, one: float) -> None:
    print(f"{name:<19}{seconds * 1e3:9.1f} ms a step of all, {one / seconds:.2f} times as fast", flush=True)


if __name__ == "__main__":
    main()
