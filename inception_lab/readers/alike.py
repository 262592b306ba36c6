"""How near two ops are: the fewest edits that turn one into the other.

The links of chains are aligned by minimum edit distance (Wagner and Fischer, The string-to-string correction problem,
1974), branches are matched with the least total. Costs are whole numbers, 1000 for one op, so that ties are ties; of
those that are equally cheap the same one is taken in both directions, and what turns `a` into `b` mirrors what turns
`b` into `a`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import log2
from typing import Literal, TypeVar, assert_never

from inception_lab.nets.ops import Chain, Concat, Conv, Op, Pool, Residual
from inception_lab.readers.words import window

Fact = Literal["width", "kernel order", "kernel", "stride", "padding", "pool"]
Value = str | int | float | bool | None
Edits = tuple[tuple[int | None, int | None], ...]
"""Places in `a` and in `b`: both where they answer to each other, one of them None where the other stands alone."""

T = TypeVar("T")

_OP, _JOIN, _JOINTS = 1000, 300, 1700  # one op; a concat; linear, scale, add and ReLU of a residual
_FACTS: dict[Fact, int] = {"width": 200, "kernel order": 300, "kernel": 600, "stride": 400, "padding": 150, "pool": 600}
_POINTWISE = 400  # more where a 1×1 becomes a window
_MOST = 8  # branches that are matched in every way; beyond them those that differ keep their order


def facts(a: Conv | Pool, b: Conv | Pool) -> tuple[tuple[Fact, Value, Value], ...]:
    """What is not the same in two convolutions or two pools, with both values."""
    found: list[tuple[Fact, Value, Value]] = []
    if isinstance(a, Conv) and isinstance(b, Conv):
        if a.channels != b.channels:
            found.append(("width", a.channels, b.channels))
        if a.window != b.window:
            turned = a.window == b.window[::-1]
            found.append(("kernel order" if turned else "kernel", window(a.window), window(b.window)))
    elif isinstance(a, Pool) and isinstance(b, Pool) and _pool(a) != _pool(b):
        found.append(("pool", _pool(a), _pool(b)))
    if a.stride != b.stride:
        found.append(("stride", a.stride, b.stride))
    if a.pad != b.pad and (a.window != (1, 1) or b.window != (1, 1)):
        found.append(("padding", a.pad, b.pad))
    return tuple(found)


def links(op: Op) -> tuple[Op, ...]:
    """The ops of a chain one after the other, chains in it taken apart; any other op alone."""
    return tuple(link for part in op.ops for link in links(part)) if isinstance(op, Chain) else (op,)


def opens(a: Op, b: Op) -> bool:
    """Whether `a` is a residual and `b` has none, so that its body is what answers to `b`."""
    return isinstance(a, Residual) and not any(isinstance(link, Residual) for link in links(b))


@lru_cache(maxsize=4096)
def weight(op: Op) -> int:
    """What it costs to add or remove all of an op."""
    match op:
        case Conv() | Pool():
            return _OP
        case Chain():
            return sum(weight(link) for link in op.ops)
        case Concat():
            return _JOIN + sum(weight(branch) for branch in op.branches)
        case Residual():
            return _JOINTS + weight(op.body)
        case _:
            assert_never(op)


@lru_cache(maxsize=4096)
def distance(a: Op, b: Op) -> int:
    """What it costs to turn one op into the other, 0 if they do the same; the same in both directions."""
    if a == b:
        return 0
    if isinstance(a, Residual) and opens(a, b):
        return distance(a.body, b) + _JOINTS
    if isinstance(b, Residual) and opens(b, a):
        return distance(a, b.body) + _JOINTS
    return _aligned(links(a), links(b))[0]


def aligned(a: Sequence[Op], b: Sequence[Op]) -> Edits:
    """The links of two chains side by side, in order."""
    return _aligned(tuple(a), tuple(b))[1]


def matched(a: Sequence[Op], b: Sequence[Op]) -> Edits:
    """The branches of two concatenations by what they are, wherever they stand; in the order of `a`, then what only
    `b` has."""
    return _matched(tuple(a), tuple(b))[1]


def lone(concat: Concat, op: Op) -> int | None:
    """The branch that answers to a single convolution or pool: the nearest of its kind, if there is one."""
    near = [(_pair(one, op), place) for place, one in enumerate(concat.branches) if type(one) is type(op)]
    costs = [(cost, place) for cost, place in near if cost is not None]
    return min(costs)[1] if costs and isinstance(op, Conv | Pool) else None


def sequences(
    a: Sequence[T], b: Sequence[T], *, pair: Callable[[T, T], int | None], alone: Callable[[T], int]
) -> tuple[int, Edits]:
    """Two rows aligned with the least total: `pair` is what two cost side by side (None: they never stand so),
    `alone` what one without counterpart costs. Of equally cheap ones the one that pairs first.
    """
    pairs = [[pair(one, other) for other in b] for one in a]
    gone, come = [alone(one) for one in a], [alone(other) for other in b]
    rest = _totals(pairs, gone, come)
    edits: list[tuple[int | None, int | None]] = []
    i = j = 0
    while i < len(a) or j < len(b):
        cost = pairs[i][j] if i < len(a) and j < len(b) else None
        if cost is not None and rest[i][j] == cost + rest[i + 1][j + 1]:
            edits.append((i, j))
            i, j = i + 1, j + 1
        elif i < len(a) and rest[i][j] == gone[i] + rest[i + 1][j]:
            edits.append((i, None))
            i += 1
        else:
            edits.append((None, j))
            j += 1
    return rest[0][0], tuple(edits)


def _totals(pairs: list[list[int | None]], gone: list[int], come: list[int]) -> list[list[int]]:
    """The least cost of all that is left of two rows from place i in one and j in the other."""
    n, m = len(gone), len(come)
    rest = [[sum(gone[i:]) + sum(come[j:]) for j in range(m + 1)] for i in range(n + 1)]
    for i in range(n - 1, -1, -1):
        for j in range(m - 1, -1, -1):
            ways = [gone[i] + rest[i + 1][j], come[j] + rest[i][j + 1]]
            if (cost := pairs[i][j]) is not None:
                ways.append(cost + rest[i + 1][j + 1])
            rest[i][j] = min(ways)
    return rest


@lru_cache(maxsize=4096)
def _aligned(a: tuple[Op, ...], b: tuple[Op, ...]) -> tuple[int, Edits]:
    if a == b:
        return 0, tuple((place, place) for place in range(len(a)))
    if repr(b) < repr(a):
        total, edits = _aligned(b, a)
        return total, tuple((j, i) for i, j in edits)
    # a link more or less inside a chain costs more than in a branch of its own: a branch that went is gone as a whole
    return sequences(a, b, pair=_pair, alone=lambda op: weight(op) * 3 // 2)


@lru_cache(maxsize=4096)
def _pair(a: Op, b: Op) -> int | None:
    """What two links cost side by side; None if they have nothing in common."""
    match a, b:
        case Conv() | Pool(), Conv() | Pool() if type(a) is type(b):
            return sum(_cost(*fact) for fact in facts(a, b))
        case Residual(), Residual():
            closing = (a.scale, a.relu, a.gain, a.width), (b.scale, b.relu, b.gain, b.width)
            return distance(a.body, b.body) + 100 * sum(one != other for one, other in zip(*closing, strict=True))
        case Residual(), _:
            near = distance(a.body, b)
            return near + _JOINTS if near < weight(a.body) + weight(b) else None
        case _, Residual():
            return _pair(b, a)
        case Concat(), Concat():
            return _matched(a.branches, b.branches)[0]
        case (Concat(), Conv() | Pool()) if (place := lone(a, b)) is not None:
            return weight(a) - weight(a.branches[place]) + (_pair(a.branches[place], b) or 0)
        case Conv() | Pool(), Concat():
            return _pair(b, a)
        case _:
            return None


def _cost(fact: Fact, a: Value, b: Value) -> int:
    if fact == "width" and isinstance(a, int) and isinstance(b, int):
        return _FACTS[fact] + min(200, round(100 * abs(log2(a) - log2(b))))
    return _FACTS[fact] + (_POINTWISE if fact == "kernel" and "1×1" in (a, b) else 0)


@lru_cache(maxsize=4096)
def _matched(a: tuple[Op, ...], b: tuple[Op, ...]) -> tuple[int, Edits]:
    if repr(b) < repr(a):
        total, edits = _matched(b, a)
        turned = {i: j for j, i in edits}
        alone = [(None, j) for j, i in edits if i is None]
        return total, (*((i, turned[i]) for i in range(len(a))), *sorted(alone, key=lambda edit: edit[1] or 0))
    equal = _equal(a, b)
    left = [place for place in range(len(a)) if place not in equal]
    right = [place for place in range(len(b)) if place not in equal.values()]
    assign = _every_way if max(len(left), len(right)) <= _MOST else _in_order
    total, chosen = assign(a, b, left, right)
    found = equal | chosen
    alone = [(None, j) for j in right if j not in chosen.values()]
    return total + sum(abs(i - j) for i, j in equal.items()), (*((i, found.get(i)) for i in range(len(a))), *alone)


def _equal(a: tuple[Op, ...], b: tuple[Op, ...]) -> dict[int, int]:
    """Branches that are equal: those at the same place, then the others in order."""
    found = {place: place for place, (one, other) in enumerate(zip(a, b, strict=False)) if one == other}
    for i, one in enumerate(a):
        free = (j for j, other in enumerate(b) if j not in found.values() and one == other)
        if i not in found and (j := next(free, None)) is not None:
            found[i] = j
    return found


def _between(a: Op, b: Op) -> int | None:
    """What two branches cost as one that changed; None if it is cheaper to take one away and add the other."""
    near = distance(a, b)
    return near if near < weight(a) + weight(b) else None


def _every_way(a: Sequence[Op], b: Sequence[Op], left: list[int], right: list[int]) -> tuple[int, dict[int, int]]:
    """The cheapest of all ways to match the branches `left` of `a` with `right` of `b`; of equals the nearest in place.

    Sets of places in `b` that are taken are bits of a number; each keeps its cheapest way so far.
    """
    none = len(b)
    best: dict[int, tuple[int, tuple[int, ...]]] = {0: (0, ())}
    for i in left:
        step: dict[int, tuple[int, tuple[int, ...]]] = {}
        near = [(j, cost + abs(i - j)) for j in right if (cost := _between(a[i], b[j])) is not None]
        for taken, (total, picks) in best.items():
            ways = [(taken, total + weight(a[i]), none)]
            ways += [(taken | 1 << j, total + cost, j) for j, cost in near if not taken >> j & 1]
            for now, sum_, pick in ways:
                step[now] = min(step.get(now, (sum_, (*picks, pick))), (sum_, (*picks, pick)))
        best = step
    ends = [
        (total + sum(weight(b[j]) for j in right if not taken >> j & 1), picks)
        for taken, (total, picks) in best.items()
    ]
    total, picks = min(ends)
    return total, {i: j for i, j in zip(left, picks, strict=True) if j != none}


def _in_order(a: Sequence[Op], b: Sequence[Op], left: list[int], right: list[int]) -> tuple[int, dict[int, int]]:
    """The same for more branches than can be tried in every way: those that differ keep their order."""
    total, edits = sequences([a[i] for i in left], [b[j] for j in right], pair=_between, alone=weight)
    return total, {left[i]: right[j] for i, j in edits if i is not None and j is not None}


def _pool(op: Pool) -> str:
    border = " counting the border" if op.count_border and op.kind == "avg" and op.pad == "same" else ""
    return f"{op.kind} {window(op.window)}{border}"
