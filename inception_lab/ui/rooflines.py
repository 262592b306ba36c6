"""What bounds each op on a machine: one of those assumed, this one measured on request, or numbers by hand."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from inception_lab.figures.roofline import rooflines
from inception_lab.readers.cost import CostTable
from inception_lab.readers.roofline import MACHINES, WORDS, Machine, Roofline, roofline
from inception_lab.ui import cache, drawer, selection
from inception_lab.ui.selection import Selection
from inception_lab.ui.widgets import linked, linked_number

OWN, HERE = "own", "here"
HIGHEST = 10_000_000  # GFLOP/s and GB/s that can be entered
BATCHED = "Weights are read once for all of them, maps once for each."


def show(chosen: Selection, costs: CostTable, size: int) -> str:
    """The machine, the figure, its table and what it rests on; returns its Python."""
    left, right = st.columns([3, 1])
    with left:
        known = {word: machine.name for word, machine in MACHINES.items()}
        word = linked("Machine", {**known, HERE: "this machine, measured", OWN: "numbers by hand"}, key="machine")
    with right:
        batch = linked_number("Images at a time", low=1, high=1024, usual=1, key="roof-batch", help=BATCHED)
    machine = _machine(word)
    if machine is None:
        return chosen.python
    roof = roofline(costs, machine, batch=batch)
    _totals(roof)
    figure, alt = rooflines(roof, selected=chosen.address if chosen.parts[1] else "")
    st.plotly_chart(figure, key="roof", alt=alt, on_select=_picked, selection_mode="points")
    st.caption(
        "Each mark is an op; what is selected is larger, and a click selects. Left of the dashed line an op waits for "
        "memory, right of it for arithmetic. The time is a lower bound: every map is read and written once, weights "
        "once a batch, batch norm and ReLU cost no pass of their own, and caches, kernels and launches are not known. "
        "Ops without arithmetic stand at the left edge."
    )
    _frame(roof, alt)
    more = cache.tolerance(chosen.key, (size, size))
    lines = [
        "from inception_lab.readers.roofline import Machine, roofline",
        "",
        f"machine = Machine({machine.name!r}, peak={machine.peak!r}, bandwidth={machine.bandwidth!r})",
        f"roof = roofline(lab.cost(net, size={size}{more}), machine, batch={batch})",
        "roof.seconds",
    ]
    return "\n".join([chosen.python, *lines])


def _machine(word: str) -> Machine | None:
    """The machine of a word; none while this one has not been measured."""
    if word == OWN:
        left, right = st.columns(2)
        with left:
            peak = _number("Peak, GFLOP/s in fp32", 100, key="roof-peak")
        with right:
            moved = _number("Memory, GB/s", 20, key="roof-memory")
        return Machine("entered by hand", peak * 1e9, moved * 1e9)
    if word != HERE:
        return MACHINES[word]
    label = "Measure again" if _measured() else "Measure this machine"
    if st.button(
        label, key="roof-measure", icon=":material/speed:", help="About a second of matrix products and copies."
    ):
        _measure()
    if found := _measured():
        return found[0]
    st.info("Not measured yet since the server started. It takes about a second.", icon=":material/speed:")
    return None


def _number(label: str, usual: int, *, key: str) -> int:
    return linked_number(
        label, low=1, high=HIGHEST, usual=usual, key=key, help="As its maker states it, or as you measured."
    )


@st.cache_resource(show_spinner=False)
def _measured() -> list[Machine]:
    """What this machine was measured to do, for all sessions: at most one entry."""
    return []


def _measure() -> None:
    from inception_lab.models.machine import measure

    with st.spinner("Measuring: half a second of products, half a second of copies"):
        found = measure()
    threads = f", {found.threads} thread{'s' * (found.threads != 1)}" if found.device == "processor" else ""
    _measured()[:] = [Machine(f"this machine's {found.device}{threads}, measured", found.peak, found.bandwidth)]


def _totals(roof: Roofline) -> None:
    values = {
        "Peak": f"{roof.machine.peak / 1e9:,.4g} GFLOP/s",
        "Memory": f"{roof.machine.bandwidth / 1e9:,.4g} GB/s",
        "Ridge": f"{roof.machine.ridge:,.3g} FLOPs/byte",
        "Least time": f"{roof.seconds * 1e3:,.3g} ms",
        "Bound by products": f"{roof.share('products'):.0%} of it",
        "Bound by memory": f"{roof.share('memory'):.0%} of it",
    }
    with st.container(horizontal=True):
        for name, value in values.items():
            st.metric(name, value)


def _frame(roof: Roofline, alt: str) -> None:
    rows = [
        {
            "address": work.address,
            "op": work.label,
            "FLOPs": work.flops,
            "bytes": work.bytes,
            "FLOPs a byte": work.intensity,
            "least µs": work.seconds * 1e6,
            "bound by": WORDS[work.bound],
        }
        for work in roof.works
    ]
    drawer.table(pd.DataFrame(rows), name="roofline", title="These bounds as a table", alt=alt)


def _picked() -> None:
    points = st.session_state["roof"]["selection"]["points"]
    if points:
        selection.select_nearest(points[0]["customdata"][0])
