"""A drawing on Explore with what every figure has beside it: its words, its exports, its boxes as a table."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from inception_lab.nets.ops import Net
from inception_lab.readers.drawing import Graph
from inception_lab.ui import cache, components, drawer, exporting, selection


def show(
    drawn: Graph,
    net: Net,
    *,
    key: str,
    selected: str = "",
    more: str = "",
    name: str | None = None,
    legend: str = "",
    follow: bool = False,
    on_pick: Callable[[str], None] = selection.select_nearest,
) -> None:
    """The drawing under a key of its own, and below it in one row its legend (HTML), exports and table.

    `more` is said after its own words; `name` is that of its files, made of the key where it is not given.
    """
    components.drawing(
        cache.svg(drawn), alt=drawn.alt + more, key=key, selected=selected, follow=follow, on_pick=on_pick,
        on_up=selection.up,
    )  # fmt: skip
    with st.container(
        horizontal=True, horizontal_alignment="right", vertical_alignment="center", gap="xsmall", key=f"{key}-beside"
    ):
        if legend:
            st.html(legend, width="stretch")
        exporting.exports(drawn, net, name=name or f"{key}-{(drawn.at or drawn.name).replace('/', '-')}")
        with st.popover("As a table", icon=":material/table:"):  # its CSV is among the exports
            boxes = pd.DataFrame(exporting.boxes(drawn))
            if len(boxes) <= drawer.LONG or st.toggle(f"Show all {len(boxes):,} rows", key=f"{key}-rows"):
                st.dataframe(boxes, hide_index=True, width=640, alt=drawn.alt + more)
