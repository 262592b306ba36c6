"""What cannot be: a build stops at the first refusal, a reader goes on behind it and says whence its numbers come."""

from __future__ import annotations

from dataclasses import dataclass

from inception_lab.errors import Impossible, ImpossibleAdd, InputTooSmall, LabError, NetworkError, UnequalGrids
from inception_lab.nets import catalog
from inception_lab.nets.address import blocks
from inception_lab.nets.ops import Chain, Concat, Net, Op, Residual, Size, Stage, channels
from inception_lab.readers.shapes import shapes
from inception_lab.readers.table import ShapeTable


@dataclass(frozen=True, slots=True)
class Stop:
    """One refusal with the addresses, in order, at which a stage's copies share it."""

    error: Impossible
    places: tuple[str, ...]


def stops(table: ShapeTable) -> tuple[Stop, ...]:
    """What a tolerant reading went past, the copies of a stage together."""
    found: dict[tuple[str, ...], Stop] = {}
    for error in table.refused:
        _, stage, _, *op = error.address.split("/", 3)
        key = (stage, *op, numbers(error))
        before = found[key] if key in found else Stop(error, ())
        found[key] = Stop(before.error, (*before.places, error.address))
    return tuple(found.values())


def numbers(error: LabError) -> str:
    """What does not fit, short enough for a box."""
    match error:
        case ImpossibleAdd():
            return f"{error.shortcut} + {error.residual}"
        case InputTooSmall():
            high, wide = error.grid
            return f"{error.window[0]}×{error.window[1]} on {high}×{wide}"
        case UnequalGrids():
            return " + ".join(f"{high}×{wide}" for high, wide in error.grids)
        case _:
            return "cannot be"


def widths(net: Net, error: ImpossibleAdd) -> str:
    """Where the two widths of an add that cannot be come from, as a sentence with the paper's figures; empty where the
    shortcut comes from inside the block.

    Only a network of the catalogue is said to be printed: another one may have been changed.
    """
    _, name, _, *_ = error.address.split("/")
    asks = next(stage for stage in net.stages if stage.name == name)
    gives, terms = _shortcut(net, error)
    if sum(terms) != error.shortcut:
        return ""
    printed = catalog.CATALOG.get(net.name) == net
    one = f"{asks.source} prints {error.residual}" if printed else f"{name} asks for {error.residual}"
    other = gives.source.replace(", ", " with ") if printed else gives.name
    total = f"{' + '.join(map(str, terms))} = " if len(terms) > 1 else ""
    return f"{one}; {other} gives {total}{error.shortcut}."


def mended(net: Net, *, size: int | Size | None = None) -> tuple[Net, tuple[ImpossibleAdd, ...]]:
    """`net` with every closing 1x1 as wide as its shortcut, and what was refused on the way, in the order of the ops.

    A network that can be built comes back as it is, with nothing refused. Equal copies are mended together. Raises
    what else `shapes` raises.
    """
    refused: list[ImpossibleAdd] = []
    while True:
        try:
            shapes(net, size=size)
        except ImpossibleAdd as error:
            if refused and refused[-1].address == error.address:
                raise NetworkError(f"{error.address} stays as it is: nothing in it sets its channels.") from error
            refused.append(error)
            place = error.address.removeprefix(f"{net.name}/").rpartition("/")[0]
            net = net.changed(f"{place}/linear", channels=error.shortcut, copies="all")
        else:
            return net, tuple(refused)


def _shortcut(net: Net, error: ImpossibleAdd) -> tuple[Stage, tuple[int, ...]]:
    """The stage that last set the channels of the trunk before the block that fails, and what they add up from."""
    block = "/".join(error.address.split("/")[:3])
    owner = {f"{net.name}/{stage.name}": stage for stage in net.stages}
    stage, width = net.stages[0], net.inputs
    terms: tuple[int, ...] = (width,)
    for address, op in blocks(net):
        if address == block:
            break
        if not isinstance(op, Residual):
            stage, terms = owner[address.rpartition("/")[0]], _terms(op, width)
        width = channels(op, width)
    return stage, terms


def _terms(op: Op, inputs: int) -> tuple[int, ...]:
    """The channels that are joined at the end of an op."""
    match op:
        case Chain():
            for link in op.ops[:-1]:
                inputs = channels(link, inputs)
            return _terms(op.ops[-1], inputs)
        case Concat():
            return tuple(channels(branch, inputs) for branch in op.branches)
        case _:
            return (channels(op, inputs),)
