"""A table of plain values as text and as HTML: what the lab's results print, and what they show in a notebook."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any


def as_text(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Columns under their heads; numbers to the right."""
    cells = [[cell(value) for value in row] for row in rows]
    right = _right(cells, len(heads))
    widths = [max(len(line[place]) for line in (list(heads), *cells)) for place in range(len(heads))]

    def line(values: Sequence[str]) -> str:
        placed = (
            value.rjust(width) if to_right else value.ljust(width)
            for value, width, to_right in zip(values, widths, right, strict=True)
        )
        return "  ".join(placed).rstrip()

    return "\n".join((line(heads), line(["-" * width for width in widths]), *map(line, cells)))


def as_html(heads: Sequence[str], rows: Iterable[Sequence[Any]], *, caption: str = "") -> str:
    """The same as a table of HTML."""
    cells = [[cell(value) for value in row] for row in rows]
    align = ["right" if to_right else "left" for to_right in _right(cells, len(heads))]
    titles = "".join(
        f'<th style="text-align:{side}">{escape(head)}</th>' for head, side in zip(heads, align, strict=True)
    )
    lines = "".join(
        "<tr>"
        + "".join(
            f'<td style="text-align:{side}">{escape(value)}</td>' for value, side in zip(line, align, strict=True)
        )
        + "</tr>"
        for line in cells
    )
    above = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f"<table>{above}<thead><tr>{titles}</tr></thead><tbody>{lines}</tbody></table>"


def cell(value: Any) -> str:
    """One value as tables write it."""
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:.4g}"
        case list() | tuple():
            return "×".join(map(str, value))
        case _:
            return str(value)


def _right(cells: Sequence[Sequence[str]], columns: int) -> list[bool]:
    return [all(_is_number(row[place]) for row in cells) and bool(cells) for place in range(columns)]


def _is_number(cell: str) -> bool:
    return bool(re.fullmatch(r"–|-?[\d,]+(\.\d+)?(e[+-]\d+)?|-?inf|nan", cell))
