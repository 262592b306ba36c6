"""What a drawing of a network is made of, and the ways to hand it on: DOT, SVG, PNG, a page, a table, a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from inception_lab.errors import UnknownAddress
from inception_lab.readers import layout, page, svg, tint
from inception_lab.readers.marks import Alarm
from inception_lab.readers.table import Kind
from inception_lab.readers.tint import Tint

Depth = Literal["stages", "block", "ops"]
Direction = Literal["LR", "TB"]
NodeKind = Kind | Literal["stage", "input", "batch norm"]


@dataclass(frozen=True, slots=True)
class Node:
    """One box. `id` is the full address; a box for the image has the network's name as its address.

    `output` is (C, H, W), `receptive_field` (height, width) in pixels of the image, `repeat` the number of blocks
    folded into the box, `memory` the bytes of its output in fp32 (of a stage: of all its ops' outputs). `largest` is,
    of a stage, the largest parameters, multiply-adds and memory that one op of it has. `kernel` and `padding` are given
    where the op has a window. `fill` is a colour (#rrggbb) for an amount, `amount` the amount in words; both are empty
    in a drawing that is not coloured by one. `mark` are words on what is wrong here, `alarm` what kind of wrong: an op
    that cannot be, or a slip of the paper.
    """

    id: str
    label: tuple[str, ...]
    kind: NodeKind
    output: tuple[int, int, int]
    parameters: int = 0
    multiply_adds: int = 0
    memory: int = 0
    kernel: tuple[int, int] | None = None
    padding: Literal["same", "valid"] | None = None
    receptive_field: tuple[int, int] = (1, 1)
    repeat: int = 1
    largest: tuple[int, int, int] | None = None
    hover: str = ""
    fill: str = ""
    amount: str = ""
    mark: str = ""
    alarm: Alarm = ""

    @property
    def lines(self) -> tuple[str, ...]:
        """The label, and the mark as a line of its own."""
        return (*self.label, f"! {self.mark}") if self.mark else self.label

    @property
    def warning(self) -> str:
        """The mark for those who do not see its shape."""
        return f"cannot be, {self.mark}" if self.alarm == "fails" else self.mark


@dataclass(frozen=True, slots=True)
class Edge:
    """A tensor on its way from `tail` to `head` (ids); `shape` reads C×H×W. A shortcut goes past a residual's body.

    `weight`, from -1 to 1, is drawn as the width of the line, below 0 dashed; `words` are written beside it.
    """

    tail: str
    head: str
    shape: str
    is_shortcut: bool = False
    weight: float | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Graph:
    """A drawing as plain data. It shows itself in a notebook.

    `name` is the network, `at` the full address of what is drawn (nothing for the whole network), `alt` the drawing in
    words, made from the same data. `tint` is what the colours say, `most` the end of their scale.
    """

    name: str
    depth: Depth
    at: str | None
    title: str
    alt: str = field(repr=False)
    direction: Direction
    nodes: tuple[Node, ...] = field(repr=False)
    edges: tuple[Edge, ...] = field(repr=False)
    tint: Tint = "kind"
    most: int = 0

    def node(self, address: str) -> Node:
        """The box at a full address: itself, the box that contains it, or else the last box inside it.

        Raises `UnknownAddress` when the drawing shows neither.
        """
        holders = [node for node in self.nodes if f"{address}/".startswith(f"{node.id}/") and node.kind != "input"]
        inside = [node for node in self.nodes if node.id.startswith(f"{address}/") and node.kind != "input"]
        itself = [node for node in self.nodes if node.id == address]
        found = itself or sorted(holders, key=lambda node: len(node.id)) or inside
        if not found:
            raise UnknownAddress(f"{address} is not in the drawing of {self.at or self.name}; draw it there instead.")
        return found[-1]

    def weighed(self, weights: Mapping[tuple[str, str], tuple[float, str]]) -> Graph:
        """The same drawing with some edges, by (tail, head), as wide as a weight from -1 to 1, and words beside them.

        Raises `UnknownAddress` for an edge that is not there.
        """
        if strange := weights.keys() - {(edge.tail, edge.head) for edge in self.edges}:
            tail, head = min(strange)
            raise UnknownAddress(f"Nothing goes from {tail} to {head} in the drawing of {self.at or self.name}.")
        pairs = [(edge, weights.get((edge.tail, edge.head))) for edge in self.edges]
        edges = tuple(edge if new is None else replace(edge, weight=new[0], words=new[1]) for edge, new in pairs)
        return replace(self, edges=edges)

    def coloured(self, by: Tint, *, most: int | None = None, largest: bool = False) -> Graph:
        """The same drawing in the colours of an amount (cividis, from 0 to `most`), of the kinds, or in none.

        Without `most` the box with the most sets the end of the scale. Each box says its amount in words too. With
        `largest` a stage has the colour of its largest op, not of their sum: then it can be held against single ops.
        """
        if by == "none" or by == "kind":
            return replace(self, tint=by, most=0, nodes=tint.plain(self.nodes))
        end = tint.largest(self.nodes, by, single=largest) if most is None else most
        return replace(self, tint=by, most=end, nodes=tint.coloured(self.nodes, by, most=end, single=largest))

    def marked(self, marks: Mapping[str, tuple[str, str]]) -> Graph:
        """The same drawing with some boxes, by address, filled with a colour (#rrggbb), and words in them.

        All boxes at or inside an address are marked, or else the one that contains it; the others have no colour.
        """
        found: dict[str, tuple[str, str]] = {}
        for address, mark in marks.items():
            inside = [
                node.id for node in self.nodes if f"{node.id}/".startswith(f"{address}/") and node.kind != "input"
            ]
            found |= dict.fromkeys(inside or [self.node(address).id], mark)
        nodes = tuple(
            replace(node, fill=found[node.id][0], amount=found[node.id][1]) if node.id in found else node
            for node in tint.plain(self.nodes)
        )
        return replace(self, tint="none", most=0, nodes=nodes)

    @property
    def dot(self) -> str:
        """The drawing in Graphviz' DOT language, with addresses as names."""
        return layout.dot(self)

    def svg(self) -> str:
        """The drawing as an SVG that scales, follows the page's colours and can be walked with the keyboard.

        Every box is `<g class="node kind-..." data-address="...">`, every edge carries `data-tail` and `data-head`.
        """
        return svg.svg(self)

    def png(self, *, dpi: int = 144) -> bytes:
        """The drawing as a PNG in light colours."""
        return layout.render(layout.dot(self, dpi=dpi), "png")

    def html(self) -> str:
        """One page with the drawing, its words and its table, which opens without a network."""
        return page.page(self)

    def to_rows(self) -> list[dict[str, Any]]:
        """The boxes as a table, one plain dictionary each: the drawing for those who cannot see it."""
        return [
            {
                "address": node.id,
                "label": ", ".join(node.label),
                "kind": node.kind,
                "output": list(node.output),
                "parameters": node.parameters,
                "multiply_adds": node.multiply_adds,
                "memory": node.memory,
                "receptive_field": max(node.receptive_field),
                "repeat": node.repeat,
                "mark": node.mark,
            }
            for node in self.nodes
        ]

    def _repr_html_(self) -> str:
        return svg.sliding(self.svg(), page.legend(self))

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        drawn = self.svg()
        return {"image/svg+xml": drawn, "text/html": svg.sliding(drawn, page.legend(self)), "text/plain": self.alt}
