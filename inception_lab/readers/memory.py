"""What one image takes in memory, op by op: what is alive while an op runs, and what training keeps for the way back.

Both follow the modules that `lab.build` makes, in eager PyTorch, in fp32: batch norm and ReLU make maps of their own, a
module's input stays until the module returns (its caller still holds it), and a max pooling writes the place of each
maximum (8 bytes a cell) beside the maximum. Weights, their gradients and a convolution's scratch space come on top.
"""

from __future__ import annotations

from typing import assert_never

from inception_lab.nets.address import NORM, blocks, children, joints
from inception_lab.nets.ops import Chain, Concat, Conv, Net, Op, Pool, Residual
from inception_lab.readers.flow import Flow
from inception_lab.readers.table import Row, ShapeTable

PLACES = 2  # a place is an int64: twice the bytes of a value in fp32
STATISTICS = 8  # bytes a channel: mean and inverse deviation of the batch, which batch norm keeps
KEEPS_ITS_INPUT = ("conv", "linear", "max pool", "norm", "classifier")
KEEPS_ITS_OUTPUT = ("conv", "relu", "norm")  # they end with a ReLU, which needs its result only


def live(net: Net, table: ShapeTable) -> dict[str, int]:
    """Bytes of every map alive at the worst moment of each op in inference, the image among them.

    The largest of them is the peak of the network. A dropout makes nothing then: it hands on what it got.
    """
    return _Live(net, table).most


def kept(table: ShapeTable, flow: Flow, net: Net) -> dict[str, int]:
    """Bytes that a forward pass in training keeps until the way back has used them, by the op that made them.

    A convolution keeps its input; batch norm keeps what the convolution made, and two statistics; a ReLU keeps its
    result; pooling keeps its input, a maximum its places too; a learned scale keeps what it scales; dropout keeps what
    it dropped. Concatenations, adds, fixed scales and global pooling keep nothing. The image, which the first
    convolution keeps, is the caller's and not counted; nor is the loss.
    """
    rows = {row.address: row for row in table.rows}
    learned = {f"{at}/scale" for at, op in _residuals(net) if op.gain != "fixed"}
    needed = {row.address for row in table.rows if row.op in KEEPS_ITS_OUTPUT}
    for address, sources in flow.reads.items():
        row = rows[address]
        averages = row.op == "avg pool" and row.kernel is not None  # the global one keeps only its shape
        if row.op in KEEPS_ITS_INPUT or averages or address in learned:
            needed.update(sources)
    return {
        row.address: (row.activation_bytes if row.address in needed else 0) + _beside(row, net, row.address in learned)
        for row in table.rows
    }


def _beside(row: Row, net: Net, learned: bool) -> int:
    """Bytes an op keeps beside maps that are rows of the table."""
    match row.op:
        case "conv":
            return row.activation_bytes + STATISTICS * row.output[0]
        case "norm":
            return STATISTICS * row.output[0]
        case "max pool":
            return PLACES * row.activation_bytes
        case "dropout":
            return row.activation_bytes if net.dropout else 0
        case "scale":
            return 4 if learned else 0  # the scale itself, which the way back multiplies with
        case _:
            return 0


class _Live:
    """Runs the network in thought: `held` is always what the callers of an op hold, its input among it."""

    def __init__(self, net: Net, table: ShapeTable) -> None:
        self.bytes = {row.address: row.activation_bytes for row in table.rows}
        self.most: dict[str, int] = {}
        image = 4 * net.inputs * table.size[0] * table.size[1]
        places = blocks(net)
        entered = 0  # a stage's caller holds what entered it until the stage is through
        for stage in net.stages:
            between = 0
            for _ in stage.blocks:
                address, block = next(places)
                between = self.run(block, image + entered + between, address)
            entered = between or entered
        self.head(net, entered, image + entered)

    def run(self, op: Op, held: int, address: str) -> int:
        """The bytes that leave `op`; what enters it is a part of `held`."""
        match op:
            case Conv():
                return self._made(address, held, scratch=self.bytes[address])
            case Pool():
                places = PLACES * self.bytes[address] if op.kind == "max" else 0
                return self._made(address, held, scratch=places)
            case Chain():
                between = 0
                for name, link in children(op):
                    between = self.run(link, held + between, f"{address}/{name}")
                return between
            case Concat():
                parts = 0
                for name, branch in children(op):
                    parts += self.run(branch, held + parts, f"{address}/{name}")
                return self._made(f"{address}/concat", held + parts)
            case Residual():
                between = self.run(op.body, held, f"{address}/body")
                for name in joints(op):
                    between = self._made(f"{address}/{name}", held + between)
                return between
            case _:
                assert_never(op)

    def head(self, net: Net, x: int, held: int) -> None:
        at = f"{net.name}/head"
        if net.end_norm:
            held += self._made(f"{at}/{NORM}", held, scratch=x)
        pooled = self._made(f"{at}/pool", held)
        self.most[f"{at}/dropout"] = held + pooled
        self._made(f"{at}/classifier", held + pooled)

    def _made(self, address: str, held: int, *, scratch: int = 0) -> int:
        self.most[address] = held + scratch + self.bytes[address]
        return self.bytes[address]


def _residuals(net: Net) -> list[tuple[str, Residual]]:
    """Every residual of the network with its address, also those inside other ops."""
    found: list[tuple[str, Residual]] = []

    def walk(address: str, op: Op) -> None:
        if isinstance(op, Residual):
            found.append((address, op))
        for name, child in children(op):
            walk(f"{address}/{name}", child)

    for address, block in blocks(net):
        walk(address, block)
    return found
