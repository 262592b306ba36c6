"""The search for late deaths: a preset for thousands of steps at its own rate, several seeds and scales together.

`python -m bench.late paper-rate --scales 1 0.1 --seeds 3 --steps 20000` prints what became of each run by the written
definitions and keeps every hundredth step with `-o FILE`. It ends at `--seconds` whatever was reached, and says so.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

KEPT = 100  # steps between two that are written


def main() -> None:
    """Train, judge, print."""
    import torch

    from inception_lab.training.outcomes import judge
    from inception_lab.training.presets import preset

    read = argparse.ArgumentParser(prog="python -m bench.late", description=__doc__)
    read.add_argument("preset", choices=("micro", "paper-rate", "wide"))
    read.add_argument("--scales", type=float, nargs="+", default=[1.0, 0.1])
    read.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    read.add_argument("--steps", type=int, default=20_000)
    read.add_argument("--seconds", type=float, default=float("inf"))
    read.add_argument("--data", default="fashion_mnist_extract")
    read.add_argument("--telemetry", type=int, default=5)
    read.add_argument("-o", "--output", type=Path)
    told = read.parse_args()
    arms = [
        preset(told.preset, scale=scale, seed=seed, steps=told.steps, data=told.data, telemetry_every=told.telemetry)
        for scale in told.scales
        for seed in told.seeds
    ]
    began = time.perf_counter()
    made: list[list[Any]] = [[] for _ in arms]
    for row in _steps(arms):
        for steps, step in zip(made, row, strict=True):
            steps.append(step)
        if time.perf_counter() - began > told.seconds:
            break
    seconds = time.perf_counter() - began
    where = torch.cuda.get_device_name() if torch.cuda.is_available() else "a processor"
    print(f"{told.preset}, {told.data}, on {where}, torch {torch.__version__}: {len(made[0])} of {told.steps} steps")
    print(f"{seconds:.0f} s, {len(made[0]) / seconds:.1f} steps a second of {len(arms)} runs together")
    print(f"{'scale':>6} {'seed':>4}  {'outcome':<9}{'accuracy':>9}{'loss':>8}{'zeros':>8}{'most zeros':>22}")
    found = []
    for arm, steps in zip(arms, made, strict=True):
        end = judge(steps)
        worst = max((step for step in steps if step.zero_share is not None), key=lambda step: step.zero_share)
        zeros = float("nan") if end.zero_share is None else end.zero_share
        most = f"{worst.zero_share:.4f} at {worst.step}"
        numbers = f"{end.accuracy:>9.3f}{end.loss:>8.3f}{zeros:>8.4f}{most:>22}"
        print(f"{arm.scale:>6g} {arm.seed:>4}  {end.outcome:<9}{numbers}", flush=True)
        kept = [[s.step, s.loss, s.accuracy, s.zero_share] for s in steps[::KEPT]]
        found.append({"settings": arm.to_dict(), "outcome": end.outcome, "steps": len(steps), "kept": kept})
    if told.output:
        said = {"device": where, "torch": torch.__version__, "runs": found}
        told.output.write_text(json.dumps(said), encoding="utf-8")


def _steps(arms: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    """The steps of all runs: on a GPU as a stack, also of one, as only a stack is recorded and replayed there."""
    import torch

    from inception_lab.training.loop import Training
    from inception_lab.training.stacked import Stacked

    if len(arms) > 1 or torch.cuda.is_available():
        return Stacked(arms).steps()
    return ((step,) for step in Training(arms[0]).steps())


if __name__ == "__main__":
    main()
