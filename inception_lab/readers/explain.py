"""One op's numbers worked out in words, with its own numbers in place: the arithmetic behind a row of the table."""

from __future__ import annotations

from inception_lab.readers.table import Row, ShapeTable


def arithmetic(row: Row, table: ShapeTable) -> str:
    """Markdown lines that lead from kernel and channels to output, parameters, cost and receptive field."""
    kib = row.activation_bytes / 1024
    lines = [f"Output {_times(row.output)} = {_product(row.output):,} numbers, {kib:,.0f} KiB in fp32."]
    if row.kernel:
        lines.append(_window(row))
    if row.op == "conv":
        weights = row.parameters - 2 * row.output[0]
        inputs = weights // (row.output[0] * row.kernel[0] * row.kernel[1]) if row.kernel else 0
        lines.append(
            f"Parameters: {inputs} × ({_kernel(row)}) × {row.output[0]} weights + 2 × {row.output[0]} of batch norm "
            f"= {row.parameters:,}."
        )
    elif row.op in ("linear", "classifier"):
        inputs = (row.parameters - row.output[0]) // row.output[0]
        lines.append(f"Parameters: {inputs} × {row.output[0]} weights + {row.output[0]} biases = {row.parameters:,}.")
    if row.multiply_adds:
        share = row.multiply_adds / table.multiply_adds
        lines.append(
            f"Multiply-adds: weights × {row.output[1]} × {row.output[2]} cells = {row.multiply_adds:,}, "
            f"{share:.2%} of the network's."
        )
    lines.append(_field(row, table))
    return "\n".join(f"- {line}" for line in lines)


def _window(row: Row) -> str:
    word = (
        "valid (V): no cells added" if row.padding == (0, 0) and row.kernel != (1, 1) else "same: the border is padded"
    )
    if row.kernel == (1, 1):
        word = "one cell at a time, no padding needed"
    return f"Kernel {_kernel(row)}, stride {row.stride}, {word}."


def _field(row: Row, table: ShapeTable) -> str:
    high, wide = row.receptive_field
    seen = f"One cell sees {high}×{wide} pixels of the {table.size[0]}×{table.size[1]} image along its longest path"
    if row.shortest_field != row.receptive_field:
        seen += f" and {row.shortest_field[0]}×{row.shortest_field[1]} along its shortest"
    return f"{seen}; neighbouring cells are {row.jump} pixels apart."


def _kernel(row: Row) -> str:
    return "×".join(str(side) for side in row.kernel or (1, 1))


def _times(shape: tuple[int, ...]) -> str:
    return " × ".join(str(n) for n in shape)


def _product(shape: tuple[int, int, int]) -> int:
    return shape[0] * shape[1] * shape[2]
