"""A drawing on Explore with what every figure has beside it: its words, its exports, its boxes as a table."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from inception_lab.nets.ops import Net
from inception_lab.readers.drawing import Graph
from inception_lab.ui import cache, components, exporting, selection


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
    with st.container(horizontal=True):
        exporting.exports(drawn, net, name=f"{key}-{(drawn.at or drawn.name).replace('/', '-')}")
        with st.popover("As a table", icon=":material/table:"):  # its CSV is among the exports
            st.dataframe(pd.DataFrame(exporting.boxes(drawn)), hide_index=True, width=640, alt=drawn.alt + more)
