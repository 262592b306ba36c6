"""Why 299? The rows and columns that strided windows throw away, for every side of the input.

A window of k cells that moves by s cells over n cells with p cells of padding ends, the last time it fits, before the
last (n + 2p - k) mod s cells; what of those is no padding is never read. The paper marks its strided layers V, for
valid (section 3, arXiv Figs 3, 7, 8, 12, 14 and 18), so p is 0 in its networks and each stride of 2 throws a row and
a column away or not. At 299 none does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import assert_never

from inception_lab.errors import InputTooSmall, NetworkError
from inception_lab.nets import catalog
from inception_lab.nets.address import blocks, children
from inception_lab.nets.ops import Chain, Concat, Conv, Net, Op, Pool, Residual, Size, padding

SIDES = range(32, 513)


@dataclass(frozen=True, slots=True)
class Lost:
    """What one strided op throws away: `rows` and `columns` at the lower and right edge of the `grid` (height, width)
    that enters it, whose cells are `jump` pixels of the image apart."""

    address: str
    grid: Size
    rows: int
    columns: int
    jump: int


@dataclass(frozen=True, slots=True)
class Fit:
    """How an input of `size` (height, width) goes through a network.

    `lost` has every strided op that was reached, in order; `stopped` is the address of the op whose window no longer
    fits, or empty; `end` the grid after the last block that fits.
    """

    size: Size
    lost: tuple[Lost, ...]
    end: Size
    stopped: str = ""

    @property
    def rows(self) -> int:
        """Rows that all ops throw away, parallel ones counted each."""
        return sum(one.rows for one in self.lost)

    @property
    def clean(self) -> bool:
        """Whether the input goes through and no op throws anything away."""
        return not self.stopped and not any(one.rows or one.columns for one in self.lost)


@dataclass(frozen=True, slots=True)
class Sides:
    """How square inputs of many sides go through a network; `ops` are the addresses of its strided ops, in order."""

    network: str
    ops: tuple[str, ...]
    fits: tuple[Fit, ...]

    @property
    def smallest(self) -> int | None:
        """The smallest of the sides that goes through, if one does."""
        return next((fit.size[0] for fit in self.fits if not fit.stopped), None)

    @property
    def clean(self) -> tuple[int, ...]:
        """The sides of which nothing is thrown away."""
        return tuple(fit.size[0] for fit in self.fits if fit.clean)

    def at(self, side: int) -> Fit:
        """How one of the sides goes through."""
        return next(fit for fit in self.fits if fit.size[0] == side)


def fit(net: Net | str, *, size: int | Size) -> Fit:
    """How one input goes through; unlike `shapes` it does not raise where a window no longer fits, but says so."""
    net = catalog.net(net) if isinstance(net, str) else net
    height, width = (size, size) if isinstance(size, int) else size
    if height < 1 or width < 1:
        raise NetworkError(f"A side is a whole number of pixels above 0, not {height}×{width}.")
    return _fit(_movers(net), (height, width))


def sides(net: Net | str, *, among: Iterable[int] = SIDES) -> Sides:
    """How square inputs go through, one for each side in `among`."""
    net = catalog.net(net) if isinstance(net, str) else net
    movers = _movers(net)
    ops = tuple(at for address, block in movers for at, op in _windows(address, block) if op.stride > 1)
    return Sides(net.name, ops, tuple(_fit(movers, (side, side)) for side in among))


def _fit(movers: tuple[tuple[str, Op], ...], size: Size) -> Fit:
    walker = _Walker(size)
    grid, jump = size, 1
    try:
        for address, block in movers:
            grid, jump = walker.walk(block, grid, jump, address)
    except InputTooSmall as error:
        return Fit(size, tuple(walker.lost), grid, error.address)
    return Fit(size, tuple(walker.lost), grid)


def _movers(net: Net) -> tuple[tuple[str, Op], ...]:
    """The blocks that can change the grid; in all others every window is padded and moves by one."""
    found = []
    for address, block in blocks(net):
        if any(op.stride > 1 or (op.pad == "valid" and op.window != (1, 1)) for _, op in _windows(address, block)):
            found.append((address, block))
    return tuple(found)


def _windows(address: str, op: Op) -> Iterator[tuple[str, Conv | Pool]]:
    if isinstance(op, Conv | Pool):
        yield address, op
    for name, child in children(op):
        yield from _windows(f"{address}/{name}", child)


class _Walker:
    """Follows the grid alone."""

    def __init__(self, size: Size) -> None:
        self.size = size
        self.lost: list[Lost] = []

    def walk(self, op: Op, grid: Size, jump: int, address: str) -> tuple[Size, int]:
        match op:
            case Conv() | Pool():
                return self._slide(op, grid, jump, address)
            case Chain():
                for name, link in children(op):
                    grid, jump = self.walk(link, grid, jump, f"{address}/{name}")
                return grid, jump
            case Concat():
                ends = [self.walk(branch, grid, jump, f"{address}/{name}") for name, branch in children(op)]
                return ends[0]
            case Residual():
                self.walk(op.body, grid, jump, f"{address}/body")
                return grid, jump
            case _:
                assert_never(op)

    def _slide(self, op: Conv | Pool, grid: Size, jump: int, address: str) -> tuple[Size, int]:
        border = padding(op.window, op.pad)
        spare = [n + 2 * p - k for n, p, k in zip(grid, border, op.window, strict=True)]
        if min(spare) < 0:
            raise InputTooSmall(address, window=op.window, grid=grid, size=self.size)
        if op.stride > 1:
            rows, columns = (max(0, left % op.stride - p) for left, p in zip(spare, border, strict=True))
            self.lost.append(Lost(address, grid, rows, columns, jump))
        return (spare[0] // op.stride + 1, spare[1] // op.stride + 1), jump * op.stride
