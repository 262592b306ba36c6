"""The marks on training curves: ▲ where a value is no number, ✕ where a network died, ⑂ where one branched off."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from inception_lab.figures.colours import BASELINE, of_scale

if TYPE_CHECKING:
    from inception_lab.figures.curves import Series

Trace = dict[str, Any]

MOST_NAMES = 4
"""Arms whose first death has its block written beside it; more words would lie on each other, and the pointer tells."""


def odd(series: Iterable[Series]) -> Trace:
    """A triangle at the top edge for each value that is NaN or infinite; empty if there is none."""
    found = [
        (int(one.steps[place]), float(one.values[place]), one)
        for one in series
        for place in map(int, np.flatnonzero(~np.isfinite(np.asarray(one.values, dtype=float))))
    ]
    if not found:
        return {}
    said = [(step, 1.0, one, f"{one.label}: {value} at step {step}") for step, value, one in found]
    return _marks(said, name="NaN or infinite", symbol="triangle-up")


def deaths(series: Iterable[Series], *, words: bool = False) -> Trace:
    """A cross at the step of each death, with the name of the block that fell silent first."""
    found = [
        (at, value, one, f"{one.label} died at step {at}" + f", block {one.died_in} first" * bool(one.died_in))
        for one in series
        if (at := one.died_at) is not None and math.isfinite(value := _value(one, at))
    ]
    if not found:
        return {}
    trace = _marks(found, name="death", symbol="x")
    first = {(one.kind, one.scale, one.other): at for at, _, one, _ in sorted(found, key=lambda mark: -mark[0])}
    if words and len(first) <= MOST_NAMES:
        named = [one.died_in * (first[one.kind, one.scale, one.other] == at) for at, _, one, _ in found]
        trace |= {"mode": "markers+text", "textposition": "bottom right", "text": named}
    return trace


def forks(series: Iterable[Series]) -> Trace:
    """A fork at the step from which a run goes its own way."""
    found = [
        (at, value, one, f"{one.label} branches off at step {at}")
        for one in series
        if (at := one.fork) is not None and math.isfinite(value := _value(one, at))
    ]
    if not found:
        return {}
    trace = _marks(found, name="fork", symbol="y-left-open")
    trace["marker"] |= {"size": 14, "line": {"width": 2.5}}
    return trace


def _value(one: Series, step: int) -> float:
    """What was measured at `step`; NaN if nothing was."""
    place = int(np.searchsorted(np.asarray(one.steps), step))
    there = place < len(one.steps) and one.steps[place] == step
    return float(one.values[place]) if there else math.nan


def _marks(found: Sequence[tuple[int, float, Series, str]], *, name: str, symbol: str) -> Trace:
    colours = [BASELINE if one.kind == "baseline" else of_scale(one.scale) for *_, one, _ in found]
    return {
        "x": [step for step, *_ in found],
        "y": [value for _, value, *_ in found],
        "mode": "markers",
        "name": name,
        "legendgroup": name,
        "marker": {"symbol": symbol, "size": 10, "color": colours},
        "customdata": [text for *_, text in found],
        "hovertemplate": "%{customdata}<extra></extra>",
    }
