"""What a class owes to the parts of a network, and what the network loses with each: the results as plain data.

`images.credit` and `images.residuals` work them out; nothing here needs torch, so figures and tables can read them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from inception_lab.readers.columns import as_html, as_text
from inception_lab.readers.drawing import Edge, Graph

Kind = Literal["concat", "add"]
Scales = float | Mapping[str, float]
"""Numbers for the residuals of a network: one for all, or one for each address (`images.joints.scaled`)."""
SHORTCUT, RESIDUAL = "shortcut", "residual"
SHOWN = 12  # rows that a result prints of itself
TOLERANCE = 1e-6
"""How far the parts of a node may be from its whole in fp32, as a share of `Node.gross`: the add itself rounds."""


@dataclass(frozen=True, slots=True)
class Part:
    """One of the tensors that meet in a node: gradient x activation in logits, added up over its `channels` and places.

    `name` is "branch2" of a concatenation, "shortcut" or "residual" of an add; `address` is where it comes from.
    """

    name: str
    address: str
    credit: float
    channels: int


@dataclass(frozen=True, slots=True)
class Node:
    """A concatenation or an add with its parts; `whole` is gradient x activation of what leaves it, in logits.

    The parts add up to the whole but for rounding. `gross` adds up the sizes of all products, so that a rounding error
    has something to be measured against; it says nothing about the class. `block` is the block's address.
    """

    address: str
    block: str
    kind: Kind
    parts: tuple[Part, ...]
    whole: float
    gross: float

    @property
    def error(self) -> float:
        """The whole less the sum of the parts, in logits."""
        return self.whole - sum(part.credit for part in self.parts)

    def share(self, part: Part) -> float:
        """A part's credit over the sizes of all parts' credits: from -1 to 1, the sizes add up to 1 (or are all 0)."""
        return part.credit / (sum(abs(one.credit) for one in self.parts) or 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """Credit at every concatenation and add that was asked for, in the order in which the network runs them.

    What is split is `score`, the logit of `target`, less that of `against` if there is one. `scales` are those the
    residuals had, None for a network as it was built.
    """

    file: str
    network: str
    target: int
    label: str
    probability: float
    score: float
    against: int | None = None
    against_label: str | None = None
    nodes: tuple[Node, ...]
    scales: Scales | None = None
    relative: bool = False
    seconds: float = 0.0

    def under(self, address: str) -> tuple[Node, ...]:
        """The nodes in a block, nested ones too, or the one at an address; the network's name may be left out."""
        return tuple(node for node in self.nodes if within(node.address, address))

    @property
    def blocks(self) -> tuple[str, ...]:
        """Addresses of the blocks that hold a node, in order."""
        return tuple(dict.fromkeys(node.block for node in self.nodes))

    @property
    def ends(self) -> tuple[Node, ...]:
        """The node each block ends in: its add, or its concatenation; those nested in its body are left out."""
        return tuple({node.block: node for node in self.nodes}.values())

    def to_rows(self) -> list[dict[str, Any]]:
        """One row a part, for a table."""
        return [
            {
                "node": node.address,
                "kind": node.kind,
                "part": part.name,
                "channels": part.channels,
                "credit": part.credit,
                "share": node.share(part),
                "whole": node.whole,
                "rounding": node.error,
            }
            for node in self.nodes
            for part in node.parts
        ]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as JSON takes them."""
        return asdict(self)

    @property
    def head(self) -> str:
        """What was split, in a line."""
        rather = "" if self.against_label is None else f", rather than {self.against_label} ({self.against})"
        changed = "" if self.scales is None else f"; {in_words(self.scales, relative=self.relative)}"
        what = f"{self.label} ({self.target}), {self.probability:.1%}{rather}"
        return f"{what}: {self.network}, {self.score:.4g} logits{changed}"

    def text(self, most: int | None = None) -> str:
        """The parts under their head; the first `most` of them, None for all."""
        keys = ("node", "part", "channels", "credit", "share", "whole")
        rows = self.to_rows()
        table = as_text(keys, ([row[key] for key in keys] for row in rows[:most]))
        return f"{self.head}\n\n{table}{_left(rows, most)}"

    def __str__(self) -> str:
        return self.text(SHOWN)

    def _repr_html_(self) -> str:
        keys = ("node", "part", "credit", "share", "whole")
        rows = [row for row in self.to_rows() if any(row["node"] == one.address for one in self.ends)]
        return as_html(keys, ([row[key] for key in keys] for row in rows), caption=self.head)


@dataclass(frozen=True, slots=True)
class Damaged:
    """A block with its residual scaled, and what the network says then. `built` is the scale it has otherwise.

    `fall` is the fall of the class's probability (0 to 1) and `logit_fall` that of its logit; below 0 both rose.
    `top` is the first choice then, and `changed` whether it is another one than before.
    """

    address: str
    built: float
    fall: float
    logit_fall: float
    top: int
    label: str
    probability: float
    changed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """What each residual block is worth to one class of one image, blocks in order; `scale` is what they were set to,
    one at a time, `probability` and `logit` the class's before."""

    file: str
    network: str
    target: int
    label: str
    probability: float
    logit: float
    scale: float
    relative: bool
    blocks: tuple[Damaged, ...]
    seconds: float = 0.0

    def ranked(self) -> tuple[Damaged, ...]:
        """The blocks by the fall of the logit, the worst first (probability runs full: near 1 it hardly moves)."""
        return tuple(sorted(self.blocks, key=lambda block: -block.logit_fall))

    def to_rows(self) -> list[dict[str, Any]]:
        """One row a block, for a table; the worst first."""
        return [asdict(block) for block in self.ranked()]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as JSON takes them."""
        return asdict(self)

    @property
    def head(self) -> str:
        """What was done, in a line."""
        at = f"{'× ' if self.relative else ''}{self.scale:g}"
        return f"{self.label} ({self.target}), {self.probability:.1%}: {self.network}, each block at {at}"

    def text(self, most: int | None = None) -> str:
        """The blocks under their head, the worst first; the first `most` of them, None for all."""
        rows = self._table()
        return f"{self.head}\n\n{as_text(_DAMAGE, rows[:most])}{_left(rows, most)}"

    def __str__(self) -> str:
        return self.text(SHOWN)

    def _repr_html_(self) -> str:
        return as_html(_DAMAGE, self._table(), caption=self.head)

    def _table(self) -> list[list[Any]]:
        keys = ("address", "built", "fall", "logit_fall", "label", "probability")
        return [[row[key] for key in keys] for row in self.to_rows()]


_DAMAGE = ("block", "built with", "fall", "fall in logits", "first guess then", "probability")


def _left(rows: Sequence[Any], most: int | None) -> str:
    more = 0 if most is None else len(rows) - most
    return f"\n… {more} more; to_rows() has them all" if more > 0 else ""


def in_words(scales: Scales, *, relative: bool) -> str:
    """Changed scales of residuals: "residuals × 0", or "residuals at B/07 = 0.3" where the number is the scale."""
    sign = "×" if relative else "="
    if not isinstance(scales, Mapping):
        return f"residuals {sign} {scales:g}"
    return "residuals at " + ", ".join(f"{place} {sign} {number:g}" for place, number in scales.items())


def within(address: str, place: str) -> bool:
    """Whether `address` (full) is `place` or stands in it; `place` may leave out the network's name."""
    wanted = place.strip("/")
    short = address.split("/", 1)[-1]
    return any(f"{one}/".startswith(f"{wanted}/") for one in (address, short))


def weighed(drawing: Graph, nodes: Iterable[Node]) -> Graph:
    """The drawing of a block with each part's share of its node as the width of the edge it enters by."""
    weights: dict[tuple[str, str], tuple[float, str]] = {}
    for node in nodes:
        for edge, part in zip(_entering(drawing, node), node.parts, strict=False):
            weights[edge.tail, edge.head] = (node.share(part), f"{part.credit:+.3g} ({abs(node.share(part)):.0%})")
    return drawing.weighed(weights)


def _entering(drawing: Graph, node: Node) -> list[Edge]:
    """The edges into a node in the order of its parts: branches from the first, a shortcut before its residual."""
    found = [edge for edge in drawing.edges if edge.head == node.address]
    return sorted(found, key=lambda edge: not edge.is_shortcut) if node.kind == "add" else found
