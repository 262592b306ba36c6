"""What a map's test found: the score as its strongest regions go and come back, beside random orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from inception_lab.figures.colours import BASELINE, faint
from inception_lab.images.shown import LINES, in_words

Array = np.ndarray[Any, np.dtype[Any]]

_NAMES = {
    "deletion": ("deletion: marked regions go", LINES["deletion"]),
    "insertion": ("insertion: they come back", LINES["insertion"]),
}


def trust(rows: Sequence[Mapping[str, float]], *, measure: str, orders: int) -> tuple[go.Figure, str]:
    """Both curves over the share of regions with the mean and one standard deviation of `orders` random ones.

    `rows` are those of `images.trust.Trust.rows`. Random insertion is drawn dashed, random deletion dotted.
    """
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    share, figure = columns["share"], go.Figure()
    for name, (title, colour) in _NAMES.items():
        mean, deviation = columns[f"random {name}"], columns[f"random {name} sd"]
        _band(figure, share, mean - deviation, mean + deviation, faint(BASELINE), group=name)
        figure.add_scatter(
            x=share,
            y=mean,
            mode="lines",
            name=f"random {name}, mean ± sd of {orders}",
            legendgroup=f"random {name}",
            line={"color": BASELINE, "dash": "dot" if name == "deletion" else "dash", "width": 1.5},
            hovertemplate="%{x:.0%}: %{y:.3f}<extra>random " + name + "</extra>",
        )
        figure.add_scatter(
            x=share,
            y=columns[name],
            mode="lines+markers",
            name=title,
            line={"color": colour, "width": 2.5},
            marker={"size": 6, "symbol": "circle" if name == "deletion" else "square"},
            hovertemplate="%{x:.0%}: %{y:.3f}<extra>" + name + "</extra>",
        )
    figure.update_layout(
        xaxis={"title": {"text": "share of the regions, strongest first"}, "tickformat": ".0%"},
        yaxis={"title": {"text": f"{measure} of the class"}, "rangemode": "tozero"},
        legend={"orientation": "h", "yanchor": "top", "y": -0.25},
        margin={"l": 60, "r": 15, "t": 10, "b": 45},
        height=430,
    )
    return figure, in_words(rows, measure=measure)


def _band(figure: go.Figure, x: Array, low: Array, high: Array, fill: str, *, group: str) -> None:
    figure.add_scatter(
        x=[*x, *x[::-1]],
        y=[*high, *low[::-1]],
        mode="lines",
        line={"width": 0},
        fill="toself",
        fillcolor=fill,
        legendgroup=f"random {group}",
        showlegend=False,
        hoverinfo="skip",
    )
