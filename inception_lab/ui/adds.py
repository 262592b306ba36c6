"""Which of the chosen networks have a residual add, and so a scale to choose."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from inception_lab.errors import LabError
from inception_lab.nets import catalog
from inception_lab.nets.ops import Net
from inception_lab.readers.notation import parse
from inception_lab.training.settings import Settings

Values = Mapping[str, tuple[Any, ...]]


@lru_cache(maxsize=64)
def has_adds(network: str, design: str | None = None) -> bool:
    """Whether scaling its residuals changes the network; one that cannot be read is refused elsewhere."""
    try:
        net = catalog.net(network) if design is None else parse(design)
    except LabError:
        return True
    return not isinstance(net, Net) or net.scaled(0.25) != net.scaled(0.5)


def by_adds(base: Settings, over: Values) -> tuple[Values | None, Values | None]:
    """`over`, the values of the settings that vary, for networks with adds and for those without; None for no network.

    A design stands in the place of every network.
    """
    for design in over.get("design", (base.design,))[:1]:
        if design is not None:
            return (over, None) if has_adds(base.network, design) else (None, over)
    networks = over.get("network", (base.network,))
    scaled, unscaled = (tuple(one for one in networks if has_adds(one) is wanted) for wanted in (True, False))
    return _only(over, scaled), _only(over, unscaled)


def _only(over: Values, networks: tuple[str, ...]) -> Values | None:
    if not networks:
        return None
    return {**over, "network": networks} if "network" in over else over


def without(base: Settings, unscaled: Values) -> str:
    """A sentence on the networks that have no scale."""
    design = next(iter(unscaled.get("design", (base.design,))), None)
    names = ["This design"] if design is not None else list(unscaled.get("network", (base.network,)))
    has = "has no residual add" if len(names) == 1 else "have no residual adds"
    return f"{' and '.join(names)} {has}, so there is no scale to choose: a sweep over it would repeat one run."
