"""One run as a picture: residual blocks from stem to head on one axis, steps on the other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import plotly.graph_objects as go

from inception_lab.figures.colours import AMOUNT
from inception_lab.training.events import Step

Quantity = Literal["zeros", "ratio", "shortcut", "residual"]

MARK = "rgb(204, 94, 20)"  # seen on both ends of cividis and beside it

TITLES: dict[Quantity, str] = {
    "zeros": "share of zeros after the block's ReLU",
    "ratio": "residual / shortcut, root mean squares",
    "shortcut": "root mean square of the shortcut",
    "residual": "root mean square of the scaled residual",
}


def heatmap(addresses: Sequence[str], steps: Sequence[Step], *, quantity: Quantity) -> tuple[go.Figure, str]:
    """Blocks × steps filled by `quantity`, and the picture in words.

    Norms and ratios are coloured by their log10, shares from 0 to 1; the pointer reads the value itself. What has no
    place on the scale is marked: ▲ for NaN and infinities, ○ for an exact zero under a logarithm.
    """
    names = [address.split("/", 1)[1] for address in addresses]
    measured = [step for step in steps if step.zeros]
    rows = [[float(getattr(step, quantity)[place]) for step in measured] for place in range(len(names))]
    share = quantity == "zeros"
    figure = go.Figure(
        go.Heatmap(
            x=[step.step for step in measured],
            y=names,
            z=[[_place(value, share=share) for value in row] for row in rows],
            customdata=[[str(value) if not math.isfinite(value) else value for value in row] for row in rows],
            colorscale=AMOUNT,
            zmin=0 if share else None,
            zmax=1 if share else None,
            colorbar={"title": {"text": "share" if share else "log10"}},
            hovertemplate="block %{y}, step %{x}: %{customdata:.3g}<extra></extra>",
        )
    )
    cells = [(step.step, name, value) for name, row in zip(names, rows, strict=True)
             for step, value in zip(measured, row, strict=True)]  # fmt: skip
    odd = [(x, y, value) for x, y, value in cells if not math.isfinite(value)]
    none = [(x, y, value) for x, y, value in cells if value == 0 and not share]
    _mark(figure, odd, name="NaN or infinite", symbol="triangle-up")
    _mark(figure, none, name="exactly zero", symbol="circle-open")
    figure.update_layout(
        xaxis={"title": {"text": "step"}},
        yaxis={"autorange": "reversed", "title": {"text": "block"}},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02},
        margin={"l": 60, "r": 10, "t": 10, "b": 45},
    )
    return figure, _words(names, measured, quantity, odd=len(odd), none=len(none))


def _place(value: float, *, share: bool) -> float | None:
    """Where a value stands on the colour scale, or None if it has no place there."""
    if not math.isfinite(value):
        return None
    if share:
        return round(value, 4)
    return round(math.log10(value), 3) if value > 0 else None


def _mark(figure: go.Figure, cells: Sequence[tuple[int, str, float]], *, name: str, symbol: str) -> None:
    if cells:
        figure.add_scatter(
            x=[x for x, _, _ in cells],
            y=[y for _, y, _ in cells],
            text=[str(value) for _, _, value in cells],
            mode="markers",
            name=name,
            marker={"symbol": symbol, "size": 6, "color": MARK},
            hovertemplate="block %{y}, step %{x}: %{text}<extra></extra>",
        )


def _words(names: Sequence[str], steps: Sequence[Step], quantity: Quantity, *, odd: int, none: int) -> str:
    if not steps or not names:
        return f"Heatmap of {TITLES[quantity]}: nothing measured yet."
    first, last = getattr(steps[-1], quantity)[0], getattr(steps[-1], quantity)[-1]
    marks = f"; {odd} cells are NaN or infinite" * bool(odd) + f"; {none} cells are exactly zero" * bool(none)
    return (
        f"Heatmap of {TITLES[quantity]} for {len(names)} blocks and {len(steps)} steps; at step {steps[-1].step} "
        f"block {names[0]} has {first:.3g} and block {names[-1]} {last:.3g}{marks}."
    )
