"""The words on and under a drawing: labels, hover texts and the paragraph that stands for the picture."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from math import floor, log10
from typing import TYPE_CHECKING, assert_never

from inception_lab.nets.ops import Chain, Concat, Conv, Op, Pool, Residual, Stage
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


def many(count: int, what: str) -> str:
    """A number of things: no difference, 1 difference, 2 differences."""
    return f"{count or 'no'} {what}{'' if count in (0, 1) else 's'}"


def percent(share: float) -> str:
    """A change as signed percent with two digits or more that say something: -33.1%, -0.046%, never -0.0%."""
    if share == 0:
        return "0%"
    places = max(1, 1 - floor(log10(abs(share) * 100)))
    return f"{share:+.{places}%}"


def memory(count: int) -> str:
    """Bytes to three digits in KiB or MiB."""
    return f"{count / 2**20:.3g} MiB" if count >= 2**20 else f"{count / 2**10:.3g} KiB"


def hover(kind: NodeKind, row: Row, op: Conv | Pool | None, *, parameters: int, work: int, split: bool) -> str:
    """What a box says when pointed at: its address, what it does, and then one number a line with its name before it.

    Kernel and padding (V or S, as in the paper) where a window moves, output, parameters, multiply-adds, memory of the
    output, receptive field.
    """
    does = _DOES.get(kind, "Average over the whole map")
    if isinstance(op, Conv):
        does = "Convolution" + ("" if split else ", batch norm, ReLU")
    elif isinstance(op, Pool):
        average = ", the padded cells count" if op.count_border else ", the padded cells do not count"
        does = "Max pooling" if op.kind == "max" else "Average pooling"
        does += average if op.kind == "avg" and op.pad == "same" else ""
    elif kind == "scale":
        does = f"Multiplies the residual: {row.label}"
    lines = [row.address, does]
    if op:
        lines.append(f"kernel: {window(op.window)}, stride {op.stride}")
        lines.append(f"padding: {'V, valid' if op.pad == 'valid' else 'S, same'}")
    elif kind == "linear":
        lines.append("kernel: 1×1, stride 1")
    lines += _numbers(row.output, parameters, work, row.activation_bytes)
    return "\n".join([*lines, f"receptive field: {window(row.receptive_field)} px"])


def stage_hover(stage: Stage, total: Total, field: tuple[int, int]) -> str:
    """What the box of a stage says when pointed at."""
    count = len(stage.blocks)
    kinds = len(set(stage.blocks))
    blocks = "1 block" if count == 1 else f"{count} blocks" + ("" if kinds == 1 else f" of {kinds} kinds")
    source = f" ({stage.source})" if stage.source else ""
    numbers = _numbers(total.output, total.parameters, total.multiply_adds, total.activation_bytes)
    return "\n".join([total.address, f"{blocks}{source}", *numbers, f"receptive field: {window(field)} px"])


def _numbers(output: tuple[int, int, int], parameters: int, work: int, size: int) -> tuple[str, ...]:
    return (
        f"output: {shape(output)}",
        f"parameters: {parameters:,}",
        f"multiply-adds: {large(work)}",
        f"memory: {memory(size)}",
    )


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


def brief(op: Op | Stage) -> str:
    """An op in a line, its boxes' words: `1×1 · 64 → 3×3 · 96`, branches as `{a ∥ b}`."""
    match op:
        case Conv() | Pool():
            name = f"{window(op.window)} · {op.channels}" if isinstance(op, Conv) else f"{op.kind} {window(op.window)}"
            return " ".join([name, *(f"({mark})" for mark in marks(op))])
        case Chain():
            return " → ".join(brief(link) for link in op.ops)
        case Concat():
            return f"{{{' ∥ '.join(brief(branch) for branch in op.branches)}}}"
        case Residual():
            return f"x + linear({brief(op.body)}) {scale(op)}{', ReLU' if op.relu else ''}"
        case Stage():
            runs = [(block, len(list(copies))) for block, copies in groupby(op.blocks)]
            return ", ".join(brief(block) if count == 1 else f"{count} × {brief(block)}" for block, count in runs)
        case _:
            assert_never(op)
