"""Who reads what: for each op of a network, the ops whose outputs it takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import assert_never

from inception_lab.nets.address import blocks, children, head
from inception_lab.nets.ops import Chain, Concat, Conv, Net, Op, Pool, Residual

IMAGE = ""  # the address of what enters the network


@dataclass(frozen=True, slots=True)
class Flow:
    """Addresses of sources; `IMAGE` stands for the input of the network.

    `reads` has every row of the shape table with the rows it takes, in order (an add: shortcut, then residual).
    `enters` has every op as it is written, blocks and branches too, with the one row that enters it.
    """

    reads: dict[str, tuple[str, ...]] = field(default_factory=dict)
    enters: dict[str, str] = field(default_factory=dict)


def flow(net: Net) -> Flow:
    """The flow of the network, from its description alone."""
    found = Flow()
    tail = IMAGE
    for address, block in blocks(net):
        tail = _walk(found, block, address, tail)
    for name in head(net):
        tail = _step(found, f"{net.name}/head/{name}", tail)
    return found


def _walk(found: Flow, op: Op, address: str, tail: str) -> str:
    """Notes `op`, which `tail` enters; returns the address of the row that leaves it."""
    found.enters[address] = tail
    match op:
        case Conv() | Pool():
            return _step(found, address, tail)
        case Chain():
            for name, link in children(op):
                tail = _walk(found, link, f"{address}/{name}", tail)
            return tail
        case Concat():
            ends = [_walk(found, branch, f"{address}/{name}", tail) for name, branch in children(op)]
            return _step(found, f"{address}/concat", *ends)
        case Residual():
            inner = _walk(found, op.body, f"{address}/body", tail)
            inner = _step(found, f"{address}/linear", inner)
            inner = _step(found, f"{address}/scale", inner)
            inner = _step(found, f"{address}/add", tail, inner)
            return _step(found, f"{address}/relu", inner) if op.relu else inner
        case _:
            assert_never(op)


def _step(found: Flow, address: str, *tails: str) -> str:
    found.reads[address] = tails
    return address
