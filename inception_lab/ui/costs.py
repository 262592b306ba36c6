"""Cost on Explore: where it is, what bounds it, and what each stride throws away."""

from __future__ import annotations

from dataclasses import asdict
from typing import Literal, assert_never, cast

import pandas as pd
import streamlit as st

from inception_lab.errors import InputTooSmall
from inception_lab.figures.cost import bars
from inception_lab.figures.strides import stride_chart
from inception_lab.figures.treemap import Added, treemap
from inception_lab.readers.cost import NAMES, Cost, CostTable, Level, Quantity, amount, cost, summed
from inception_lab.readers.strides import SIDES, Sides, sides
from inception_lab.readers.table import ShapeTable
from inception_lab.ui import cache, drawer, rooflines, selection
from inception_lab.ui.selection import Selection
from inception_lab.ui.widgets import linked, linked_segments

Question = Literal["where", "bounds", "strides"]

QUESTIONS: dict[Question, str] = {
    "where": "Where the cost is",
    "bounds": "What bounds it",
    "strides": "Why 299?",
}
LEVELS: dict[Level, str] = {"stages": "Stages", "blocks": "Blocks", "ops": "Ops"}
SCOPES = {"network": "the whole network", "stage": "the selected stage", "block": "the selected block"}
MEMORY = (
    "Memory is of one image in fp32, as lab.build's modules run in eager PyTorch, without weights and scratch space. "
    "All outputs: as if none were freed. Peak of live maps: the most that is alive at a time in inference, the image "
    "with it; what one op needs with all that is held meanwhile. Kept for backward: what autograd keeps of a pass in "
    "training, to be multiplied by the batch. Multiply-adds are those of convolutions and the classifier."
)
NEAREST = 4  # clean sides that are named

IMPOSSIBLE = (
    "These are the costs of the parts, each as it is described: a closing 1×1 with the width that is written for it, "
    "what stands behind its add with the shortcut's. No network has their sum."
)


def show(chosen: Selection, size: int, table: ShapeTable) -> str:
    """The question that is picked, answered for the selection; returns its Python."""
    if any(isinstance(error, InputTooSmall) for error in table.refused):
        return why(chosen, size)  # which sides do fit; on no cells nothing costs anything
    question = cast(
        "Question", linked_segments("Question", {str(word): title for word, title in QUESTIONS.items()}, key="question")
    )
    if table.refused and question != "strides":
        st.caption(IMPOSSIBLE)
    match question:
        case "where":
            return _where(chosen, size)
        case "bounds":
            return rooflines.show(chosen, costs(chosen.key, size), size)
        case "strides":
            return why(chosen, size)
        case _:
            assert_never(question)


@st.cache_resource(max_entries=64, show_spinner=False)
def costs(network: str, size: int) -> CostTable:
    """The costs of the network of a key, or of its parts where it cannot be built."""
    return cost(cache.net(network), size=size, tolerant=True)


@st.cache_resource(max_entries=64, show_spinner=False)
def _sides(network: str, more: int) -> Sides:
    return sides(cache.net(network), among=range(min(SIDES.start, more), max(SIDES.stop, more + 1)))


def _where(chosen: Selection, size: int) -> str:
    found = costs(chosen.key, size)
    _totals(found.total)
    left, middle, right = st.columns(3)
    with left:
        quantity = cast("Quantity", linked("Show", {str(word): name for word, name in NAMES.items()}, key="amount"))
    with middle:
        scope = linked("In", SCOPES, key="within")
    with right:
        levels = {str(word): title for word, title in LEVELS.items()}
        level = cast("Level", linked_segments("One bar for each of its", levels, key="each"))
    under = _under(chosen, scope)
    parts = found.level(level, under=under)
    whole = found.total if under == found.network else summed(under, "branch", found.level("ops", under=under))
    figure, alt = bars(parts, quantity, whole, selected=chosen.address if chosen.parts[1] else "")
    st.plotly_chart(figure, key="cost-bars", alt=alt, on_select=_picked, selection_mode="points")
    st.caption(f"A click on a bar selects what it stands for; the boxes above do the same. {MEMORY}")
    _frame(parts, whole, alt)
    more = cache.tolerance(chosen.key, (size, size))
    lines = [f"costs = lab.cost(net, size={size}{more})", f'rows = costs.level("{level}", under="{under}")', "costs"]
    if quantity == "live_bytes":
        st.info("A peak is the largest of its parts, not their sum, so it has no areas.", icon=":material/info:")
    else:
        _areas(found, quantity, under)
    return "\n".join([chosen.python, *lines])


def _areas(found: CostTable, quantity: Added, under: str) -> None:
    figure, alt = treemap(found, quantity, under=under)
    st.plotly_chart(figure, key="cost-areas", alt=alt)
    st.caption("Each area is its share of the whole. A click on an area goes into it, one on the bar above back up.")
    ops = found.level("ops", under=under)
    rows = [{"address": row.address, "op": row.label, NAMES[quantity]: row.of(quantity)} for row in ops]
    drawer.table(pd.DataFrame(rows), name="cost-areas", title="These areas as a table, every op", alt=alt)


def _totals(total: Cost) -> None:
    with st.container(horizontal=True):
        for quantity, name in NAMES.items():
            value = total.of(quantity)
            unit = " bytes" if quantity.endswith("bytes") else ""
            st.metric(name.capitalize(), amount(value, quantity), help=f"Exactly {value:,}{unit}, one image.")


def _under(chosen: Selection, scope: str) -> str:
    network, stage, block, _ = chosen.parts
    if scope == "network" or not stage:
        return network
    return f"{network}/{stage}/{block}" if scope == "block" and block else f"{network}/{stage}"


def _frame(parts: tuple[Cost, ...], whole: Cost, alt: str) -> None:
    rows = [*parts, whole] if len(parts) > 1 else list(parts)
    frame = pd.DataFrame([{**asdict(row), **_sides_of(row)} for row in rows]).drop(columns=["kernel"])
    drawer.table(frame, name="costs", title="These costs as a table, with every amount", alt=alt)


def _sides_of(row: Cost) -> dict[str, str]:
    return {name: "×".join(map(str, getattr(row, name))) for name in ("output", "receptive_field")}


def _picked() -> None:
    points = st.session_state["cost-bars"]["selection"]["points"]
    if points:
        selection.select_nearest(points[0]["customdata"][0])


def why(chosen: Selection, size: int) -> str:
    """Why 299?: what each stride throws away, for every side; also for a side that does not fit."""
    found = _sides(chosen.key, size)
    figure, alt = stride_chart(found, side=size, whole=_whole(found, size))
    st.markdown(
        "A window that moves by two cells ends before the last row and column, or not: that depends on how many there "
        "are. The paper's strided layers are valid (V), so what does not divide is thrown away. "
        f"**{size}**: {_verdict(found, size)} {near(found, size)}"
    )
    st.plotly_chart(figure, key="strides", alt=alt, on_select=_sized, selection_mode="points")
    st.caption(
        f"Sides {found.fits[0].size[0]} to {found.fits[-1].size[0]}; drag to see others. A click on a mark takes its "
        "side, as the box above does. A valid window that moves by one loses its border at any side and is not shown."
    )
    st.session_state["clean-side"] = size if size in found.clean else None
    st.pills("Sides of which nothing is lost", found.clean, key="clean-side", on_change=_pilled)
    drawer.table(_lost(found), name="strides", title="What is lost, as a table", alt=alt)
    lines = ["from inception_lab.readers.strides import sides", "", "found = sides(net)", f"found.at({size})"]
    return "\n".join([chosen.python, *lines])


def near(found: Sides, size: int) -> str:
    """The clean sides nearest to `size`, and the smallest side that goes through, as sentences."""
    nearest = sorted(sorted(found.clean, key=lambda side: abs(side - size))[:NEAREST])
    clean = f"Clean near by: {', '.join(map(str, nearest))}. " if nearest else "None is clean. "
    first, last = found.fits[0].size[0], found.fits[-1].size[0]
    if found.smallest is None:
        return f"{clean}No side from {first} to {last} goes through."
    if found.smallest == first:  # what is smaller was not asked
        return f"{clean}Every side from {first} on goes through."
    return f"{clean}**{found.smallest}** is the smallest side that goes through."


def _whole(found: Sides, size: int) -> bool:
    """Whether the chart shows all sides, down to the smallest, or those near by."""
    low, high = found.fits[0].size[0], found.fits[-1].size[0]
    options = {"near": f"Near {size}", "all": f"All, {low} to {high}"}
    return linked_segments("Sides in the chart", options, key="sides") == "all"


def _verdict(found: Sides, size: int) -> str:
    fit = found.at(size)
    if fit.stopped:
        return f"too small, the window of `{fit.stopped}` does not fit."
    if fit.clean:
        return f"nothing is thrown away; the last grid has {fit.end[0]}×{fit.end[1]} cells."
    lost = [f"`{one.address.split('/', 1)[1]}` {one.rows} of {one.grid[0]} rows" for one in fit.lost if one.rows]
    return f"{', '.join(lost)}, and as many columns, are thrown away."


def _lost(found: Sides) -> pd.DataFrame:
    rows = []
    for fit in found.fits:
        lost = {one.address: one.rows for one in fit.lost}
        end = "" if fit.stopped else f"{fit.end[0]}×{fit.end[1]}"
        about = {"side": fit.size[0], "lost in all": fit.rows, "last grid": end, "does not fit": fit.stopped}
        rows.append({**about, **{op.split("/", 1)[1]: lost.get(op) for op in found.ops}})
    return pd.DataFrame(rows)


def _sized() -> None:
    points = st.session_state["strides"]["selection"]["points"]
    if points:
        st.session_state["size"] = int(points[0]["customdata"][0])


def _pilled() -> None:
    if st.session_state["clean-side"]:
        st.session_state["size"] = int(st.session_state["clean-side"])
