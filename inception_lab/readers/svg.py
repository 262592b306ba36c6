"""Graphviz' SVG made fit for a page: addresses on the boxes, colours from the page's theme, room to scale, a way in for
the keyboard and for screen readers.

Colours stand twice: as attributes (light, for viewers without style sheets) and as a style sheet that follows the
variables `--st-*` of Streamlit or `--jp-*` of Jupyter (also of an exported notebook) where there are any, else the
reader's light or dark setting.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from inception_lab.readers import layout, stack

if TYPE_CHECKING:
    from inception_lab.readers.drawing import Edge, Graph, Node

SVG = stack.SPACE

RAISED = 2.5  # points from the middle of their room to that of the words, away from the line
READ = 0.9  # the share of its natural size at which a drawing's smallest letters have 10 pixels

_SPECIAL = re.compile("[&<>\"'\n]")
_POINT = 96 / 72  # CSS pixels in one of Graphviz' points

_STYLE = """
.lab-graph {
  --lab-surface: var(--st-background-color, var(--jp-layout-color0, #ffffff));
  --lab-ink: var(--st-text-color, var(--jp-content-font-color1, #1d2733));
  --lab-line: var(--st-gray-text-color, var(--jp-content-font-color2, #6b7280));
  width: 100%; height: auto; max-width: var(--lab-width); background: var(--lab-surface);
  font-family: "Helvetica Neue", Helvetica, Arial, "Liberation Sans", system-ui, sans-serif;
}
@media (prefers-color-scheme: dark) {
  .lab-graph {
    --lab-surface: var(--st-background-color, var(--jp-layout-color0, #0e1117));
    --lab-ink: var(--st-text-color, var(--jp-content-font-color1, #f3f4f6));
    --lab-line: var(--st-gray-text-color, var(--jp-content-font-color2, #a3a8b4));
  }
}
.lab-graph text { fill: var(--lab-ink); font-family: inherit; }
.lab-graph .node { cursor: pointer; outline: none; }
.lab-graph .box { fill: color-mix(in srgb, var(--lab-accent) 18%, var(--lab-surface)); stroke: var(--lab-accent); }
.lab-graph.by-none .node { --lab-accent: var(--lab-line); }
.lab-graph.by-none .box { fill: var(--lab-surface); }
.lab-graph .filled .box { fill: var(--lab-fill); stroke: var(--lab-line); }
.lab-graph .filled text { fill: var(--lab-on); }
.lab-graph .rim { fill: none; stroke: var(--lab-accent); }
.lab-graph .filled .rim { stroke: var(--lab-line); }
.lab-graph .slip .box, .lab-graph .slip .rim, .lab-graph .slip.filled .rim { stroke: var(--lab-slip); }
.lab-graph .detail { font-size: 11.6px; opacity: 0.85; }
.lab-graph .mark { font-size: 11.6px; }
.lab-graph .edge path { stroke: var(--lab-line); }
.lab-graph .edge polygon { stroke: var(--lab-line); fill: var(--lab-line); }
.lab-graph .edge text { fill: var(--lab-line); paint-order: stroke; stroke: var(--lab-surface); stroke-width: 2px; }
.lab-graph .edge text:only-of-type { transform: translateX(4px); }
.lab-graph .lanes text { fill: var(--lab-line); opacity: 0.75; }
.lab-graph .lanes .box { fill: none; stroke: var(--lab-line); stroke-dasharray: 3 3; }
.lab-graph .lanes .turn { fill: none; stroke: var(--lab-line); stroke-dasharray: 6 4; }
.lab-graph .shortcut path { stroke: var(--lab-shortcut); }
.lab-graph .shortcut polygon { stroke: var(--lab-shortcut); fill: var(--lab-shortcut); }
.lab-graph .for path, .lab-graph .for polygon { stroke: var(--lab-for); }
.lab-graph .for polygon, .lab-graph .for text { fill: var(--lab-for); }
.lab-graph .against path, .lab-graph .against polygon { stroke: var(--lab-against); }
.lab-graph .against polygon, .lab-graph .against text { fill: var(--lab-against); }
.lab-graph .weighed polygon { stroke-width: 1; stroke-dasharray: none; }
.lab-graph .weighed text {
  font-weight: 600; font-size: 11px; paint-order: stroke; stroke: var(--lab-surface); stroke-width: 3px;
}
.lab-graph .node:not(.filled):hover .box { fill: color-mix(in srgb, var(--lab-accent) 32%, var(--lab-surface)); }
.lab-graph .node:focus-visible .box, .lab-graph .node.selected .box { stroke-width: 3.2; }
.lab-graph .filled:focus-visible .box, .lab-graph .filled.selected .box { stroke: var(--lab-ink); }
.lab-graph .node.selected:not(.filled) .box { fill: color-mix(in srgb, var(--lab-accent) 42%, var(--lab-surface)); }
"""


def svg(graph: Graph) -> str:
    """The finished SVG of `graph`; no script, no fixed width, no ids that could meet others on a page."""
    found: list[str] = []
    root = _root(graph)
    root.set("xmlns", stack.SPACE)
    _write(root, found)
    return "".join(found)


def sliding(drawn: str, legend: str = "") -> str:
    """A finished SVG and its legend as HTML for a column of any width: the drawing slides sideways before its letters
    are too small to read."""
    readable = drawn.replace('style="--lab-width', f'style="min-width: calc(var(--lab-width) * {READ}); --lab-width', 1)
    return f'<div style="overflow-x: auto">{readable}</div>{legend}'


def _write(element: ElementTree.Element, found: list[str]) -> None:
    """The element as text without its namespace: a third of the time that ElementTree's own writer takes."""
    tag = element.tag.rpartition("}")[2]
    marks = "".join(f' {key}="{_safe(value)}"' for key, value in element.attrib.items() if key[0] != "{")
    found.append(f"<{tag}{marks}>")
    if text := (element.text or "").strip():
        found.append(escape(text, quote=False))
    for child in element:
        _write(child, found)
    found.append(f"</{tag}>")


def _safe(value: str) -> str:
    return escape(value).replace("\n", "&#10;") if _SPECIAL.search(value) else value


def _root(graph: Graph) -> ElementTree.Element:
    parts = stack.parts(graph)
    if len(parts) > 1:
        root = stack.stacked(graph, parts)
    else:
        root = stack.laid(graph.nodes, graph.edges, graph.direction, layout.said(graph.nodes, graph.edges))
    for canvas in root.findall(f"{{{SVG}}}g[@id]"):
        canvas.attrib.pop("id")
        canvas[:] = _finished(canvas, graph)
    _finish_root(root, graph)
    return root


def _finished(canvas: ElementTree.Element, graph: Graph) -> list[ElementTree.Element]:
    """The lines and then, above them, the boxes in the network's order: the one in which the keyboard walks them."""
    marked = {element.attrib.pop("id", ""): element for element in canvas}
    lines = sorted(int(mark[1:]) for mark in marked if mark[:1] == "e")
    boxes = sorted(int(mark[1:]) for mark in marked if mark[:1] == "n")
    for place in lines:
        _finish_edge(marked[f"e{place}"], graph.edges[place])
    for place in boxes:
        _finish_node(marked[f"n{place}"], graph.nodes[place], plain=graph.tint == "none")
    return [*(marked[f"e{place}"] for place in lines), *(marked[f"n{place}"] for place in boxes)]


def _finish_root(root: ElementTree.Element, graph: Graph) -> None:
    width = float(root.attrib.pop("width").removesuffix("pt")) * _POINT
    root.attrib.pop("height")
    root.set("class", f"lab-graph depth-{graph.depth} by-{layout.word(graph.tint.replace('_', ' '))}")
    root.set("style", f"--lab-width: {width:.0f}px")
    root.set("role", "group")
    root.set("aria-label", graph.title)
    style, words = ElementTree.Element(f"{{{SVG}}}style"), ElementTree.Element(f"{{{SVG}}}desc")
    style.text = _style()
    words.text = graph.alt
    root[:0] = [words, style]


def _finish_node(element: ElementTree.Element, node: Node, *, plain: bool) -> None:
    filled = bool(layout.filling(node))
    names = ["node", f"kind-{layout.word(node.kind)}", *["filled"] * filled, *filter(None, [node.alarm])]
    element.set("class", " ".join(names))
    line, filling, text = layout.look(node, plain=plain)
    if filled:
        element.set("style", f"--lab-fill: {filling}; --lab-on: {text}")
    element.set("data-address", node.id)
    element.set("tabindex", "0")
    element.set("role", "button")
    element.set("aria-label", ", ".join(filter(None, (*node.label, node.warning, node.amount, node.id))))
    _tag(element, "title").text = node.hover
    for child in element:
        name = child.tag.removeprefix(f"{{{SVG}}}")
        if name in ("path", "polygon", "ellipse"):
            inner = element.find("*[@class='box']") is None
            look = {"class": "box", "fill": filling} if inner else {"class": "rim", "fill": "none"}
            child.attrib.update({**look, "stroke": line})
    for place, words in enumerate(element.findall(f"{{{SVG}}}text")):
        words.set("fill", text)
        if node.mark and words.text == f"! {node.mark}":
            words.set("class", "mark")
        elif place:
            words.set("class", "detail")


def _finish_edge(element: ElementTree.Element, edge: Edge) -> None:
    marks = () if edge.weight is None else ("weighed", _sign(edge.weight))
    element.set("class", " ".join(["edge", *["shortcut"] * edge.is_shortcut, *marks]))
    element.set("data-tail", edge.tail)
    element.set("data-head", edge.head)
    kind = "shortcut" if edge.is_shortcut else "tensor"
    credit = "" if edge.weight is None else f"\n{edge.words}, {_sign(edge.weight)}"
    rows = element.findall(f"{{{SVG}}}text")
    if rows[1:]:  # in two rows for a line that runs across, for which room was made closely
        _enlarge(rows)
    _tag(element, "title").text = f"{kind} {edge.shape}\nfrom {edge.tail}\nto {edge.head}{credit}"


def _enlarge(rows: list[ElementTree.Element]) -> None:
    """The words above a line in the size they are read in, about the middle of the room made for smaller ones."""
    middle = sum(float(row.attrib["y"]) for row in rows) / len(rows)
    for place, row in enumerate(rows):
        down = (place - (len(rows) - 1) / 2) * layout.SAID + (layout.SAID - layout.CLOSE) * 0.35 - RAISED
        row.attrib.update({"y": f"{middle + down:.2f}", "font-size": f"{layout.SAID}"})


def _sign(weight: float) -> str:
    return "against" if weight < 0 else "for"


def _tag(element: ElementTree.Element, name: str) -> ElementTree.Element:
    """The child called `name`; Graphviz writes a title for every box and edge."""
    return next(child for child in element if child.tag == f"{{{SVG}}}{name}")


def _style() -> str:
    kinds = "".join(
        f".lab-graph .kind-{kind} {{ --lab-accent: {accent}; }}\n" for kind, accent in layout.ACCENTS.items()
    )
    return f"{_STYLE}.lab-graph {{ --lab-shortcut: {layout.SHORTCUT}; --lab-slip: {layout.SLIP}; {_signs()} }}\n{kinds}"


def _signs() -> str:
    return f"--lab-for: {layout.FOR}; --lab-against: {layout.AGAINST};"
