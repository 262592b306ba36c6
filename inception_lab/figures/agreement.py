"""Maps beside each other: one map on a given scale, and the matrix of how far several agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from inception_lab.figures.colours import AMOUNT, SIGNED

Array = np.ndarray[Any, np.dtype[Any]]

SHOWN = 112  # cells along a side of a drawn map: more would make the page slow and no eye would see them


def field(values: Array, *, limit: float, signed: bool, unit: str, title: str) -> tuple[go.Figure, str]:
    """A map (H, W) with its colour bar, PuOr to both sides of 0 if signed, else cividis from 0; and it in words.

    Purple is for and orange against, as everywhere. Large maps are drawn as means over blocks of pixels.
    """
    drawn = _coarse(values)
    figure = go.Figure(
        go.Heatmap(
            z=np.round(drawn, 6).tolist(),
            colorscale=SIGNED if signed else AMOUNT,
            zmin=-limit if signed else 0,
            zmax=limit,
            colorbar={"title": {"text": unit}, "orientation": "h", "y": -0.08, "yanchor": "top", "thickness": 12},
            hovertemplate="row %{y}, column %{x}: %{z:.3g}<extra></extra>",
        )
    )
    figure.update_layout(
        xaxis={"visible": False, "constrain": "domain"},
        yaxis={"visible": False, "autorange": "reversed", "scaleanchor": "x"},
        margin={"l": 5, "r": 5, "t": 5, "b": 55},
        height=330,
    )
    row, column = np.unravel_index(int(np.argmax(np.abs(values))), values.shape)
    down, across = (f"{place / side:.0%}" for place, side in zip((row, column), values.shape, strict=True))
    words = f"{title}: from {values.min():.3g} to {values.max():.3g} {unit}, largest {down} down and {across} across."
    return figure, words


def matrix(names: Sequence[str], values: Array, *, best: int | None = None) -> tuple[go.Figure, str]:
    """Rank correlations (n, n) of named maps, PuOr from -1 to 1; a star marks the `best` one by the deletion test."""
    shown = [f"★ {name}" if place == best else name for place, name in enumerate(names)]
    shown = [name.replace(", ", "<br>") for name in shown]
    figure = go.Figure(
        go.Heatmap(
            x=shown,
            y=shown,
            z=values.tolist(),
            text=[[f"{value:.2f}" for value in row] for row in values],
            texttemplate="%{text}",
            colorscale=SIGNED,
            zmin=-1,
            zmax=1,
            colorbar={"title": {"text": "rank<br>correlation"}, "thickness": 12},
            hovertemplate="%{y} and %{x}: %{z:.3f}<extra></extra>",
        )
    )
    figure.update_layout(
        xaxis={"automargin": True},
        yaxis={"automargin": True, "autorange": "reversed"},
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        height=180 + 62 * len(names),
    )
    pairs = [(values[a, b], a, b) for a in range(len(names)) for b in range(a)]
    low, high = (f"{names[b]} and {names[a]} {value:.2f}" for value, a, b in (min(pairs), max(pairs)))
    said = "" if best is None else f" The deletion test favours {names[best]}."
    return figure, f"Agreement of {len(names)} maps: most alike {high}, least alike {low}.{said}"


def _coarse(values: Array) -> Array:
    """Means over blocks, so that at most `SHOWN` cells a side remain; the last rows that fill no block are left out."""
    block = -(-max(values.shape) // SHOWN)
    high, wide = (side // block for side in values.shape)
    return np.asarray(values[: high * block, : wide * block].reshape(high, block, wide, block).mean(axis=(1, 3)))
