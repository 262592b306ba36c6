"""Whether people who say 70 % are right in 70 %: the reliability diagram."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from inception_lab.jobs.scoring import Bin

LINE, POINT = "rgb(128, 128, 128)", "rgb(18, 146, 158)"


def calibration(bins: Sequence[Bin]) -> tuple[go.Figure, str]:
    """How often each said probability came true, with its 95 % Wilson interval and n; and the picture in words."""
    shares = [one.true / one.n for one in bins]
    figure = go.Figure()
    figure.add_scatter(
        x=[0.45, 1.0],
        y=[0.45, 1.0],
        mode="lines",
        name="perfectly calibrated",
        line={"color": LINE, "dash": "dash", "width": 1.5},
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=[one.said for one in bins],
        y=shares,
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [one.high - share for one, share in zip(bins, shares, strict=True)],
            "arrayminus": [share - one.low for one, share in zip(bins, shares, strict=True)],
            "color": POINT,
        },
        mode="markers+text",
        text=[f"  n = {one.n}" for one in bins],
        textposition="middle right",
        customdata=[f"said {one.said:.0%}: {one.true} of {one.n} came true" for one in bins],
        name="came true, with 95 % interval",
        marker={"size": 10, "color": POINT},
        hovertemplate="%{customdata}<extra></extra>",
        cliponaxis=False,
    )
    figure.update_layout(
        xaxis={
            "title": {"text": "probability said of the tapped word"},
            "range": [0.42, 1.1],
            "tickvals": [0.5, 0.6, 0.7, 0.8, 0.9, 1.0],
            "tickformat": ".0%",
        },
        yaxis={"title": {"text": "came true"}, "range": [-0.03, 1.05], "tickformat": ".0%"},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02},
        margin={"l": 60, "r": 30, "t": 10, "b": 45},
    )
    said = "; ".join(f"said {one.said:.0%}, {one.true} of {one.n} came true" for one in bins)
    return figure, f"Reliability diagram of predictions: {said or 'no prediction has been decided yet'}."
