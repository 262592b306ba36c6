"""What differs, drawn: the words for a difference, and the boxes of two drawings marked with them.

Colours are never alone: every marked box says in words what it is marked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Literal

from inception_lab.errors import UnknownAddress
from inception_lab.readers import words
from inception_lab.readers.alike import Value
from inception_lab.readers.difference import Difference, What

if TYPE_CHECKING:
    from inception_lab.readers.drawing import Graph

Which = Literal[0, 1]
BOTH: tuple[Which, Which] = (0, 1)
Mark = tuple[str, str]
"""A colour (#rrggbb) and words."""

CHANGED, REMOVED, ADDED = "#ffe08a", "#f1a340", "#b2abd2"  # yellow, and the two ends of PuOr
LEGEND = (
    (CHANGED, "changed: first → second"),
    (REMOVED, "removed: only in the first"),
    (ADDED, "added: only in the second"),
)

_GROUPS: Mapping[What, str] = {
    "removed": "ops removed",
    "added": "ops added",
    "width": "widths",
    "kernel": "kernels",
    "kernel order": "kernels",
    "order": "order of branches",
    "stride": "strides",
    "pool": "pooling",
    "relu": "ReLU",
}


def change(each: Difference) -> str:
    """A difference in a box's words: `96 → 128`, `1×7 / 7×1`, `added`."""
    alone = alone_in(each)
    if alone is not None:
        return "removed" if alone == 0 else "added"
    match each.kind:
        case "kernel order":
            return f"{each.a} / {each.b}"
        case "order":
            return "another order"
        case "repeats":
            return f"{each.a} → {each.b} blocks"
        case "scale" if isinstance(each.a, int | float) and isinstance(each.b, int | float):
            return f"× {each.a:g} → × {each.b:g}"
        case "stride":
            return f"stride {each.a} → {each.b}"
        case _:
            return f"{each.a} → {each.b}"


def alone_in(each: Difference) -> Which | None:
    """Which of the two has what the difference is about, if only one has."""
    return 0 if each.at_b is None else 1 if each.at_a is None else None


def shown(value: Value) -> str:
    """A value for a table."""
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
        case _:
            return str(value)


def place(each: Difference) -> str:
    """Where a difference is, for a table: its address, and that in the second network where it is another."""
    moved = None not in (each.at_a, each.at_b) and each.at_a != each.at_b
    return f"{each.address} (second: {each.at_b})" if moved else each.address


def rows(differences: Iterable[Difference]) -> list[dict[str, str | int]]:
    """Every difference as a row of words; `blocks` is how many share it."""
    return [
        {
            "where": place(each),
            "what": each.kind,
            "first": shown(each.a),
            "second": shown(each.b),
            "blocks": each.copies,
        }
        for each in differences
    ]


def block(drawn: Graph, at: str, side: Which, inside: Sequence[Difference]) -> Graph:
    """The drawing of the block at a full address with its boxes marked; `inside` is what `compare_blocks` gave, `side`
    says which of the two blocks this is."""
    told: dict[str, list[Difference]] = {}
    for each in inside:
        here = each.at_b if side else each.at_a
        if here is not None:
            told.setdefault(f"{at}/{here}".rstrip("/"), []).append(each)
    marks = {at: (_colour(each), ", ".join(dict.fromkeys(map(change, each)))) for at, each in told.items()}
    return _marked(drawn, marks)


def strip(drawn: Graph, side: Which, differences: Sequence[Difference]) -> Graph:
    """The drawing of a whole network as stages, each marked with what differs in it (`Comparison.differences`)."""
    told: dict[str, list[Difference]] = {}
    for each in differences:
        here = each.at_b if side else each.at_a
        elsewhere = each.address if "/" in each.address else ""  # an op that only the other has changes the stage too
        at = here if here is not None else elsewhere
        if at:
            stage = at if at.startswith("head/") else at.split("/")[0]
            told.setdefault("" if stage == "input" else stage, []).append(each)
    marks = {f"{drawn.name}/{stage}".rstrip("/"): _stage_mark(stage, each) for stage, each in told.items() if stage}
    return _marked(drawn, marks)


def said(drawn: Graph) -> str:
    """The marks of a drawing as a sentence, to follow its other words."""
    marks = [
        f"{', '.join(node.label[:1])}: {node.amount.replace(chr(10), ', ')}" for node in drawn.nodes if node.amount
    ]
    return f" Marked as different: {'; '.join(marks)}." if marks else " Nothing is marked as different."


def legend() -> str:
    """The colours of the marks with their meaning, as HTML that needs no style sheet."""
    box = "display:inline-block;width:.8rem;height:.8rem;border-radius:.2rem;margin-right:.3rem;background:"
    items = "".join(
        f'<span role="listitem"><span style="{box}{colour}"></span>{escape(word)}</span>' for colour, word in LEGEND
    )
    style = "display:flex;flex-wrap:wrap;gap:.3rem 1rem;font-size:.85rem"
    return f'<div role="list" aria-label="Marks" style="{style}">{items}</div>'


def _colour(told: Sequence[Difference]) -> str:
    """Of boxes that only one side has, that side's colour."""
    alone = {alone_in(each) for each in told}
    return REMOVED if alone == {0} else ADDED if alone == {1} else CHANGED


def _stage_mark(stage: str, told: Sequence[Difference]) -> Mark:
    """A stage that only one has, or in short lines how its blocks are counted and what differs in them."""
    whole = [each for each in told if stage in (each.at_a, each.at_b)]
    inner = list(dict.fromkeys(_GROUPS.get(each.kind, str(each.kind)) for each in told if each not in whole))
    count = words.many(len(told) - len(whole), "difference")
    lines = ", ".join(map(change, whole)), *(inner if len(inner) <= 2 else (count,))
    return CHANGED if inner else _colour(whole), "\n".join(filter(None, lines))


def _marked(drawn: Graph, marks: Mapping[str, Mark]) -> Graph:
    return drawn.marked({at: mark for at, mark in marks.items() if _has(drawn, at)})


def _has(drawn: Graph, address: str) -> bool:
    try:
        drawn.node(address)
    except UnknownAddress:
        return False
    return True
