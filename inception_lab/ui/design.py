"""The designer on Explore: change a network, see at once what follows, go back and forth, take it to Train or away."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from inception_lab.errors import Impossible, InputTooSmall, LabError
from inception_lab.nets.ops import Net
from inception_lab.readers.compare import compare_blocks
from inception_lab.readers.cost import NAMES, Cost, Quantity, amount
from inception_lab.readers.graph import graph
from inception_lab.readers.words import percent
from inception_lab.ui import branches, cache, comparing, costs, drawer, drawings, editing, filing, knobs, refusals
from inception_lab.ui.selection import Selection
from inception_lab.ui.steps import History, Step
from inception_lab.ui.widgets import plain

COUNTED: dict[Quantity, str] = {
    "parameters": "Parameters",
    "multiply_adds": "Multiply-adds",
    "live_bytes": "Memory, inference",
    "kept_bytes": "Memory, training",
}


def show(chosen: Selection) -> str:
    """Undo and redo, what can be changed, what came of it; returns the Python that makes the design."""
    past, size = editing.history(chosen), chosen.net.size
    _way(past)
    try:
        table = cache.table(chosen.key, (size, size))
    except InputTooSmall as error:
        st.error(plain(error), icon=":material/error:")
        filing.ways(editing.ways_out(Step(chosen.net, "", "made to fit")))
        return ""
    except Impossible as error:
        refusals.show(chosen, size, error)
        return ""
    knobs.show(past)
    _drawing(chosen, past.start)
    branches.show(chosen, table)
    _costs(past, chosen)
    filing.show(chosen.net)
    return f"{past.python}\nlab.shapes(net)"


def _way(past: History) -> None:
    """Undo, redo, reset, how far one is, and what the last change was."""
    place = past.place
    with st.container(horizontal=True, vertical_alignment="center"):
        for word, icon, to, off in (
            ("Undo", "undo", place - 1, place == 0),
            ("Redo", "redo", place + 1, past.last),
            ("Reset", "restart_alt", 0, place == 0),
        ):
            icon = f":material/{icon}:"
            st.button(word, key=word.lower(), icon=icon, disabled=off, on_click=editing.go, args=(to,))
        count = len(past.steps) - 1
        said = f": {past.now.said}" if past.now.said else ""
        st.caption(plain(f"Change {place} of {count}{said}" if count else "Nothing is changed yet"), width="content")
    if past.now.note:
        st.success(plain(past.now.note), icon=":material/savings:")


def _drawing(chosen: Selection, start: Net) -> None:
    """The block that is selected, with what differs from the network the design began with; above it what was refused,
    marked in the block that refuses it."""
    at = _refusal(chosen)
    if chosen.block is None:
        st.subheader("Its stages", anchor=False)
        drawn = cache.picture(chosen.key, None, "stages", (chosen.net.size,) * 2, "LR")
        return drawings.show(drawn, chosen.net, key="designed", selected="/".join(chosen.address.split("/")[:2]))
    if at == chosen.block:
        return
    st.subheader(f"Block {chosen.block.split('/', 1)[1]}", anchor=False)
    place = chosen.block.split("/", 1)[1]
    drawn = cache.picture(chosen.key, chosen.block, "block", (chosen.net.size,) * 2, "LR")
    try:
        inside = compare_blocks(start, chosen.net, place, place)
    except LabError:  # a copy that the network did not have
        inside = ()
    if inside:
        st.caption("Filled boxes differ from the start; the value in them is the design's.")
        drawn = comparing.marked(drawn, chosen.block, 1, inside)
    drawings.show(drawn, chosen.net, key="designed", selected=chosen.address)


def _refusal(chosen: Selection) -> str:
    """What was refused, with its ways out and the op marked in the block that would have been; returns that block."""
    found = editing.refused()
    if found is None or not found.drawn:
        return ""
    st.error(f"{plain(found.error)} The last design that works stays.", icon=":material/error:")
    filing.ways(found.ways)
    at = getattr(found.error, "address", "")
    if at.count("/") < 2:
        return ""
    block, size = "/".join(at.split("/")[:3]), chosen.net.size
    st.subheader(f"Block {block.split('/', 1)[1]}, which refuses it", anchor=False)
    more = f" It fails at {at}: {refusals.numbers(found.error)}."
    if found.net is None:
        drawn = refusals.marked(cache.picture(chosen.key, block, "block", (size, size), "LR"), at, found.error)
    else:
        drawn = graph(found.net, at=at, depth="block", direction="LR", tolerant=True)
    drawings.show(drawn, found.net or chosen.net, key="refused", selected=chosen.address, more=more)
    return block


def _costs(past: History, chosen: Selection) -> None:
    """The start and the design, each for an image of its own input side."""
    st.subheader("What it costs, before and after", anchor=False)
    after, before = costs.costs(chosen.key, chosen.net.size).total, _before(past.start)
    old_side, side = past.start.size, chosen.net.size
    sides = f"{side} px" if side == old_side else f"{old_side} px before, {side} px after"
    st.caption(f"Before is {plain(past.start.name)} as the design began. For one image of {sides}.")
    with st.container(horizontal=True):
        for name, word in COUNTED.items():
            new, old = after.of(name), before.of(name) if before else 0
            delta = percent((new - old) / old) if old and new != old else None
            help = NAMES[name].capitalize() if name.endswith("bytes") else None
            st.metric(word, amount(new, name), delta, delta_color="off", help=help)
    rows = [_row(name, before, after) for name in COUNTED]
    frame = pd.DataFrame(rows)
    shown = frame.assign(share=["–" if row["share"] is None else percent(float(row["share"])) for row in rows])
    whole = {name: st.column_config.NumberColumn(format="localized") for name in ("before", "after", "change")}
    st.dataframe(
        shown.rename(columns={"share": "change, %"}),
        hide_index=True,
        column_config=whole,
        alt="What the design costs, before and after",
    )
    drawer.download("CSV", lambda: frame.to_csv(index=False), "design-costs.csv", "text/csv")


def _before(start: Net) -> Cost | None:
    """What the start costs, unless it cannot be built."""
    try:
        return costs.costs(cache.key(start), start.size).total
    except Impossible:
        return None


def _row(name: Quantity, before: Cost | None, after: Cost) -> dict[str, str | int | float | None]:
    new, old = after.of(name), None if before is None else before.of(name)
    what = COUNTED[name].lower() + (f": {NAMES[name].split(',')[0]}, bytes" if name.endswith("bytes") else "")
    if old is None:
        return {"what": what, "before": None, "after": new, "change": None, "share": None}
    return {"what": what, "before": old, "after": new, "change": new - old, "share": (new - old) / old if old else 0.0}
