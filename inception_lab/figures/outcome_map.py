"""What became of runs over two settings, such as width × scale: a cell's colour is the share that failed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import plotly.graph_objects as go

from inception_lab.errors import RunError
from inception_lab.figures.colours import AMOUNT
from inception_lab.jobs.grid import told
from inception_lab.jobs.verdicts import ArmRow

EMPTY = "no run"
MARK = "rgb(122, 130, 138)"  # seen on the light page and on the dark


@dataclass(frozen=True, slots=True, kw_only=True)
class MapCell:
    """The runs with one pair of values: `failed` of the `n` judged ones, the 95 % Wilson interval of that share, and
    how often each outcome word was said.
    """

    x: Any
    y: Any
    n: int
    failed: int
    low: float
    high: float
    outcomes: Mapping[str, int] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """The outcomes and their counts, the most frequent first; "no run" if there is none."""
        counted = sorted(self.outcomes.items(), key=lambda item: (-item[1], item[0]))
        return ", ".join(f"{word} {count}" for word, count in counted if count) or EMPTY


def cells(arms: Iterable[ArmRow], *, x: str, y: str) -> list[MapCell]:
    """Arms (`jobs.verdicts.arms`) as cells. Raises `RunError` if they do not differ in `x` and `y`, or in more."""
    found: list[MapCell] = []
    for arm in arms:
        if x == y or not {x, y} <= arm.changes.keys():
            known = ", ".join(arm.changes) or "nothing but the seed"
            raise RunError(f"These runs differ in {known}, so there is no map of {x} and {y}. Take two of those.")
        if more := [name for name in arm.changes if name not in (x, y)]:
            raise RunError(f"These runs differ in {', '.join(more)} as well, which a map of {x} and {y} would mix up.")
        found.append(
            MapCell(
                x=arm.changes[x],
                y=arm.changes[y],
                n=arm.n,
                failed=arm.failed,
                low=arm.low,
                high=arm.high,
                outcomes={str(word): count for word, count in arm.outcomes.items()},
            )
        )
    return found


def outcome_map(rows: Sequence[MapCell], *, x: str, y: str) -> tuple[go.Figure, str]:
    """The map and the map in words. `rows` has at most one cell for each pair; `x` and `y` name the settings.

    Dark blue is no failure, yellow is every run failed (cividis). Pairs that were not run, or of which no run was long
    enough to judge, have no colour and say so.
    """
    across, up = _values([row.x for row in rows]), _values([row.y for row in rows])
    placed = {(row.x, row.y): row for row in rows}
    grid = [[placed.get((a, b)) for a in across] for b in up]
    figure = go.Figure(
        go.Heatmap(
            x=[told(value) for value in across],
            y=[told(value) for value in up],
            z=[[cell.failed / cell.n if cell and cell.n else None for cell in line] for line in grid],
            text=[[_inside(cell) for cell in line] for line in grid],
            customdata=[[_hover(cell) for cell in line] for line in grid],
            texttemplate="%{text}",
            hovertemplate=f"{x} %{{x}}, {y} %{{y}}<br>%{{customdata}}<extra></extra>",
            hoverongaps=False,
            colorscale=AMOUNT,
            zmin=0,
            zmax=1,
            xgap=2,
            ygap=2,
            colorbar={"title": {"text": "share failed"}, "tickformat": ".0%"},
        )
    )
    _gaps(figure, [(a, b, placed.get((a, b))) for a, b in product(across, up)], x=x, y=y)
    figure.update_layout(
        xaxis={"type": "category", "title": {"text": x}, "showgrid": False},
        yaxis={"type": "category", "title": {"text": y}, "showgrid": False},
        margin={"l": 60, "r": 10, "t": 10, "b": 45},
    )
    return figure, _words(rows, across, up, x=x, y=y)


def _values(values: Iterable[Any]) -> list[Any]:
    """Each value once: numbers in their order, anything else as it comes, and none first."""
    known = list(dict.fromkeys(values))
    numbers = all(isinstance(value, int | float | tuple) or value is None for value in known)
    if not numbers or len({isinstance(value, tuple) for value in known if value is not None}) > 1:
        return known
    return sorted(known, key=lambda value: (value is not None, value if value is not None else 0))


def _inside(cell: MapCell | None) -> str:
    if cell is None or not cell.n:
        return ""
    return "<br>".join([*cell.words.split(", "), f"n = {cell.n}"])


def _hover(cell: MapCell | None) -> str:
    if cell is None or not cell.n:
        return EMPTY
    return f"{cell.failed} of {cell.n} failed, 95 % interval {cell.low:.0%} to {cell.high:.0%}<br>{cell.words}"


def _gaps(figure: go.Figure, pairs: Sequence[tuple[Any, Any, MapCell | None]], *, x: str, y: str) -> None:
    """Cells without a colour, with why."""
    bare = [(told(a), told(b), "" if cell is None else cell.words) for a, b, cell in pairs if not (cell and cell.n)]
    if bare:
        figure.add_scatter(
            x=[a for a, _, _ in bare],
            y=[b for _, b, _ in bare],
            text=[words or EMPTY for _, _, words in bare],
            mode="text",
            textfont={"color": MARK},
            hovertemplate=f"{x} %{{x}}, {y} %{{y}}<br>%{{text}}<extra></extra>",
            showlegend=False,
        )


def _words(rows: Sequence[MapCell], across: Sequence[Any], up: Sequence[Any], *, x: str, y: str) -> str:
    judged = [row for row in rows if row.n]
    if not judged:
        return f"Map of outcomes over {x} and {y}: no run has been judged yet."
    worst = max(judged, key=lambda row: (row.failed / row.n, row.n))
    empty = len(across) * len(up) - len(judged)
    said = "; ".join(f"{x} {told(row.x)}, {y} {told(row.y)}: {row.failed} of {row.n}" for row in judged)
    gaps = f"; {empty} cell{'s' * (empty != 1)} without a judged run" * bool(empty)
    return (
        f"Map of outcomes, {x} across and {y} up, {sum(row.n for row in judged)} runs. Most failed at {x} "
        f"{told(worst.x)}, {y} {told(worst.y)}. Failures: {said}{gaps}."
    )
