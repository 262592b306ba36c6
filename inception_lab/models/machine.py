"""How fast this machine multiplies and moves numbers, measured by PyTorch itself in about a second."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

SIDE = {"cpu": 1024, "cuda": 8192}  # of the square matrices: large enough that products are the bound
CELLS = {"cpu": 1 << 24, "cuda": 1 << 28}  # of the copied vector: 64 MiB and 1 GiB, past every cache


@dataclass(frozen=True, slots=True)
class Measured:
    """The best of repeated tries in fp32: `peak` FLOP/s of a matrix product, `bandwidth` bytes/s of a copy."""

    device: str
    threads: int
    peak: float
    bandwidth: float


def measure(*, seconds: float = 1.0, device: str | None = None) -> Measured:
    """Measure the accelerator if there is one, or `device`, for about `seconds`; one try at least of each.

    The product is n×n by n×n, 2n³ operations; the copy reads and writes each cell once. What other work takes from the
    machine meanwhile is missing from both. On a GPU full fp32 products are measured, without TF32.
    """
    kind = device or ("cuda" if torch.cuda.is_available() else "cpu")
    side, cells = SIDE[kind], CELLS[kind]
    with torch.inference_mode():
        left, right, made = (torch.rand(side, side, device=kind) for _ in range(3))
        peak = 2 * side**3 / _best(lambda: torch.mm(left, right, out=made), seconds / 2, kind)
        source, target = torch.zeros(cells, device=kind), torch.zeros(cells, device=kind)
        bandwidth = 2 * 4 * cells / _best(lambda: target.copy_(source), seconds / 2, kind)
    name = torch.cuda.get_device_name() if kind == "cuda" else "processor"
    return Measured(name, torch.get_num_threads(), peak, bandwidth)


def _best(work: Callable[[], object], seconds: float, kind: str) -> float:
    """Seconds of the fastest try; the first only warms up."""
    _timed(work, kind)
    until, best = time.perf_counter() + seconds, float("inf")
    while best == float("inf") or time.perf_counter() < until:
        best = min(best, _timed(work, kind))
    return best


def _timed(work: Callable[[], object], kind: str) -> float:
    start = time.perf_counter()
    work()
    if kind == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start
