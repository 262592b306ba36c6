"""A drawing on Explore with what every figure has beside it: its words, its exports, its boxes as a table."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from inception_lab.nets.ops import Net
from inception_lab.readers.drawing import Graph
from inception_lab.ui import cache, components, drawer, exporting, selection

BROKEN = "#e4572e"  # the op that fails; the word in its box says so as well


def show(
    drawn: Graph,
    net: Net,
    *,
    key: str,
    selected: str = "",
    more: str = "",
    on_pick: Callable[[str], None] = selection.select_nearest,
) -> None:
    """The drawing under a key of its own, which names its files too; `more` is said after its own words."""
    components.drawing(
        cache.svg(drawn), alt=drawn.alt + more, key=key, selected=selected, on_pick=on_pick, on_up=selection.up
    )
    exporting.exports(drawn, net, name=f"{key}-{(drawn.at or drawn.name).replace('/', '-')}")
    title = f"The boxes of {drawn.at or drawn.name} as a table"
    drawer.table(pd.DataFrame(exporting.boxes(drawn)), name=key, title=title, alt=drawn.alt + more)
