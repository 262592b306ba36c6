"""What results show in a notebook, as HTML that stands alone: pictures and curves are in the page itself."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape
from io import BytesIO

from PIL import Image

from inception_lab.images.overlay import shades

SIDE, SMALL = 260, 160  # pixels; the side of a picture on the page, and of one of many
HIGH, WIDE, EDGE = 150, 300, 44  # pixels of a drawing of curves, and what its axes take
LINES = {"deletion": "rgb(206, 78, 24)", "insertion": "rgb(47, 122, 208)"}  # as `figures.trust` draws them


def png(picture: Image.Image) -> bytes:
    """A picture as a file."""
    out = BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def picture(image: Image.Image, alt: str, *, side: int = SIDE) -> str:
    """A picture in the page itself, with its text for those who don't see it."""
    data = b64encode(png(image)).decode()
    return f'<img alt="{escape(alt)}" width="{side}" src="data:image/png;base64,{data}">'


def paragraph(text: str, *, strong: bool = False) -> str:
    """A paragraph as wide as a picture and its curves."""
    words = f"<b>{escape(text)}</b>" if strong else escape(text)
    return f'<p style="max-width:46em;margin:.3em 0">{words}</p>'


def column(*parts: str, width: int | None = None) -> str:
    """Parts below each other."""
    style = "" if width is None else f' style="width:{width}px"'
    return f"<div{style}>{''.join(parts)}</div>"


def row(*parts: str) -> str:
    """Parts beside each other, below each other where there is no room."""
    cells = "".join(f"<div>{part}</div>" for part in parts)
    return f'<div style="display:flex;flex-wrap:wrap;gap:1em;align-items:flex-start">{cells}</div>'


def legend(low: str, high: str, *, signed: bool, side: int = SIDE) -> str:
    """A bar of a map's colours with what stands at its ends."""
    colours = ", ".join(shades("PuOr" if signed else "Cividis"))
    return (
        f'<div style="width:{side}px"><div role="img" aria-label="colours from {escape(low)} to {escape(high)}" '
        f'style="height:.7em;background:linear-gradient(to right, {colours})"></div>'
        f'<div style="display:flex;justify-content:space-between;gap:1em;font-size:85%"><span>{escape(low)}</span>'
        f'<span style="text-align:right">{escape(high)}</span></div></div>'
    )


def bullets(lines: Sequence[str]) -> str:
    """A list."""
    return f'<ul style="max-width:46em;margin:.3em 0">{"".join(f"<li>{escape(line)}</li>" for line in lines)}</ul>'


def in_words(rows: Sequence[Mapping[str, float]], *, measure: str) -> str:
    """The curves of a test in a sentence; rows as `Trust.rows` gives them."""
    half = rows[len(rows) // 2]
    words = ", ".join(f"{name} {half[name]:.3g} (random {half[f'random {name}']:.3g})" for name in LINES)
    return f"Curves of the {measure} from {rows[0]['deletion']:.3g}; at {half['share']:.0%}: {words}."


def curves(rows: Sequence[Mapping[str, float]], *, measure: str) -> str:
    """Deletion and insertion with the means of random orders, dashed, as a drawing; rows as `Trust.rows` gives them."""
    alt = in_words(rows, measure=measure)
    names = ("deletion", "insertion", "random deletion", "random insertion")
    low = min(0.0, *(row[name] for row in rows for name in names))
    high = max(row[name] for row in rows for name in names) or 1.0
    lines = "".join(_line(rows, name, low, high) for name in names)
    text = "font-size='10' fill='currentColor'"
    return (
        f'<svg role="img" aria-label="{escape(alt)}" width="{WIDE + EDGE}" height="{HIGH + EDGE}" '
        f'viewBox="{-EDGE} -8 {WIDE + EDGE} {HIGH + EDGE}" font-family="sans-serif"><title>{escape(alt)}</title>'
        f'<path d="M0 0V{HIGH}H{WIDE - 8}" fill="none" stroke="currentColor" stroke-opacity=".5"/>{lines}'
        f"<text x='-4' y='8' text-anchor='end' {text}>{high:.2g}</text>"
        f"<text x='-4' y='{HIGH}' text-anchor='end' {text}>{low:.2g}</text>"
        f"<text x='0' y='{HIGH + 14}' {text}>{escape(measure)} over the share of regions, strongest first</text>"
        f"<text x='0' y='{HIGH + 28}' {text}><tspan fill='{LINES['deletion']}'>marked regions go</tspan>, "
        f"<tspan fill='{LINES['insertion']}'>they come back</tspan>, random orders dashed</text></svg>"
    )


def _line(rows: Sequence[Mapping[str, float]], name: str, low: float, high: float) -> str:
    points = " ".join(
        f"{row['share'] * (WIDE - 8):.1f},{HIGH - (row[name] - low) / ((high - low) or 1) * HIGH:.1f}" for row in rows
    )
    dashed = ' stroke-dasharray="4 3"' if name.startswith("random") else ""
    colour = "rgb(128, 128, 128)" if dashed else LINES[name]
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"{dashed}/>'
