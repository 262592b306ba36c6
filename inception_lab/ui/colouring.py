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
SCOPES: dict[Scope, str] = {"network": "Network", "block": "Block", "panel": "Panel"}
DIRECTIONS: dict[Direction, str] = {"LR": "Left to right", "TB": "Top down"}


@dataclass(frozen=True, slots=True)
class Look:
    """What the three rows of segments say."""

    colour: Tint
    scope: Scope
    direction: Direction

    @property
    def amount(self) -> Amount | None:
        """The amount that is coloured, if one is."""
        return None if self.colour == "none" or self.colour == "kind" else self.colour

    def scope_words(self, chosen: Selection) -> str:
        """Where the scale ends, in words."""
        match self.scope:
            case "network":
                return "the network's largest op"
            case "block":
                return f"the largest op of all copies of {chosen.parts[1]}" if chosen.parts[1] else "the largest op"
            case "panel":
                return "the largest box of this drawing"
            case _:
                assert_never(self.scope)

    def python(self, most: int | None = None) -> str:
        """The call that gives a drawing these colours."""
        if self.colour == "kind":
            return ""
        return f'.coloured("{self.colour}"' + (f", most={most})" if most is not None else ")")


def pick(chosen: Selection) -> Look:
    """Segments for colour, direction and, where an amount is coloured, the end of its scale."""
    with st.container(horizontal=True):
        names = {str(word): tint.NAMES[word] for word in COLOURS}
        colour = cast("Tint", linked_segments("Colour by", names, key="colour"))
        scope: Scope = "network"
        if colour not in ("none", "kind"):
            scopes = {str(word): title for word, title in SCOPES.items()}
            scope = cast("Scope", linked_segments("Scale up to the largest of the", scopes, key="scale"))
        ways = {str(word): title for word, title in DIRECTIONS.items()}
        direction = cast("Direction", linked_segments("Direction", ways, key="dir"))
    return Look(colour, scope, direction)


def coloured(drawn: Graph, look: Look, chosen: Selection | None, table: ShapeTable) -> Graph:
    """The drawing in the look's colours; without a selection its own largest box ends the scale."""
    return drawn.coloured(look.colour, most=most(look, chosen, table) if chosen else None)


def most(look: Look, chosen: Selection, table: ShapeTable) -> int | None:
    """The end of the scale; None where the drawing itself sets it."""
    if look.amount is None:
        return None
    match look.scope:
        case "panel":
            return None
        case "block":
            network, stage, *_ = chosen.parts
            rows = table.under(f"{network}/{stage}" if stage else network)
        case "network":
            rows = table.rows
        case _:
            assert_never(look.scope)
    return max(_value(row, look.amount) for row in rows)


def legend(drawn: Graph, scope: str) -> None:
    """What the colours of a drawing mean."""
    kinds = [node.kind for node in drawn.nodes]
    if text := tint.legend(drawn.tint, kinds, most=drawn.most, scope=scope):
        st.html(text)


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
