"""What Explore shows of a network that cannot be built: the sentence, the numbers in the drawing, and the way out."""

from __future__ import annotations

import streamlit as st

from inception_lab.errors import ImpossibleAdd, InputTooSmall, LabError
from inception_lab.readers.drawing import Graph
from inception_lab.readers.refusals import mended
from inception_lab.ui import cache, drawings, selection
from inception_lab.ui.drawings import BROKEN
from inception_lab.ui.selection import Selection
from inception_lab.ui.widgets import plain

SISTERS = {"inception_resnet_v2_printed": "inception_resnet_v2_paper"}  # the same with widths that fit


def show(chosen: Selection, size: int, error: ImpossibleAdd | InputTooSmall) -> None:
    """The refusal, and the block in which it stops as it would be if it fitted, with the op that fails marked."""
    if isinstance(error, InputTooSmall):
        too_small(chosen, error)
    else:
        impossible(chosen, size, error)


def impossible(chosen: Selection, size: int, first: ImpossibleAdd) -> None:
    """Every add that cannot be, and the block of the one that is selected, or of the first, with widths that fit."""
    try:
        net, refused = mended(chosen.net, size=size)
    except LabError:  # what stops behind the add is another question
        net, refused = None, (first,)
    st.error(plain(first), icon=":material/error:")
    for later in refused[1:]:
        st.error(f"Mended there, the build stops again. {plain(later)}", icon=":material/error:")
    if net is None:
        return
    stage = chosen.parts[1]
    here = next((error for error in refused if error.address.split("/")[1] == stage), first)
    sister = SISTERS.get(chosen.key, "")
    net, key = (cache.net(sister), sister) if sister else (net, cache.key(net))
    at = "/".join([net.name, *here.address.split("/")[1:]])
    block = at.rpartition("/")[0]
    st.subheader(f"Block {'/'.join(block.split('/')[1:])} of {sister or 'this network'}, where it fits", anchor=False)
    st.caption(
        f"Here its closing 1×1 makes {here.shortcut} channels, as many as the shortcut brings. With the "
        f"{'printed ' if sister else ''}{here.residual} it breaks at the marked add."
    )
    drawn = marked(cache.picture(key, block, "block", (size, size), "LR"), at, here)
    drawings.show(drawn, net, key="sister", selected=at, more=f" It fails at {at}: {numbers(here)}.")
    if sister:
        label, icon = f"Open it in {sister}", ":material/open_in_new:"
        st.button(label, key="open-sister", icon=icon, on_click=selection.leave, args=(at,))
    else:
        label, icon = "Take the one that fits", ":material/build:"
        st.button(label, key="take-mended", icon=icon, on_click=selection.take, args=(net,))


def too_small(chosen: Selection, error: InputTooSmall) -> None:
    """The op on which the input runs out, drawn for the size the network was made for, which is one click away."""
    st.error(plain(error), icon=":material/error:")
    side = chosen.net.size
    st.button(f"Use {side}", key="use-size", icon=":material/undo:", on_click=_use, args=(side,))
    block = "/".join(error.address.split("/")[:3])
    try:
        drawn = marked(cache.picture(chosen.key, block, "block", (side, side), "LR"), error.address, error)
    except LabError:  # it does not fit there either, or it is no part of a block
        return
    st.caption(
        f"{plain(block)} as an image of {side}×{side} pixels makes it; the marked op is where the smaller one runs out."
    )
    drawings.show(drawn, chosen.net, key="stopped", more=f" The input runs out at {error.address}: {numbers(error)}.")


def marked(drawn: Graph, address: str, error: LabError) -> Graph:
    """The drawing with the op that fails filled and its numbers in it."""
    return drawn.marked({drawn.node(address).id: (BROKEN, numbers(error))})


def numbers(error: LabError) -> str:
    """What does not fit, short enough for a box."""
    match error:
        case ImpossibleAdd():
            return f"{error.shortcut} + {error.residual}"
        case InputTooSmall():
            high, wide = error.grid
            return f"{error.window[0]}×{error.window[1]} on {high}×{wide}"
        case _:
            return "cannot be"


def _use(side: int) -> None:
    st.session_state["size"] = side
