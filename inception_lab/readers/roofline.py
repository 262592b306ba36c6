"""What bounds each op: the products a machine can make, or the bytes it can move.

The roofline of Williams, Waterman and Patterson (2009): an op with `flops` to do and `bytes` to move takes at least
max(flops / peak, bytes / bandwidth). Intensity is flops / bytes; where it is below the machine's own ratio, its ridge,
memory is the bound. A lower bound: nothing here knows caches, kernels or launch times.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite
from typing import Literal, assert_never

from inception_lab.errors import SettingsError
from inception_lab.readers.cost import Cost, CostTable

Bound = Literal["products", "memory", "nothing"]

WORDS: dict[Bound, str] = {
    "products": "products (the arithmetic)",
    "memory": "memory (moving maps and weights)",
    "nothing": "nothing (no work when used)",
}


@dataclass(frozen=True, slots=True)
class Machine:
    """Peak operations a second in fp32 (a multiply-add is two) and bytes a second to and from memory."""

    name: str
    peak: float
    bandwidth: float

    def __post_init__(self) -> None:
        if not all(isfinite(rate) and rate > 0 for rate in (self.peak, self.bandwidth)):
            raise SettingsError(
                f"A machine makes more than 0 FLOP/s and moves more than 0 bytes/s, not {self.peak:g} and "
                f"{self.bandwidth:g}."
            )

    @property
    def ridge(self) -> float:
        """FLOPs a byte from which on products are the bound."""
        return self.peak / self.bandwidth


MACHINES: dict[str, Machine] = {
    "laptop": Machine("a laptop's processor (assumed)", 100e9, 20e9),
    "k40": Machine("NVIDIA Tesla K40, a Kepler as the paper trained on (data sheet)", 4.29e12, 288e9),
    "a100": Machine("NVIDIA A100 40 GB (data sheet, fp32 without tensor cores)", 19.5e12, 1.555e12),
}
"""Round numbers to start from; the paper (section 4) says only "NVidia Kepler GPU", so the K40 is one of several."""


@dataclass(frozen=True, slots=True)
class Work:
    """One op on a batch: `flops`, `bytes` moved, the least `seconds` on the machine, and what bounds it."""

    address: str
    label: str
    flops: int
    bytes: int
    seconds: float
    bound: Bound

    @property
    def intensity(self) -> float:
        """FLOPs a byte; 0 for an op that moves nothing."""
        return self.flops / self.bytes if self.bytes else 0.0


@dataclass(frozen=True, slots=True)
class Roofline:
    """The ops of a network, in order, on one machine with so many images at a time."""

    network: str
    machine: Machine
    batch: int
    works: tuple[Work, ...]

    @property
    def seconds(self) -> float:
        """The least time for the batch, the ops one after the other."""
        return sum(work.seconds for work in self.works)

    def share(self, bound: Bound) -> float:
        """The share of `seconds` that is bound so, 0 to 1."""
        return sum(work.seconds for work in self.works if work.bound == bound) / self.seconds

    def under(self, address: str) -> tuple[Work, ...]:
        """The ops at a full address or inside it."""
        return tuple(work for work in self.works if f"{work.address}/".startswith(f"{address}/"))


def roofline(costs: CostTable, machine: Machine, *, batch: int = 1) -> Roofline:
    """What bounds each op in inference, in fp32, for `batch` images at a time.

    A row of the table is one op here: batch norm is folded into its convolution and the ReLU done as the values are
    written. Each map is read and written once, the weights are read once for the whole batch. A comparison of a
    pooling, an add, a scale and a ReLU are one FLOP each, a multiply-add is two. Dropout does nothing.
    """
    if batch < 1:
        raise SettingsError(f"A batch has at least one image, not {batch}.")
    return Roofline(costs.network, machine, batch, tuple(_works(costs.rows, machine, batch)))


def flops(row: Cost) -> int:
    """Floating-point operations of one op for one image."""
    channels, height, width = row.output
    cells = channels * height * width
    match row.op:
        case "conv" | "linear" | "classifier":
            return 2 * row.multiply_adds
        case "max pool" | "avg pool":
            return cells * _window(row)
        case "scale" | "add" | "relu":
            return cells
        case "norm":
            return 3 * cells  # times, plus, and the ReLU
        case "concat" | "dropout" | "network" | "stage" | "block" | "branch":
            return 0
        case _:
            assert_never(row.op)


def _works(rows: Iterable[Cost], machine: Machine, batch: int) -> Iterable[Work]:
    for row in rows:
        idle = row.op == "dropout"
        moved = 0 if idle else batch * (row.read_bytes + row.output_bytes) + 4 * row.parameters
        done = batch * flops(row)
        products, memory = done / machine.peak, moved / machine.bandwidth
        bound: Bound = "nothing" if idle else "products" if products >= memory else "memory"
        yield Work(row.address, row.label, done, moved, max(products, memory), bound)


def _window(row: Cost) -> int:
    """Cells under one window of a pooling; the global one covers the whole map."""
    return row.kernel[0] * row.kernel[1] if row.kernel else row.read_bytes // row.output_bytes
