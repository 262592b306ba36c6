"""The words on and under a drawing: labels, hover texts and the paragraph that stands for the picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, assert_never

from inception_lab.nets.ops import Conv, Pool, Residual, Stage
from inception_lab.readers.table import Row, ShapeTable, Total

if TYPE_CHECKING:
    from inception_lab.readers.drawing import Node, NodeKind

_DOES = {
    "concat": "Joins its inputs along the channels",
    "add": "Adds the residual to the shortcut",
    "relu": "ReLU: negative values become 0",
    "dropout": "Sets a share of the values to 0 while training",
    "batch norm": "Batch normalisation",
    "norm": "Batch normalisation and ReLU before the pooling, against dying networks",
    "classifier": "Fully connected layer",
    "linear": "1×1 convolution with bias, without batch norm and ReLU",
}


def shape(output: tuple[int, int, int]) -> str:
    """(C, H, W) as C×H×W."""
    return "×".join(str(n) for n in output)


def window(kernel: tuple[int, int]) -> str:
    """A kernel as height×width."""
    return f"{kernel[0]}×{kernel[1]}"


def marks(op: Conv | Pool) -> tuple[str, ...]:
    """The second line of a box: stride when it is not 1, V where the padding is valid, as in the paper."""
    found = [f"stride {op.stride}"] * (op.stride != 1) + ["V"] * (op.pad == "valid")
    return (", ".join(found),) if found else ()


def scale(op: Residual) -> str:
    """What a residual is multiplied by; g is trained."""
    match op.gain:
        case "fixed":
            return f"× {op.scale:g}"
        case "learned":
            return f"× {op.scale:g} g, g from 1"
        case "zero":
            return f"× {op.scale:g} g, g from 0"
        case _:
            assert_never(op.gain)


def large(number: int) -> str:
    """A count to three digits: 337958912 is 338 M."""
    for size, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return str(number)


def hover(kind: NodeKind, row: Row, op: Conv | Pool | None, *, parameters: int, work: int, split: bool) -> str:
    """What a box says when pointed at: what it does, its output, its cost, what one cell has seen."""
    does = _DOES.get(kind, "Average over the whole map")
    if isinstance(op, Conv):
        does = f"{window(op.window)} convolution" + ("" if split else ", batch norm, ReLU")
    elif isinstance(op, Pool):
        average = "the padded cells count" if op.count_border else "the padded cells do not count"
        does = f"{window(op.window)} max pooling" if op.kind == "max" else f"{window(op.window)} average pooling"
        does += f", {average}" if op.kind == "avg" and op.pad == "same" else ""
    elif kind == "scale":
        does = f"Multiplies the residual: {row.label}"
    if op:
        does += f", stride {op.stride}, {op.pad} padding"
    cost = [f"{parameters:,} parameters"] * (parameters > 0) + [f"{large(work)} multiply-adds"] * (work > 0)
    lines = (does, f"output {shape(row.output)}", *cost, f"one cell sees {window(row.receptive_field)} pixels")
    return f"{row.address}\n" + "\n".join(lines)


def stage_hover(stage: Stage, total: Total) -> str:
    """What the box of a stage says when pointed at."""
    count = len(stage.blocks)
    kinds = len(set(stage.blocks))
    blocks = "1 block" if count == 1 else f"{count} blocks" + ("" if kinds == 1 else f" of {kinds} kinds")
    source = f" ({stage.source})" if stage.source else ""
    cost = f"{total.parameters:,} parameters\n{large(total.multiply_adds)} multiply-adds"
    return f"{total.address}\n{blocks}{source}\noutput {shape(total.output)}\n{cost}"


def title(name: str, place: str | None, size: tuple[int, int]) -> str:
    """The heading of a drawing."""
    return f"{place or name} for an image of {window(size)}"


def alt(name: str, place: str | None, table: ShapeTable, nodes: Sequence[Node]) -> str:
    """The drawing as a paragraph."""
    if place is None and len(nodes) > 60:
        boxes = f"{len(nodes)} operations in {len(table.blocks())} parts from the image to the classifier"
    else:
        boxes = "; ".join(f"{', '.join(node.label)}" for node in nodes)
    rows = table.rows if place is None else table.under(place)
    parameters, work = sum(row.parameters for row in rows), sum(row.multiply_adds for row in rows)
    adds = sum(node.kind == "add" for node in nodes)
    shortcuts = f" {adds} shortcut{'s' * (adds > 1)} past the residual body." if adds else ""
    cost = f"{parameters:,} parameters, {large(work)} multiply-adds"
    return f"{title(name, place, table.size)}. In order: {boxes}.{shortcuts} {cost}."
