"""What work takes of the machine: its rate beside this process's own matrix product, its peak beside its cap."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import click

from bench.harness import Skip, Work, timed

THREADS = int(os.environ.get("BENCH_THREADS", "1"))
PRODUCT = 2048  # rows and columns of the product's matrices
ROOT = Path(__file__).resolve().parents[1]


def noted(work: Callable[[], object], into: list[float]) -> Work:
    """`work` timed, its seconds kept for the rate too."""
    clocked = timed(work, processor=THREADS == 1)

    def run() -> float:
        into.append(clocked())
        return into[-1]

    return run


def product(into: list[float]) -> Work:
    """The product of two square matrices in fp32, whose rate is what the machine can do."""
    import torch

    left, right = torch.rand(PRODUCT, PRODUCT), torch.rand(PRODUCT, PRODUCT)
    return noted(lambda: left @ right, into)


def flops(work: Callable[[], object]) -> float:
    """Floating-point operations of convolutions and products in `work`, by torch's own count, two a multiply-add.

    It knows the ops of a network as it was built; those of one that is folded and packed do the same work uncounted.
    """
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        work()
    return float(counter.get_total_flops())


def tell(what: str, counts: Mapping[str, float], taken: Mapping[str, list[float]], *, more: str = "") -> None:
    """Says the rate of each side that takes so many operations, as a share of the product's; warm-up left out."""
    peak = 2 * PRODUCT**3 / median(taken["product"][1:]) / 1e9
    rates = {side: count / median(taken[side][1:]) / 1e9 for side, count in counts.items()}
    clock = "processor time" if THREADS == 1 else "wall time"
    said = ", ".join(f"{side} {rate:.0f} GFLOP/s ({rate / peak:.0%})" for side, rate in rates.items())
    click.echo(
        f"  {what}, {THREADS} threads, {clock}, load {os.getloadavg()[0]:.1f}: {said} of torch.mm's {peak:.0f}{more}",
        err=True,
    )


@cache
def peaks(network: str) -> dict[str, dict[str, float]]:
    """For every task the bytes `taken` at its peak by a process of its own, and the `cap` announced before it."""
    if not Path("/proc/self/clear_refs").exists():
        raise Skip("only Linux tells a process its own peak")
    words = [sys.executable, "-m", "bench.peak", network]
    with TemporaryDirectory() as home:
        _stored(network, Path(home))
        kept = {key: value for key, value in os.environ.items() if key != "HF_HUB_CACHE"}
        done = subprocess.run(
            words, cwd=ROOT, env=kept | {"HF_HOME": home}, stdout=subprocess.PIPE, text=True, check=True
        )
    found: dict[str, dict[str, float]] = json.loads(done.stdout)
    for task, one in found.items():
        click.echo(
            f"  {network}, {task}: {one['taken'] / 1e6:.0f} of {one['cap'] / 1e6:.0f} MB "
            f"({one['taken'] / one['cap']:.0%})",
            err=True,
        )
    return found


def _stored(network: str, home: Path) -> None:
    """Random weights in the layout of the hub's folder under `home`; the embedded network brings its own."""
    from inception_lab.models.records import EMBEDDED, record
    from tests.models.hubfolder import randomised, safetensors_bytes, store

    if network != EMBEDDED:
        store(home, network, safetensors_bytes(randomised(record(network).network).state_dict()))
