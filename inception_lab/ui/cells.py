"""Feature maps as a grid in which each cell can be picked, by click, by keyboard, or by number."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from inception_lab.images.tiles import Limits, coloured, limits, png
from inception_lab.ui import components
from inception_lab.ui.widgets import plain

if TYPE_CHECKING:
    from inception_lab.images.features import Channel, Features

Cell = tuple[int, int, int]

_HTML = '<div class="cells" role="group"></div><span class="spoken" aria-live="polite"></span>'
_KEY = "cell"


def grid(found: Features, cell: Cell, *, most: int, shared: Limits | None, alt: str) -> None:
    """The strongest maps, coloured from one end of `shared` to the other, or each by itself; a pick moves the cell."""
    shown = list(found.channels[:most])
    if cell[0] not in {one.channel for one in shown}:
        shown.append(next(one for one in found.channels if one.channel == cell[0]))
    _, rows, columns = found.maps.shape
    tiles = [
        {"channel": one.channel, "source": _source(found, one, shared), "label": _label(one, own=shared is None)}
        for one in shown
    ]
    components.component("cells", _HTML)(
        key="maps",
        data={"tiles": tiles, "rows": rows, "columns": columns, "chosen": list(cell), "alt": alt},
        on_pick_change=_picked,
    )


def current(found: Features) -> Cell:
    """The cell that link or session ask for; where that is none of this op's, the strongest map's largest value.

    A link to a cell that is not there is told so.
    """
    count, rows, columns = found.maps.shape
    here = f"{found.weights} {found.address} {found.file}"
    asked = st.session_state.get(_KEY) if st.session_state.get("cell-of") == here else None
    fresh = "cell-of" not in st.session_state and _KEY in st.query_params
    words = str(st.query_params[_KEY]) if fresh else str(asked or "")
    parts = words.split(".")
    if len(parts) == 3 and all(part.isascii() and part.isdigit() and len(part) < 6 for part in parts):
        channel, row, column = (int(part) for part in parts)
        if channel < count and row < rows and column < columns:
            return _kept((channel, row, column), here)
    if fresh:
        st.warning(
            f"The link asks for the cell '{plain(words[:40])}'; this op has channels 0 to {count - 1}, rows 0 to "
            f"{rows - 1} and columns 0 to {columns - 1}, written as channel.row.column.",
            icon=":material/link_off:",
        )
    first = found.channels[0].channel
    values = np.nan_to_num(found.maps[first], nan=-np.inf)
    row, column = divmod(int(values.argmax()), columns)
    return _kept((first, row, column), here)


def pickers(found: Features, cell: Cell) -> None:
    """The cell as three boxes: for the keyboard, for a telephone, and for a number one has in mind."""
    ranked = {one.channel: f"{one.channel} (rank {place})" for place, one in enumerate(found.channels, 1)}
    _, rows, columns = found.maps.shape
    options = {"Channel": list(ranked), "Row": list(range(rows)), "Column": list(range(columns))}
    keys = [f"cell-{name}" for name in options]

    def changed() -> None:
        st.session_state[_KEY] = ".".join(str(st.session_state[key]) for key in keys)

    for column, key, (name, choices), value in zip(st.columns(3), keys, options.items(), cell, strict=True):
        st.session_state[key] = value
        words = ranked.__getitem__ if name == "Channel" else str
        column.selectbox(name, choices, key=key, on_change=changed, format_func=words)


def _kept(cell: Cell, here: str) -> Cell:
    words = ".".join(map(str, cell))
    st.session_state.update({_KEY: words, "cell-of": here})
    st.query_params[_KEY] = words
    return cell


def _picked() -> None:
    if picked := st.session_state["maps"].get("pick"):
        st.session_state[_KEY] = str(picked)


def _source(found: Features, one: Channel, shared: Limits | None) -> str:
    values = found.maps[one.channel]
    picture = png(coloured(values, limits(values) if shared is None else shared))
    return f"data:image/png;base64,{b64encode(picture).decode()}"


def _label(one: Channel, *, own: bool) -> str:
    ends = f", {one.low:.3g} to {one.high:.3g}" if own else ""
    return f"channel {one.channel}: RMS {one.rms:.3g}, mean {one.mean:.3g}, {one.zero_share:.0%} zero{ends}"
