"""The difference of two networks, read off their descriptions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from html import escape
from typing import Any, Literal

from inception_lab.errors import UnknownAddress
from inception_lab.nets import catalog
from inception_lab.nets.address import children
from inception_lab.nets.ops import Chain, Concat, Conv, Net, Op, Pool, Residual, Stage, channels, stage_channels
from inception_lab.readers.notation import notation
from inception_lab.readers.words import window

What = Literal[
    "added",
    "removed",
    "repeats",
    "width",
    "kernel order",
    "kernel",
    "stride",
    "padding",
    "pool",
    "scale",
    "gain",
    "relu",
    "structure",
    "head",
    "input",
]
Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between `a` and `b`.

    `address` leaves out the network's name (the two have different ones) and counts blocks as the first network does;
    what only the second has is under its address there. `copies` is how many blocks of the stage share the difference,
    counted in the longer of the two stages.
    """

    address: str
    kind: What
    a: Value
    b: Value
    copies: int = 1


@dataclass(frozen=True, slots=True)
class Comparison:
    """All differences, in the order of the network; names and sources do not count."""

    a: str
    b: str
    differences: tuple[Difference, ...]

    @property
    def same(self) -> bool:
        """Whether the two compute the same function of the same weights."""
        return not self.differences

    def to_dict(self) -> dict[str, Any]:
        """The comparison as plain data: what `compare --json` prints."""
        return {"a": self.a, "b": self.b, "same": self.same, "differences": [asdict(each) for each in self.differences]}

    def _repr_html_(self) -> str:
        caption = f"{self.a} and {self.b}: " + (
            "no difference" if self.same else f"{len(self.differences)} differences"
        )
        heads = "".join(f"<th>{escape(head)}</th>" for head in ("address", "what", self.a, self.b, "blocks"))
        cells = ((each.address, each.kind, each.a, each.b, each.copies) for each in self.differences)
        body = "".join(f"<tr>{''.join(f'<td>{escape(_shown(cell))}</td>' for cell in row)}</tr>" for row in cells)
        return f"<table><caption>{escape(caption)}</caption><tr>{heads}</tr>{body}</table>"


def compare(a: Net | str, b: Net | str) -> Comparison:
    """What changes from `a` to `b`; stages are matched by name, their last blocks with each other.

    A residual's linear 1x1 is compared by the width that follows from its input. Differences that several blocks of a
    stage share are given once, at the first of them.
    """
    a, b = (catalog.net(net) if isinstance(net, str) else net for net in (a, b))
    return Comparison(a.name, b.name, (*_input(a, b), *_stages(a, b), *_head(a, b)))


def compare_blocks(a: Net, b: Net, mine: str, theirs: str) -> tuple[Difference, ...]:
    """What changes from block `mine` of `a` to block `theirs` of `b`, both as stage/copy; addresses are those in the
    block, and empty for the block as a whole. Raises `UnknownAddress` for a block there is not.
    """
    (one, one_inputs), (other, other_inputs) = _block(a, mine), _block(b, theirs)
    found = _op(one, other, "", one_inputs, other_inputs)
    return tuple(replace(each, address=each.address.strip("/")) for each in found)


def _block(net: Net, place: str) -> tuple[Op, int]:
    """A block, and the channels that enter it."""
    name, _, copy = place.partition("/")
    stage = next((stage for stage in net.stages if stage.name == name), None)
    if stage is None or not copy.isdecimal() or not 1 <= int(copy) <= len(stage.blocks):
        raise UnknownAddress(f"{net.name} has no block {place}; give one as stage/copy, such as B/01.")
    inputs = _inputs(net)[name]
    for block in stage.blocks[: int(copy) - 1]:
        inputs = channels(block, inputs)
    return stage.blocks[int(copy) - 1], inputs


def _input(a: Net, b: Net) -> Iterator[Difference]:
    images = [f"{net.inputs}×{net.size}×{net.size}" for net in (a, b)]
    if images[0] != images[1]:
        yield Difference("input", "input", images[0], images[1])


def _stages(a: Net, b: Net) -> Iterator[Difference]:
    widths = [_inputs(net) for net in (a, b)]
    pairs = _matched(a, b)
    common = [
        [stage.name for stage in net.stages if stage.name in widths[0] and stage.name in widths[1]] for net in (a, b)
    ]
    if common[0] != common[1]:
        yield Difference("", "structure", ", ".join(common[0]), ", ".join(common[1]))
    for one, other in pairs:
        if one and other:
            yield from _stage(one, other, widths[0][one.name], widths[1][other.name])
        elif one:
            yield Difference(one.name, "removed", _row(one), None)
        elif other:
            yield Difference(other.name, "added", None, _row(other))


def _matched(a: Net, b: Net) -> list[tuple[Stage | None, Stage | None]]:
    """Stages of the same name; one that only `b` has stands after the stage that it follows there."""
    theirs = {stage.name: stage for stage in b.stages}
    pairs: list[tuple[Stage | None, Stage | None]] = [(stage, theirs.get(stage.name)) for stage in a.stages]
    place = 0
    for stage in b.stages:
        known = next((n for n, (_, other) in enumerate(pairs, 1) if other is stage), None)
        if known is None:
            pairs.insert(place, (None, stage))
        place = known or place + 1
    return pairs


def _stage(a: Stage, b: Stage, a_inputs: int, b_inputs: int) -> Iterator[Difference]:
    if len(a.blocks) != len(b.blocks):
        yield Difference(a.name, "repeats", len(a.blocks), len(b.blocks))
    found: dict[tuple[str, What, Value, Value], Difference] = {}
    longest = max(len(a.blocks), len(b.blocks))
    for place in range(longest):
        mine, theirs = (_place(stage, place, longest) for stage in (a, b))
        for each in _op(a.blocks[mine], b.blocks[theirs], "", a_inputs, b_inputs):
            key = (each.address, each.kind, each.a, each.b)
            if key in found:
                found[key] = replace(found[key], copies=found[key].copies + 1)
            else:
                found[key] = replace(each, address=f"{a.name}/{mine + 1:02d}{each.address}")
        a_inputs, b_inputs = channels(a.blocks[mine], a_inputs), channels(b.blocks[theirs], b_inputs)
    yield from found.values()


def _place(stage: Stage, place: int, longest: int) -> int:
    """Which block of `stage` answers to block `place` of the longer of two: the last to the last, as `Net.repeats`."""
    last = len(stage.blocks) - 1
    return last if place == longest - 1 else min(place, max(last - 1, 0))


def _op(a: Op, b: Op, at: str, a_inputs: int, b_inputs: int) -> Iterator[Difference]:
    match a, b:
        case Conv(), Conv():
            if a.channels != b.channels:
                yield Difference(at, "width", a.channels, b.channels)
            yield from _windows(a, b, at)
        case Pool(), Pool():
            if _pool(a) != _pool(b):
                yield Difference(at, "pool", _pool(a), _pool(b))
            yield from _slides(a, b, at)
        case (Chain(), Chain()) | (Concat(), Concat()) if _alike(a, b):
            for (name, mine), (_, theirs) in zip(children(a), children(b), strict=True):
                yield from _op(mine, theirs, f"{at}/{name}", a_inputs, b_inputs)
                if isinstance(a, Chain):
                    a_inputs, b_inputs = channels(mine, a_inputs), channels(theirs, b_inputs)
        case Residual(), Residual():
            yield from _op(a.body, b.body, f"{at}/body", a_inputs, b_inputs)
            yield from _closings(a, b, at, a_inputs, b_inputs)
        case _:
            yield Difference(at, "structure", notation(a, multiline=False), notation(b, multiline=False))


def _alike(a: Op, b: Op) -> bool:
    """Whether the parts of two ops can be compared one by one: as many, and in a chain of the same kinds."""
    mine, theirs = ([type(part) for _, part in children(op)] for op in (a, b))
    return mine == theirs if isinstance(a, Chain) else len(mine) == len(theirs)


def _closings(a: Residual, b: Residual, at: str, a_inputs: int, b_inputs: int) -> Iterator[Difference]:
    widths = (a_inputs if a.width is None else a.width, b_inputs if b.width is None else b.width)
    if widths[0] != widths[1]:
        yield Difference(f"{at}/linear", "width", *widths)
    if a.scale != b.scale:
        yield Difference(f"{at}/scale", "scale", a.scale, b.scale)
    if a.gain != b.gain:
        yield Difference(f"{at}/scale", "gain", a.gain, b.gain)
    if a.relu != b.relu:
        yield Difference(f"{at}/relu", "relu", a.relu, b.relu)


def _windows(a: Conv, b: Conv, at: str) -> Iterator[Difference]:
    if a.window != b.window:
        turned = a.window == b.window[::-1]
        yield Difference(at, "kernel order" if turned else "kernel", window(a.window), window(b.window))
    yield from _slides(a, b, at)


def _slides(a: Conv | Pool, b: Conv | Pool, at: str) -> Iterator[Difference]:
    if a.stride != b.stride:
        yield Difference(at, "stride", a.stride, b.stride)
    if a.pad != b.pad and (a.window != (1, 1) or b.window != (1, 1)):
        yield Difference(at, "padding", a.pad, b.pad)


def _pool(op: Pool) -> str:
    border = " counting the border" if op.count_border and op.kind == "avg" and op.pad == "same" else ""
    return f"{op.kind} {window(op.window)}{border}"


def _head(a: Net, b: Net) -> Iterator[Difference]:
    pooled = [_outputs(net) for net in (a, b)]
    if pooled[0] != pooled[1]:
        yield Difference("head/pool", "width", *pooled)
    if a.end_norm != b.end_norm:
        yield Difference("head/norm", "head", a.end_norm, b.end_norm)
    if a.dropout != b.dropout:
        yield Difference("head/dropout", "head", a.dropout, b.dropout)
    if a.classes != b.classes:
        yield Difference("head/classifier", "head", a.classes, b.classes)


def _inputs(net: Net) -> dict[str, int]:
    """The channels that enter each stage."""
    found, width = {}, net.inputs
    for stage in net.stages:
        found[stage.name] = width
        width = stage_channels(stage, width)
    return found


def _outputs(net: Net) -> int:
    width = net.inputs
    for stage in net.stages:
        width = stage_channels(stage, width)
    return width


def _row(stage: Stage) -> str:
    return notation(replace(stage, source=""), multiline=False)


def _shown(value: Value) -> str:
    return "–" if value is None else str(value)
