"""One run as a picture: residual blocks from stem to head on one axis, steps on the other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import plotly.graph_objects as go

from inception_lab.figures.colours import AMOUNT
from inception_lab.training.events import Step

Quantity = Literal["zeros", "ratio", "shortcut", "residual"]

TITLES: dict[Quantity, str] = {
    "zeros": "share of zeros after the block's ReLU",
    "ratio": "residual / shortcut, root mean squares",
    "shortcut": "root mean square of the shortcut",
    "residual": "root mean square of the scaled residual",
}


def heatmap(addresses: Sequence[str], steps: Sequence[Step], *, quantity: Quantity) -> tuple[go.Figure, str]:
    """Blocks × steps filled by `quantity`, and the picture in words. Norms are drawn as log10, shares from 0 to 1."""
    names = [address.split("/", 1)[1] for address in addresses]
    measured = [step for step in steps if step.zeros]
    values = [[_cell(getattr(step, quantity)[place], quantity) for step in measured] for place in range(len(names))]
    share = quantity == "zeros"
    figure = go.Figure(
        go.Heatmap(
            x=[step.step for step in measured],
            y=names,
            z=values,
            colorscale=AMOUNT,
            zmin=0 if share else None,
            zmax=1 if share else None,
            colorbar={"title": {"text": "share" if share else "log10"}},
            hovertemplate="block %{y}, step %{x}: %{z:.3g}<extra></extra>",
        )
    )
    figure.update_layout(
        xaxis={"title": {"text": "step"}},
        yaxis={"autorange": "reversed", "title": {"text": "block"}},
        margin={"l": 60, "r": 10, "t": 10, "b": 45},
    )
    return figure, _words(names, measured, quantity)


def _cell(value: float, quantity: Quantity) -> float | None:
    if not math.isfinite(value):
        return None
    if quantity == "zeros":
        return round(value, 4)
    return round(math.log10(value), 3) if value > 0 else None


def _words(names: Sequence[str], steps: Sequence[Step], quantity: Quantity) -> str:
    if not steps or not names:
        return f"Heatmap of {TITLES[quantity]}: nothing measured yet."
    first, last = getattr(steps[-1], quantity)[0], getattr(steps[-1], quantity)[-1]
    return (
        f"Heatmap of {TITLES[quantity]} for {len(names)} blocks and {len(steps)} steps; at step {steps[-1].step} "
        f"block {names[0]} has {first:.3g} and block {names[-1]} {last:.3g}."
    )
