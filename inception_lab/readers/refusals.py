"""Every add of a network that cannot be: a build stops at the first, a reader goes on behind it."""

from __future__ import annotations

from inception_lab.errors import ImpossibleAdd, NetworkError
from inception_lab.nets.ops import Net, Size
from inception_lab.readers.shapes import shapes


def mended(net: Net, *, size: int | Size | None = None) -> tuple[Net, tuple[ImpossibleAdd, ...]]:
    """`net` with every closing 1x1 as wide as its shortcut, and what was refused on the way, in the order of the ops.

    A network that can be built comes back as it is, with nothing refused. Equal copies are mended together. Raises
    `InputTooSmall` as `shapes`.
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
