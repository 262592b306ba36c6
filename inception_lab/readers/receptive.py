"""Which pixels one cell of an op can see: its receptive field as a rectangle on the image, by interval arithmetic.

`shapes` knows how large a field is; where it lies depends on the padding of every window on the way and on what the
grids' edges cut off. The rule for one window: cell i reads the cells from i·s - p to i·s - p + k - 1 of the grid before
it, and those outside that grid are padding. Going back op by op, the rectangle holds every pixel that can move the
cell, and each of its four sides touches one; where branches with different windows meet it may hold a few pixels
besides that cannot. Tests hold it to gradients.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn, assert_never

from inception_lab.errors import InputTooSmall, SettingsError
from inception_lab.nets import catalog
from inception_lab.nets.address import NORM, blocks, children, locate
from inception_lab.nets.ops import Chain, Concat, Conv, Net, Op, Pool, Residual, Size, channels, padding

Edges = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Box:
    """Cells of a grid, `rows` and `columns` as (first, last), both within."""

    rows: Edges
    columns: Edges

    @property
    def size(self) -> Size:
        """Height and width in cells."""
        return self.rows[1] - self.rows[0] + 1, self.columns[1] - self.columns[0] + 1

    def hull(self, other: Box) -> Box:
        """The smallest box that holds both."""
        return Box(_hull(self.rows, other.rows), _hull(self.columns, other.columns))

    def before(self, window: Size, stride: int, border: Size, grid: Size) -> Box:
        """The cells of the `grid` that entered a window which these cells left; padding is none of them."""
        rows, columns = (
            (max(0, first * stride - p), min(n - 1, last * stride - p + k - 1))
            for (first, last), k, p, n in zip((self.rows, self.columns), window, border, grid, strict=True)
        )
        return Box(rows, columns)


def receptive_field(
    net: Net | str, at: str, *, cell: Size, size: int | Size | None = None, channel: int | None = None
) -> Box:
    """The pixels of an image of `size` that the `cell` (row, column) of what leaves `at` can see.

    `channel` matters at and behind a concatenation, until the next convolution: each of its channels comes out of one
    branch; without one the field is that of all of them. Raises `UnknownAddress`, `InputTooSmall`, and
    `SettingsError` for a cell or a channel that is not there.
    """
    net = catalog.net(net) if isinstance(net, str) else net
    full = locate(net, at)
    _, *parts = full.split("/")
    if not parts:
        raise SettingsError(f"{net.name} is a whole network; name a stage, a block or an op of it.")
    sides = net.size if size is None else size
    back = _Back((sides, sides) if isinstance(sides, int) else sides)
    entered, end = back.trunk(net, parts)
    if parts[0] == "head":
        reach = _Reach(_on(cell, end.grid, full), channel) if parts[1:] == [NORM] else _all(cell, end.grid, full)
    else:
        address, block, before = entered.pop()
        reach = back.inside(block, parts[2:], _Reach(Box((cell[0],) * 2, (cell[1],) * 2), channel), before, address)
    for address, block, before in reversed(entered):
        reach = back.into(block, reach, before, address)
    return reach.box


@dataclass(frozen=True, slots=True)
class _Signal:
    """What flows between two ops: a grid of so many channels."""

    grid: Size
    width: int


@dataclass(frozen=True, slots=True)
class _Reach:
    """Cells of one channel, or of all of them."""

    box: Box
    channel: int | None = None

    def hull(self, other: _Reach) -> _Reach:
        return _Reach(self.box.hull(other.box))


class _Back:
    """Goes from the cells that leave an op to those that enter it."""

    def __init__(self, size: Size) -> None:
        self.size = size

    def trunk(self, net: Net, parts: list[str]) -> tuple[list[tuple[str, Op, _Signal]], _Signal]:
        """Every block up to the one that `parts` mean, each with what enters it, and what leaves the last."""
        found = list(blocks(net))
        if parts[0] != "head":
            wanted = "/".join([net.name, *parts[:2], ""])
            found = found[: max(place for place, (at, _) in enumerate(found) if f"{at}/".startswith(wanted)) + 1]
        entered, x = [], _Signal(self.size, net.inputs)
        for address, block in found:
            entered.append((address, block, x))
            x = self.after(block, x, address)
        return entered, x

    def after(self, op: Op, x: _Signal, address: str) -> _Signal:
        """What leaves an op."""
        match op:
            case Conv() | Pool():
                spare = [n + 2 * p - k for n, p, k in zip(x.grid, padding(op.window, op.pad), op.window, strict=True)]
                if min(spare) < 0:
                    raise InputTooSmall(address, window=op.window, grid=x.grid, size=self.size)
                return _Signal((spare[0] // op.stride + 1, spare[1] // op.stride + 1), channels(op, x.width))
            case Chain():
                for name, link in children(op):
                    x = self.after(link, x, f"{address}/{name}")
                return x
            case Concat():
                return _Signal(self.after(op.branches[0], x, f"{address}/branch1").grid, channels(op, x.width))
            case Residual():
                return x
            case _:
                assert_never(op)

    def into(self, op: Op, reach: _Reach, x: _Signal, address: str) -> _Reach:
        """The cells of `x`, which enters `op`, that the cells `reach` leaving it read."""
        match op:
            case Conv() | Pool():
                box = reach.box.before(op.window, op.stride, padding(op.window, op.pad), x.grid)
                return _Reach(box, reach.channel if isinstance(op, Pool) else None)
            case Chain():
                for name, link, before in reversed(self._links(op, x, address)):
                    reach = self.into(link, reach, before, f"{address}/{name}")
                return reach
            case Concat():
                return self._joined(op, reach, x, address)
            case Residual():
                return reach.hull(self.into(op.body, _Reach(reach.box), x, f"{address}/body"))
            case _:
                assert_never(op)

    def inside(self, op: Op, parts: list[str], reach: _Reach, x: _Signal, address: str) -> _Reach:
        """The same for cells that leave the part of `op` at `parts`; refuses a cell or a channel that is not there."""
        inner = dict(children(op))
        if not parts or parts[0] not in inner:  # the op itself, its steps, its joint
            after = self.after(op, x, address)
            _on((reach.box.rows[0], reach.box.columns[0]), after.grid, address)
            if reach.channel is not None and not 0 <= reach.channel < after.width:
                _no_channel(reach.channel, after.width, address)
            if isinstance(op, Residual) and parts in (["linear"], ["scale"]):
                return self.into(op.body, _Reach(reach.box), x, f"{address}/body")
            return self.into(op, reach, x, address)
        if not isinstance(op, Chain):
            return self.inside(inner[parts[0]], parts[1:], reach, x, f"{address}/{parts[0]}")
        links = self._links(op, x, address)
        place = list(inner).index(parts[0])
        name, link, before = links[place]
        reach = self.inside(link, parts[1:], reach, before, f"{address}/{name}")
        for name, link, before in reversed(links[:place]):
            reach = self.into(link, reach, before, f"{address}/{name}")
        return reach

    def _joined(self, op: Concat, reach: _Reach, x: _Signal, address: str) -> _Reach:
        found, first = [], 0
        for name, branch in children(op):
            last = first + channels(branch, x.width)
            if reach.channel is None:
                found.append(self.into(branch, reach, x, f"{address}/{name}"))
            elif first <= reach.channel < last:
                return self.into(branch, _Reach(reach.box, reach.channel - first), x, f"{address}/{name}")
            first = last
        whole, *others = found
        for other in others:
            whole = whole.hull(other)
        return whole

    def _links(self, op: Chain, x: _Signal, address: str) -> list[tuple[str, Op, _Signal]]:
        """The links of a chain, each with its name and with what enters it."""
        found = []
        for name, link in children(op):
            found.append((name, link, x))
            x = self.after(link, x, f"{address}/{name}")
        return found


def _on(cell: Size, grid: Size, address: str) -> Box:
    """The cell as a box, if it is on the grid."""
    row, column = cell
    if not (0 <= row < grid[0] and 0 <= column < grid[1]):
        raise SettingsError(
            f"{address} has rows 0 to {grid[0] - 1} and columns 0 to {grid[1] - 1}: there is no cell {row}, {column}."
        )
    return Box((row, row), (column, column))


def _all(cell: Size, grid: Size, address: str) -> _Reach:
    """The whole grid: what the one cell behind the global pooling reads."""
    _on(cell, (1, 1), address)
    return _Reach(Box((0, grid[0] - 1), (0, grid[1] - 1)))


def _no_channel(channel: int, width: int, address: str) -> NoReturn:
    raise SettingsError(f"{address} has channels 0 to {width - 1}: there is no channel {channel}.")


def _hull(one: Edges, other: Edges) -> Edges:
    return min(one[0], other[0]), max(one[1], other[1])
