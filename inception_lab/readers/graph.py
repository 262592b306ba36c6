"""A network as a drawing at three depths: a strip of stages, one block as the paper draws it, or every op.

The boxes and edges are plain data (`drawing.Graph`); layout and colours come later and elsewhere.
"""

from __future__ import annotations

from typing import assert_never, get_args

from inception_lab.errors import NetworkError
from inception_lab.nets import catalog
from inception_lab.nets.address import NORM, blocks, children, head, locate
from inception_lab.nets.ops import Chain, Concat, Conv, Net, Op, Pool, Residual, Size, Stage
from inception_lab.readers import marks, words
from inception_lab.readers.drawing import Depth, Direction, Edge, Graph, Node, NodeKind
from inception_lab.readers.shapes import shapes
from inception_lab.readers.table import Row, ShapeTable, Total

__all__ = ["Depth", "Direction", "Edge", "Graph", "Node", "NodeKind", "graph"]


def graph(
    net: Net | str,
    *,
    at: str | None = None,
    depth: Depth | None = None,
    size: int | tuple[int, int] | None = None,
    direction: Direction | None = None,
    tolerant: bool = False,
    slips: bool = False,
) -> Graph:
    """The drawing of `net` for an image of `size`.

    `depth="stages"` is the whole network as a strip, a stage's blocks folded; `at` is only noted. It is the depth if
    neither is given; with `at` alone it is `"block"`, which is the
    block that holds `at` (any address; by default the first A block) with a convolution, its batch norm and its ReLU
    as one box.
    `"ops"` takes those apart too, for the block at `at` or, without one, for the whole network.
    `direction` is left to right (the strip) or top to bottom. A `tolerant` drawing goes on behind what cannot be, as
    `shapes` does, and marks it with its numbers; with `slips` it marks where the paper's own drawing cannot be right.

    Raises `UnknownAddress`, and what `shapes` raises.
    """
    depth = depth or ("stages" if at is None else "block")
    _known(depth, direction)
    net = catalog.net(net) if isinstance(net, str) else net
    table = shapes(net, size=size, tolerant=tolerant)
    address = None if at is None else locate(net, at)
    if depth == "stages":
        walker = _strip(net, table)
    elif depth == "ops" and address is None:
        walker = _whole(net, table)
    else:
        address = _block_address(net, address)
        walker = _one_block(net, table, address, split=depth == "ops")
    place = address if depth != "stages" else None
    nodes = marks.put(walker.nodes, marks.marks(net, table, slips=slips))
    return Graph(
        name=net.name,
        depth=depth,
        at=address,
        title=words.title(net.name, place, table.size),
        alt=words.alt(net.name, place, table, walker.nodes) + marks.said(nodes, net.name),
        direction=direction or ("LR" if depth == "stages" else "TB"),
        nodes=nodes,
        edges=tuple(walker.edges),
    )


def _known(depth: str, direction: str | None) -> None:
    if depth not in get_args(Depth) or direction not in (None, *get_args(Direction)):
        words_of = (*get_args(Depth), *get_args(Direction))
        raise NetworkError(
            f"There is no drawing {depth!r}, {direction!r}; depth and direction are {', '.join(words_of)}."
        )


class _Walker:
    """Walks ops in order and writes down boxes and edges; every method returns the id of the box that is last."""

    def __init__(self, table: ShapeTable, *, split: bool) -> None:
        self.rows = {row.address: row for row in table.rows}
        self.split = split
        self.nodes: list[Node] = []
        self.edges: list[Edge] = []
        self.shape_of: dict[str, str] = {}

    def put(self, node: Node, *tails: str, shortcut: str | None = None) -> str:
        """Adds a box and the edges that enter it."""
        self.nodes.append(node)
        self.shape_of[node.id] = words.shape(node.output)
        for tail in tails:
            self.edges.append(Edge(tail, node.id, self.shape_of[tail]))
        if shortcut is not None:
            self.edges.append(Edge(shortcut, node.id, self.shape_of[shortcut], is_shortcut=True))
        return node.id

    def walk(self, op: Op, address: str, tail: str) -> str:
        """Draws `op` with `tail` as its input."""
        match op:
            case Conv():
                return self._conv(op, address, tail)
            case Pool():
                row = self.rows[address]
                label = (f"{op.kind} {words.window(op.window)}", *words.marks(op))
                return self.put(_node(row, row.op, label, op), tail)
            case Chain():
                for name, link in children(op):
                    tail = self.walk(link, f"{address}/{name}", tail)
                return tail
            case Concat():
                ends = [self.walk(branch, f"{address}/{name}", tail) for name, branch in children(op)]
                row = self.rows[f"{address}/concat"]
                return self.put(_node(row, "concat", ("concat", words.shape(row.output))), *ends)
            case Residual():
                return self._residual(op, address, tail)
            case _:
                assert_never(op)

    def _conv(self, op: Conv, address: str, tail: str) -> str:
        row = self.rows[address]
        label = (f"{words.window(op.window)} · {op.channels}", *words.marks(op))
        if not self.split:
            return self.put(_node(row, "conv", label, op), tail)
        norm = 2 * op.channels
        tail = self.put(_node(row, "conv", label, op, part="conv", parameters=row.parameters - norm), tail)
        tail = self.put(_node(row, "batch norm", ("batch norm",), part="bn", parameters=norm, work=0), tail)
        return self.put(_node(row, "relu", ("ReLU",), part="relu", parameters=0, work=0), tail)

    def _residual(self, op: Residual, address: str, tail: str) -> str:
        end = self.walk(op.body, f"{address}/body", tail)
        linear, scale, add = (self.rows[f"{address}/{part}"] for part in ("linear", "scale", "add"))
        end = self.put(_node(linear, "linear", (f"1×1 · {linear.output[0]}", "linear")), end)
        end = self.put(_node(scale, "scale", (words.scale(op),)), end)
        end = self.put(_node(add, "add", ("+",)), end, shortcut=tail)
        if not op.relu:
            return end
        relu = self.rows[f"{address}/relu"]
        return self.put(_node(relu, "relu", ("ReLU", words.shape(relu.output))), end)

    def head(self, net: Net, tail: str, *, dropout: bool) -> str:
        """Draws pooling, dropout and the classifier."""
        for name in head(net):
            row = self.rows[f"{net.name}/head/{name}"]
            label = {
                NORM: ("batch norm", "ReLU"),
                "pool": ("global average", words.shape(row.output)),
                "dropout": (f"dropout {net.dropout:g}",),
                "classifier": ("classifier", f"{net.classes} classes"),
            }[name]
            if name != "dropout" or dropout:
                tail = self.put(_node(row, row.op, label), tail)
        return tail

    def image(self, net: Net, table: ShapeTable) -> str:
        """Draws the image that enters."""
        output = (net.inputs, *table.size)
        hover = f"{net.name}\nThe image\noutput: {words.shape(output)}"
        return self.put(Node(net.name, ("image", words.shape(output)), "input", output, hover=hover))


def _strip(net: Net, table: ShapeTable) -> _Walker:
    walker = _Walker(table, split=False)
    tail = walker.image(net, table)
    for stage, total in zip(net.stages, table.stages(), strict=False):
        tail = walker.put(_stage_node(stage, total, table), tail)
    walker.head(net, tail, dropout=False)
    return walker


def _stage_node(stage: Stage, total: Total, table: ShapeTable) -> Node:
    count = len(stage.blocks)
    name = stage.name.replace("_", " ")
    rows = table.under(total.address)
    field = rows[-1].receptive_field
    amounts = ((row.parameters, row.multiply_adds, row.activation_bytes) for row in rows)
    parameters, work, memory = (max(column) for column in zip(*amounts, strict=True))
    return Node(
        id=total.address,
        label=(f"{count} × {name}" if count > 1 else name, words.shape(total.output)),
        kind="stage",
        output=total.output,
        parameters=total.parameters,
        multiply_adds=total.multiply_adds,
        memory=total.activation_bytes,
        receptive_field=field,
        repeat=count,
        largest=(parameters, work, memory),
        hover=words.stage_hover(stage, total, field),
    )


def _whole(net: Net, table: ShapeTable) -> _Walker:
    walker = _Walker(table, split=True)
    tail = walker.image(net, table)
    for address, block in blocks(net):
        tail = walker.walk(block, address, tail)
    walker.head(net, tail, dropout=True)
    return walker


def _one_block(net: Net, table: ShapeTable, address: str, *, split: bool) -> _Walker:
    walker = _Walker(table, split=split)
    entry = _entry(net.name, (net.inputs, *table.size), net.name)
    for here, block in blocks(net):
        if here == address:
            walker.walk(block, here, walker.put(entry))
            return walker
        last = table.under(here)[-1]
        entry = _entry(here, last.output, net.name, seen=last.receptive_field)
    walker.head(net, walker.put(entry), dropout=True)
    return walker


def _entry(before: str, output: tuple[int, int, int], net: str, *, seen: Size = (1, 1)) -> Node:
    """The box for what enters a block: the block before it, or the image; `seen` is its receptive field."""
    origin = "image" if before == net else f"from {before.removeprefix(net + '/')}"
    return Node(
        before,
        (origin, words.shape(output)),
        "input",
        output,
        receptive_field=seen,
        hover=f"{before}\nWhat enters\noutput: {words.shape(output)}",
    )


def _block_address(net: Net, address: str | None) -> str:
    """The block that holds `address`; a stage gives its first one, nothing the first A block."""
    parts = (address or net.name).split("/")[1:]
    if parts[:1] == ["head"]:
        return f"{net.name}/head"
    first = "A" if any(stage.name == "A" for stage in net.stages) else net.stages[0].name
    stage = parts[0] if parts else first
    return f"{net.name}/{stage}/{parts[1] if len(parts) > 1 else '01'}"


def _node(
    row: Row,
    kind: NodeKind,
    label: tuple[str, ...],
    op: Conv | Pool | None = None,
    *,
    part: str | None = None,
    parameters: int | None = None,
    work: int | None = None,
) -> Node:
    numbers = (
        row.parameters if parameters is None else parameters,
        row.multiply_adds if work is None else work,
    )
    return Node(
        id=row.address if part is None else f"{row.address}/{part}",
        label=label,
        kind=kind,
        output=row.output,
        parameters=numbers[0],
        multiply_adds=numbers[1],
        memory=row.activation_bytes,
        kernel=row.kernel if op or kind == "linear" else None,
        padding=op.pad if op else None,
        receptive_field=row.receptive_field,
        hover=words.hover(kind, row, op, parameters=numbers[0], work=numbers[1], split=part is not None),
    )
