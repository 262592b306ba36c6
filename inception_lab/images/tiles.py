"""Feature maps as pictures: one colour scale, cividis, with the numbers at its ends."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from inception_lab.images.features import Features
    from inception_lab.readers.receptive import Box

Array = np.ndarray[Any, np.dtype[Any]]
Limits = tuple[float, float]

LARGE = 448  # pixels; the photograph under a receptive field
INSIDE, OUTSIDE = (255, 221, 0), (0, 0, 0)
GAP = 2


def limits(maps: Array) -> Limits:
    """The ends of the colour scale for maps: their smallest value, or 0 if none is below it, and their largest."""
    finite = maps[np.isfinite(maps)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    return min(low, 0.0), max(high, min(low, 0.0) + 1e-12)


def coloured(values: Array, ends: Limits) -> Image.Image:
    """One map (H, W) as a picture of as many pixels; NaN is drawn in grey."""
    odd = ~np.isfinite(values)
    share = np.clip((np.where(odd, ends[0], values) - ends[0]) / (ends[1] - ends[0]), 0, 1)
    places = np.rint(share * 254).astype(np.uint8)
    picture = Image.fromarray(np.where(odd, np.uint8(255), places))
    picture.putpalette(_palette())
    return picture


def png(picture: Image.Image) -> bytes:
    """A picture as a file."""
    out = BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def montage(found: Features, *, most: int = 16, each: bool = False) -> Image.Image:
    """The strongest maps in rows of eight, one scale for all of them, or with `each` one for every map."""
    chosen = [one.channel for one in found.channels[:most]]
    _, high, wide = found.maps.shape
    times = max(1, 64 // max(high, wide))
    across = min(8, len(chosen))
    down = -(-len(chosen) // across)
    size = wide * times + GAP, high * times + GAP
    whole = Image.new("RGB", (across * size[0] - GAP, down * size[1] - GAP), (128, 128, 128))
    shared = limits(found.maps)
    for place, channel in enumerate(chosen):
        tile = coloured(found.maps[channel], limits(found.maps[channel]) if each else shared).convert("RGB")
        tile = tile.resize((wide * times, high * times), Image.Resampling.NEAREST)
        whole.paste(tile, (place % across * size[0], place // across * size[1]))
    return whole


def on_photograph(pixels: Array, box: Box) -> Image.Image:
    """What entered the network with a receptive field drawn on it: a yellow frame in a black one, the rest darker."""
    side = pixels.shape[0]
    times = max(1, round(LARGE / side))
    shade = np.full(pixels.shape[:2], 0.45)
    shade[box.rows[0] : box.rows[1] + 1, box.columns[0] : box.columns[1] + 1] = 1
    picture = Image.fromarray(np.rint(pixels * shade[..., None]).astype(np.uint8))
    picture = picture.resize((side * times, side * times), Image.Resampling.NEAREST)
    frame = (
        box.columns[0] * times, box.rows[0] * times, (box.columns[1] + 1) * times - 1, (box.rows[1] + 1) * times - 1
    )  # fmt: skip
    draw = ImageDraw.Draw(picture)
    wider = tuple(edge + by for edge, by in zip(frame, (-2, -2, 2, 2), strict=True))
    draw.rectangle(wider, outline=OUTSIDE, width=5)
    draw.rectangle(frame, outline=INSIDE, width=2)
    return picture


def page(found: Features) -> str:
    """A notebook's view: the strongest maps and what they are."""
    from base64 import b64encode
    from html import escape

    picture = b64encode(png(montage(found))).decode()
    words = maps_in_words(found)
    return f'<p>{escape(words)}</p><img alt="{escape(words)}" src="data:image/png;base64,{picture}">'


def maps_in_words(found: Features, *, most: int = 16) -> str:
    """The maps in words."""
    count, high, wide = found.maps.shape
    first, dead = found.channels[0], sum(one.zero_share == 1 for one in found.channels)
    shown = f"the {most} strongest of {count} channels" if most < count else f"all {count} channels"
    return (
        f"Feature maps of {found.address} ({found.weights}) for {found.file}: {shown}, {high}×{wide} cells each, the "
        f"strongest first by root mean square. Channel {first.channel} leads with {first.rms:.3g}; {dead} channels are "
        f"zero everywhere."
    )


@cache
def _palette() -> bytes:
    """255 colours of cividis, and grey for what is no number."""
    from plotly.colors import sample_colorscale, unlabel_rgb

    found = [unlabel_rgb(one) for one in sample_colorscale("Cividis", [place / 254 for place in range(255)])]
    return bytes(round(part) for colour in [*found, (128, 128, 128)] for part in colour)
