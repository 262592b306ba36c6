"""Where the paper's own drawings cannot be right, and the ops of the lab's networks that each of them concerns.

The facts are those of the Paper page, `assets/paper/paper.toml`. A figure draws one block for all copies of a stage, so
a slip in it stands at every copy, and in every network that has the figure's block.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache

from inception_lab.assets import asset
from inception_lab.nets import catalog
from inception_lab.nets.address import blocks
from inception_lab.nets.ops import Net


@dataclass(frozen=True, slots=True)
class Slip:
    """One slip: `where` in the paper, what it `says`, what it `must` say; `at` are full addresses, of the first copies.

    `refuses` is the address of the add that cannot be made with what is printed, or empty.
    """

    where: str
    says: str
    must: str
    at: tuple[str, ...] = ()
    refuses: str = ""

    @property
    def figure(self) -> str:
        """The figure, without what it shows."""
        return self.where.partition(":")[0].partition(",")[0]

    def places(self, net: Net) -> tuple[str, ...]:
        """The full addresses in `net`, in each copy of the block; none where it is not one of the slip's networks."""
        found: list[str] = []
        for address in self.at:
            name, stage, _, *op = address.split("/", 3)
            if name != net.name:
                continue
            if stage == "head":
                found.append(address)
                continue
            copies = (at for at, _ in blocks(net) if at.startswith(f"{name}/{stage}/"))
            found += ["/".join([at, *op]) for at in copies]
        return tuple(found)


@cache
def slips() -> tuple[Slip, ...]:
    """All slips, in the paper's order."""
    rows = tomllib.loads(asset("paper", "paper.toml").read_text(encoding="utf-8"))["slips"]
    return tuple(Slip(**{**row, "at": tuple(row.get("at", ()))}) for row in rows)


def slips_of(net: Net) -> tuple[Slip, ...]:
    """Those in the drawings of `net`; none for a network that only bears the name of one of the catalogue."""
    if catalog.CATALOG.get(net.name) != net:
        return ()
    return tuple(slip for slip in slips() if slip.places(net))
