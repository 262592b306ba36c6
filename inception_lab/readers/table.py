"""The table a network's shapes come as: rows, totals, and ways to hand it on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal

from inception_lab.errors import Impossible

if TYPE_CHECKING:
    import pandas

Kind = Literal[
    "conv", "max pool", "avg pool", "concat", "linear", "scale", "add", "relu", "norm", "dropout", "classifier"
]


@dataclass(frozen=True, slots=True)
class Row:
    """One op. A `conv` row is convolution, batch norm and ReLU together.

    `output` is (C, H, W); `multiply_adds` counts convolutions and the classifier, for one image; `activation_bytes` is
    the op's output in fp32 for one image; `receptive_field` is (height, width) in input pixels along the longest path,
    `shortest_field` along the shortest (through shortcuts), `jump` the input pixels between neighbouring cells.
    """

    address: str
    op: Kind
    label: str
    kernel: tuple[int, int] | None
    stride: int
    padding: tuple[int, int]
    output: tuple[int, int, int]
    parameters: int
    multiply_adds: int
    activation_bytes: int
    receptive_field: tuple[int, int]
    shortest_field: tuple[int, int]
    jump: int

    def to_dict(self) -> dict[str, Any]:
        """The row as plain data; `receptive_field` as its longer side, both sides beside it."""
        plain = {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}
        plain["receptive_field_sides"] = plain["receptive_field"]
        plain["receptive_field"] = max(self.receptive_field)
        return plain


@dataclass(frozen=True, slots=True)
class Total:
    """What the rows of one stage, one block or the whole network add up to."""

    address: str
    output: tuple[int, int, int]
    parameters: int
    multiply_adds: int
    activation_bytes: int


@dataclass(frozen=True, slots=True)
class ShapeTable:
    """Every op of a network in order, for one image of `size` (height, width).

    `refused` has what a tolerant reading went past, in the order of the ops: with it the numbers are those of a network
    that nobody can build.
    """

    network: str
    size: tuple[int, int]
    inputs: int
    rows: tuple[Row, ...]
    refused: tuple[Impossible, ...] = field(default=(), compare=False)

    @property
    def parameters(self) -> int:
        """Trainable numbers, batch norm's two per channel included, moving statistics not."""
        return sum(row.parameters for row in self.rows)

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of all convolutions and the classifier."""
        return sum(row.multiply_adds for row in self.rows)

    @property
    def activation_bytes(self) -> int:
        """Bytes of all outputs in fp32, as if none were freed."""
        return sum(row.activation_bytes for row in self.rows)

    def stages(self) -> tuple[Total, ...]:
        """One total per stage, in order; they add up to the network's."""
        return self._totals(depth=2)

    def blocks(self) -> tuple[Total, ...]:
        """One total per block, in order; they add up to the network's."""
        return self._totals(depth=3)

    def under(self, address: str) -> tuple[Row, ...]:
        """The rows at `address` or inside it."""
        return tuple(row for row in self.rows if row.address == address or row.address.startswith(f"{address}/"))

    def row(self, address: str) -> Row:
        """The row at exactly this full address."""
        return next(row for row in self.rows if row.address == address)

    def to_dict(self) -> dict[str, Any]:
        """The table as plain data: what `shapes --json` prints."""
        return {
            "network": self.network,
            "size": list(self.size),
            "parameters": self.parameters,
            "multiply_adds": self.multiply_adds,
            "activation_bytes": self.activation_bytes,
            "rows": [row.to_dict() for row in self.rows],
            "stages": [asdict(total) for total in self.stages()],
        }

    def to_pandas(self) -> pandas.DataFrame:
        """The rows as a data frame, one column per field."""
        import pandas

        return pandas.DataFrame([row.to_dict() for row in self.rows]).set_index("address")

    def _totals(self, *, depth: int) -> tuple[Total, ...]:
        def key(row: Row) -> str:
            return "/".join(row.address.split("/")[:depth])

        return tuple(_total(address, tuple(rows)) for address, rows in groupby(self.rows, key))

    def _repr_html_(self) -> str:
        head = ("stage", "output C×H×W", "parameters", "multiply-adds", "activations")
        body = [_cells(total) for total in self.stages()]
        body.append(_cells(_total("whole network", self.rows)))
        caption = f"{self.network} at {self.size[0]}×{self.size[1]}, one image"
        rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>" for cells in body)
        heads = "".join(f"<th>{cell}</th>" for cell in head)
        return f"<table><caption>{escape(caption)}</caption><tr>{heads}</tr>{rows}</table>"


def _total(address: str, rows: Iterable[Row]) -> Total:
    rows = tuple(rows)
    return Total(
        address=address,
        output=rows[-1].output,
        parameters=sum(row.parameters for row in rows),
        multiply_adds=sum(row.multiply_adds for row in rows),
        activation_bytes=sum(row.activation_bytes for row in rows),
    )


def _cells(total: Total) -> tuple[str, ...]:
    return (
        total.address,
        "×".join(str(n) for n in total.output),
        f"{total.parameters:,}",
        f"{total.multiply_adds:,}",
        f"{total.activation_bytes / 2**20:.1f} MiB",
    )
