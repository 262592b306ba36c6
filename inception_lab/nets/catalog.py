"""The networks the lab knows by name. The names are a contract: links, runs and command lines carry them."""

from difflib import get_close_matches

from inception_lab.errors import UnknownNetwork
from inception_lab.nets.inception_resnet_v1 import INCEPTION_RESNET_V1
from inception_lab.nets.inception_resnet_v2 import (
    INCEPTION_RESNET_V2,
    INCEPTION_RESNET_V2_PAPER,
    INCEPTION_RESNET_V2_PRINTED,
)
from inception_lab.nets.inception_v3 import INCEPTION_V3
from inception_lab.nets.inception_v4 import INCEPTION_V4
from inception_lab.nets.ops import Net

CATALOG: dict[str, Net] = {
    net.name: net
    for net in (
        INCEPTION_V3,
        INCEPTION_V4,
        INCEPTION_RESNET_V1,
        INCEPTION_RESNET_V2,
        INCEPTION_RESNET_V2_PAPER,
        INCEPTION_RESNET_V2_PRINTED,
    )
}


def net(name: str) -> Net:
    """The network called `name`; raises `UnknownNetwork` with the nearest name there is."""
    try:
        return CATALOG[name]
    except (KeyError, TypeError):
        near = get_close_matches(str(name), CATALOG, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"There are {', '.join(CATALOG)}."
        raise UnknownNetwork(f"There is no network {name!r}. {hint}") from None
