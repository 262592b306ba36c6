"""What Explore says of a network that cannot be built: the sentence with the paper's figures, and every way out.

The drawings go on behind what cannot be and mark it themselves (`readers.marks`).
"""

from __future__ import annotations

import streamlit as st

from inception_lab.errors import Impossible, ImpossibleAdd, InputTooSmall, LabError
from inception_lab.nets import catalog
from inception_lab.readers.drawing import Graph
from inception_lab.readers.layout import BROKEN
from inception_lab.readers.refusals import Stop, mended, stops, widths
from inception_lab.readers.refusals import numbers as numbers  # the designer asks here
from inception_lab.readers.table import ShapeTable
from inception_lab.ui import cache, drawings, selection
from inception_lab.ui.paper import contradictions
from inception_lab.ui.selection import Selection
from inception_lab.ui.widgets import plain

SISTERS = {"inception_resnet_v2_printed": "inception_resnet_v2_paper"}  # the same with widths that fit


def show(chosen: Selection, size: int, error: Impossible) -> None:
    """The refusal, and the block in which it stops, or the selected one where that stops too, for a view without a
    drawing of its own."""
    table = cache.read(chosen.key, (size, size))
    say(chosen, size, table)
    here = [one.address for one in table.refused if chosen.block and one.address.startswith(f"{chosen.block}/")]
    at = here[0] if here else error.address
    drawn = cache.picture(chosen.key, "/".join(at.split("/")[:3]), "block", (size, size), "LR")
    drawings.show(drawn, chosen.net, key="stopped", selected=at)


def say(chosen: Selection, size: int, table: ShapeTable) -> None:
    """Every refusal once, whatever its copies, how the rest is read, and the ways on."""
    found = stops(table)
    adds = [stop for stop in found if isinstance(stop.error, ImpossibleAdd)]
    small = [stop for stop in found if isinstance(stop.error, InputTooSmall)]
    for stop in adds:
        st.error(_add(chosen, stop), icon=":material/error:")
    apart = [stop for stop in found if stop not in adds and stop not in small]
    for stop in apart:
        st.error(plain(stop.error), icon=":material/error:")
    if small:
        others = f" {len(small) - 1} more ops run out of cells too." * (len(small) > 1)
        st.error(f"{plain(small[0].error)}{plain(others)}", icon=":material/error:")
    behind = " Behind such an add its sum is taken to have the shortcut's channels." * bool(adds)
    behind += " Behind a join it is taken to have the cells of the first side." * bool(apart)
    behind += " Behind a window that does not fit nothing is left." * bool(small)
    st.caption(
        f"Everything else is read as it is described.{behind} What cannot be is marked with ! and its numbers; the "
        "totals add up parts that cannot run together."
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        for place, stop in enumerate([*adds, *apart, *small[:1]]):
            at = _nearest(chosen, stop)
            label = f"Show {at.split('/', 1)[1]}"
            st.button(label, key=f"stop-{place}", icon=":material/my_location:", on_click=selection.select, args=(at,))
        if small:
            side = chosen.net.size
            st.button(f"Use {side}", key="use-size", icon=":material/undo:", on_click=_use, args=(side,))
        if adds:
            way_out(chosen, size)
            if chosen.key in catalog.CATALOG:
                st.markdown(contradictions(), width="content")


def way_out(chosen: Selection, size: int) -> None:
    """A button to the network with widths that fit: the one as drawn, or a design mended at its adds."""
    if sister := SISTERS.get(chosen.key, ""):
        at = "/".join([sister, *chosen.address.split("/")[1:]])
        label, icon = f"Open it in {sister}", ":material/open_in_new:"
        st.button(label, key="open-sister", icon=icon, on_click=selection.leave, args=(at,))
        return
    try:
        net, refused = mended(chosen.net, size=size)
    except LabError:  # what stops behind the add is another question, and said as one
        return
    if refused:
        label, icon = "Take the one that fits", ":material/build:"
        st.button(label, key="take-mended", icon=icon, on_click=selection.take, args=(net,))


def adds(chosen: Selection) -> tuple[Stop, ...]:
    """The adds of the network that cannot be, whatever the input."""
    side = chosen.net.size
    return tuple(stop for stop in stops(cache.read(chosen.key, (side, side))) if isinstance(stop.error, ImpossibleAdd))


def blocked(chosen: Selection, what: str) -> bool:
    """Whether the network cannot be built; then `what` follows from it is said in a sentence, with the way out."""
    found = adds(chosen)
    if not found:
        return False
    at = found[0].error.address.split("/", 1)[1]
    why = f"it cannot be built, because {at} cannot add {numbers(found[0].error)} channels."
    st.error(f"{what}: {plain(why)}", icon=":material/error:")
    way_out(chosen, chosen.net.size)
    return True


def marked(drawn: Graph, address: str, error: LabError) -> Graph:
    """The drawing with the op that fails filled and its numbers in it."""
    return drawn.marked({drawn.node(address).id: (BROKEN, numbers(error))})


def _add(chosen: Selection, stop: Stop) -> str:
    """One add that cannot be: where its widths come from, what the build says, and how many copies share it."""
    error = stop.error
    assert isinstance(error, ImpossibleAdd)
    why = widths(chosen.net, error)
    copies = f" The same in all {len(stop.places)} copies." if len(stop.places) > 1 else ""
    return f"**{plain(why)}** {plain(error)}{copies}" if why else f"{plain(error)}{copies}"


def _nearest(chosen: Selection, stop: Stop) -> str:
    """The refusal's address in the selected block, else its first."""
    own = [at for at in stop.places if chosen.block and at.startswith(f"{chosen.block}/")]
    return (own or list(stop.places))[0]


def _use(side: int) -> None:
    st.session_state["size"] = side
