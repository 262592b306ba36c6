"""Maps of pixels beside each other: one scale of colour for several, its legend, and their numbers as one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from PIL import Image
from plotly.colors import get_colorscale

from inception_lab.figures.colours import AMOUNT, SIGNED

if TYPE_CHECKING:
    from inception_lab.images.attribute import Attribution

GRID = 7  # a table's rows and columns: as fine as the last feature maps of a 224-pixel network


def overlays(found: Sequence[Attribution]) -> tuple[list[Image.Image], float]:
    """Maps of one size over their greyed pixels in one scale of colour, and the value that has the full colour.

    They are laid side by side and coloured as one map, so that one value has one colour in all of them.
    """
    joined = replace(
        found[0],
        values=np.concatenate([one.values for one in found], axis=1),
        pixels=np.concatenate([one.pixels for one in found], axis=1),
    )
    whole, wide = joined.overlay(), found[0].values.shape[1]
    parts = [whole.crop((place * wide, 0, (place + 1) * wide, whole.height)) for place in range(len(found))]
    return parts, joined.limit


def legend(low: str, high: str, *, signed: bool) -> None:
    """A bar of the maps' colours with what stands at its ends."""
    colours = ", ".join(colour for _, colour in get_colorscale(SIGNED if signed else AMOUNT))
    low, high = escape(low), escape(high)
    st.html(
        f'<div role="img" aria-label="colours from {low} to {high}" style="height:.8rem;border-radius:.2rem;'
        f'background:linear-gradient(to right, {colours})"></div>'
        '<div style="display:flex;justify-content:space-between;gap:1rem;font-size:.85rem">'
        f'<span>{low}</span><span style="text-align:right">{high}</span></div>'
    )


def squares(maps: Mapping[str, np.ndarray]) -> list[dict[str, float]]:
    """Means of maps (H, W) of one size over GRID x GRID squares: a row a square, a column a map."""
    down, across = (np.array_split(np.arange(side), GRID) for side in next(iter(maps.values())).shape)
    return [
        {"row": row, "column": column} | {name: float(one[np.ix_(high, wide)].mean()) for name, one in maps.items()}
        for row, high in enumerate(down, 1)
        for column, wide in enumerate(across, 1)
    ]
