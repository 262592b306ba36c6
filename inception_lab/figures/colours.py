"""What colours mean, on every page: one colour per residual scale, cividis for amounts, PuOr for signed values.

The ramp of scales runs from violet (small) over blue, teal, grey and gold to burnt orange (unscaled): in order, without
red beside green, and each with a contrast of at least 3 to 1 on white and on the dark page.
"""

from __future__ import annotations

import math
from itertools import pairwise

AMOUNT = "Cividis"
SIGNED = "PuOr"
BASELINE = "rgb(128, 128, 128)"  # a run pinned to compare with, whatever its scale

_ANCHORS = (
    (math.log10(0.03), (134, 92, 208)),
    (math.log10(0.1), (47, 122, 208)),
    (math.log10(0.2), (18, 146, 158)),
    (math.log10(0.3), (122, 130, 138)),
    (math.log10(0.5), (172, 128, 20)),
    (math.log10(1.0), (206, 78, 24)),
)


def of_scale(scale: float) -> str:
    """The colour of a residual scale, as `rgb(r, g, b)`."""
    place = math.log10(max(scale, 1e-6))
    if place <= _ANCHORS[0][0]:
        return _rgb(_ANCHORS[0][1])
    for (low, first), (high, last) in pairwise(_ANCHORS):
        if place <= high:
            share = (place - low) / (high - low)
            red, green, blue = (round(a + share * (b - a)) for a, b in zip(first, last, strict=True))
            return _rgb((red, green, blue))
    return _rgb(_ANCHORS[-1][1])


def _rgb(colour: tuple[int, int, int]) -> str:
    return "rgb({}, {}, {})".format(*colour)


def faint(colour: str) -> str:
    """`rgb(r, g, b)` as the shade of a band."""
    return colour.replace("rgb(", "rgba(").replace(")", ", 0.16)")


def ramp(name: str, *, stops: int = 33) -> list[str]:
    """The map `AMOUNT` or `SIGNED` as colours at equal distances, `rgb(r, g, b)`, for what Plotly does not draw."""
    from plotly.colors import sample_colorscale  # pages that show no map need not load it

    return list(sample_colorscale(name, [place / (stops - 1) for place in range(stops)]))
