"""Every op of a network with its shape and cost, worked out in integers from the description alone.

The rule for one window is every framework's: floor((n + 2p - k) / s) + 1. Tests hold it to PyTorch's meta device.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import assert_never

from inception_lab.errors import Impossible, ImpossibleAdd, InputTooSmall, NetworkError, UnequalGrids
from inception_lab.nets import catalog
from inception_lab.nets.address import NORM, blocks, children
from inception_lab.nets.ops import Chain, Concat, Conv, Net, Op, Pad, Pool, Residual, Size, padding
from inception_lab.readers import words
from inception_lab.readers.table import Kind, Row, ShapeTable

FLOAT_BYTES = 4
COUNTABLE = 2**53  # of parameters, multiply-adds and bytes: up to here every table and chart holds them exactly


@dataclass(frozen=True, slots=True)
class Signal:
    """What flows between two ops: channels, grid (height, width), and how much of the image one cell has seen.

    `longest` and `shortest` are receptive fields (height, width) along the longest and shortest path.
    """

    channels: int
    grid: Size
    longest: Size = (1, 1)
    shortest: Size = (1, 1)
    jump: int = 1


def shapes(net: Net | str, *, size: int | Size | None = None, tolerant: bool = False) -> ShapeTable:
    """The table of `net` for one image of `size` (a side, or height and width; by default what it was made for).

    Raises `InputTooSmall` where a valid kernel no longer fits, `ImpossibleAdd` where the two sides of a residual have
    different channels and `UnequalGrids` where what meets has different cells; all name the op's address and the
    numbers. A `tolerant` reading notes them in the table's `refused` and goes on, so that the rest can be looked at:
    behind an add with its shortcut's channels and cells, behind a concatenation with the first branch's cells, behind a
    window that does not fit with a grid of no cells. Nothing else is read in another way. Raises `NetworkError` for
    more work than can be counted exactly.
    """
    net = catalog.net(net) if isinstance(net, str) else net
    height, width = _sides(net.size if size is None else size)
    reader = _Reader(size=(height, width), tolerant=tolerant)
    signal = Signal(net.inputs, (height, width))
    for address, block in blocks(net):
        signal = reader.read(block, signal, address)
    reader.head(net, signal)
    rows, refused = tuple(reader.rows), tuple(reader.refused)
    table = ShapeTable(network=net.name, size=(height, width), inputs=net.inputs, rows=rows, refused=refused)
    if max(table.multiply_adds, table.parameters, table.activation_bytes) > COUNTABLE:
        raise NetworkError(
            f"{net.name} is more work than can be counted exactly. Take fewer channels or a smaller image."
        )
    return table


def _sides(size: int | Size) -> Size:
    sides = (size, size) if isinstance(size, int) else size
    match sides:
        case (int(height), int(width)) if height > 0 and width > 0:
            return height, width
        case _:
            raise NetworkError(f"A size is a side in pixels or (height, width), whole and above 0, not {size!r}.")


class _Reader:
    """Walks one network and writes down a row for each op."""

    def __init__(self, *, size: Size, tolerant: bool) -> None:
        self.size = size
        self.tolerant = tolerant
        self.rows: list[Row] = []
        self.refused: list[Impossible] = []

    def read(self, op: Op, x: Signal, address: str) -> Signal:
        """The signal that leaves `op` when `x` enters it."""
        match op:
            case Conv():
                after = self._slide(x, op.window, op.stride, op.pad, address, channels=op.channels)
                weights = x.channels * op.channels * op.window[0] * op.window[1]
                cells = after.grid[0] * after.grid[1]
                label = f"{op.channels} {_side(op.window)}"
                self._row(address, "conv", label, after, op, parameters=weights + 2 * op.channels, work=weights * cells)
                return after
            case Pool():
                after = self._slide(x, op.window, op.stride, op.pad, address, channels=x.channels)
                kind: Kind = "max pool" if op.kind == "max" else "avg pool"
                self._row(address, kind, f"{kind} {_side(op.window)}", after, op)
                return after
            case Chain():
                for name, link in children(op):
                    x = self.read(link, x, f"{address}/{name}")
                return x
            case Concat():
                branches = [self.read(branch, x, f"{address}/{name}") for name, branch in children(op)]
                self._meet(f"{address}/concat", branches)
                joined = _join(branches)
                self._row(f"{address}/concat", "concat", "concat", joined)
                return joined
            case Residual():
                return self._residual(op, x, address)
            case _:
                assert_never(op)

    def _residual(self, op: Residual, x: Signal, address: str) -> Signal:
        inner = self.read(op.body, x, f"{address}/body")
        width = x.channels if op.width is None else op.width
        self._meet(f"{address}/add", [x, inner])
        if width != x.channels:
            self._refuse(ImpossibleAdd(f"{address}/add", shortcut=x.channels, residual=width))
        wide = replace(inner, channels=width)
        weights = inner.channels * width
        work = weights * inner.grid[0] * inner.grid[1]
        after = replace(wide, channels=x.channels, grid=x.grid, shortest=x.shortest)
        label = f"{width} 1×1 linear"
        self._row(f"{address}/linear", "linear", label, wide, Conv(width, 1), parameters=weights + width, work=work)
        self._row(f"{address}/scale", "scale", words.scale(op), wide, parameters=int(op.gain != "fixed"))
        self._row(f"{address}/add", "add", "+", after)
        if op.relu:
            self._row(f"{address}/relu", "relu", "ReLU", after)
        return after

    def head(self, net: Net, x: Signal) -> None:
        """Rows for batch norm where there is one, global pooling, dropout and the classifier."""
        whole = tuple(n + max(side - 1, 0) * x.jump for n, side in zip(x.longest, x.grid, strict=True))
        pooled = replace(x, grid=(1, 1), longest=(whole[0], whole[1]))
        logits = replace(pooled, channels=net.classes)
        weights = x.channels * net.classes
        at = f"{net.name}/head"
        if net.end_norm:
            self._row(f"{at}/{NORM}", "norm", "batch norm, ReLU", x, parameters=2 * x.channels)
        self._row(f"{at}/pool", "avg pool", "global average", pooled)
        self._row(f"{at}/dropout", "dropout", f"dropout {net.dropout:g}", pooled)
        self._row(
            f"{at}/classifier", "classifier", f"{net.classes}", logits, parameters=weights + net.classes, work=weights
        )

    def _slide(self, x: Signal, window: Size, stride: int, pad: Pad, address: str, *, channels: int) -> Signal:
        border = padding(window, pad)
        spare = [n + 2 * p - k for n, p, k in zip(x.grid, border, window, strict=True)]
        if min(spare) < 0 and 0 not in x.grid:  # where nothing is left, that was refused before
            self._refuse(InputTooSmall(address, window=window, grid=x.grid, size=self.size))
        grid = [max(left // stride + 1, 0) for left in spare] if 0 not in x.grid else list(x.grid)
        grown = [
            (field[0] + (window[0] - 1) * x.jump, field[1] + (window[1] - 1) * x.jump)
            for field in (x.longest, x.shortest)
        ]
        return Signal(channels, (grid[0], grid[1]), grown[0], grown[1], x.jump * stride)

    def _meet(self, address: str, sides: list[Signal]) -> None:
        """What is joined has to have the same cells; where nothing is left, that was refused before."""
        grids = tuple(dict.fromkeys(side.grid for side in sides))
        if len(grids) > 1 and not any(0 in grid for grid in grids):
            self._refuse(UnequalGrids(address, grids=grids))

    def _refuse(self, error: Impossible) -> None:
        if not self.tolerant:
            raise error
        self.refused.append(error)

    def _row(
        self,
        address: str,
        op: Kind,
        label: str,
        after: Signal,
        window: Conv | Pool | None = None,
        *,
        parameters: int = 0,
        work: int = 0,
    ) -> None:
        c, h, w = after.channels, *after.grid
        self.rows.append(
            Row(
                address=address,
                op=op,
                label=label,
                kernel=window.window if window else None,
                stride=window.stride if window else 1,
                padding=padding(window.window, window.pad) if window else (0, 0),
                output=(c, h, w),
                parameters=parameters,
                multiply_adds=work,
                activation_bytes=FLOAT_BYTES * c * h * w,
                receptive_field=after.longest,
                shortest_field=after.shortest,
                jump=after.jump,
            )
        )


def _join(branches: list[Signal]) -> Signal:
    return Signal(
        channels=sum(branch.channels for branch in branches),
        grid=branches[0].grid,
        longest=(max(branch.longest[0] for branch in branches), max(branch.longest[1] for branch in branches)),
        shortest=(min(branch.shortest[0] for branch in branches), min(branch.shortest[1] for branch in branches)),
        jump=branches[0].jump,
    )


def _side(window: Size) -> str:
    return f"{window[0]}×{window[1]}"
