"""What a network costs, by op, block, stage and in all: parameters, multiply-adds, memory, receptive field.

Parameters and multiply-adds are those of `shapes` (what the paper calls raw cost, section 3); memory is worked out in
`memory`, which says what it counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal, assert_never

from inception_lab.nets import catalog
from inception_lab.nets.ops import Net, Size
from inception_lab.readers.flow import IMAGE, flow
from inception_lab.readers.memory import kept, live
from inception_lab.readers.shapes import shapes
from inception_lab.readers.table import Kind, Row

if TYPE_CHECKING:
    import pandas

Group = Literal["network", "stage", "block", "branch"]
Level = Literal["stages", "blocks", "ops"]
Quantity = Literal["parameters", "multiply_adds", "output_bytes", "live_bytes", "kept_bytes"]

NAMES: dict[Quantity, str] = {
    "parameters": "parameters",
    "multiply_adds": "multiply-adds",
    "output_bytes": "all outputs",
    "live_bytes": "peak of live maps, inference",
    "kept_bytes": "kept for backward, training",
}
_DEPTH: dict[Level, int] = {"stages": 2, "blocks": 3}


@dataclass(frozen=True, slots=True)
class Cost:
    """What stands at one address costs, for one image in fp32.

    `kernel` is (height, width) where a window moves, `output` (C, H, W). `read_bytes` are the maps it takes, counted
    once for each op that takes them; `output_bytes` the outputs of its ops, as if none were freed; `live_bytes` the
    most that is alive at a time in inference, wherever it was made; `kept_bytes` what training keeps of it for the way
    back; `receptive_field` (height, width) in pixels along the longest path. Parts add up to the whole, but for
    `live_bytes`, of which the whole has the largest, and the receptive field, of which it has the last.
    """

    address: str
    op: Kind | Group
    label: str
    kernel: Size | None
    output: tuple[int, int, int]
    parameters: int
    multiply_adds: int
    read_bytes: int
    output_bytes: int
    live_bytes: int
    kept_bytes: int
    receptive_field: tuple[int, int]

    def of(self, quantity: Quantity) -> int:
        """One of the amounts by its name."""
        match quantity:
            case "parameters":
                return self.parameters
            case "multiply_adds":
                return self.multiply_adds
            case "output_bytes":
                return self.output_bytes
            case "live_bytes":
                return self.live_bytes
            case "kept_bytes":
                return self.kept_bytes
            case _:
                assert_never(quantity)


@dataclass(frozen=True, slots=True)
class CostTable:
    """Every op of a network in order with its cost, for one image of `size` (height, width)."""

    network: str
    size: Size
    rows: tuple[Cost, ...]

    @property
    def total(self) -> Cost:
        """The whole network."""
        return summed(self.network, "network", self.rows)

    def level(self, level: Level, *, under: str = "") -> tuple[Cost, ...]:
        """The stages, blocks or ops at the full address `under` or inside it, in order; of all without one."""
        rows = self.rows if under in ("", self.network) else self._inside(under)
        if level == "ops":
            return rows

        def key(row: Cost) -> str:
            return "/".join(row.address.split("/")[: _DEPTH[level]])

        kind: Group = "stage" if level == "stages" else "block"
        return tuple(summed(address, kind, tuple(found)) for address, found in groupby(rows, key))

    def to_dict(self) -> dict[str, Any]:
        """The table as plain data."""
        return {
            "network": self.network,
            "size": list(self.size),
            "total": asdict(self.total),
            "stages": [asdict(cost) for cost in self.level("stages")],
            "rows": [asdict(row) for row in self.rows],
        }

    def to_pandas(self) -> pandas.DataFrame:
        """The ops as a data frame, one column per field, by address."""
        import pandas

        return pandas.DataFrame([asdict(row) for row in self.rows]).set_index("address")

    def _inside(self, address: str) -> tuple[Cost, ...]:
        return tuple(row for row in self.rows if row.address == address or row.address.startswith(f"{address}/"))

    def _repr_html_(self) -> str:
        heads = ("", *NAMES.values())
        lines = "".join(_line(cost) for cost in (*self.level("stages"), self.total))
        caption = f"{self.network} at {self.size[0]}×{self.size[1]}, one image, fp32"
        titles = "".join(f"<th>{head}</th>" for head in heads)
        return f"<table><caption>{escape(caption)}</caption><tr>{titles}</tr>{lines}</table>"


def cost(net: Net | str, *, size: int | Size | None = None, tolerant: bool = False) -> CostTable:
    """The costs of `net` for one image of `size` (a side, or height and width; by default what it was made for).

    Raises what `shapes` raises; `tolerant` means what it means there.
    """
    net = catalog.net(net) if isinstance(net, str) else net
    table, read = shapes(net, size=size, tolerant=tolerant), flow(net)
    alive, keeps = live(net, table), kept(table, read, net)
    sizes = {IMAGE: 4 * net.inputs * table.size[0] * table.size[1]}
    rows = []
    for row in table.rows:
        sizes[row.address] = row.activation_bytes
        taken = sum(sizes[source] for source in read.reads[row.address])
        rows.append(_row(row, read=taken, alive=alive[row.address], keeps=keeps[row.address]))
    return CostTable(net.name, table.size, tuple(rows))


def amount(value: int, quantity: Quantity) -> str:
    """A value of a quantity for people: bytes in MiB, anything else in thousands, millions or billions."""
    if quantity.endswith("bytes"):
        return f"{value / 2**20:,.1f} MiB" if value >= 2**20 else f"{value / 2**10:,.1f} KiB"
    for unit, word in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= unit:
            return f"{value / unit:,.2f} {word}"
    return f"{value:,}"


def _row(row: Row, *, read: int, alive: int, keeps: int) -> Cost:
    return Cost(
        address=row.address,
        op=row.op,
        label=row.label,
        kernel=row.kernel,
        output=row.output,
        parameters=row.parameters,
        multiply_adds=row.multiply_adds,
        read_bytes=read,
        output_bytes=row.activation_bytes,
        live_bytes=alive,
        kept_bytes=keeps,
        receptive_field=row.receptive_field,
    )


def summed(address: str, kind: Kind | Group, rows: Sequence[Cost]) -> Cost:
    """What rows, at least one, add up to."""
    return Cost(
        address=address,
        op=kind,
        label=f"{len(rows)} ops",
        kernel=None,
        output=rows[-1].output,
        parameters=sum(row.parameters for row in rows),
        multiply_adds=sum(row.multiply_adds for row in rows),
        read_bytes=sum(row.read_bytes for row in rows),
        output_bytes=sum(row.output_bytes for row in rows),
        live_bytes=max(row.live_bytes for row in rows),
        kept_bytes=sum(row.kept_bytes for row in rows),
        receptive_field=rows[-1].receptive_field,
    )


def _line(cost: Cost) -> str:
    values = (amount(cost.of(name), name) if name.endswith("bytes") else f"{cost.of(name):,}" for name in NAMES)
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in (cost.address, *values)) + "</tr>"
