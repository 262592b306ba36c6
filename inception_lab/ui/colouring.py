"""How the drawings of Explore look, kept in the link: what their colours say, on which scale, which way they run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, assert_never, cast

import streamlit as st

from inception_lab.readers import tint
from inception_lab.readers.drawing import Direction, Graph
from inception_lab.readers.table import Row, ShapeTable
from inception_lab.readers.tint import Amount, Tint
from inception_lab.ui.selection import Selection
from inception_lab.ui.widgets import linked_segments

Scope = Literal["network", "block", "panel"]

COLOURS: tuple[Tint, ...] = ("kind", "none", "parameters", "multiply_adds", "memory", "receptive_field")
SCOPES: dict[Scope, str] = {"network": "the network", "block": "this block", "panel": "the lower drawing"}
DIRECTIONS: dict[Direction, str] = {"LR": "Left to right", "TB": "Top down"}


@dataclass(frozen=True, slots=True)
class Look:
    """What the segments say."""

    colour: Tint
    scope: Scope
    direction: Direction

    @property
    def amount(self) -> Amount | None:
        """The amount that is coloured, if one is."""
        return None if self.colour == "none" or self.colour == "kind" else self.colour

    def scope_words(self, chosen: Selection) -> str:
        """Where the scale ends, in words; the network itself has no block."""
        here = place(chosen)
        match self.scope:
            case "block" if here:
                return f"to the largest op of {here.split('/', 1)[1]}"
            case "network" | "block":
                return "to the network's largest op"
            case "panel":
                return "to the largest box of the lower drawing"
            case _:
                assert_never(self.scope)

    def python(self, most: int, *, largest: bool = False) -> str:
        """The call that gives a drawing these colours."""
        if self.amount is None:
            return "" if self.colour == "kind" else f'.coloured("{self.colour}")'
        return f'.coloured("{self.colour}", most={most}{", largest=True" if largest else ""})'


def pick() -> Look:
    """Colour, direction and, where an amount is coloured, the end of its scale; folded into one button."""
    with st.popover("Look", icon=":material/palette:", help="Colours, their scale, and which way the drawings run."):
        names = {str(word): tint.NAMES[word] for word in COLOURS}
        colour = cast("Tint", linked_segments("Colour by", names, key="colour"))
        scope: Scope = "network"
        if colour not in ("none", "kind"):
            scopes = {str(word): title for word, title in SCOPES.items()}
            scope = cast("Scope", linked_segments("Scale up to the largest op of", scopes, key="scale"))
        ways = {str(word): title for word, title in DIRECTIONS.items()}
        direction = cast("Direction", linked_segments("Direction", ways, key="dir"))
    return Look(colour, scope, direction)


def place(chosen: Selection) -> str | None:
    """The block that is drawn, the head too; None for the network itself."""
    network, stage, *_ = chosen.parts
    return f"{network}/head" if stage == "head" else chosen.block


def most(look: Look, chosen: Selection, table: ShapeTable, lower: Graph | None) -> int:
    """The end of the one scale of the page; `lower` is the drawing below the strip, if there is one."""
    amount = look.amount
    if amount is None:
        return 0
    if look.scope == "panel" and lower is not None:
        return tint.largest(lower.nodes, amount)
    here = place(chosen) if look.scope == "block" else None
    return max(_value(row, amount) for row in (table.under(here) if here else table.rows))


def legend(look: Look, chosen: Selection, end: int, *drawings: Graph) -> str:
    """What the colours of all drawings of the page mean, as HTML."""
    nodes = [node for drawn in drawings for node in drawn.nodes]
    amount = look.amount
    beyond = amount is not None and tint.largest(nodes, amount, single=True) > end
    scope = f"{look.scope_words(chosen)}; a stage has the colour of its largest op"
    return tint.legend(look.colour, [node.kind for node in nodes], most=end, scope=scope, beyond=beyond)


def _value(row: Row, amount: Amount) -> int:
    match amount:
        case "parameters":
            return row.parameters
        case "multiply_adds":
            return row.multiply_adds
        case "memory":
            return row.activation_bytes
        case "receptive_field":
            return max(row.receptive_field)
        case _:
            assert_never(amount)
