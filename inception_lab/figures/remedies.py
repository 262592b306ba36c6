"""The remedies bench as dots with intervals: how many runs failed with each remedy, and how well they did."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from inception_lab.jobs.remedies import RemedyRow, Word
from inception_lab.training.experiments import REMEDIES

COLOURS: dict[Word, str] = {
    "prevents": "rgb(47, 122, 208)",
    "does not": "rgb(206, 78, 24)",
    "undecided": "rgb(120, 120, 120)",
}


@dataclass(frozen=True, slots=True)
class _Line:
    """A row, what its line is called, and who made its runs, if that has to be said."""

    row: RemedyRow
    label: str
    origin: Literal["", "shipped", "here"]


FADED = 0.8
"""Of shipped runs beside own ones: set back, but 3 to 1 on the light ground and on the dark."""

SYMBOLS: dict[Word, str] = {"prevents": "circle", "does not": "x", "undecided": "diamond-open"}


def remedies(rows: Sequence[RemedyRow], *, own: Sequence[RemedyRow] = ()) -> tuple[go.Figure, str]:
    """The share of failed runs with its 95 % Wilson interval, and beside it the mean accuracy with its range, one line
    a remedy; colour and symbol are the verdict. Rows of this lab's `own` runs stand each under the shipped one's, which
    is then drawn fainter. Returns the figure and its words."""
    figure = make_subplots(
        cols=2,
        shared_yaxes=True,
        horizontal_spacing=0.04,
    )
    shown = [_Line(row, row.label, "shipped" if own else "") for row in rows if row.n]
    shown += [_Line(row, f"{row.label}, here", "here") for row in own if row.n]
    order = {arm.key: place for place, arm in enumerate(REMEDIES.arms)}
    shown.sort(key=lambda line: order[line.row.key])  # stable: shipped, then here
    for origin in ("", "shipped", "here"):
        for word in COLOURS:
            if those := [line for line in shown if line.row.word == word and line.origin == origin]:
                figure.add_trace(_failures(those, word), row=1, col=1)
                figure.add_trace(_accuracies(those, word), row=1, col=2)
    figure.update_xaxes(range=[-0.04, 1.04])
    figure.update_xaxes(title="share failed", row=1, col=1)
    figure.update_xaxes(title="accuracy", row=1, col=2)
    figure.update_yaxes(categoryorder="array", categoryarray=[line.label for line in reversed(shown)], automargin=True)
    figure.update_layout(
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.09},
        margin={"l": 10, "r": 10, "t": 40, "b": 50},
        height=110 + 26 * len(shown),
        hovermode="closest",
    )
    return figure, describe(rows, own=own)


def describe(rows: Sequence[RemedyRow], *, own: Sequence[RemedyRow] = ()) -> str:
    """The figure in words."""
    both = f"{_said(rows)}. Made here: {_said(own)}" if rows and own else _said([*rows, *own])
    return f"Remedies against the death of unscaled networks. {both or 'No run yet'}."


def _said(rows: Sequence[RemedyRow]) -> str:
    return "; ".join(
        f"{row.label}: {row.failed} of {row.n} failed, mean accuracy {row.accuracy:.2f}"
        + ("" if row.key == "none" else f" ({row.word})")
        for row in rows
        if row.n
    )


def _failures(lines: Sequence[_Line], word: Word) -> go.Scatter:
    rows = [line.row for line in lines]
    shares = [row.failed / row.n for row in rows]
    return go.Scatter(
        x=shares,
        y=[line.label for line in lines],
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
        **_look(lines[0], word),
    )


def _accuracies(lines: Sequence[_Line], word: Word) -> go.Scatter:
    rows = [line.row for line in lines]
    return go.Scatter(
        x=[row.accuracy if math.isfinite(row.accuracy) else None for row in rows],
        y=[line.label for line in lines],
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [row.best - row.accuracy for row in rows],
            "arrayminus": [row.accuracy - row.worst for row in rows],
        },
        text=[f"{row.accuracy:.2f}, from {row.worst:.2f} to {row.best:.2f}, n = {row.n}" for row in rows],
        **_look(lines[0], word),
        showlegend=False,
    )


def _look(line: _Line, word: Word) -> dict[str, Any]:
    name = f"{word}, {line.origin}" if line.origin else word
    return {
        "hovertemplate": "%{y}: %{text}<extra></extra>",
        "mode": "markers",
        "marker": {"color": COLOURS[word], "symbol": SYMBOLS[word], "size": 10},
        "opacity": FADED if line.origin == "shipped" else 1,
        "name": name,
        "legendgroup": name,
    }


def _words(row: RemedyRow) -> str:
    return ", ".join(f"{word} {count}" for word, count in row.outcomes.most_common())
