"""What bounds each op: its least time over its arithmetic intensity, left and right of the machine's ridge."""

from __future__ import annotations

import math
from collections.abc import Sequence

import plotly.graph_objects as go

from inception_lab.readers.roofline import WORDS, Bound, Roofline, Work

LOOKS: dict[Bound, tuple[str, str]] = {
    "products": ("#c4661f", "diamond"),
    "memory": ("#3f8fc5", "circle"),
}
RIDGE = "rgb(128, 128, 128)"


def rooflines(roof: Roofline, *, selected: str = "") -> tuple[go.Figure, str]:
    """Every op as a mark, and the figure in words; `customdata` begins with the op's address.

    Ops without arithmetic (a concatenation only moves) stand at the left edge. Those at the address `selected` or in it
    are larger.
    """
    works = [work for work in roof.works if work.bound != "nothing"]
    edge = min((work.intensity for work in works if work.flops), default=roof.machine.ridge) / 3
    figure = go.Figure([_marks(works, bound, edge, selected) for bound in LOOKS])
    figure.add_vline(x=roof.machine.ridge, line={"color": RIDGE, "dash": "dash", "width": 2})
    figure.add_annotation(
        x=math.log10(roof.machine.ridge),
        y=1,
        yref="paper",
        yanchor="bottom",
        text=f"ridge {roof.machine.ridge:.3g}",
        showarrow=False,
    )
    figure.update_layout(
        xaxis={"type": "log", "title": {"text": "arithmetic intensity, FLOPs a byte"}},
        yaxis={"type": "log", "title": {"text": "least time, µs"}},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.08},
        margin={"l": 60, "r": 10, "t": 60, "b": 45},
        height=440,
        hovermode="closest",
    )
    return figure, words(roof)


def words(roof: Roofline) -> str:
    """The figure in words: how many ops each bound has and how much of the time, and the longest op."""
    count = {bound: sum(work.bound == bound for work in roof.works) for bound in LOOKS}
    longest = max(roof.works, key=lambda work: work.seconds)
    return (
        f"Roofline of {roof.network} on {roof.machine.name}, batch {roof.batch}: ridge {roof.machine.ridge:.3g} FLOPs "
        f"a byte. {count['products']} ops are bound by products, {roof.share('products'):.0%} of the least time; "
        f"{count['memory']} by memory, {roof.share('memory'):.0%}. At least {roof.seconds * 1e3:.3g} ms in all; the "
        f"longest op is {longest.address} with {longest.seconds * 1e3:.3g} ms."
    )


def _marks(works: Sequence[Work], bound: Bound, edge: float, selected: str) -> go.Scatter:
    shown = [work for work in works if work.bound == bound]
    inside = [bool(selected) and f"{work.address}/".startswith(f"{selected}/") for work in shown]
    colour, symbol = LOOKS[bound]
    return go.Scatter(
        name=f"bound by {WORDS[bound]}",
        mode="markers",
        x=[max(work.intensity, edge) for work in shown],
        y=[work.seconds * 1e6 for work in shown],
        customdata=[[work.address, work.label, work.flops, work.bytes, work.intensity] for work in shown],
        marker={
            "color": colour,
            "symbol": symbol,
            "size": [14 if one else 8 for one in inside],
            "opacity": 0.85,
            "line": {"width": [2 if one else 0.5 for one in inside], "color": RIDGE},
        },
        hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]}<br>%{customdata[2]:,} FLOPs, %{customdata[3]:,} "
        "bytes: %{customdata[4]:.3g} FLOPs a byte<br>at least %{y:.3g} µs<extra>" + bound + "</extra>",
        unselected={"marker": {"opacity": 0.85}},
    )
