"""Two small drawings as SVG text, for pages that must open anywhere: a line over steps, and blocks over steps.

Text and axes take the colour of the page. What is not finite is a triangle at the top edge, never left out. The words
and the table beside a drawing say the same, so screen readers pass it by.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

WIDTH, LEFT, HEAD, FOOT = 800, 76, 6, 24  # the head holds the upper half of what stands at the top edge
COLUMNS = 400  # wider pictures would only be more bytes
ROW = 14
HEIGHT = 170
HIGH = (206, 78, 24)

_CIVIDIS = (
    "#00224e",
    "#123570",
    "#3b496c",
    "#575d6d",
    "#707173",
    "#8a8678",
    "#a59c74",
    "#c3b369",
    "#e1cc55",
    "#fee838",
)


def blocks(names: Sequence[str], steps: Sequence[int], shares: Sequence[Sequence[float]], *, mark: int | None) -> str:
    """A picture of shares from 0 to 1, a row for each name (`shares[step][name]`), with a line at the step `mark`.

    More than 400 steps share columns, each drawn with its largest value; nan is drawn as a hole.
    """
    per = max(1, math.ceil(len(steps) / COLUMNS))
    columns = [shares[first : first + per] for first in range(0, len(steps), per)]
    cells: dict[int, list[str]] = {}
    for row in range(len(names)):
        for column, level, length in _stretches([_level([share[row] for share in bin_]) for bin_ in columns]):
            cells.setdefault(level, []).append(f"M{column} {row}h{length}v1h-{length}z")
    paths = "".join(
        f'<path fill="{_CIVIDIS[level]}" d="{"".join(parts)}"/>' for level, parts in cells.items() if level >= 0
    )
    wide = (WIDTH - LEFT) / max(1, len(columns))
    labels = "".join(
        f'<text x="{LEFT - 6}" y="{ROW * row + 11}" text-anchor="end">{escape(name)}</text>'
        for row, name in enumerate(names)
    )
    inner = f'<g transform="translate({LEFT} 0) scale({wide:.4f} {ROW})" shape-rendering="crispEdges">{paths}</g>'
    return _svg(ROW * len(names), inner + labels, steps, mark)


def line(steps: Sequence[int], values: Sequence[float], *, log: bool, mark: int | None) -> str:
    """A line over steps, its values on a linear axis from 0 to 1 or a logarithmic one as long as they need.

    More than 400 steps share columns, each drawn with its smallest and its largest value.
    """
    finite = [value for value in values if math.isfinite(value) and (value > 0 or not log)]
    low, high = (min(finite, default=1.0), max(finite, default=1.0)) if log else (0.0, 1.0)
    place = _Place(len(steps), low, high, log=log)
    track = place.path(_thinned(list(values))) if values else ""
    drawn = f'<path d="{track}" fill="none" stroke="rgb{HIGH}" stroke-width="1.5"/>' * bool(values)
    odd = [number for number, value in enumerate(values) if not math.isfinite(value)]
    drawn += "".join(
        f'<path d="M{place.x(n):.1f} 1l5 9h-10z" fill="currentColor"><title>step {steps[n]}: {values[n]}</title></path>'
        for n in odd[:COLUMNS]
    )
    ends = ((8, high), (HEIGHT, low))
    drawn += "".join(f'<text x="{LEFT - 6}" y="{y}" text-anchor="end">{value:.3g}</text>' for y, value in ends)
    return _svg(HEIGHT, drawn, steps, mark)


class _Place:
    """Where a value stands in a picture of `HEIGHT`."""

    def __init__(self, count: int, low: float, high: float, *, log: bool) -> None:
        self._count, self._log, self._least = max(2, count), log, low
        self._low, self._high = (math.log(low), math.log(high)) if log else (low, high)

    def x(self, number: float) -> float:
        """From the left edge of the axis to the right one."""
        return LEFT + (WIDTH - LEFT) * number / (self._count - 1)

    def path(self, points: Sequence[tuple[int, float]]) -> str:
        """A line through the finite points, broken where one is not."""
        parts, open_ = [], False
        for number, value in points:
            if math.isfinite(value):
                at = math.log(max(value, self._least)) if self._log else value
                y = HEIGHT - HEIGHT * (at - self._low) / ((self._high - self._low) or 1)
                parts.append(f"{'L' if open_ else 'M'}{self.x(number):.1f} {y:.1f}")
            open_ = math.isfinite(value)
        return "".join(parts)


def _thinned(values: list[float]) -> list[tuple[int, float]]:
    points = list(enumerate(values))
    per = math.ceil(len(points) / COLUMNS)
    if per <= 1:
        return points
    kept: list[tuple[int, float]] = []
    for first in range(0, len(points), per):
        bin_ = points[first : first + per]
        finite = [point for point in bin_ if math.isfinite(point[1])]
        ends = {min(finite, key=lambda p: p[1]), max(finite, key=lambda p: p[1])} if finite else set()
        kept += sorted(ends | {point for point in bin_ if not math.isfinite(point[1])})
    return kept


def _level(shares: Sequence[float]) -> int:
    finite = [share for share in shares if math.isfinite(share)]
    return min(len(_CIVIDIS) - 1, int(max(finite) * len(_CIVIDIS))) if finite else -1


def _stretches(levels: Sequence[int]) -> list[tuple[int, int, int]]:
    """(first, level, how many) of each stretch of equal levels."""
    found: list[tuple[int, int, int]] = []
    for place, level in enumerate(levels):
        if found and found[-1][1] == level:
            first, _, wide = found[-1]
            found[-1] = first, level, wide + 1
        else:
            found.append((place, level, 1))
    return found


def _svg(height: int, inner: str, steps: Sequence[int], mark: int | None) -> str:
    foot = ""
    if steps:
        foot = (
            f'<text x="{LEFT}" y="{height + 18}">step {steps[0]}</text>'
            f'<text x="{WIDTH}" y="{height + 18}" text-anchor="end">{steps[-1]}</text>'
        )
    if mark is not None and steps and steps[0] <= mark <= steps[-1]:
        x = LEFT + (WIDTH - LEFT) * (mark - steps[0]) / max(1, steps[-1] - steps[0])
        foot += f'<path d="M{x:.1f} 0V{height}" stroke="rgb{HIGH}" stroke-dasharray="3 2"/>'
        foot += (
            f'<text x="{x:.1f}" y="{height + 18}" text-anchor="{"start" if x < WIDTH / 2 else "end"}">✕ {mark}</text>'
        )
    return (
        f'<svg viewBox="0 {-HEAD} {WIDTH} {HEAD + height + FOOT}" aria-hidden="true" font-size="12" '
        f'fill="currentColor">{inner}{foot}</svg>'
    )
