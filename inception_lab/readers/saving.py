"""What factorising an n×n convolution saves, in place and in the whole network."""

from __future__ import annotations

from dataclasses import dataclass

from inception_lab.nets import catalog
from inception_lab.nets.factorise import copies_of, target
from inception_lab.nets.ops import Net, Size
from inception_lab.nets.rewriting import Copies
from inception_lab.readers.cost import NAMES, CostTable, Quantity, cost
from inception_lab.readers.words import percent


@dataclass(frozen=True, slots=True)
class Change:
    """One amount before and after."""

    before: int
    after: int

    @property
    def saved(self) -> int:
        """What is saved; below 0 where it costs more."""
        return self.before - self.after

    @property
    def share(self) -> float:
        """What is saved as a share of what was there."""
        return self.saved / self.before if self.before else 0.0


@dataclass(frozen=True, slots=True)
class Saving:
    """1×n → n×1 in place of the n×n at `address`, in `copies` blocks: `net` is the network after it.

    `place` is the one convolution against its pair, `total` the whole network, each by quantity.
    """

    address: str
    copies: int
    net: Net
    place: dict[Quantity, Change]
    total: dict[Quantity, Change]

    def __str__(self) -> str:
        copies = f"{self.copies} {'copy' if self.copies == 1 else 'copies'}"
        return f"{self.address}. Here: {_said(self.place)}. In total, {copies}: {_said(self.total)}."


def saving(
    net: Net | str, address: str, *, copies: Copies = "one", size: int | Size | None = None, name: str = ""
) -> Saving:
    """The network with the n×n convolution at `address` factorised, and what that saves for one image of `size`.

    `name` is the name of the network after it; by default it keeps its own. Nothing else of the network changes cost,
    so a copy's saving is the total's divided by the copies. Raises what `Net.factorised` and `shapes` raise.
    """
    net = catalog.net(net) if isinstance(net, str) else net
    at = target(net, address)
    count = copies_of(net, at) if copies == "all" else 1
    after = net.factorised(at, copies=copies)
    old, new = cost(net, size=size), cost(after, size=size)
    row = old.level("ops", under=at)[0]
    total = {quantity: _change(old, new, quantity) for quantity in _ADDED}
    place = {name: Change(row.of(name), row.of(name) - change.saved // count) for name, change in total.items()}
    return Saving(at, count, after.with_(name=name) if name else after, place, total)


_SPOKEN: tuple[Quantity, ...] = ("parameters", "multiply_adds")
_ADDED: tuple[Quantity, ...] = ("parameters", "multiply_adds", "kept_bytes")  # what adds up over ops


def _said(changes: dict[Quantity, Change]) -> str:
    spoken = [(NAMES[name], changes[name]) for name in _SPOKEN]
    return ", ".join(f"{name} {one.before:,} → {one.after:,} ({percent(-one.share)})" for name, one in spoken)


def _change(old: CostTable, new: CostTable, quantity: Quantity) -> Change:
    return Change(old.total.of(quantity), new.total.of(quantity))
