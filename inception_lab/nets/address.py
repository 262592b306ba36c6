"""One address for every thing: `network/stage/block/op`, for example `inception_resnet_v2/B/07/add`.

The part after the network is also the module's path in the built model (`/` for `.`), the metric's name, the node's id
and the link's parameter. Blocks count from 01. Inside a block an op is named by its kind and place:

    branch2          the second branch of a concatenation, `concat` where they join
    conv1, pool2     first and second link of a chain; `split3` a concatenation as third link
    body, linear, scale, add, relu     the parts of a residual
    conv, bn, relu                     the steps of one convolution, where they are taken apart
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from inception_lab.errors import UnknownAddress
from inception_lab.nets.ops import Chain, Concat, Conv, Net, Op, Pool, Residual

HEAD = ("pool", "dropout", "classifier")
NORM = "norm"  # comes first in the head of a network with `end_norm`
CONV = ("conv", "bn", "relu")


def head(net: Net) -> tuple[str, ...]:
    """The parts of the head, in order."""
    return (NORM, *HEAD) if net.end_norm else HEAD


def children(op: Op) -> tuple[tuple[str, Op], ...]:
    """The ops written inside `op`, each with its part of the address."""
    match op:
        case Conv() | Pool():
            return ()
        case Chain():
            return tuple((f"{_word(link)}{place}", link) for place, link in enumerate(op.ops, 1))
        case Concat():
            return tuple((f"branch{place}", branch) for place, branch in enumerate(op.branches, 1))
        case Residual():
            return (("body", op.body),)
        case _:
            assert_never(op)


def joints(op: Op) -> tuple[str, ...]:
    """What `op` itself adds to its children: the concat of a concatenation, the closing steps of a residual."""
    match op:
        case Conv() | Pool() | Chain():
            return ()
        case Concat():
            return ("concat",)
        case Residual():
            return ("linear", "scale", "add", "relu") if op.relu else ("linear", "scale", "add")
        case _:
            assert_never(op)


def blocks(net: Net) -> Iterator[tuple[str, Op]]:
    """Every block of the network with its address, in order."""
    for stage in net.stages:
        for place, block in enumerate(stage.blocks, 1):
            yield f"{net.name}/{stage.name}/{place:02d}", block


def steps(address: str, op: Op) -> Iterator[str]:
    """Addresses of everything that computes inside `op`, in order: convolutions, pools, joints, as a table's rows."""
    inner = children(op)
    for name, child in inner:
        yield from steps(f"{address}/{name}", child)
    for name in joints(op):
        yield f"{address}/{name}"
    if isinstance(op, Conv | Pool):
        yield address


def locate(net: Net, address: str) -> str:
    """The full address for `address`, which may leave out the network's name.

    Raises `UnknownAddress` with the names that would have worked at the first part that does not.
    """
    parts = [part for part in address.strip("/").split("/") if part]
    if parts and parts[0] == net.name:
        parts = parts[1:]
    known = _names(net, split=True)
    for depth, part in enumerate(parts):
        here = known.get(tuple(parts[:depth]), ())
        if part not in here:
            where = "/".join([net.name, *parts[:depth]])
            raise UnknownAddress(f"There is no {part!r} in {where}; it has {', '.join(here) or 'nothing inside'}.")
    return "/".join([net.name, *parts])


def inside(net: Net, address: str) -> tuple[str, ...]:
    """What stands directly under an address: stages, blocks, or the parts of an op; empty for an op without parts."""
    return _names(net).get(tuple(locate(net, address).split("/")[1:]), ())


def written(net: Net, address: str) -> Op | None:
    """The op that is written at a full address; None for what has an address without being one (a stage, a joint)."""
    _, *parts = address.split("/")
    stage = next((stage for stage in net.stages if parts and stage.name == parts[0]), None)
    if stage is None or len(parts) < 2:
        return None
    op = stage.blocks[int(parts[1]) - 1]
    for part in parts[2:]:
        inner = dict(children(op))
        if part not in inner:
            return None
        op = inner[part]
    return op


def _names(net: Net, *, split: bool = False) -> dict[tuple[str, ...], tuple[str, ...]]:
    names: dict[tuple[str, ...], tuple[str, ...]] = {
        (): (*(stage.name for stage in net.stages), "head"),
        ("head",): head(net),
    }
    for stage in net.stages:
        names[(stage.name,)] = tuple(f"{place:02d}" for place in range(1, len(stage.blocks) + 1))
    for address, block in blocks(net):
        _collect(tuple(address.split("/")[1:]), block, names, split=split)
    return names


def _collect(path: tuple[str, ...], op: Op, names: dict[tuple[str, ...], tuple[str, ...]], *, split: bool) -> None:
    inside = children(op)
    names[path] = CONV if split and isinstance(op, Conv) else (*(name for name, _ in inside), *joints(op))
    for name, child in inside:
        _collect((*path, name), child, names, split=split)


def _word(op: Op) -> str:
    match op:
        case Conv():
            return "conv"
        case Pool():
            return "pool"
        case Concat():
            return "split"
        case Residual():
            return "residual"
        case Chain():
            return "chain"
        case _:
            assert_never(op)
