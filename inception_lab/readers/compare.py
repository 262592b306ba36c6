"""The difference of two networks, read off their descriptions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from inception_lab.errors import UnknownAddress
from inception_lab.nets import catalog
from inception_lab.nets.address import NORM
from inception_lab.nets.ops import Net, Op, Stage, channels, stage_channels
from inception_lab.readers import words
from inception_lab.readers.alike import Value, distance, sequences, weight
from inception_lab.readers.difference import Difference, Spot, Walk, What, differs

if TYPE_CHECKING:
    import pandas

__all__ = ["Comparison", "Difference", "Match", "Value", "What", "compare", "compare_blocks", "match_blocks"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """All differences, in the order of the network; names and sources do not count. It shows itself in a notebook."""

    a: str
    b: str
    differences: tuple[Difference, ...]
    nets: tuple[Net, Net] = field(repr=False, compare=False)

    @property
    def same(self) -> bool:
        """Whether the two compute the same function of the same weights."""
        return not self.differences

    def __repr__(self) -> str:
        return f"<{self.a} and {self.b}: {words.many(len(self.differences), 'difference')}>"

    def to_dict(self) -> dict[str, Any]:
        """The comparison as plain data: what `compare --json` prints."""
        rows = [each.to_dict() for each in self.differences]
        return {"a": self.a, "b": self.b, "same": self.same, "differences": rows}

    def to_pandas(self) -> pandas.DataFrame:
        """One row a difference."""
        import pandas as pd

        columns = ["address", "kind", "a", "b", "copies", "at_a", "at_b"]
        return pd.DataFrame([each.to_dict() for each in self.differences], columns=columns)

    def blocks(self) -> tuple[tuple[str, str], ...]:
        """The first blocks in which something differs, one pair (stage/copy in `a`, in `b`) for each stage."""
        found: dict[str, tuple[str, str]] = {}
        for each in self.differences:
            stage = each.address.split("/")[0]
            if "/" not in each.address or stage == "head" or stage in found:
                continue
            here = counterpart(*self.nets, "/".join(each.address.split("/")[:2]), turned=each.kind == "added")
            if here is not None:
                found[stage] = here
        return tuple(found.values())

    def _repr_html_(self) -> str:
        from inception_lab.readers.beside import html  # it draws, which comparing alone does not need

        return html(self)


@dataclass(frozen=True, slots=True)
class Match:
    """Two blocks side by side: what differs, and the addresses that answer to each other, those of the first to those
    of the second. All addresses are those in the block, empty for the block as a whole."""

    differences: tuple[Difference, ...]
    pairs: dict[str, str]

    def back(self) -> dict[str, str]:
        """The addresses of the second to those of the first."""
        return {b: a for a, b in reversed(self.pairs.items())}


def compare(a: Net | str, b: Net | str) -> Comparison:
    """What changes from `a` to `b`, op by op, with as few changes as explain it; the other way round it is the mirror.

    Stages are matched by name, those that only one has by what they do; of their blocks the last with the last. A
    residual's linear 1x1 is compared by the width that follows from its input. Differences that several blocks of a
    stage share are given once, at the first of them.
    """
    a, b = (catalog.net(net) if isinstance(net, str) else net for net in (a, b))
    return Comparison(a.name, b.name, (*_input(a, b), *_stages(a, b), *_head(a, b)), (a, b))


def compare_blocks(a: Net, b: Net, mine: str, theirs: str) -> tuple[Difference, ...]:
    """What changes from block `mine` of `a` to block `theirs` of `b`, both as stage/copy; addresses are those in the
    block, and empty for the block as a whole. Raises `UnknownAddress` for a block there is not.
    """
    return match_blocks(a, b, mine, theirs).differences


def match_blocks(a: Net, b: Net, mine: str, theirs: str) -> Match:
    """The same, with the addresses that answer to each other."""
    walk = Walk()
    walk.ops(_block(a, mine), _block(b, theirs))
    pairs: dict[str, str] = {}
    for one, other in walk.pairs:
        pairs.setdefault(one.strip("/"), other.strip("/"))
    return Match(tuple(_inner(each) for each in walk.found), pairs)


def counterpart(a: Net, b: Net, block: str, *, turned: bool = False) -> tuple[str, str] | None:
    """The pair of blocks (in `a`, in `b`), as stage/copy, to which a block of `a` belongs, or one of `b` if `turned`;
    None for a block whose stage has no counterpart."""
    name, _, copy = block.partition("/")
    for one, other in matched_stages(a, b):
        own = other if turned else one
        if one is None or other is None or own is None or own.name != name:
            continue
        longest = max(len(one.blocks), len(other.blocks))
        place = longest - 1 if int(copy) == len(own.blocks) else int(copy) - 1
        places = (
            f"{one.name}/{_place(one, place, longest) + 1:02d}",
            f"{other.name}/{_place(other, place, longest) + 1:02d}",
        )
        return (places[0], block) if turned else (block, places[1])
    return None


def matched_stages(a: Net, b: Net) -> list[tuple[Stage | None, Stage | None]]:
    """Stages of the same name, and between them those that do nearly the same; one that only `b` has stands after the
    stage that it follows there."""
    theirs = {stage.name: stage for stage in b.stages}
    pairs: list[tuple[Stage | None, Stage | None]] = [(stage, theirs.get(stage.name)) for stage in a.stages]
    place = 0
    for stage in b.stages:
        known = next((n for n, (_, other) in enumerate(pairs, 1) if other is stage), None)
        if known is None:
            pairs.insert(place, (None, stage))
        place = known or place + 1
    found: list[tuple[Stage | None, Stage | None]] = []
    gone: list[Stage] = []
    come: list[Stage] = []
    for one, other in [*pairs, (None, None)]:
        if one is not None and other is None:
            gone.append(one)
        elif other is not None and one is None:
            come.append(other)
        else:
            found += [*_by_role(gone, come), (one, other)]
            gone, come = [], []
    return found[:-1]


def _by_role(gone: list[Stage], come: list[Stage]) -> Iterator[tuple[Stage | None, Stage | None]]:
    """Stages without a namesake: those whose blocks are nearly the same are one that was renamed."""

    def near(a: Stage, b: Stage) -> int | None:
        cost = distance(a.blocks[0], b.blocks[0])
        return cost if 4 * cost <= weight(a.blocks[0]) + weight(b.blocks[0]) else None

    turned = [stage.name for stage in come] < [stage.name for stage in gone]  # one way of two that are equally cheap
    rows = (come, gone) if turned else (gone, come)
    for one, other in sequences(*rows, pair=near, alone=lambda stage: weight(stage.blocks[0]))[1]:
        i, j = (other, one) if turned else (one, other)
        yield None if i is None else gone[i], None if j is None else come[j]


def _inner(each: Difference) -> Difference:
    at_a, at_b = (None if at is None else at.strip("/") for at in (each.at_a, each.at_b))
    return replace(each, address=each.address.strip("/"), at_a=at_a, at_b=at_b)


def _block(net: Net, place: str) -> Spot:
    """A block, with the channels that enter it."""
    name, _, copy = place.partition("/")
    stage = next((stage for stage in net.stages if stage.name == name), None)
    if stage is None or not copy.isdecimal() or not 1 <= int(copy) <= len(stage.blocks):
        raise UnknownAddress(f"{net.name} has no block {place}; give one as stage/copy, such as B/01.")
    inputs = _inputs(net)[name]
    for block in stage.blocks[: int(copy) - 1]:
        inputs = channels(block, inputs)
    return Spot(stage.blocks[int(copy) - 1], "", inputs)


def _input(a: Net, b: Net) -> Iterator[Difference]:
    images = [f"{net.inputs}×{net.size}×{net.size}" for net in (a, b)]
    if images[0] != images[1]:
        yield differs("input", "input", "input", images[0], images[1])


def _stages(a: Net, b: Net) -> Iterator[Difference]:
    widths = [_inputs(net) for net in (a, b)]
    common = [
        [stage.name for stage in net.stages if stage.name in widths[0] and stage.name in widths[1]] for net in (a, b)
    ]
    if common[0] != common[1]:
        yield differs("", "", "order", ", ".join(common[0]), ", ".join(common[1]))
    for one, other in matched_stages(a, b):
        if one and other:
            yield from _stage(one, other, widths[0][one.name], widths[1][other.name])
        elif one:
            yield differs(one.name, None, "removed", words.brief(one), None)
        elif other:
            yield differs(None, other.name, "added", None, words.brief(other))


def _stage(a: Stage, b: Stage, a_inputs: int, b_inputs: int) -> Iterator[Difference]:
    if a.name != b.name:
        yield differs(a.name, b.name, "name", a.name, b.name)
    if len(a.blocks) != len(b.blocks):
        yield differs(a.name, b.name, "repeats", len(a.blocks), len(b.blocks))
    found: dict[Difference, Difference] = {}
    known: dict[tuple[Op, Op, int, int], list[Difference]] = {}
    longest = max(len(a.blocks), len(b.blocks))
    for place in range(longest):
        mine, theirs = (_place(stage, place, longest) for stage in (a, b))
        key = (a.blocks[mine], b.blocks[theirs], a_inputs, b_inputs)
        if key not in known:
            walk = Walk()
            walk.ops(Spot(key[0], "", a_inputs), Spot(key[1], "", b_inputs))
            known[key] = walk.found
        for each in known[key]:
            if each in found:
                found[each] = replace(found[each], copies=found[each].copies + 1)
            else:
                found[each] = each.under(f"{a.name}/{mine + 1:02d}", f"{b.name}/{theirs + 1:02d}")
        a_inputs, b_inputs = channels(key[0], a_inputs), channels(key[1], b_inputs)
    yield from found.values()


def _place(stage: Stage, place: int, longest: int) -> int:
    """Which block of `stage` answers to block `place` of the longer of two: the last to the last, as `Net.repeats`."""
    last = len(stage.blocks) - 1
    return last if place == longest - 1 else min(place, max(last - 1, 0))


def _head(a: Net, b: Net) -> Iterator[Difference]:
    pooled = [_outputs(net) for net in (a, b)]
    if pooled[0] != pooled[1]:
        yield differs("head/pool", "head/pool", "width", *pooled)
    if a.end_norm != b.end_norm:
        at = [f"head/{NORM}" if net.end_norm else None for net in (a, b)]
        yield differs(at[0], at[1], "head", a.end_norm, b.end_norm)
    if a.dropout != b.dropout:
        yield differs("head/dropout", "head/dropout", "head", a.dropout, b.dropout)
    if a.classes != b.classes:
        yield differs("head/classifier", "head/classifier", "head", a.classes, b.classes)


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
