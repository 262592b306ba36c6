"""What changes from one op to another, op by op, and which op of one answers to which of the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, final

from inception_lab.nets.address import children, joints
from inception_lab.nets.ops import Chain, Concat, Conv, Op, Pool, Residual, channels
from inception_lab.readers import words
from inception_lab.readers.alike import Fact, Value, aligned, facts, lone, matched, opens

What = (
    Fact | Literal["added", "removed", "order", "repeats", "name", "scale", "gain", "relu", "head", "input"]
)  # "order" is that of branches or stages; "kernel order" that of a kernel's sides


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between `a` and `b`.

    `at_a` and `at_b` say where it is in each, None where one has nothing there. `address` counts as the first network
    does; what is added is under its address in the second. All leave out the network's name (the two have different
    ones). `copies` is how many blocks of the stage share the difference, counted in the longer of the two stages.
    """

    address: str
    kind: What
    a: Value
    b: Value
    copies: int = 1
    at_a: str | None = None
    at_b: str | None = None

    def under(self, a: str, b: str) -> Difference:
        """The same where each address is below another."""
        at_a = None if self.at_a is None else f"{a}{self.at_a}"
        at_b = None if self.at_b is None else f"{b}{self.at_b}"
        return replace(self, at_a=at_a, at_b=at_b, address=f"{b if self.kind == 'added' else a}{self.address}")

    def to_dict(self) -> dict[str, Any]:
        """The difference as plain data."""
        return {name: getattr(self, name) for name in ("address", "kind", "a", "b", "copies", "at_a", "at_b")}


def differs(at_a: str | None, at_b: str | None, kind: What, a: Value, b: Value) -> Difference:
    """A difference at one address, or two."""
    return Difference(at_b or "" if at_a is None else at_a, kind, a, b, at_a=at_a, at_b=at_b)


@dataclass(frozen=True, slots=True)
class Spot:
    """An op where it stands: its address below the block (with a slash before it), the channels that enter it."""

    op: Op
    at: str
    inputs: int

    def links(self) -> tuple[Spot, ...]:
        """The ops of a chain one after the other; any other op alone."""
        if not isinstance(self.op, Chain):
            return (self,)
        found: list[Spot] = []
        inputs = self.inputs
        for name, link in children(self.op):
            found += Spot(link, f"{self.at}/{name}", inputs).links()
            inputs = channels(link, inputs)
        return tuple(found)

    def branches(self) -> tuple[Spot, ...]:
        """The branches of a concatenation; any other op is one branch."""
        if not isinstance(self.op, Concat):
            return (self,)
        return tuple(Spot(branch, f"{self.at}/{name}", self.inputs) for name, branch in children(self.op))


@final
@dataclass(slots=True)
class Walk:
    """Walks two ops side by side and writes down what differs, and `pairs`: the addresses that answer to each other."""

    found: list[Difference] = field(default_factory=list)
    pairs: list[tuple[str, str]] = field(default_factory=list)

    def ops(self, a: Spot, b: Spot) -> None:
        """Compares any two ops."""
        self.pairs.append((a.at, b.at))
        if opens(a.op, b.op) or opens(b.op, a.op):
            return self._link(a, b)
        one, other = a.links(), b.links()
        for i, j in aligned([spot.op for spot in one], [spot.op for spot in other]):
            self._edit(one, other, i, j, whole=False)

    def _edit(self, one: Sequence[Spot], other: Sequence[Spot], i: int | None, j: int | None, *, whole: bool) -> None:
        if i is not None and j is not None:
            (self.ops if whole else self._link)(one[i], other[j])
        elif i is not None:
            self._gone(one[i].at, words.brief(one[i].op))
        elif j is not None:
            self._come(other[j].at, words.brief(other[j].op))

    def _link(self, a: Spot, b: Spot) -> None:
        self.pairs.append((a.at, b.at))
        match a.op, b.op:
            case Conv() | Pool(), Conv() | Pool():
                self.found += [differs(a.at, b.at, *fact) for fact in facts(a.op, b.op)]
            case Residual(), Residual():
                self.ops(_body(a), _body(b))
                self._closings(a, b)
            case Residual(), _:
                self.ops(_body(a), b)
                for part, said in _closing(a):
                    self._gone(part, said)
            case _, Residual():
                self.ops(a, _body(b))
                for part, said in _closing(b):
                    self._come(part, said)
            case _:
                self._branches(a, b)

    def _branches(self, a: Spot, b: Spot) -> None:
        """Two concatenations, or one and the op that is a branch of it."""
        one, other = a.branches(), b.branches()
        edits = _matched(a.op, b.op)
        for i, j in edits:
            self._edit(one, other, i, j, whole=True)
        forks = isinstance(a.op, Concat), isinstance(b.op, Concat)
        joins = f"{a.at}/concat", f"{b.at}/concat"
        if forks[0] and forks[1]:
            self.pairs.append(joins)
            both = [(i, j) for i, j in edits if i is not None and j is not None]
            if both != sorted(both, key=lambda edit: edit[1]):
                mine = " ∥ ".join(words.brief(one[i].op) for i, _ in both)
                theirs = " ∥ ".join(words.brief(other[j].op) for j in sorted(j for _, j in both))
                self.found.append(differs(*joins, "order", mine, theirs))
        elif forks[0]:
            self._gone(joins[0], "concat")
        elif forks[1]:
            self._come(joins[1], "concat")

    def _closings(self, a: Spot, b: Spot) -> None:
        """The steps that close two residuals."""
        one, other = a.op, b.op
        if not isinstance(one, Residual) or not isinstance(other, Residual):
            return
        self.pairs += [(f"{a.at}/{part}", f"{b.at}/{part}") for part in joints(one) if part in joints(other)]
        wide = [spot.inputs if op.width is None else op.width for spot, op in ((a, one), (b, other))]
        if wide[0] != wide[1]:
            self.found.append(differs(f"{a.at}/linear", f"{b.at}/linear", "width", *wide))
        at = f"{a.at}/scale", f"{b.at}/scale"
        if one.scale != other.scale:
            self.found.append(differs(*at, "scale", one.scale, other.scale))
        if one.gain != other.gain:
            self.found.append(differs(*at, "gain", one.gain, other.gain))
        if one.relu != other.relu:
            here, there = (f"{spot.at}/relu" if op.relu else None for spot, op in ((a, one), (b, other)))
            self.found.append(Difference(f"{a.at}/relu", "relu", one.relu, other.relu, at_a=here, at_b=there))

    def _gone(self, at: str, said: str) -> None:
        self.found.append(differs(at, None, "removed", said, None))

    def _come(self, at: str, said: str) -> None:
        self.found.append(differs(None, at, "added", None, said))


def _matched(a: Op, b: Op) -> tuple[tuple[int | None, int | None], ...]:
    """The branches of two ops, at least one of them a concatenation."""
    if isinstance(a, Concat) and isinstance(b, Concat):
        return matched(a.branches, b.branches)
    if isinstance(b, Concat):
        return tuple((i, j) for j, i in _matched(b, a))
    if isinstance(a, Concat):
        place = lone(a, b)
        return tuple((i, 0 if i == place else None) for i in range(len(a.branches)))
    raise AssertionError(f"{a} and {b} have no branches")  # `alike` pairs no others


def _body(spot: Spot) -> Spot:
    return replace(spot, op=spot.op.body, at=f"{spot.at}/body") if isinstance(spot.op, Residual) else spot


def _closing(spot: Spot) -> list[tuple[str, str]]:
    """The steps that close a residual, with their words."""
    if not isinstance(spot.op, Residual):
        return []
    wide = spot.inputs if spot.op.width is None else spot.op.width
    said = {"linear": f"1×1 · {wide}, linear", "scale": words.scale(spot.op), "add": "add", "relu": "ReLU"}
    return [(f"{spot.at}/{part}", said[part]) for part in joints(spot.op)]
