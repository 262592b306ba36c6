"""A map as colours over the pixels it is of: PuOr where a sign means something, else cividis from 0."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from PIL import Image

Array = np.ndarray[Any, np.dtype[Any]]

FULL_COLOUR = 99.0  # percentile of the map's size that gets the full colour: single pixels would dim all others


def full_colour(values: Array) -> float:
    """The size that gets the full colour in a map of these values; 1 for a map of zeros."""
    sizes = np.abs(values)
    return float(np.percentile(sizes, FULL_COLOUR)) or float(sizes.max()) or 1.0


def overlaid(values: Array, pixels: Array, *, limit: float, signed: bool, alpha: float = 0.7) -> Image.Image:
    """A map (H, W) over its greyed pixels (H, W, 3), full colour at `limit`; of a map of zeros the pixels alone."""
    grey = np.repeat(pixels.mean(axis=2, keepdims=True), 3, axis=2)
    strength = np.clip(values / limit, -1 if signed else 0, 1)
    if signed:
        colour, share = _colours("PuOr", (strength + 1) / 2), alpha * np.abs(strength)[..., None]
    else:
        shown = alpha if values.any() else 0.0
        colour, share = _colours("Cividis", strength), np.full((*strength.shape, 1), shown)
    return Image.fromarray(np.rint(grey * (1 - share) + colour * share).astype(np.uint8))


def _colours(name: str, places: Array) -> Array:
    """RGB (H, W, 3), 0 to 255, at places 0 to 1 of the scale that the figures use too."""
    table = _table(name)
    steps = np.linspace(0, 1, len(table))
    return np.stack([np.interp(places, steps, table[:, channel]) for channel in range(3)], axis=-1)


@cache
def _table(name: str) -> Array:
    from plotly.colors import get_colorscale, unlabel_rgb

    colours = [colour for _, colour in get_colorscale(name)]
    if colours[0].startswith("#"):
        return np.array([[int(colour[place : place + 2], 16) for place in (1, 3, 5)] for colour in colours], float)
    return np.array([unlabel_rgb(colour) for colour in colours], float)


def shades(name: str) -> list[str]:
    """The scale's colours in order, as CSS takes them."""
    return [f"rgb({round(red)}, {round(green)}, {round(blue)})" for red, green, blue in _table(name)]
