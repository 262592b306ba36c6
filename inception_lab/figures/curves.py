"""Training curves: colour is the residual scale, thin lines are single seeds, the thick one their mean.

Nothing is smoothed and nothing is dropped: NaN or infinity is a triangle at the top edge at its step, death a cross.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import fmean
from typing import Literal

import plotly.graph_objects as go

from inception_lab.figures.colours import of_scale

Metric = Literal["zero_share", "accuracy", "loss", "gradient_norm"]

TITLES: dict[Metric, str] = {
    "zero_share": "zeros before the pooling, share",
    "accuracy": "accuracy, training batch",
    "loss": "loss, training batch",
    "gradient_norm": "norm of the gradient",
}
_LOG = ("loss", "gradient_norm")
_SHARE = ("zero_share", "accuracy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One run's values of one metric, one per step; `kind` says whether it ships with the lab or was run here."""

    scale: float
    seed: int
    steps: Sequence[int]
    values: Sequence[float]
    died_at: int | None = None
    kind: Literal["here", "reference"] = "here"


def curves(series: Iterable[Series], *, metric: Metric) -> go.Figure:
    """The figure: runs made here solid, reference runs dotted, grouped by scale."""
    figure = go.Figure()
    ordered = sorted(series, key=lambda one: (one.kind, -one.scale, one.seed))
    for (kind, scale), group in groupby(ordered, lambda one: (one.kind, one.scale)):
        _arm(figure, tuple(group), scale=scale, kind=kind)
    _odd_steps(figure, ordered, metric)
    _deaths(figure, ordered)
    figure.update_layout(
        xaxis={"title": {"text": "step"}, "rangemode": "tozero"},
        yaxis={"title": {"text": TITLES[metric]}, "type": "log" if metric in _LOG else "linear"},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "groupclick": "togglegroup"},
        margin={"l": 60, "r": 10, "t": 10, "b": 45},
        hovermode="closest",
        uirevision=metric,
    )
    if metric in _SHARE:
        figure.update_yaxes(range=[-0.02, 1.04])
    return figure


def describe(series: Iterable[Series], *, metric: Metric) -> str:
    """The figure in words: where each scale's runs ended."""
    ordered = sorted((one for one in series if one.values), key=lambda one: (one.kind, -one.scale))
    words = []
    for (kind, scale), group in groupby(ordered, lambda one: (one.kind, one.scale)):
        runs = tuple(group)
        last = [one.values[-1] for one in runs]
        deaths = [one.died_at for one in runs if one.died_at is not None]
        died = f", {len(deaths)} died (step {min(deaths)} first)" if deaths else ""
        words.append(f"scale {scale:g} ({kind}, n = {len(runs)}) ends at {fmean(last):.3g}{died}")
    return f"Curves of {TITLES[metric]} over steps: {'; '.join(words) or 'no run yet'}."


def _arm(figure: go.Figure, runs: tuple[Series, ...], *, scale: float, kind: str) -> None:
    group, colour, dash = f"{kind} {scale:g}", of_scale(scale), "dot" if kind == "reference" else "solid"
    note = ", shipped" if kind == "reference" else ""
    for one in runs if len(runs) > 1 or kind == "here" else ():
        figure.add_scatter(
            x=list(one.steps),
            y=_finite(one.values),
            mode="lines",
            line={"color": colour, "width": 1, "dash": dash},
            opacity=0.45,
            legendgroup=group,
            showlegend=False,
            hovertemplate=f"scale {scale:g}, seed {one.seed}{note}<br>step %{{x}}: %{{y:.4g}}<extra></extra>",
        )
    steps, mean = _mean(runs)
    figure.add_scatter(
        x=steps,
        y=_finite(mean),
        mode="lines",
        name=f"scale {scale:g}{note}, n = {len(runs)}",
        line={"color": colour, "width": 3 if kind == "here" else 2, "dash": dash},
        legendgroup=group,
        hovertemplate=f"scale {scale:g}{note}, mean of {len(runs)}<br>step %{{x}}: %{{y:.4g}}<extra></extra>",
    )


def _mean(runs: tuple[Series, ...]) -> tuple[list[int], list[float]]:
    """The mean over seeds, as far as every seed has come; one NaN makes the mean NaN."""
    longest = min(runs, key=lambda one: len(one.steps))
    return list(longest.steps), [fmean(one.values[place] for one in runs) for place in range(len(longest.steps))]


def _odd_steps(figure: go.Figure, series: Iterable[Series], metric: Metric) -> None:
    odd = [(s, v, one) for one in series for s, v in zip(one.steps, one.values, strict=True) if not math.isfinite(v)]
    if odd:
        figure.add_scatter(
            x=[step for step, _, _ in odd],
            y=[1.0] * len(odd),
            yaxis="y2",
            mode="markers",
            name="NaN or infinite",
            marker={"symbol": "triangle-up", "size": 10, "color": [of_scale(one.scale) for *_, one in odd]},
            text=[f"scale {one.scale:g}, seed {one.seed}: {value} at step {step}" for step, value, one in odd],
            hovertemplate="%{text}<extra></extra>",
        )
        figure.update_layout(yaxis2={"overlaying": "y", "range": [0, 1], "visible": False, "fixedrange": True})


def _deaths(figure: go.Figure, series: Iterable[Series]) -> None:
    dead = [one for one in series if one.died_at is not None and one.died_at in one.steps]
    if dead:
        figure.add_scatter(
            x=[one.died_at for one in dead],
            y=[one.values[list(one.steps).index(one.died_at or 0)] for one in dead],
            mode="markers",
            name="death",
            marker={"symbol": "x", "size": 10, "color": [of_scale(one.scale) for one in dead]},
            text=[f"scale {one.scale:g}, seed {one.seed} died at step {one.died_at}" for one in dead],
            hovertemplate="%{text}<extra></extra>",
        )


def _finite(values: Iterable[float]) -> list[float | None]:
    return [value if math.isfinite(value) else None for value in values]
