"""The instant forecast as pictures: P over scale and depth or width, and how the trunk's variance grows."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import plotly.graph_objects as go

from inception_lab.figures.colours import AMOUNT, of_scale
from inception_lab.figures.heatmap import MARK
from inception_lab.training.foretold import DEPTHS, SCALES, WIDTHS, Forecast, Map, Repeats
from inception_lab.training.outcomes import Outcome
from inception_lab.training.presets import preset
from inception_lab.training.rule import THRESHOLD, Word, predict
from inception_lab.training.settings import Init, Settings

LOWEST, HIGHEST = -1.0, 2.5
"""Ends of the colour scale in log10 P: fixed, so that a change of the rate is seen."""
TICKS = (0.1, 1.0, 10.0, 100.0)
SYMBOLS: dict[Outcome, str] = {
    "trains": "circle",
    "slow": "diamond",
    "stalls": "square",
    "dies": "x",
    "diverges": "triangle-up",
    "nan": "triangle-up-open",
}
WRONG = (
    "Variances add along a stage, vₗ = v₀ + Σ s²c, because every branch opens with convolution and batch norm, so "
    "that a residual does not grow with the trunk; the product, v₀ (1 + s²c)ˡ, is wrong."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """A plane of the map: scale across, and down either depth (`width` given) or width (`repeats` given)."""

    init: Init
    width: float | None = None
    repeats: Repeats | None = None

    @property
    def rows(self) -> list[tuple[str, dict[str, Any]]]:
        """The rows from top to bottom: their name, and the settings they change."""
        if self.repeats is None:
            fixed = {"init": self.init, "width": self.width}
            return [(blocks(depth), {**fixed, "repeats": depth}) for depth in DEPTHS]
        return [(f"{width:g}", {"init": self.init, "repeats": self.repeats, "width": width}) for width in WIDTHS]

    @property
    def title(self) -> str:
        """What the rows are."""
        return "blocks A/B/C" if self.repeats is None else "width"

    def __str__(self) -> str:
        fixed = f"width {self.width:g}" if self.repeats is None else f"{blocks(self.repeats)} blocks"
        return f"{fixed}, {self.init.capitalize()} weights"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One point of a slice at a rate."""

    scale: float
    row: str
    gradient_norm: float
    p: float
    says: Word


@dataclass(frozen=True, slots=True)
class Finished:
    """A run that has ended, to be drawn over the map."""

    settings: Settings
    outcome: Outcome


def blocks(repeats: Repeats) -> str:
    """Repeats as the lab writes them: 5/10/5."""
    return "/".join(map(str, repeats))


def cells(known: Map, plane: Slice, *, rate: float) -> list[Cell]:
    """The points of a slice, row by row; those the map lacks are left out."""
    found = []
    for name, changes in plane.rows:
        for scale in SCALES:
            if (point := known.at(preset("micro", scale=scale, **changes))) is not None:
                p = rate * point.gradient_norm
                norm = point.gradient_norm
                found.append(Cell(scale=scale, row=name, gradient_norm=norm, p=p, says=predict(p)))
    return found


def p_map(known: Map, plane: Slice, *, rate: float, runs: Iterable[Finished] = ()) -> tuple[go.Figure, str]:
    """P at a rate over a slice of the map with the line P = 3.6, finished runs of this rate over it; and in words.

    Between the points the line is interpolated in log P. A run is drawn if it starts from a network of the slice,
    whatever its seed, at this rate.
    """
    found = cells(known, plane, rate=rate)
    names = [name for name, _ in plane.rows]
    p = {(cell.scale, cell.row): cell.p for cell in found}
    table = [[p.get((scale, name)) for scale in SCALES] for name in names]
    logs = [[_log(value) for value in row] for row in table]
    figure = go.Figure(_heat(table, logs, names, plane.title))
    figure.add_trace(_frontier(logs))
    figure.add_trace(_numbers(table, logs))
    drawn = _overlay(figure, plane, rate, runs)
    figure.update_layout(
        xaxis=_axis("residual scale", [f"{scale:g}" for scale in SCALES]),
        yaxis={**_axis(plane.title, names), "range": [len(names) - 0.5, -0.5]},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02},
        margin={"l": 70, "r": 10, "t": 10, "b": 45},
    )
    return figure, _in_words(found, plane, rate, drawn)


def variance(one: Forecast) -> tuple[go.Figure, str]:
    """The mean square of what enters each block at step 0: as measured, if it adds, if it multiplies; and in words."""
    colour = of_scale(one.settings.scale)
    lines = (("measured", one.variance, "solid", 3), ("v₀ + Σ s²c, adding", one.additive, "dash", 2),
             ("v₀ (1 + s²c)ˡ, multiplying", one.product, "dot", 2))  # fmt: skip
    names = [address.split("/", 1)[1] for address in one.addresses]
    stages = [list(group) for _, group in groupby(range(len(names)), key=lambda place: names[place].split("/")[0])]
    figure = go.Figure()
    for name, values, dash, width in lines:
        for stage in stages:
            figure.add_scatter(
                x=[names[place] for place in stage],
                y=[values[place] for place in stage],
                mode="lines+markers" if dash == "solid" or len(stage) == 1 else "lines",
                name=name,
                legendgroup=name,
                showlegend=stage is stages[0],
                line={"color": colour, "dash": dash, "width": width},
                marker={"size": 5 if dash == "solid" else 3},
                hovertemplate=f"block %{{x}}, {name}: %{{y:.4g}}<extra></extra>",
            )
    figure.update_layout(
        xaxis={"title": {"text": "block"}, "type": "category", "categoryorder": "array", "categoryarray": names},
        yaxis={"title": {"text": "mean square entering the block"}, "type": "log", "dtick": 1},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02},
        margin={"l": 60, "r": 10, "t": 10, "b": 60},
    )
    return figure, _trunk_words(one, names)


def _heat(table: list[list[float | None]], logs: list[list[float | None]], names: list[str], title: str) -> go.Heatmap:
    says = [[_said(value) for value in row] for row in table]
    return go.Heatmap(
        x=list(range(len(SCALES))),
        y=list(range(len(names))),
        z=logs,
        customdata=[
            [f"scale {scale:g}, {title} {name}: P = {said}" for scale, said in zip(SCALES, row, strict=True)]
            for name, row in zip(names, says, strict=True)
        ],
        hovertemplate="%{customdata}<extra></extra>",
        colorscale=AMOUNT,
        zmin=LOWEST,
        zmax=HIGHEST,
        xgap=1,
        ygap=1,
        showlegend=False,
        colorbar={
            "title": {"text": "P"},
            "tickvals": [math.log10(tick) for tick in TICKS],
            "ticktext": [f"{tick:g}" for tick in TICKS],
            "thickness": 14,
        },
    )


def _frontier(logs: list[list[float | None]]) -> go.Contour:
    at = math.log10(THRESHOLD)
    return go.Contour(
        x=list(range(len(SCALES))),
        y=list(range(len(logs))),
        z=logs,
        contours={"start": at, "end": at, "size": 1, "coloring": "none", "showlabels": False},
        line={"color": MARK, "width": 4},
        name=f"P = {THRESHOLD:g}",
        showlegend=True,
        showscale=False,
        hoverinfo="skip",
    )


def _numbers(table: list[list[float | None]], logs: list[list[float | None]]) -> go.Scatter:
    """P written into each cell, above the line: white on the dark half of cividis, black on the light one."""
    middle = LOWEST + 0.47 * (HIGHEST - LOWEST)
    there = [
        (x, y, f"{p:.3g}", "black" if log is not None and log > middle else "white")
        for y, (row, row_logs) in enumerate(zip(table, logs, strict=True))
        for x, (p, log) in enumerate(zip(row, row_logs, strict=True))
        if p is not None
    ]
    return go.Scatter(
        x=[x for x, *_ in there],
        y=[y - 0.15 for _, y, *_ in there],
        text=[text for _, _, text, _ in there],
        textfont={"color": [colour for *_, colour in there]},
        mode="text",
        showlegend=False,
        hoverinfo="skip",
    )


def _overlay(figure: go.Figure, plane: Slice, rate: float, runs: Iterable[Finished]) -> int:
    """Draw the runs that belong here, a mark for each outcome of a cell; returns how many runs there were."""
    places = {_start(preset("micro", scale=scale, **changes)): (x, y)
              for y, (_, changes) in enumerate(plane.rows) for x, scale in enumerate(SCALES)}  # fmt: skip
    counted: Counter[tuple[Outcome, tuple[int, int]]] = Counter()
    for run in runs:
        at = places.get(_start(run.settings))
        if at is not None and math.isclose(run.settings.rate, rate, rel_tol=0.01) and run.outcome in SYMBOLS:
            counted[run.outcome, at] += 1
    all_there: Counter[tuple[int, int]] = Counter()
    for (_, at), n in counted.items():
        all_there[at] += n
    ranks: Counter[tuple[int, int]] = Counter()
    for word, symbol in SYMBOLS.items():
        here = [(at, n, ranks[at]) for (outcome, at), n in counted.items() if outcome == word]
        ranks.update(at for at, *_ in here)
        if here:
            figure.add_scatter(
                x=[x + 0.24 * (rank - 1) for (x, _), _, rank in here],  # side by side, none over another
                y=[y + 0.22 + 0.16 * (rank % 2) for (_, y), _, rank in here],
                customdata=[f"{word}: {n} of {all_there[at]} runs here" for at, n, _ in here],
                mode="markers",
                name=word,
                marker={"symbol": symbol, "size": 9, "color": "white", "line": {"color": "black", "width": 1.5}},
                hovertemplate="%{customdata}<extra></extra>",
            )
    return sum(counted.values())


def _start(settings: Settings) -> tuple[Any, ...]:
    """What places a run on the map; whether the rule is valid for it is another question."""
    plain = settings.network == "inception_resnet_v2_paper" and settings.design is None and settings.small
    plain = plain and settings.stage_scales is None and settings.gain == "fixed" and not settings.end_norm
    return plain, settings.scale, settings.repeats, settings.width, settings.init


def _axis(title: str, names: Sequence[str]) -> dict[str, Any]:
    return {
        "title": {"text": title},
        "tickvals": list(range(len(names))),
        "ticktext": list(names),
        "range": [-0.5, len(names) - 0.5],
        "showgrid": False,
        "zeroline": False,
    }


def _log(value: float | None) -> float | None:
    return round(math.log10(value), 4) if value is not None and 0 < value < math.inf else None


def _said(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3g}, {predict(value)}"


def _in_words(found: Sequence[Cell], plane: Slice, rate: float, drawn: int) -> str:
    failing = [cell for cell in found if cell.says == "fails"]
    rows = []
    for name, _ in plane.rows:
        scales = [cell.scale for cell in failing if cell.row == name]
        rows.append(f"{name} from scale {min(scales):g} up" if scales else f"{name} nowhere")
    over = f" {drawn} finished runs are drawn over it." if drawn else ""
    return (
        f"Map of P at rate {rate:g} over {len(SCALES)} scales and {len(rows)} rows of {plane.title} ({plane}): "
        f"{len(failing)} of {len(found)} points are above {THRESHOLD:g}. By {plane.title}, failure is expected for "
        f"{'; '.join(rows)}.{over}"
    )


def _trunk_words(one: Forecast, names: Sequence[str]) -> str:
    if not names:
        return "This network has no residual blocks, so nothing is added along its trunk."
    last = max(range(len(names)), key=lambda place: one.product[place] / (one.variance[place] or math.inf))
    return (
        f"Mean square entering each of {len(names)} blocks at step 0, scale {one.settings.scale:g}. Where they are "
        f"furthest apart, at block {names[last]}: {one.variance[last]:.3g} measured, {one.additive[last]:.3g} if "
        f"variances add, {one.product[last]:.3g} if they multiply."
    )
