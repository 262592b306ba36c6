"""Error rates per network as bars: top-1 beside top-5, from zero, every number written out."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

TOP1, TOP5 = "#6f7f99", "#b0892e"


def error_bars(rows: Sequence[tuple[str, float, float]], *, protocol: str) -> tuple[go.Figure, str]:
    """Bars of (network, top-1, top-5), errors in per cent, and the figure's text for those who listen."""
    names = [name for name, _, _ in rows]
    series = (("top-1 error", TOP1, [row[1] for row in rows]), ("top-5 error", TOP5, [row[2] for row in rows]))
    figure = go.Figure(
        [
            go.Bar(
                name=name,
                x=names,
                y=values,
                text=[f"{value:.1f}" for value in values],
                textposition="outside",
                cliponaxis=False,
                marker_color=colour,
                hovertemplate="%{x}: %{y:.1f} %<extra>" + name + "</extra>",
            )
            for name, colour, values in series
        ]
    )
    figure.update_layout(
        barmode="group",
        yaxis={"title": {"text": f"error, %, {protocol}"}, "rangemode": "tozero"},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.08},
        margin={"l": 50, "r": 10, "t": 50, "b": 40},
        height=340,
    )
    listed = "; ".join(f"{name} {first:.1f} and {fifth:.1f}" for name, first, fifth in rows)
    return figure, f"Bars of top-1 and top-5 error in per cent, {protocol}: {listed}."
