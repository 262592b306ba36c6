"""The remedies bench as dots with intervals: how many runs failed with each remedy, and how well they did."""

from __future__ import annotations

import math
from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from inception_lab.jobs.remedies import RemedyRow, Word

COLOURS: dict[Word, str] = {
    "prevents": "rgb(47, 122, 208)",
    "does not": "rgb(206, 78, 24)",
    "undecided": "rgb(128, 128, 128)",
}
SYMBOLS: dict[Word, str] = {"prevents": "circle", "does not": "x", "undecided": "diamond-open"}


def remedies(rows: Sequence[RemedyRow]) -> tuple[go.Figure, str]:
    """The share of failed runs with its 95 % Wilson interval, and beside it the mean accuracy with its range, one line
    a remedy; colour and symbol are the verdict. Returns the figure and its words."""
    figure = make_subplots(
        cols=2,
        shared_yaxes=True,
        horizontal_spacing=0.04,
    )
    shown = [row for row in rows if row.n]
    for word, colour in COLOURS.items():
        those = [row for row in shown if row.word == word]
        if those:
            figure.add_trace(_failures(those, word, colour), row=1, col=1)
            figure.add_trace(_accuracies(those, word, colour), row=1, col=2)
    figure.update_xaxes(range=[-0.04, 1.04])
    figure.update_xaxes(title="share failed", row=1, col=1)
    figure.update_xaxes(title="accuracy", row=1, col=2)
    figure.update_yaxes(categoryorder="array", categoryarray=[row.label for row in reversed(shown)], automargin=True)
    figure.update_layout(
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.09},
        margin={"l": 10, "r": 10, "t": 40, "b": 50},
        height=110 + 26 * len(shown),
        hovermode="closest",
    )
    return figure, describe(rows)


def describe(rows: Sequence[RemedyRow]) -> str:
    """The figure in words."""
    said = "; ".join(
        f"{row.label}: {row.failed} of {row.n} failed, mean accuracy {row.accuracy:.2f}"
        + ("" if row.key == "none" else f" ({row.word})")
        for row in rows
        if row.n
    )
    return f"Remedies against the death of unscaled networks. {said or 'No run yet'}."


def _failures(rows: Sequence[RemedyRow], word: Word, colour: str) -> go.Scatter:
    shares = [row.failed / row.n for row in rows]
    return go.Scatter(
        x=shares,
        y=[row.label for row in rows],
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [row.high - share for row, share in zip(rows, shares, strict=True)],
            "arrayminus": [share - row.low for row, share in zip(rows, shares, strict=True)],
        },
        text=[
            f"{row.failed} of {row.n} failed, 95 % interval {row.low:.2f} to {row.high:.2f}; {_words(row)}"
            for row in rows
        ],
        hovertemplate="%{y}: %{text}<extra></extra>",
        mode="markers",
        marker={"color": colour, "symbol": SYMBOLS[word], "size": 10},
        name=word,
        legendgroup=word,
    )


def _accuracies(rows: Sequence[RemedyRow], word: Word, colour: str) -> go.Scatter:
    return go.Scatter(
        x=[row.accuracy if math.isfinite(row.accuracy) else None for row in rows],
        y=[row.label for row in rows],
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [row.best - row.accuracy for row in rows],
            "arrayminus": [row.accuracy - row.worst for row in rows],
        },
        text=[f"{row.accuracy:.2f}, from {row.worst:.2f} to {row.best:.2f}, n = {row.n}" for row in rows],
        hovertemplate="%{y}: %{text}<extra></extra>",
        mode="markers",
        marker={"color": colour, "symbol": SYMBOLS[word], "size": 10},
        name=word,
        legendgroup=word,
        showlegend=False,
    )


def _words(row: RemedyRow) -> str:
    return ", ".join(f"{word} {count}" for word, count in row.outcomes.most_common())
