"""Boxes at their places, as Graphviz' bare SVG; a whole network is laid out block by block.

All blocks of a network stand one after the other, each with one box that enters and one that leaves, so the drawing of
the whole is those of its blocks put together at these boxes, in lanes (`lanes`). A lane begins with the box that ends
the one before, dashed, and a dashed line leads there. Copies of a block are laid out once. On Inception-ResNet-v2 with
every step that is far quicker than one layout of all its boxes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from inception_lab.readers import lanes, layout

if TYPE_CHECKING:
    from inception_lab.readers.drawing import Direction, Edge, Graph, Node
    from inception_lab.readers.lanes import Lane, Sides

SPACE = "http://www.w3.org/2000/svg"

FEW = 100  # boxes up to which one layout is quick
NAME = 48  # points of the letters that name a lane: to be read when all of it is on the screen
AIR = 8.0  # between a dashed line and the box it leads to
SAME = ("batch norm", "relu", "scale")  # what leaves them has the shape of what enters, which is said once
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
    text = layout.source(nodes, edges, direction=direction, name=lambda node: names[node.id], lines=lines, close=True)
    return ElementTree.fromstring(layout.render(text, "svg"))


@dataclass(frozen=True, slots=True)
class _Drawn:
    """One part as Graphviz draws it: its canvas, its boxes and lines by mark, and the centres of its boxes."""

    part: Part
    canvas: ElementTree.Element
    marks: Mapping[str, ElementTree.Element]
    centres: tuple[Point, ...]
    sides: Sides


def stacked(graph: Graph, found: Sequence[Part]) -> ElementTree.Element:
    """The SVG of all parts, each moved to where the last box of the one before it stands; ids count through."""
    text = layout.said(graph.nodes, graph.edges)
    edges = _said_once(graph)
    drawn = [_draw(graph, part, edges, text) for part in found]
    rows = lanes.lanes(_blocks(graph, drawn), across=graph.direction == "LR")
    root = ElementTree.Element(f"{{{SPACE}}}svg")
    decor = ElementTree.SubElement(root, f"{{{SPACE}}}g", {"class": "lanes", "aria-hidden": "true"})
    ended: tuple[_Drawn, Point] | None = None
    for lane in rows:
        first = drawn[lane.blocks[0]]
        _begin(decor, first, lane, graph, ended)
        for number, place in zip(lane.blocks, lane.places, strict=True):
            _put(root, drawn[number], place, keep=number == 0)
        ended = drawn[lane.blocks[-1]], lane.places[-1]
        ElementTree.SubElement(
            decor,
            f"{{{SPACE}}}text",
            {"x": f"{lane.sides[0]:.1f}", "y": f"{lane.sides[1] - AIR:.1f}", "font-size": f"{NAME}"},
        ).text = _name(graph, [drawn[number].part for number in lane.blocks])
    _frame(root, lanes.around([lane.sides for lane in rows]))
    return root


def _said_once(graph: Graph) -> list[Edge]:
    """The lines without the shapes that the next line says as well."""
    kinds = {node.id: node.kind for node in graph.nodes}
    return [replace(edge, shape="") if kinds[edge.head] in SAME else edge for edge in graph.edges]


def _draw(graph: Graph, part: Part, edges: Sequence[Edge], text: Lines) -> _Drawn:
    """A part, laid out by itself; its sides are those around its first box."""
    drawn = laid([graph.nodes[n] for n in part.boxes], [edges[n] for n in part.lines], graph.direction, text)
    canvas = drawn[0]
    marks = {element.get("id", ""): element for element in canvas}
    centres = tuple(_centre(marks[f"n{place}"]) for place in range(len(part.boxes)))
    _, _, wide, high = (float(side) for side in drawn.attrib["viewBox"].split())
    shift = canvas.attrib["transform"].rpartition("translate(")[2].rstrip(")").split()
    left, top = -float(shift[0]) - centres[0][0], -float(shift[1]) - centres[0][1]
    return _Drawn(part, canvas, marks, centres, (left, top, left + wide, top + high))


def _blocks(graph: Graph, drawn: Sequence[_Drawn]) -> list[lanes.Block]:
    stages = [_stage(graph.nodes[one.part.boxes[-1]]) for one in drawn]
    count = Counter(stages)
    return [
        lanes.Block(
            one.sides,
            (one.centres[-1][0] - one.centres[0][0], one.centres[-1][1] - one.centres[0][1]),
            stage,
            count[stage] > 1,
        )
        for one, stage in zip(drawn, stages, strict=True)
    ]


def _put(root: ElementTree.Element, drawn: _Drawn, place: Point, *, keep: bool) -> None:
    """A part at its place, with its first box only where nothing has drawn it before."""
    first = drawn.centres[0]
    if not keep:
        drawn.canvas.remove(drawn.marks["n0"])
    for mark, numbers in (("n", drawn.part.boxes), ("e", drawn.part.lines)):
        for at, number in enumerate(numbers):
            drawn.marks[f"{mark}{at}"].set("id", f"{mark}{number}")
    drawn.canvas.set("transform", f"translate({place[0] - first[0]:.2f} {place[1] - first[1]:.2f})")
    root.append(drawn.canvas)


def _begin(
    decor: ElementTree.Element, drawn: _Drawn, lane: Lane, graph: Graph, ended: tuple[_Drawn, Point] | None
) -> None:
    """What a lane after the first begins with: the box that ended the one before, dashed, and the line from there."""
    if ended is None:
        return
    before, last = ended
    start, place = drawn.centres[0], lane.places[0]
    moved = f"translate({place[0] - start[0]:.2f} {place[1] - start[1]:.2f})"
    ghost = ElementTree.SubElement(decor, f"{{{SPACE}}}g", {"transform": moved})
    for shape in drawn.marks["n0"]:
        if not shape.tag.endswith("title"):
            text = shape.tag.endswith("text")
            ghost.append(ElementTree.Element(shape.tag, {**shape.attrib, "class": "" if text else "box"}))
            ghost[-1].text = shape.text
    end = last[0] + before.centres[-1][0] - before.centres[0][0], last[1] + before.centres[-1][1] - before.centres[0][1]
    out = _reach(before.marks[f"n{len(before.centres) - 1}"], graph.direction)
    way = _turn(end, out, place, _reach(drawn.marks["n0"], graph.direction), lane.sides, graph.direction)
    ElementTree.SubElement(decor, f"{{{SPACE}}}path", {"class": "turn", "d": way})


def _turn(start: Point, out: float, end: Point, into: float, sides: Sides, direction: Direction) -> str:
    """From the end of a lane through the room between the two to the beginning of the next, `sides`, as a path."""
    across = direction == "LR"
    (a, b), (c, d) = (start, end) if across else (start[::-1], end[::-1])
    between = (sides[1] if across else sides[0]) - AIR - (NAME if across else 0.0)
    corners = [(a + out, b), (a + out + AIR, b), (a + out + AIR, between), (c - into - AIR, between)]
    corners += [(c - into - AIR, d), (c - into, d)]
    return "M" + " L".join(f"{x:.1f},{y:.1f}" if across else f"{y:.1f},{x:.1f}" for x, y in corners)


def _reach(box: ElementTree.Element, direction: Direction) -> float:
    """Half of what a box takes up along the lane."""
    axis = 0 if direction == "LR" else 1
    for shape in box:
        if radius := shape.get("rx" if axis == 0 else "ry"):
            return float(radius)
        if drawn := shape.get("points") or shape.get("d"):
            places = [float(number) for number in re.findall(r"-?\d+\.?\d*", drawn)][axis::2]
            return (max(places) - min(places)) / 2
    return 0.0


def _name(graph: Graph, parts: Sequence[Part]) -> str:
    """What a lane holds, as its first and last block."""
    ends = [_block(graph.nodes[part.boxes[-1]]).split("/", 1)[1] for part in (parts[0], parts[-1])]
    return " to ".join(dict.fromkeys(ends))


def _frame(root: ElementTree.Element, sides: Sides) -> None:
    """Give the drawing its size, with room for the first lane's name and the lines at the ends."""
    left, top, right, bottom = sides[0] - 2 * AIR, sides[1] - NAME - AIR, sides[2] + 2 * AIR, sides[3] + 2 * AIR
    root.attrib.update({"viewBox": f"{left:.2f} {top:.2f} {right - left:.2f} {bottom - top:.2f}"})
    root.attrib.update({"width": f"{right - left:.0f}pt", "height": f"{bottom - top:.0f}pt"})


def _block(node: Node) -> str:
    return "/".join(node.id.split("/")[: 2 if "/head/" in node.id else 3])


def _stage(node: Node) -> str:
    return "/".join(node.id.split("/")[:2])


def _centre(element: ElementTree.Element) -> Point:
    """The middle of a box: that of its text's rows, which Graphviz centres in it."""
    rows = [child for child in element if child.tag == f"{{{SPACE}}}text"]
    return float(rows[0].attrib["x"]), (float(rows[0].attrib["y"]) + float(rows[-1].attrib["y"])) / 2
