"""Why 299? Sides of the input across, strided ops one under the other, a mark where an op throws rows away."""

from __future__ import annotations

import plotly.graph_objects as go

from inception_lab.readers.strides import Fit, Sides

LOST, CLEAN, TOO_SMALL, HERE = "#c4661f", "#12929e", "#8b8f98", "rgb(128, 128, 128)"
SMALLEST = "#8660c6"
SPAN = 40  # sides to each hand of the selected one that are shown at first; the rest is there to be dragged to


def stride_chart(found: Sides, *, side: int, whole: bool = False) -> tuple[go.Figure, str]:
    """The chart with `side` marked, and the chart in words; `customdata` begins with the side.

    It opens with the sides near `side`, or with the `whole` of them; the smallest that fits is marked too.

    The first line has the sides of which nothing is thrown away; each further line is an op, from the image on, with
    a mark at every side of which it throws away rows or columns; the last line has the sides that do not fit.
    """
    clean = [fit for fit in found.fits if fit.clean]
    small = [fit for fit in found.fits if fit.stopped]
    low, high = found.fits[0].size[0], found.fits[-1].size[0]
    figure = go.Figure([_clean(clean), _lost(found), _small(small, len(found.ops) + 1)])
    figure.add_vline(x=side, line={"color": HERE, "dash": "dash", "width": 2})
    for line, text in enumerate(("nothing is lost", *(_short(op) for op in found.ops), "does not fit")):
        figure.add_annotation(
            x=0, xref="paper", xanchor="left", y=line - 0.42, yanchor="middle", text=text, showarrow=False
        )
    if found.smallest not in (None, low):
        _smallest(figure, found.smallest, len(found.ops) + 1)
    start = max(low, min(side - SPAN, high - 2 * SPAN))
    shown = [low - 1, high + 1] if whole else [start - 1, min(high, start + 2 * SPAN) + 1]
    figure.update_layout(
        xaxis={"title": {"text": "side of the input, px"}, "range": shown},
        yaxis={"range": [len(found.ops) + 1.6, -0.9], "visible": False, "fixedrange": True},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0},
        margin={"l": 10, "r": 10, "t": 30, "b": 45},
        height=140 + 34 * (len(found.ops) + 2),
        hovermode="closest",
        dragmode="pan",
    )
    return figure, words(found, side=side)


def _smallest(figure: go.Figure, side: int, line: int) -> None:
    figure.add_vline(x=side, line={"color": SMALLEST, "dash": "dot", "width": 2})
    figure.add_annotation(
        x=side, y=line, xanchor="left", yanchor="middle", text=f" {side}, the smallest that fits", showarrow=False
    )


def words(found: Sides, *, side: int) -> str:
    """The chart in words: the clean sides, the smallest that fits, and what the selected side loses."""
    first, last = found.fits[0].size[0], found.fits[-1].size[0]
    clean = ", ".join(str(one) for one in found.clean) or "none"
    smallest = found.smallest or f"none up to {last}"
    here = next((_here(fit) for fit in found.fits if fit.size[0] == side), "")
    return (
        f"Rows and columns that the {len(found.ops)} strided ops of {found.network} throw away, for sides from {first} "
        f"to {last}. The smallest side that fits is {smallest}. Nothing is lost at {clean}.{here}"
    )


def _here(fit: Fit) -> str:
    if fit.stopped:
        return f" At {fit.size[0]} the window of {fit.stopped} does not fit."
    lost = [f"{_short(one.address)} ({one.rows} of {one.grid[0]})" for one in fit.lost if one.rows]
    return f" At {fit.size[0]} rows are lost by {', '.join(lost)}." if lost else f" At {fit.size[0]} nothing is lost."


def _clean(fits: list[Fit]) -> go.Scatter:
    return go.Scatter(
        name="nothing is lost",
        mode="markers+text",
        x=[fit.size[0] for fit in fits],
        y=[0] * len(fits),
        text=[str(fit.size[0]) for fit in fits],
        textposition="middle right",
        customdata=[[fit.size[0], fit.end[0]] for fit in fits],
        marker={"color": CLEAN, "symbol": "diamond", "size": 11},
        hovertemplate="side %{customdata[0]}: nothing is lost, the last grid has %{customdata[1]} rows<extra></extra>",
        unselected={"marker": {"opacity": 1}},
    )


def _lost(found: Sides) -> go.Scatter:
    line = {op: place for place, op in enumerate(found.ops, 1)}
    marks = [(fit.size[0], one) for fit in found.fits for one in fit.lost if one.rows or one.columns]
    return go.Scatter(
        name="rows and columns are lost",
        mode="markers",
        x=[side for side, _ in marks],
        y=[line[one.address] for _, one in marks],
        customdata=[[side, one.address, one.rows, one.columns, one.grid[0], one.jump] for side, one in marks],
        marker={"color": LOST, "symbol": "square", "size": [5 + 2 * max(one.rows, one.columns) for _, one in marks]},
        hovertemplate="side %{customdata[0]}<br>%{customdata[1]}: %{customdata[2]} rows and %{customdata[3]} columns "
        "of %{customdata[4]}, %{customdata[5]} px apart<extra></extra>",
        unselected={"marker": {"opacity": 1}},
    )


def _small(fits: list[Fit], line: int) -> go.Scatter:
    return go.Scatter(
        name="does not fit",
        mode="markers",
        x=[fit.size[0] for fit in fits],
        y=[line] * len(fits),
        customdata=[[fit.size[0], fit.stopped] for fit in fits],
        marker={"color": TOO_SMALL, "symbol": "x", "size": 7},
        hovertemplate="side %{customdata[0]}: the window of %{customdata[1]} does not fit<extra></extra>",
        unselected={"marker": {"opacity": 1}},
    )


def _short(address: str) -> str:
    return address.split("/", 1)[1]
