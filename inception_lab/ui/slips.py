"""Where the paper's drawing of what is on screen cannot be right: a sentence with the figure's number."""

from __future__ import annotations

import streamlit as st

from inception_lab.readers.slips import Slip, slips_of
from inception_lab.ui.selection import Selection
from inception_lab.ui.widgets import plain


def show(chosen: Selection, place: str) -> None:
    """The slips in the block or head at `place`; their ops are marked in the drawing itself."""
    for slip in slips_of(chosen.net):
        if any(f"{at}/".startswith(f"{place}/") for at in slip.places(chosen.net)):
            st.info(sentence(slip), icon=":material/report:")


def sentence(slip: Slip) -> str:
    """What is printed and what it must be."""
    return (
        f"The paper slips here, marked with ! and a double line: {plain(slip.where)}. Printed: {plain(slip.says)} "
        f"Must be: {plain(slip.must)}"
    )
