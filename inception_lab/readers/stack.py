"""Boxes at their places, as Graphviz' bare SVG; a whole network is laid out block by block.

All blocks of a network stand one after the other, each with one box that enters and one that leaves, so the drawing of
the whole is those of its blocks put together at these boxes. Copies of a block are laid out once. On
Inception-ResNet-v2 with every step that is far quicker than one layout of all its boxes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from inception_lab.readers import layout

if TYPE_CHECKING:
    from inception_lab.readers.drawing import Direction, Edge, Graph, Node

SPACE = "http://www.w3.org/2000/svg"

FEW = 100  # boxes up to which one layout is quick
Point = tuple[float, float]
Lines = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Part:
    """The boxes of one block and the lines that enter them; `boxes[0]` is where it hangs on what comes before."""

    boxes: tuple[int, ...]
    lines: tuple[int, ...]


def parts(graph: Graph) -> list[Part]:
    """Places of boxes and lines in `graph`, block by block; a single part where it is small or hangs together."""
    whole = Part(tuple(range(len(graph.nodes))), tuple(range(len(graph.edges))))
    if len(graph.nodes) <= FEW:
        return [whole]
    found: list[Part] = []
    place = {node.id: number for number, node in enumerate(graph.nodes)}
    entering: dict[int, list[int]] = {}
    for number, edge in enumerate(graph.edges):
        entering.setdefault(place[edge.head], []).append(number)
    for _, group in groupby(range(1, len(graph.nodes)), lambda number: _block(graph.nodes[number])):
        own = tuple(group)
        boxes = (own[0] - 1, *own)
        lines = tuple(line for box in own for line in entering.get(box, ()))
        if any(place[graph.edges[line].tail] not in boxes for line in lines):
            return [whole]
        found.append(Part(boxes, lines))
    return found


def laid(nodes: Sequence[Node], edges: Sequence[Edge], direction: Direction, lines: Lines) -> ElementTree.Element:
    """The SVG of these boxes with their marks n0, n1, ..., e0, e1, ... as ids."""
    names = {node.id: f"n{place}" for place, node in enumerate(nodes)}
    text = layout.source(nodes, edges, direction=direction, name=lambda node: names[node.id], lines=lines)
    return ElementTree.fromstring(layout.render(text, "svg"))


def stacked(graph: Graph, found: Sequence[Part]) -> ElementTree.Element:
    """The SVG of all parts, each moved to where the last box of the one before it stands; ids count through."""
    lines = {node.id: node.lines for node in graph.nodes}
    root = ElementTree.Element(f"{{{SPACE}}}svg")
    at: dict[int, Point] = {}
    box = _Box()
    for part in found:
        nodes, edges = [graph.nodes[n] for n in part.boxes], [graph.edges[n] for n in part.lines]
        drawn = laid(nodes, edges, graph.direction, lines)
        canvas = drawn[0]
        marks = {element.get("id", ""): element for element in canvas}
        own = {number: _centre(marks[f"n{place}"]) for place, number in enumerate(part.boxes)}
        entry = part.boxes[0]
        before = at.get(entry, own[entry])
        move = (before[0] - own[entry][0], before[1] - own[entry][1])
        if entry in at:
            canvas.remove(marks["n0"])
        at.update({number: (x + move[0], y + move[1]) for number, (x, y) in own.items()})
        box.add(drawn, move)
        for place, number in enumerate(part.boxes):
            marks[f"n{place}"].set("id", f"n{number}")
        for place, number in enumerate(part.lines):
            marks[f"e{place}"].set("id", f"e{number}")
        canvas.set("transform", f"translate({move[0]:.2f} {move[1]:.2f})")
        root.append(canvas)
    box.frame(root)
    return root


class _Box:
    """What all parts take up together."""

    def __init__(self) -> None:
        self.sides: list[tuple[float, float, float, float]] = []

    def add(self, drawn: ElementTree.Element, move: Point) -> None:
        """One more part, at its place."""
        _, _, wide, high = (float(side) for side in drawn.attrib["viewBox"].split())
        shift = drawn[0].attrib["transform"].rpartition("translate(")[2].rstrip(")").split()
        left, top = move[0] - float(shift[0]), move[1] - float(shift[1])
        self.sides.append((left, top, left + wide, top + high))

    def frame(self, root: ElementTree.Element) -> None:
        """Give the drawing its size."""
        left, top = min(side[0] for side in self.sides), min(side[1] for side in self.sides)
        right, bottom = max(side[2] for side in self.sides), max(side[3] for side in self.sides)
        root.attrib.update({"viewBox": f"{left:.2f} {top:.2f} {right - left:.2f} {bottom - top:.2f}"})
        root.attrib.update({"width": f"{right - left:.0f}pt", "height": f"{bottom - top:.0f}pt"})


def _block(node: Node) -> str:
    return "/".join(node.id.split("/")[: 2 if "/head/" in node.id else 3])


def _centre(element: ElementTree.Element) -> Point:
    text = next(child for child in element if child.tag == f"{{{SPACE}}}text")
    return float(text.attrib["x"]), float(text.attrib["y"])
