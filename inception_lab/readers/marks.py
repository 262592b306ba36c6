"""Marks on the boxes of a drawing: where a network cannot be, and where the paper's drawing of it slips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from inception_lab.errors import Impossible, ImpossibleAdd, InputTooSmall
from inception_lab.nets.ops import Net
from inception_lab.readers.refusals import numbers
from inception_lab.readers.slips import slips_of
from inception_lab.readers.table import ShapeTable
from inception_lab.readers.words import window

if TYPE_CHECKING:
    from inception_lab.readers.drawing import Node

Alarm = Literal["", "fails", "slip"]

_SAID = 6  # marks that a drawing's own words name; the table has all


@dataclass(frozen=True, slots=True)
class Mark:
    """What one op is marked with: few words for its box, and lines ("name: words") for its hover card."""

    alarm: Alarm
    words: str
    lines: tuple[str, ...]


def marks(net: Net, table: ShapeTable, *, slips: bool) -> dict[str, tuple[Mark, ...]]:
    """The marks by full address: what the table's reading went past and, with `slips`, the paper's slips."""
    found: dict[str, tuple[Mark, ...]] = {}
    for error in table.refused:
        found[error.address] = (Mark("fails", numbers(error), (_refusal(error),)),)
    for slip in slips_of(net) if slips else ():
        mark = Mark("slip", f"slip, {slip.figure}", (f"slip, {slip.figure}: {slip.says}", f"must be: {slip.must}"))
        for address in slip.places(net):
            found[address] = (*found.get(address, ()), mark)
    return found


def put(nodes: Sequence[Node], found: dict[str, tuple[Mark, ...]]) -> tuple[Node, ...]:
    """The boxes with their marks; a box that holds several ops has those of all, and what fails goes first."""
    boxes = [node.id for node in nodes if node.kind != "input"]
    own: dict[str, list[Mark]] = {}
    for address, those in found.items():
        if box := _box(boxes, address):
            own.setdefault(box, []).extend(those)
    return tuple(_marked(node, own[node.id]) if node.id in own and node.kind != "input" else node for node in nodes)


def by_row(net: Net, table: ShapeTable) -> dict[str, str]:
    """What each row of the table is marked with, in words, the paper's slips too; rows without a mark are left out."""
    rows = [row.address for row in table.rows]
    found: dict[str, list[str]] = {}
    for address, those in marks(net, table, slips=True).items():
        if row := _box(rows, address):
            found.setdefault(row, []).extend(mark.words for mark in those)
    return {row: "; ".join(those) for row, those in found.items()}


def said(nodes: Sequence[Node], name: str) -> str:
    """The marks of a drawing of the network `name` as a sentence, empty without any."""
    those = [f"{node.id.removeprefix(f'{name}/')}: {node.warning}" for node in nodes if node.mark]
    if not those:
        return ""
    more = f"; and {len(those) - _SAID} more" if len(those) > _SAID else ""
    return f" Marked: {'; '.join(those[:_SAID])}{more}."


def _box(boxes: Sequence[str], address: str) -> str:
    """The box of an address: itself, its first step, the last one inside it, or the one that holds it; else empty."""
    if address in boxes:
        return address
    if f"{address}/conv" in boxes:
        return f"{address}/conv"
    if inside := [box for box in boxes if box.startswith(f"{address}/")]:
        return inside[-1]
    holders = [box for box in boxes if address.startswith(f"{box}/")]
    return max(holders, key=len, default="")


def _marked(node: Node, those: Sequence[Mark]) -> Node:
    first = min(those, key=lambda mark: mark.alarm != "fails")
    words = tuple(dict.fromkeys(line for mark in those for line in mark.lines))
    head = node.hover.split("\n")
    return replace(node, alarm=first.alarm, mark=first.words, hover="\n".join([*head[:2], *words, *head[2:]]))


def _refusal(error: Impossible) -> str:
    match error:
        case ImpossibleAdd():
            return f"cannot add: {error.shortcut} channels of the shortcut, {error.residual} of the residual"
        case InputTooSmall():
            return f"does not fit: a window of {window(error.window)} on {window(error.grid)} cells"
        case _:
            return f"cannot join: {numbers(error)} cells"
