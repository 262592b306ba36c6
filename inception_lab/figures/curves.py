"""Training curves: colour is the residual scale, dash any other setting, one panel for each metric over shared steps.

Thin lines are single seeds, the thick one their mean, the band the 95 % interval of that mean. Nothing is smoothed and
nothing is dropped: NaN or infinity is a triangle at the top edge at its step, death a cross, a fork a mark of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import fmean
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from inception_lab.figures import marks, panels
from inception_lab.figures.bands import LEAST, Band, band
from inception_lab.figures.colours import BASELINE, faint, of_scale
from inception_lab.figures.decimate import bucket, decimate

Metric = Literal["zero_share", "accuracy", "loss", "gradient_norm", "rate"]
Kind = Literal["here", "reference", "baseline"]

TITLES: dict[Metric, str] = {
    "zero_share": "zeros before the pooling, share",
    "accuracy": "accuracy, training batch",
    "loss": "loss, training batch",
    "gradient_norm": "norm of the gradient",
    "rate": "learning rate",
}
LOG = ("loss", "gradient_norm", "rate")
SHARE = ("zero_share", "accuracy")
DASHES = ("solid", "dash", "dashdot", "longdash", "longdashdot", "8px 3px 2px 3px")
DOTTED = "dot"  # the shipped runs', and nobody else's
_ORDER: tuple[Kind, ...] = ("reference", "here", "baseline")  # what comes later is drawn over what comes before


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One run's values of one metric, one per step; `kind` says whether it ships with the lab, was run here or is the
    pinned baseline.

    `other` names the settings besides scale and seed in which its arm differs from others on screen, such as "rate
    0.02"; `dash` those that choose the dash, if not all. `died_in` is the block that fell silent first, `fork` the
    first step of its own if the run branched off another.
    """

    scale: float
    seed: int
    steps: Sequence[int] | NDArray[Any]
    values: Sequence[float] | NDArray[Any]
    died_at: int | None = None
    kind: Kind = "here"
    other: str = ""
    dash: str | None = None
    died_in: str = ""
    fork: int | None = None

    @property
    def label(self) -> str:
        """The run in words, without what it was measured to be."""
        note = ", shipped" if self.kind == "reference" else ""
        return f"scale {self.scale:g}{f', {self.other}' if self.other else ''}, seed {self.seed}{note}"


Shown = Mapping[Metric, Sequence[Series]]


def curves(series: Iterable[Series], *, metric: Metric) -> go.Figure:
    """The figure of one metric: runs made here solid, reference runs dotted, grouped by scale."""
    return go.Figure(drawn({metric: tuple(series)}))


def drawn(shown: Shown) -> dict[str, Any]:
    """One panel for each metric, in the given order, above one axis of steps; the legend works on all of them.

    These are the `data` and `layout` of a figure, as plain values and numpy arrays: `plotly.graph_objects.Figure`
    takes them, but checks each number, which costs a live page more than all the rest.
    """
    dashes = _dashes(one for series in shown.values() for one in series)
    traces: list[dict[str, Any]] = []
    for place, (metric, series) in enumerate(shown.items()):
        axes = panels.axes(place, len(shown))
        for arm in arms(series):
            traces += _arm(arm, metric=metric, dash=dashes[_dashed(arm[0])], axes=axes)
        extra = (marks.odd(series), marks.deaths(series, words=not place), marks.forks(series))
        traces += [{**trace, **axes, **panels.over(place, trace)} for trace in extra if trace]
    return {
        "data": [{"type": "scatter", "uid": f"t{number}", **trace} for number, trace in enumerate(_listed(traces))],
        "layout": panels.layout({metric: TITLES[metric] for metric in shown}, log=LOG, share=SHARE),
    }


def arms(series: Iterable[Series]) -> list[tuple[Series, ...]]:
    """The runs that differ in nothing but their seed, group by group, in the order in which they are drawn."""
    ordered = sorted(series, key=lambda one: (*_arm_of(one), one.seed))
    return [tuple(group) for _, group in groupby(ordered, _arm_of)]


def counted(runs: Iterable[Series]) -> list[Series]:
    """One run for each seed of an arm, the one with the most measurements: a seed made twice is no second draw."""
    longest: dict[int, Series] = {}
    for one in runs:
        if one.seed not in longest or len(one.values) > len(longest[one.seed].values):
            longest[one.seed] = one
    return list(longest.values())


def describe(series: Iterable[Series], *, metric: Metric) -> str:
    """The figure of one metric in words: where each scale's runs ended."""
    words = []
    for runs in arms(one for one in series if len(one.values)):
        first, draws = runs[0], counted(runs)
        deaths = [one.died_at for one in draws if one.died_at is not None]
        died = f", {len(deaths)} died (step {min(deaths)} first)" if deaths else ""
        other = f", {first.other}" if first.other else ""
        last = fmean(float(one.values[-1]) for one in draws)
        words.append(f"scale {first.scale:g}{other} ({first.kind}, n = {len(draws)}) ends at {last:.3g}{died}")
    return f"Curves of {TITLES[metric]} over steps: {'; '.join(words) or 'no run yet'}."


def caption(shown: Shown) -> str:
    """How to read the figure: what is thin, thick and shaded, what is few, what was thinned, what the marks mean."""
    every = [one for series in shown.values() for one in series]
    groups = [runs for series in shown.values() for runs in arms(series)]
    counts = [len(counted(runs)) for runs in groups]
    words = ["Thin: single seeds. Thick: their mean."] if max(counts, default=0) > 1 else ["Each line is one run."]
    if max(counts, default=0) >= LEAST:
        words.append("Band: 95 % interval of the mean over seeds (Student's t).")
    if min(counts, default=LEAST) < LEAST:
        words.append(f"Where n is below {LEAST} there is no band: so few seeds say little about the next one.")
    if any(len(counted(runs)) < len(runs) for runs in groups):
        words.append("A seed that was made twice counts once, with its longer run.")
    if any(one.kind == "reference" for one in every):
        words.append("Dotted: shipped.")
    if any(one.kind == "baseline" for one in every):
        words.append("Grey: the pinned baseline.")
    if (size := max((bucket(len(one.values)) for one in every), default=1)) > 1:
        words.append(f"In long lines each point shows min and max of {size} steps.")
    seen = {"▲: NaN or infinite": marks.odd(every), "✕: death": marks.deaths(every), "Y: fork": marks.forks(every)}
    words += [f"{word}." for word, trace in seen.items() if trace]
    return " ".join([*words, "Nothing is smoothed."])


def _arm_of(one: Series) -> tuple[int, float, str]:
    return _ORDER.index(one.kind), -one.scale, one.other


def _listed(traces: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Each name once in the legend, wherever it comes first."""
    seen: set[str] = set()
    for trace in traces:
        name = trace.get("name", "")
        yield {**trace, "showlegend": bool(name) and name not in seen}
        seen.add(name)


def _dashed(one: Series) -> tuple[Kind, str]:
    return one.kind, one.other if one.dash is None else one.dash


def _dashes(series: Iterable[Series]) -> dict[tuple[Kind, str], str]:
    """One dash for each set of other settings; shipped runs are dotted, the baseline is told by its grey."""
    found = dict.fromkeys(map(_dashed, series))
    others = sorted({other for kind, other in found if kind == "here"})
    given = {other: DASHES[place % len(DASHES)] for place, other in enumerate(others)}
    return {
        (kind, other): {"here": given.get(other, "solid"), "reference": DOTTED, "baseline": "solid"}[kind]
        for kind, other in found
    }


def _arm(runs: tuple[Series, ...], *, metric: Metric, dash: str, axes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """An arm's traces in one panel: band, seeds, mean."""
    first = runs[0]
    group = f"{first.kind} {first.scale:g} {first.other}"
    colour = BASELINE if first.kind == "baseline" else of_scale(first.scale)
    common = {**axes, "mode": "lines", "legendgroup": group}
    steps, values = [np.asarray(one.steps) for one in runs], [np.asarray(one.values, dtype=float) for one in runs]
    thin = [
        {
            **_points(at, found, keep=one),
            **common,
            "line": {"color": colour, "width": 1, "dash": dash},
            "opacity": 0.45,
            "hovertemplate": f"{one.label}<br>step %{{x}}: %{{y:.4g}}<extra></extra>",
        }
        for one, at, found in zip(runs, steps, values, strict=True)
        if len(runs) > 1
    ]
    draws = counted(runs)
    found = band([np.asarray(one.steps) for one in draws], [np.asarray(one.values, dtype=float) for one in draws])
    label = f"mean of {len(draws)}" if len(draws) > 1 else f"seed {first.seed}"
    mean = {
        **_points(found.steps, found.mean, keep=first),
        **common,
        "name": _name(runs),
        "legendrank": 1000 - _ORDER.index(first.kind),
        "line": {"color": colour, "width": 3 if first.kind == "here" else 2, "dash": dash},
        "hovertemplate": f"{_arm_words(first)}, {label}<br>step %{{x}}: %{{y:.4g}}<extra></extra>",
    }
    edges = _edges(found, metric) if len(found.low) else []
    shade = {**common, "line": {"width": 0}, "hoverinfo": "skip", "fillcolor": faint(colour)}
    bands = [{**edge, **shade, "fill": fill} for edge, fill in zip(edges, ("none", "tonexty"), strict=False)]
    return [*bands, *thin, mean]


def _edges(found: Band, metric: Metric) -> list[dict[str, Any]]:
    """The band's lower and upper edge, as far as all is finite and cut where the quantity itself ends."""
    broken = ~np.isfinite(found.low)
    end = int(broken.argmax()) if broken.any() else len(found.low)
    low, high, steps = found.low[:end], found.high[:end], found.steps[:end]
    if metric in SHARE:
        low, high = low.clip(0, 1), high.clip(0, 1)
    if metric in LOG and end:  # a logarithmic axis has no place for zero and below: cut at the lowest seed
        low = np.maximum(low, found.least[:end])
    size = bucket(end)
    at = np.arange(0, end, size)
    if size > 1:
        low, high, steps = np.minimum.reduceat(low, at), np.maximum.reduceat(high, at), steps[at]
    return [{**_where(steps), "y": edge.astype("f4")} for edge in (low, high)]


def _points(steps: NDArray[Any], values: NDArray[Any], *, keep: Series) -> dict[str, Any]:
    at, drawn = decimate(steps, values, keep=() if keep.died_at is None else (keep.died_at,))
    return {**_where(at), "y": np.where(np.isfinite(drawn), drawn, np.nan).astype("f4")}


def _where(steps: NDArray[Any]) -> dict[str, Any]:
    """Steps that follow one another need no list."""
    if len(steps) and steps[-1] - steps[0] == len(steps) - 1:
        return {"x0": int(steps[0]), "dx": 1}
    return {"x": steps.astype("i4")}


def _arm_words(one: Series) -> str:
    note = {"here": "", "reference": ", shipped", "baseline": ""}[one.kind]
    other = f", {one.other}" if one.other else ""
    return f"{'baseline: ' if one.kind == 'baseline' else ''}scale {one.scale:g}{other}{note}"


def _name(runs: tuple[Series, ...]) -> str:
    n = len(counted(runs))
    few = " (few)" if n < LEAST and runs[0].kind == "here" else ""
    return f"{_arm_words(runs[0])}, n = {n}{few}"
