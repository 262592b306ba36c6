"""What the boxes of a drawing are coloured by: kinds, or an amount on a scale from 0.

The scale is cividis (Nunez, Anderton and Renslow, 2018), even in lightness, also without red or green.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING, Literal, assert_never

from inception_lab.readers import layout, words

if TYPE_CHECKING:
    from inception_lab.readers.drawing import Node

Amount = Literal["parameters", "multiply_adds", "memory", "receptive_field"]
Tint = Literal["none", "kind"] | Amount

NAMES: dict[Tint, str] = {
    "none": "Nothing",
    "kind": "Kind",
    "parameters": "Parameters",
    "multiply_adds": "Multiply-adds",
    "memory": "Memory",
    "receptive_field": "Receptive field",
}
CIVIDIS = ("#00224e", "#123570", "#3b496c", "#575d6d", "#707173", "#8a8678", "#a59c74", "#c3b369", "#e1cc55", "#fee838")


def plain(nodes: Sequence[Node]) -> tuple[Node, ...]:
    """The boxes without an amount."""
    return tuple(replace(node, fill="", amount="") for node in nodes)


def coloured(nodes: Sequence[Node], by: Amount, *, most: int, single: bool = False) -> tuple[Node, ...]:
    """The boxes with `fill` and `amount` on a scale from 0 to `most`; what enters a drawing stays as it is.

    With `single` a stage is worth its largest op, and says so.
    """
    return tuple(_filled(node, by, most, single) if node.kind != "input" else node for node in nodes)


def largest(nodes: Iterable[Node], by: Amount, *, single: bool = False) -> int:
    """The largest amount among the boxes."""
    return max((value(node, by, single=single) for node in nodes if node.kind != "input"), default=0)


def value(node: Node, by: Amount, *, single: bool = False) -> int:
    """A box's amount, or that of its largest op; of a receptive field the longer side in pixels, of memory bytes."""
    whole = node.parameters, node.multiply_adds, node.memory
    parameters, work, memory = node.largest if single and node.largest else whole
    match by:
        case "parameters":
            return parameters
        case "multiply_adds":
            return work
        case "memory":
            return memory
        case "receptive_field":
            return max(node.receptive_field)
        case _:
            assert_never(by)


def said(amount: int, by: Amount) -> str:
    """An amount in words, short enough for a box."""
    match by:
        case "parameters" | "multiply_adds":
            return words.large(amount)
        case "memory":
            return words.memory(amount)
        case "receptive_field":
            return f"{amount} px"
        case _:
            assert_never(by)


def colour(share: float) -> str:
    """The colour of a share from 0 to 1, as #rrggbb; what is beyond has the colour of the end."""
    place = min(max(share, 0.0), 1.0) * (len(CIVIDIS) - 1)
    low = min(int(place), len(CIVIDIS) - 2)
    pairs = zip(layout.parts(CIVIDIS[low]), layout.parts(CIVIDIS[low + 1]), strict=True)
    return "#" + "".join(f"{round(a + (place - low) * (b - a)):02x}" for a, b in pairs)


def legend(by: Tint, kinds: Iterable[str], *, most: int = 0, scope: str = "", beyond: bool = False) -> str:
    """The legend as HTML that needs no style sheet: the kinds drawn, or the scale with both its ends in words.

    Kinds of one colour share a chip. `beyond` says that some boxes have more than the end of the scale.
    """
    match by:
        case "none":
            return ""
        case "kind":
            alike: dict[str, list[str]] = {}
            for kind in dict.fromkeys(kinds):
                alike.setdefault(layout.ACCENTS[layout.word(kind)], []).append(kind)
            chips = "".join(_chip(colour, names) for colour, names in alike.items())
            return f'<div role="list" aria-label="Colours of the kinds" style="{_ROW}">{chips}</div>'
        case _:
            bar = (
                f"display:inline-block;width:11rem;max-width:40vw;height:.8rem;border-radius:.2rem;"
                f"background:linear-gradient(90deg,{','.join(CIVIDIS)})"
            )
            ends = said(0, by), said(most, by) + (" and more" if beyond else "")
            alt = f"{NAMES[by]} from {ends[0]} to {ends[1]}, {scope}"
            return (
                f'<div role="img" aria-label="{escape(alt)}" style="{_ROW}"><b>{NAMES[by]}</b><span>{ends[0]}</span>'
                f'<span style="{bar}"></span><span>{ends[1]}</span>'
                f'<span style="opacity:.8">{escape(scope)}</span></div>'
            )


_ROW = "display:flex;flex-wrap:wrap;gap:.3rem .8rem;align-items:center;font-size:.85rem"


def _chip(accent: str, kinds: Sequence[str]) -> str:
    box = f"display:inline-block;width:.8rem;height:.8rem;border-radius:.2rem;margin-right:.3rem;background:{accent}"
    return f'<span role="listitem"><span style="{box}"></span>{escape(", ".join(kinds))}</span>'


def _filled(node: Node, by: Amount, most: int, single: bool) -> Node:
    amount = value(node, by, single=single)
    words_of = said(amount, by) if not single or node.largest is None else f"≤ {said(amount, by)}"
    return replace(node, fill=colour(amount / most if most else 0.0), amount=words_of)
