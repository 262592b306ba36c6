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
SAID = 10.5  # the font at a line, points
CLOSE = 7  # the font for which room is made where all of `SAID` is to fit: Graphviz adds 8 points on either side
LINE = "#6b7280"
INK = "#1d2733"
BROKEN = "#e4572e"  # the filling of an op that cannot be; the words in its box say so as well
SLIP = "#8660c6"  # the double line round an op at which the paper slips, with words in the box
TINT = 0.16
_DARK, _LIGHT = "#000000", "#ffffff"

_FONT = "Helvetica,Arial,sans-serif"
SHAPES = {  # what is not a rounded box
    "max-pool": "style=filled, peripheries=2",
    "avg-pool": "style=filled, peripheries=2",
    "concat": "style=filled",
    "scale": 'shape=ellipse, margin="0.04,0.02"',
    "relu": 'shape=ellipse, margin="0.04,0.02"',
    "add": "shape=circle, margin=0.02",
}
_lock = Lock()  # Graphviz keeps state of its own; two threads must not lay out at once


def word(kind: str) -> str:
    """A kind as part of a class name."""
    return kind.replace(" ", "-")


def dot(graph: Graph, *, dpi: int | None = None) -> str:
    """The whole drawing as DOT, addresses as names, in its colours."""
    return source(
        graph.nodes,
        graph.edges,
        direction=graph.direction,
        name=lambda node: node.id,
        lines=said(graph.nodes, graph.edges),
        title=graph.title,
        look=lambda node: _fill(node, plain=graph.tint == "none"),
        dpi=dpi,
    )


def source(
    nodes: Sequence[Node],
    edges: Sequence[Edge],
    *,
    direction: Direction,
    name: Callable[[Node], str],
    lines: Mapping[str, tuple[str, ...]],
    title: str = "",
    look: Callable[[Node], str] = lambda node: "",
    dpi: int | None = None,
    close: bool = False,
) -> str:
    """DOT for these boxes; `name` gives each its name, `lines` its text by id (`said`), `look` its colours.

    `close` is for who writes the words at the lines larger afterwards than the room that is made for them.

    Boxes get the SVG ids n0, n1, ..., edges e0, e1, ...
    """
    names = {node.id: _quote(name(node)) for node in nodes}
    weighed = any(edge.weight is not None for edge in edges)  # then the words of the weights stand alone
    text = [
        f"digraph {_quote(title)} {{",
        *_style(direction, dpi, CLOSE if close and direction == "LR" and not weighed else SAID),
    ]
    for place, node in enumerate(nodes):
        label = _quote("\\n".join(_literal(line).replace("&", "&amp;") for line in lines[node.id]), escaped=True)
        shape = (_outline(node, lines[node.id]), _alarm(node))  # of two shapes the last one holds
        parts = (f"label={label}", f"id=n{place}", *shape, look(node))
        text.append(f"  {names[node.id]} [{', '.join(filter(None, parts))}];")
    for place, edge in enumerate(edges):
        words = _quote(f"  {edge.words}") if edge.words else "" if weighed else _beside(edge.shape, direction)
        label = f", label={words}" if words else ""
        text.append(f"  {names[edge.tail]} -> {names[edge.head]} [id=e{place}{_look(edge)}{label}];")
    return "\n".join([*text, "}", ""])


def said(nodes: Sequence[Node], edges: Sequence[Edge]) -> dict[str, tuple[str, ...]]:
    """The lines in each box: a shape that stands at the lines which leave it is not said twice."""
    weighed = any(edge.weight is not None for edge in edges)
    at = set() if weighed else {(edge.tail, edge.shape) for edge in edges}
    return {
        node.id: tuple(line for line in (*node.lines, node.amount) if line and (node.id, line) not in at)
        for node in nodes
    }


@lru_cache(maxsize=256)
def render(text: str, form: Literal["svg", "png"]) -> bytes:
    """Graphviz' drawing of `text`, cached by it."""
    import pygraphviz

    with _lock:
        drawn: bytes = pygraphviz.AGraph(string=text).draw(format=form, prog="dot")
    return drawn


def _outline(node: Node, lines: tuple[str, ...]) -> str:
    """What a box looks like if it is no rounded one; a circle round many letters would be huge."""
    name = word(node.kind)
    return SHAPES["scale" if name == "add" and max(map(len, lines), default=0) > 2 else name] if name in SHAPES else ""


def _beside(shape: str, direction: str) -> str:
    """A shape for the line it travels along, quoted: short and in two rows where lines run across."""
    channels, _, grid = shape.partition("×")
    return "" if not shape else f'"{channels}×\\n{grid}"' if direction == "LR" else f'"{shape}"'


def _look(edge: Edge) -> str:
    """An edge's own colour and width: that of its weight, else a shortcut's."""
    if edge.weight is not None:
        width = THIN + (WIDE - THIN) * min(1.0, abs(edge.weight))
        colour, dash = (AGAINST, ", style=dashed") if edge.weight < 0 else (FOR, "")
        return f', color="{colour}", fontcolor="{colour}", penwidth={width:.2f}{dash}'
    return f', color="{SHORTCUT}", penwidth=2.2' if edge.is_shortcut else ""


def look(node: Node, *, plain: bool) -> tuple[str, str, str]:
    """The colours of a box in light surroundings: line, filling, text; `plain` is without those of the kinds."""
    accent = LINE if plain else ACCENTS[word(node.kind)]
    line = SLIP if node.alarm == "slip" else accent
    if fill := filling(node):
        return SLIP if node.alarm == "slip" else LINE, fill, ink(fill)
    return line, "#ffffff" if plain else _mix(accent), INK


def filling(node: Node) -> str:
    """The colour that a box is filled with, whatever its kind's; empty for that of its kind."""
    return BROKEN if node.alarm == "fails" else node.fill


def _alarm(node: Node) -> str:
    """The outline of what is wrong, so that no colour says it alone: an add that cannot be is a stop sign, a box at
    which the paper slips has one line more than its kind."""
    if node.alarm == "fails":
        return "shape=octagon" if node.kind == "add" else ""
    return "" if node.alarm != "slip" else f"peripheries={3 if node.kind.endswith('pool') else 2}"


def _fill(node: Node, *, plain: bool) -> str:
    line, inside, text = look(node, plain=plain)
    return f'color="{line}", fillcolor="{inside}", fontcolor="{text}"'


def ink(fill: str) -> str:
    """Dark or white, whichever is read better on `fill` (contrast of WCAG 2)."""
    light = _luminance(fill)
    on_white, on_dark = 1.05 / (light + 0.05), (light + 0.05) / (_luminance(_DARK) + 0.05)
    return _LIGHT if on_white > on_dark else _DARK


def parts(colour: str) -> tuple[int, ...]:
    """Red, green and blue of #rrggbb, 0 to 255."""
    return tuple(int(colour[place : place + 2], 16) for place in (1, 3, 5))


def _luminance(colour: str) -> float:
    linear = [c / 12.92 if (c := one / 255) <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for one in parts(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _style(direction: str, dpi: int | None, said: float) -> list[str]:
    more = f", dpi={dpi}" if dpi else ""
    between = 0.02 if direction == "LR" else 0.24  # the shapes at the lines make room of their own
    return [
        f"  graph [rankdir={direction}, ordering=out, nodesep=0.2, ranksep={between}, pad=0.06,"
        f' bgcolor="white"{more}];',
        f'  node [shape=box, style="rounded,filled", fontname="{_FONT}", fontsize=12, fontcolor="{INK}",'
        ' margin="0.07,0.05", height=0.35, width=0.4, penwidth=1.2];',
        f'  edge [color="{LINE}", fontname="{_FONT}", fontsize={said:g}, fontcolor="{LINE}", arrowsize=0.6];',
    ]


def _mix(accent: str) -> str:
    """The accent thinned with white: the fill for viewers that know no style sheets."""
    return "#" + "".join(f"{round(255 - TINT * (255 - part)):02x}" for part in parts(accent))


def _literal(text: str) -> str:
    """Text in which Graphviz sees no escapes of its own."""
    return text.replace("\\", "\\\\")


def _quote(text: str, *, escaped: bool = False) -> str:
    safe = text if escaped else _literal(text)
    return '"' + safe.replace('"', '\\"') + '"'
