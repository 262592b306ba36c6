"""From boxes to places: DOT text, and Graphviz in this process (its wheel brings it along)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from inception_lab.readers.drawing import Direction, Edge, Graph, Node

ACCENTS = {
    "input": "#6b7280",
    "stage": "#0072b2",
    "conv": "#0072b2",
    "batch-norm": "#6b7280",
    "norm": "#6b7280",
    "max-pool": "#009e73",
    "avg-pool": "#009e73",
    "concat": "#6b7280",
    "linear": "#56b4e9",
    "scale": "#e69f00",
    "add": "#d55e00",
    "relu": "#cc79a7",
    "dropout": "#6b7280",
    "classifier": "#0072b2",
}
SHORTCUT = "#d55e00"
FOR, AGAINST = "#8660c6", "#c4661f"  # the two ends of PuOr, in shades that stand out on white and on the dark page
THIN, WIDE = 0.8, 9.0  # of a line with a weight, points
LINE = "#6b7280"
INK = "#1d2733"
TINT = 0.16

_FONT = "Helvetica,Arial,sans-serif"
_LARGE = 60
_lock = Lock()  # Graphviz keeps state of its own; two threads must not lay out at once


def word(kind: str) -> str:
    """A kind as part of a class name."""
    return kind.replace(" ", "-")


def dot(graph: Graph, *, dpi: int | None = None) -> str:
    """The whole drawing as DOT, addresses as names."""
    return source(
        graph.nodes, graph.edges, direction=graph.direction, name=lambda node: node.id, title=graph.title, dpi=dpi
    )


def source(
    nodes: Sequence[Node],
    edges: Sequence[Edge],
    *,
    direction: Direction,
    name: Callable[[Node], str],
    title: str = "",
    dpi: int | None = None,
) -> str:
    """DOT for these boxes; `name` gives each its name. Boxes get the SVG ids n0, n1, ..., edges e0, e1, ..."""
    names = {node.id: _quote(name(node)) for node in nodes}
    by_id = {node.id: node for node in nodes} if direction == "TB" and len(nodes) <= _LARGE else {}
    lines = [f"digraph {_quote(title)} {{", *_style(direction, dpi)]
    for place, node in enumerate(nodes):
        accent = ACCENTS[word(node.kind)]
        label = _quote("\\n".join(_literal(line).replace("&", "&amp;") for line in node.label), escaped=True)
        shape = ", shape=circle, margin=0.02" if node.kind == "add" else ""
        lines.append(
            f'  {names[node.id]} [label={label}, id=n{place}, color="{accent}", fillcolor="{_mix(accent)}"{shape}];'
        )
    for place, edge in enumerate(edges):
        label = f"  {edge.words}" if edge.words else (edge.shape if by_id and _says_new(edge, by_id) else "")
        shown = f", label={_quote(label)}" if label else ""
        lines.append(f"  {names[edge.tail]} -> {names[edge.head]} [id=e{place}{_look(edge)}{shown}];")
    return "\n".join([*lines, "}", ""])


@lru_cache(maxsize=256)
def render(text: str, form: Literal["svg", "png"]) -> bytes:
    """Graphviz' drawing of `text`, cached by it."""
    import pygraphviz

    with _lock:
        drawn: bytes = pygraphviz.AGraph(string=text).draw(format=form, prog="dot")
    return drawn


def _look(edge: Edge) -> str:
    """An edge's own colour and width: that of its weight, else a shortcut's."""
    if edge.weight is not None:
        width = THIN + (WIDE - THIN) * min(1.0, abs(edge.weight))
        colour, dash = (AGAINST, ", style=dashed") if edge.weight < 0 else (FOR, "")
        return f', color="{colour}", fontcolor="{colour}", penwidth={width:.2f}{dash}'
    return f', color="{SHORTCUT}", penwidth=2.2' if edge.is_shortcut else ""


def _says_new(edge: Edge, by_id: Mapping[str, Node]) -> bool:
    """Whether the shape at an edge is not to be read in the boxes already."""
    return edge.shape not in by_id[edge.tail].label and by_id[edge.head].kind not in ("batch norm", "relu")


def _style(direction: str, dpi: int | None) -> list[str]:
    more = f", dpi={dpi}" if dpi else ""
    return [
        f'  graph [rankdir={direction}, ordering=out, nodesep=0.25, ranksep=0.32, pad=0.1, bgcolor="white"{more}];',
        f'  node [shape=box, style="rounded,filled", fontname="{_FONT}", fontsize=12, fontcolor="{INK}",'
        ' margin="0.14,0.06", height=0.3, width=0.5, penwidth=1.2];',
        f'  edge [color="{LINE}", fontname="{_FONT}", fontsize=9, fontcolor="{LINE}", arrowsize=0.6];',
    ]


def _mix(accent: str) -> str:
    """The accent thinned with white: the fill for viewers that know no style sheets."""
    parts = (int(accent[place : place + 2], 16) for place in (1, 3, 5))
    return "#" + "".join(f"{round(255 - TINT * (255 - part)):02x}" for part in parts)


def _literal(text: str) -> str:
    """Text in which Graphviz sees no escapes of its own."""
    return text.replace("\\", "\\\\")


def _quote(text: str, *, escaped: bool = False) -> str:
    safe = text if escaped else _literal(text)
    return '"' + safe.replace('"', '\\"') + '"'
