"""The Explore page: where in which network one is, and the views of that place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, assert_never, cast

import streamlit as st

from inception_lab.images.trained import MODEL
from inception_lab.nets import catalog
from inception_lab.nets.address import blocks, head
from inception_lab.ui import cache, comparing, costs, design, drawer, inside, picture, refusals, selection, trained
from inception_lab.ui.selection import Selection
from inception_lab.ui.widgets import linked_number, linked_segments, plain

View = Literal["picture", "inside", "design", "compare", "cost"]

VIEWS: dict[View, str] = {
    "picture": "Picture",
    "inside": "My image inside",
    "design": "Design",
    "compare": "Compare",
    "cost": "Cost",
}


def show() -> None:
    """The whole page below its title: where one is, and the view that is picked with the Python that makes it."""
    chosen = selection.current()
    breadcrumb(chosen)
    size = pick(chosen)
    origin(chosen)
    view = linked_segments("View", {str(word): title for word, title in VIEWS.items()}, key="view")
    if lines := _view(cast("View", view), chosen, size):
        drawer.code(lines, name="explore")


def _view(view: View, chosen: Selection, size: int) -> str:
    """One view of the selection; returns its Python, which is empty where the network cannot be built."""
    match view:
        case "inside":
            return inside.show(chosen)
        case "design":
            return design.show(chosen, size)
        case "compare":
            return comparing.show(chosen, size)
        case "picture" | "cost":
            return _built(view, chosen, size)
        case _:
            assert_never(view)


def _built(view: Literal["picture", "cost"], chosen: Selection, size: int) -> str:
    """A view that reads every shape, behind what cannot be too."""
    table = cache.read(chosen.key, (size, size))
    if table.refused:
        refusals.say(chosen, size, table)
    return picture.show(chosen, size, table) if view == "picture" else costs.show(chosen, size, table)


def breadcrumb(chosen: Selection) -> None:
    """Network › stage › block › op; each part is a way back up."""
    network, stage, block, op = chosen.parts
    crumbs = [
        (cache.title(chosen.key), network),
        (stage, f"{network}/{stage}"),
        (block, f"{network}/{stage}/{block}"),
        (op, chosen.address),
    ]
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="crumbs"):
        for place, (word, address) in enumerate(crumb for crumb in crumbs if crumb[0]):
            if place:
                st.markdown("›", width="content")
            st.button(plain(word), key=f"crumb-{place}", type="tertiary", on_click=selection.select, args=(address,))


def pick(chosen: Selection) -> int:
    """Selectboxes for network, stage, block and op, the keyboard's way to everything a click selects; and the input."""
    network, stage, block, op = chosen.parts
    stages = tuple(s.name for s in chosen.net.stages)
    columns = st.columns([3, 2, 2, 4, 2])
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
        return _side(chosen.net.size)


def _side(usual: int) -> int:
    return linked_number(
        "Input side, px",
        low=min(32, usual),
        high=max(1024, usual),
        usual=usual,
        key="size",
        help="Everything below follows at once. The paper's networks were made for 299; 75 is the smallest that fits.",
    )


def origin(chosen: Selection) -> None:
    """Whose network it is and where it can go: from the catalogue to Train, from a run to Classify and back."""
    if not chosen.run:
        _to_train(chosen)
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
    train = {"design": chosen.design} if chosen.design else {"network": chosen.net.name}
    label = f"Train this {'design' if chosen.design else 'network'}"
    with st.container(horizontal=True, vertical_alignment="center"):
        if refusals.adds(chosen):
            sister = refusals.SISTERS.get(chosen.key, "")
            st.caption("What cannot be built cannot be trained." + " Train the one whose widths fit:" * bool(sister))
            train, label = {"network": sister} if sister else {}, f"Train {sister}"
        if train:
            st.page_link("pages/train.py", label=label, icon=":material/monitoring:", query_params=train)
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
