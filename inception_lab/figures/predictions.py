"""The best guesses of one network as horizontal bars."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

BAR = "#3f8fc5"


def guesses(labels: Sequence[str], probabilities: Sequence[float]) -> tuple[go.Figure, str]:
    """Bars from most to least likely, and the figure in words; probabilities from 0 to 1."""
    figure = go.Figure(
        go.Bar(
            x=list(probabilities),
            y=list(labels),
            orientation="h",
            marker_color=BAR,
            text=[f"{probability:.1%}" for probability in probabilities],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{x:.4f}<extra></extra>",
        )
    )
    figure.update_layout(
        xaxis={"range": [0, 1.12], "tickformat": ".0%", "title": {"text": "probability (softmax)"}},
        yaxis={"autorange": "reversed", "automargin": True},
        margin={"l": 10, "r": 10, "t": 10, "b": 40},
        height=60 + 42 * len(labels),
    )
    words = ", ".join(f"{label} {probability:.1%}" for label, probability in zip(labels, probabilities, strict=True))
    return figure, f"Best guesses: {words}."
