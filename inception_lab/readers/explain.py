"""One op's numbers worked out in words, with its own numbers in place: the arithmetic behind a row of the table."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import assert_never

from inception_lab.errors import ImpossibleAdd, InputTooSmall, UnequalGrids
from inception_lab.nets.address import written
from inception_lab.nets.ops import Net, Pool, Residual
from inception_lab.readers.flow import flow
from inception_lab.readers.table import Row, ShapeTable
from inception_lab.readers.words import shape, window

Shape = tuple[int, int, int]


def arithmetic(row: Row, table: ShapeTable, net: Net) -> str:
    """Markdown lines that lead from what enters `row`, an op of `net`, to output, parameters, cost and receptive field.

    `table` may be of a tolerant reading: an add that cannot be made says so, with the numbers.
    """
    kib = row.activation_bytes / 1024
    lines = [f"Output {_times(row.output)} = {prod(row.output):,} numbers, {kib:,.0f} KiB in fp32."]
    if row.kernel:
        lines.append(_window(row))
    lines += _stopped(row, table)
    lines += _made(row, table, net)
    if row.multiply_adds:
        share = row.multiply_adds / table.multiply_adds
        lines.append(
            f"Multiply-adds: weights × {row.output[1]} × {row.output[2]} cells = {row.multiply_adds:,}, "
            f"{share:.2%} of the network's."
        )
    lines.append(_field(row, table))
    return "\n".join(f"- {line}" for line in lines)


def entering(table: ShapeTable) -> str:
    """A Markdown line on what enters the network."""
    image = (table.inputs, *table.size)
    count = prod(image)
    return (
        f"- The image: {_times(image)} = {count:,} numbers, {4 * count / 1024:,.0f} KiB in fp32. Nothing is computed, "
        "no parameters."
    )


def _made(row: Row, table: ShapeTable, net: Net) -> tuple[str, ...]:
    """What the op does to each number, and how many operations and parameters that takes."""
    count, high, wide = prod(row.output), *row.output[1:]
    match row.op:
        case "conv":
            return (_weights(row), f"Then batch norm, two numbers a channel, and max(0, x) on {count:,} numbers.")
        case "linear" | "classifier":
            inputs = (row.parameters - row.output[0]) // row.output[0]
            biases = f"{inputs} × {row.output[0]} weights + {row.output[0]} biases = {row.parameters:,}"
            each = f"Each of the {row.output[0]} outputs: {inputs} products and a bias" + (
                f", at each of {high} × {wide} cells" if row.op == "linear" else ""
            )
            return (f"Parameters: {biases}.", f"{each}; no batch norm, no ReLU.")
        case "max pool" | "avg pool":
            return (_pooled(row, _sources(row, table, net)[0], net),)
        case "concat":
            parts = [source[0] for source in _sources(row, table, net)]
            return (
                f"{' + '.join(map(str, parts))} = {row.output[0]} channels, laid one behind the other on the same "
                f"{high}×{wide} cells: nothing is computed, no parameters.",
            )
        case "scale":
            return (_scaled(row, _residual(row, net)),)
        case "add":
            return _added(row, table, _residual(row, net))
        case "relu":
            return (f"max(0, x) on each of {count:,} numbers: as many comparisons, no parameters.",)
        case "norm":
            return (
                f"(x − mean) / √(variance + 0.001) × γ + β in each channel, γ and β trained: 2 × {row.output[0]} = "
                f"{row.parameters:,} parameters; then max(0, x) on each of {count:,} numbers.",
            )
        case "dropout":
            return (_dropped(count, net.dropout),)
        case _:
            assert_never(row.op)


def _stopped(row: Row, table: ShapeTable) -> tuple[str, ...]:
    """Where the input runs out, or what meets has different cells."""
    found = []
    for error in table.refused:
        if error.address == row.address and isinstance(error, InputTooSmall):
            cells = window(error.grid)
            found.append(f"A window of {window(error.window)} does not fit on {cells} cells: nothing comes out of it.")
        elif error.address == row.address and isinstance(error, UnequalGrids):
            grids = " and ".join(window(grid) for grid in error.grids)
            found.append(
                f"Grids of {grids} cells cannot be joined; what stands behind is read as if the first were all."
            )
    return tuple(found)


def _weights(row: Row) -> str:
    weights = row.parameters - 2 * row.output[0]
    inputs = weights // (row.output[0] * row.kernel[0] * row.kernel[1]) if row.kernel else 0
    kernel = window(row.kernel or (1, 1))
    return (
        f"Parameters: {inputs} × ({kernel}) × {row.output[0]} weights + 2 × {row.output[0]} of batch norm "
        f"= {row.parameters:,}."
    )


def _pooled(row: Row, source: Shape, net: Net) -> str:
    """A pooling: how many cells its windows have, and what is done with them."""
    count, grid = prod(row.output), source[1:]
    if row.kernel is None:
        cells = prod(grid)
        return (
            f"The mean of {grid[0]} × {grid[1]} = {cells} cells of each of {source[0]} channels: {source[0]} × "
            f"{max(cells - 1, 0)} = {source[0] * max(cells - 1, 0):,} additions and {count:,} divisions, no parameters."
        )
    whole = row.kernel[0] * row.kernel[1]
    real = source[0] * prod(_cells(row, axis, source[1 + axis]) for axis in (0, 1))
    op = written(net, row.address)
    border = _border(row, counted=isinstance(op, Pool) and op.count_border)
    if row.op == "max pool":
        return (
            f"The largest of {row.kernel[0]} × {row.kernel[1]} = {whole} numbers in each of {_times(row.output)} "
            f"windows: {real - count:,} comparisons, no parameters.{border}"
        )
    added = (whole - 1) * count if isinstance(op, Pool) and op.count_border else real - count
    return (
        f"The mean of {row.kernel[0]} × {row.kernel[1]} = {whole} numbers in each of {_times(row.output)} windows: "
        f"{added:,} additions and {count:,} divisions, no parameters.{border}"
    )


def _cells(row: Row, axis: int, cells: int) -> int:
    """Cells of the map, not of its border, in all windows along one axis, those in several windows counted in each."""
    if row.kernel is None:
        return cells
    starts = (place * row.stride - row.padding[axis] for place in range(row.output[1 + axis]))
    return sum(min(start + row.kernel[axis], cells) - max(start, 0) for start in starts)


def _border(row: Row, *, counted: bool) -> str:
    if row.padding == (0, 0):
        return " No window reaches over the border."
    if row.op == "max pool":
        return " Cells beyond the border do not take part."
    if counted:
        return " At the border the padded cells count as zeros: every sum is divided by the whole window."
    return " At the border the padded cells do not count: a sum is divided by the cells that are there."


def _scaled(row: Row, op: Residual) -> str:
    count = prod(row.output)
    said = f"{op.scale:g} × {shape(row.output)}, element by element: {count:,} multiplications"
    if op.gain == "fixed":
        return f"{said}, no parameters."
    start = "1" if op.gain == "learned" else "0"
    return f"{said} by {op.scale:g} g, and one parameter, g, trained from {start} on."


def _added(row: Row, table: ShapeTable, op: Residual) -> tuple[str, ...]:
    for error in table.refused:
        if isinstance(error, ImpossibleAdd) and error.address == row.address:
            return (
                f"{error.shortcut} channels of the shortcut + {error.residual} of the residual cannot be added element "
                f"by element: {abs(error.residual - error.shortcut)} channels have no partner.",
                f"What stands behind it is read as if the sum had the shortcut's {error.shortcut} channels.",
            )
    each, factor = shape(row.output), f"{op.scale:g}{'' if op.gain == 'fixed' else ' g'}"
    return (f"{each} + {factor} × {each}, element by element: {prod(row.output):,} additions, no parameters.",)


def _dropped(count: int, share: float) -> str:
    if not share:
        return f"Nothing is dropped: all {count:,} numbers go on. No parameters."
    return (
        f"In training each of {count:,} numbers becomes 0 with probability {share:g}, and the others are divided by "
        f"{1 - share:g}; in use all go on as they are. No parameters."
    )


def _residual(row: Row, net: Net) -> Residual:
    """The residual that a scale or an add belongs to."""
    op = written(net, row.address.rpartition("/")[0])
    assert isinstance(op, Residual)
    return op


def _sources(row: Row, table: ShapeTable, net: Net) -> Sequence[Shape]:
    """The shapes (C, H, W) that enter an op, in order."""
    made = {one.address: one.output for one in table.rows}
    return [made.get(source, (table.inputs, *table.size)) for source in flow(net).reads[row.address]]


def _window(row: Row) -> str:
    word = (
        "valid (V): no cells added" if row.padding == (0, 0) and row.kernel != (1, 1) else "same: the border is padded"
    )
    if row.kernel == (1, 1):
        word = "one cell at a time, no padding needed"
    return f"Kernel {window(row.kernel or (1, 1))}, stride {row.stride}, {word}."


def _field(row: Row, table: ShapeTable) -> str:
    high, wide = row.receptive_field
    seen = f"One cell sees {high}×{wide} pixels of the {table.size[0]}×{table.size[1]} image along its longest path"
    if row.shortest_field != row.receptive_field:
        seen += f" and {row.shortest_field[0]}×{row.shortest_field[1]} along its shortest"
    return f"{seen}; neighbouring cells are {row.jump} pixels apart."


def _times(numbers: Sequence[int]) -> str:
    return " × ".join(str(n) for n in numbers)
