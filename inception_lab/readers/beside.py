"""A comparison as HTML that stands alone: the table of differences, and the blocks that differ drawn side by side with
their marks, folded. No script and no server: a notebook shows it, and so does the page it is exported to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from html import escape
from typing import TYPE_CHECKING

from inception_lab.errors import LabError
from inception_lab.readers import marking, words
from inception_lab.readers.compare import compare_blocks
from inception_lab.readers.graph import graph
from inception_lab.readers.marking import BOTH, Which

if TYPE_CHECKING:
    from inception_lab.readers.compare import Comparison, Difference
    from inception_lab.readers.drawing import Graph

BLOCKS = 4  # that are drawn; each pair is some 40 kB of a notebook's file

_TWO = "display:flex;flex-wrap:wrap;gap:1rem;align-items:flex-start"
_LONG = "min-width:72rem"  # or the words of a strip would be too small to read
_HALF = "flex:1 1 20rem;min-width:0"
_LEFT = ' style="text-align:left;vertical-align:top"'


def html(found: Comparison) -> str:
    """The whole of it."""
    return f"<div>{table(found)}{''.join(_folds(found))}</div>"


def table(found: Comparison) -> str:
    """The differences, one a row, in words that wrap."""
    caption = f"{found.a} and {found.b}: {words.many(len(found.differences), 'difference')}"
    heads = "".join(f"<th{_LEFT}>{escape(head)}</th>" for head in ("address", "what", found.a, found.b, "blocks"))
    body = "".join(
        f"<tr>{''.join(f'<td{_LEFT}>{escape(str(cell))}</td>' for cell in row.values())}</tr>"
        for row in marking.rows(found.differences)
    )
    made = f"<table><caption{_LEFT}>{escape(caption)}</caption><tr>{heads}</tr>{body}</table>"
    return f'<div style="max-height:26rem;overflow:auto">{made}</div>'


def _folds(found: Comparison) -> list[str]:
    """Both networks as strips, then the first blocks that differ."""
    if found.same:
        return []
    strips = [partial(_strip, found, side) for side in BOTH]
    folds = [_fold("Both networks, stage by stage", found, strips, style=_LONG)]
    for places in found.blocks()[:BLOCKS]:
        inside = compare_blocks(*found.nets, *places)
        blocks = [partial(_block, found, side, places[side], inside) for side in BOTH]
        title = f"Block {places[0]}" if places[0] == places[1] else f"Blocks {places[0]} and {places[1]}"
        folds.append(_fold(title, found, blocks, style=_TWO))
    return folds


def _strip(found: Comparison, side: Which) -> Graph:
    return marking.strip(graph(found.nets[side]), side, found.differences)


def _block(found: Comparison, side: Which, place: str, inside: Sequence[Difference]) -> Graph:
    net = found.nets[side]
    return marking.block(graph(net, at=place, depth="block"), f"{net.name}/{place}", side, inside)


def _fold(title: str, found: Comparison, draw: Sequence[Callable[[], Graph]], *, style: str) -> str:
    """Two drawings under a title that opens them; what cannot be drawn says why."""
    halves = ""
    for net, make in zip(found.nets, draw, strict=True):
        try:
            shown = make().svg()
        except LabError as error:
            shown = f"<p>{escape(str(error))}</p>"
        halves += f'<div style="{_HALF}"><div><b>{escape(net.name)}</b></div>{shown}</div>'
    inner = f'<div style="overflow-x:auto"><div style="{style}">{halves}</div></div>'
    return f"<details><summary>{escape(title)}</summary>{marking.legend()}{inner}</details>"
