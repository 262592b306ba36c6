"""Find an op of the network by part of its name, its kind or its label, and jump to it."""

from __future__ import annotations

import streamlit as st

from inception_lab.readers.table import ShapeTable
from inception_lab.ui import selection
from inception_lab.ui.selection import Selection
from inception_lab.ui.widgets import plain


def find(chosen: Selection, table: ShapeTable) -> None:
    """A box to type in, which jumps to the next op that fits, and two buttons for the others."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", width="content", key="finding"):
        wanted = st.text_input(
            "Find an op",
            key="find",
            placeholder="Find: 7x1, add, max pool",
            help="Part of an op's address, kind or label. Enter jumps to the next one in the network's order.",
            width=210,
            label_visibility="collapsed",
            on_change=_typed,
            args=(chosen, table),
        )
        found = matches(table, wanted)
        if not wanted.strip():
            return
        for label, by in (("Previous", -1), ("Next", 1)):
            args = (found, chosen.address, by, table)
            st.button(label, key=f"find-{label}", disabled=not found, on_click=_jump, args=args)
        if chosen.address in found:
            st.markdown(f"{found.index(chosen.address) + 1} of {len(found)}", width="content")
        else:
            st.markdown(
                f"{len(found)} found" if found else f"No op has “{plain(wanted.strip()[:40])}”.", width="content"
            )


def matches(table: ShapeTable, wanted: str) -> tuple[str, ...]:
    """Addresses of the ops that have `wanted` in their address, kind or label, in order; none for an empty word.

    Between digits an x stands for ×.
    """
    word = "".join(
        "×" if c == "x" and wanted[place - 1 : place].isdigit() else c for place, c in enumerate(wanted)
    ).strip()
    known = (f"{row.address} {row.op} {row.label}".lower() for row in table.rows)
    if not word:
        return ()
    return tuple(row.address for row, text in zip(table.rows, known, strict=True) if word.lower() in text)


def _typed(chosen: Selection, table: ShapeTable) -> None:
    if found := matches(table, st.session_state["find"]):
        _jump(found, chosen.address, 1, table)


def _jump(found: tuple[str, ...], here: str, by: int, table: ShapeTable) -> None:
    """To the next of `found` after `here` in the network's order, or the one before it; round at the ends."""
    order = [row.address for row in table.rows]
    at = next((place for place, address in enumerate(order) if f"{address}/".startswith(f"{here}/")), 0)
    places = [order.index(address) for address in found]
    if here not in order and by > 0:
        at -= 1  # a block's own first op comes after the block
    ahead = [place for place in places if (place > at if by > 0 else place < at)]
    chosen = (ahead or places)[0 if by > 0 else -1]
    selection.select(order[chosen])
