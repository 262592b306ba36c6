"""The Explore page: where in which network one is, and the views of that place."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Literal, assert_never, cast

import streamlit as st

from inception_lab.images.trained import MODEL
from inception_lab.nets import catalog
from inception_lab.nets.address import blocks, head
from inception_lab.training import bounds
from inception_lab.ui import (
    cache,
    comparing,
    costs,
    design,
    drawer,
    editing,
    inside,
    knobs,
    picture,
    refusals,
    selection,
    trained,
)
from inception_lab.ui.selection import Selection
from inception_lab.ui.widgets import handed_over, linked_now, linked_number, linked_segments, plain

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

View = Literal["picture", "inside", "design", "compare", "cost"]

VIEWS: dict[View, str] = {
    "picture": "Picture",
    "inside": "My image inside",
    "design": "Design",
    "compare": "Compare",
    "cost": "Cost",
}
_TURN = Lock()
"""Of people who click in the same instant one is served after the other: a page is all Python, which runs one thread at
a time, and by turns everybody would wait as long as the last."""


def show() -> None:
    """The whole page below its title: where one is, and the view that is picked with the Python that makes it."""
    with _TURN:
        chosen, size, view, bar = _head()
        lines = _view(view, chosen, size, bar) if view == "picture" else None
    if lines is None:
        lines = _view(view, chosen, size, bar)  # may take as long as a network does
    if lines:
        drawer.code(lines, name="explore")


def _head() -> tuple[Selection, int, View, DeltaGenerator]:
    """Where one is, in a few lines above the view: the selection, the side of the input, the view that is picked, and
    the bar in which the view has room for its own."""
    chosen = selection.current()
    views = {str(word): title for word, title in VIEWS.items()}
    designing = linked_now(views, key="view") == "design"
    if designing:
        low, high = _sides(chosen.net.size)
        chosen = editing.entered(chosen, handed_over("size", low=low, high=high))
    with st.container(gap="xsmall", key="where"):
        with st.container(
            horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", gap="xsmall"
        ):
            breadcrumb(chosen)
            origin_of = f"a design, begun as {chosen.net.name}" if chosen.design else chosen.net.source
            st.caption(f"{plain(origin_of)}; lines: channels × height × width", width="content")
            _to_train(chosen)
        size = pick(chosen, designing=designing)
        origin(chosen)
        bar = st.container(horizontal=True, vertical_alignment="center", gap="small", key="bar")
    with bar:
        view = linked_segments("View", views, key="view", label_visibility="collapsed")
    return chosen, size, cast("View", view), bar


def _view(view: View, chosen: Selection, size: int, bar: DeltaGenerator) -> str:
    """One view of the selection; returns its Python, which is empty where the network cannot be built."""
    match view:
        case "inside":
            return inside.show(chosen)
        case "design":
            return design.show(chosen)
        case "compare":
            return comparing.show(chosen, size)
        case "picture" | "cost":
            return _built(view, chosen, size, bar)
        case _:
            assert_never(view)


def _built(view: Literal["picture", "cost"], chosen: Selection, size: int, bar: DeltaGenerator) -> str:
    """A view that reads every shape, behind what cannot be too."""
    table = cache.read(chosen.key, (size, size))
    if table.refused:
        refusals.say(chosen, size, table)
    return picture.show(chosen, size, table, bar) if view == "picture" else costs.show(chosen, size, table)


def breadcrumb(chosen: Selection) -> None:
    """Network › stage › block › op; each part is a way back up.

    Streamlit's containers and buttons take no role and no `aria-current`: a screen reader finds buttons in order.
    """
    network, stage, block, op = chosen.parts
    crumbs = [
        (cache.title(chosen.key), network),
        (stage, f"{network}/{stage}"),
        (block, f"{network}/{stage}/{block}"),
        (op, chosen.address),
    ]
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", width="content", key="crumbs"):
        for place, (word, address) in enumerate(crumb for crumb in crumbs if crumb[0]):
            if place:
                st.markdown("›", width="content")
            st.button(plain(word), key=f"crumb-{place}", type="tertiary", on_click=selection.select, args=(address,))


def pick(chosen: Selection, *, designing: bool = False) -> int:
    """Selectboxes for network, stage, block and op, the keyboard's way to everything a click selects; and the input."""
    network, stage, block, op = chosen.parts
    stages = tuple(s.name for s in chosen.net.stages)
    columns = st.container(key="pick").columns([3, 2, 2, 4, 2], gap="small")
    with columns[0]:
        _box("Network", tuple(catalog.CATALOG), chosen.key, to=lambda name: name, go=selection.leave, shown=cache.title)
    with columns[1]:
        _box("Stage", (*stages, "head"), stage, to=lambda name: f"{network}/{name}")
    with columns[2]:
        parts = head(chosen.net) if stage == "head" else _copies(chosen, stage)
        _box("Part" if stage == "head" else "Block", parts, block, to=lambda name: f"{network}/{stage}/{name}")
    with columns[3]:
        here = chosen.block or ""
        ops = tuple(address.removeprefix(f"{here}/") for address in chosen.steps)
        _box("Op", ("", *ops), op, to=lambda name: f"{here}/{name}".rstrip("/"), empty="the whole block")
    with columns[4]:
        size = knobs.side(chosen.net.size, *_sides(chosen.net.size)) if designing else _side(chosen.net.size)
    if size != chosen.net.size:
        st.caption(
            f"Seen with an image of {size} px; the network itself is made for {chosen.net.size}. In the view Design "
            "the input side is a part of the network."
        )
    return size


def _sides(usual: int) -> tuple[int, int]:
    return min(32, usual), max(1024, usual)


def _side(usual: int) -> int:
    low, high = _sides(usual)
    return linked_number(
        "Input side, px",
        low=low,
        high=high,
        usual=usual,
        key="size",
        help="The side of the image that everything below is drawn and counted for; the network stays as it is. The "
        "paper's networks were made for 299; 75 is the smallest that fits.",
    )


def origin(chosen: Selection) -> None:
    """Whose network it is and where it can go, of a run's network: to Classify, and back to the catalogue."""
    if not chosen.run:
        return
    run = cache.store().run(chosen.run)
    st.markdown(
        f"This is the network with which **{plain(trained.described(run))}** began: {chosen.net.name}, for "
        f"{chosen.net.size}×{chosen.net.size} pixels of {chosen.net.inputs} "
        f"channel{'s' if chosen.net.inputs > 1 else ''} and {chosen.net.classes} classes. The run is {run.status}."
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        if (run.folder / MODEL).is_file():
            ask = {"network": chosen.key}
            icon = ":material/image_search:"
            st.page_link("pages/classify.py", label="Classify with it", icon=icon, query_params=ask)
        back = run.settings.network if run.settings.design is None else selection.START
        st.button(
            f"Back to {back.split('/')[0]} of the catalogue",
            key="leave-run",
            icon=":material/undo:",
            type="tertiary",
            on_click=selection.leave,
            args=(back,),
        )


def _to_train(chosen: Selection) -> None:
    """From the catalogue or a design to Train, and from a design back."""
    if chosen.run:
        return
    with st.container(horizontal=True, vertical_alignment="center", width="content"):
        if refusals.adds(chosen):
            sister = refusals.SISTERS.get(chosen.key, "")
            st.caption(
                "What cannot be built cannot be trained." + " Train the one whose widths fit:" * bool(sister),
                width="content",
            )
            train, said, label = {"network": sister} if sister else {}, "", f"Train {sister}"
        else:
            (train, said), label = _training(chosen), f"Train this {'design' if chosen.design else 'network'}"
        if train:
            icon = ":material/monitoring:"
            st.page_link("pages/train.py", label=label, icon=icon, query_params=train, help=said or None)
        if chosen.design:
            back = chosen.net.name if chosen.net.name in catalog.CATALOG else selection.START
            st.button(
                f"Back to {back.split('/')[0]} of the catalogue",
                key="leave-design",
                icon=":material/undo:",
                type="tertiary",
                on_click=selection.leave,
                args=(back,),
            )


def _training(chosen: Selection) -> tuple[dict[str, str], str]:
    """What Train is told of a network, and what it makes of it: a design keeps its copies and an input side of its
    own, with the stem that goes with it, unless that is more than Train takes."""
    said = "Train's own settings stand beside it: width, scale, images. "
    if not chosen.design:
        return {"network": chosen.net.name}, said
    told, side = {"design": chosen.design, "set-repeats": "none"}, chosen.net.size
    low, high = bounds.WHOLE["image_size"]
    known = catalog.CATALOG.get(chosen.net.name)
    if known is not None and known.size == side:
        return told, f"{said}It begins with small images and the small stem."
    if not low <= side <= high:
        return told, f"{said}Its images have {low} to {high} px, so the {side} px of this design stay behind."
    return told | {"set-image_size": str(side), "set-small": "false"}, f"{said}Images have {side} px, as designed."


def _copies(chosen: Selection, stage: str) -> tuple[str, ...]:
    prefix = f"{chosen.net.name}/{stage}/"
    return tuple(address.removeprefix(prefix) for address, _ in blocks(chosen.net) if address.startswith(prefix))


def _box(
    label: str,
    options: tuple[str, ...],
    value: str,
    *,
    to: Callable[[str], str],
    go: Callable[[str], None] = selection.select,
    empty: str = "—",
    shown: Callable[[str], str] = str,
) -> None:
    key = f"pick-{label}"
    choices = options if value in options else (value, *options)
    st.session_state[key] = value

    def changed() -> None:
        go(to(st.session_state[key]))

    st.selectbox(label, choices, key=key, on_change=changed, format_func=lambda name: shown(name) or empty)
