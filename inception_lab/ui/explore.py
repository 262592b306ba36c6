"""The parts of the Explore page: pickers, drawings, the arithmetic of one op, cost, code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict

import pandas as pd
import streamlit as st

from inception_lab.errors import ImpossibleAdd, InputTooSmall
from inception_lab.figures.cost import stage_bars
from inception_lab.images.trained import MODEL
from inception_lab.nets import catalog
from inception_lab.nets.address import blocks, head
from inception_lab.readers.explain import arithmetic
from inception_lab.readers.table import ShapeTable
from inception_lab.ui import cache, components, drawer, selection, trained
from inception_lab.ui.selection import Selection
from inception_lab.ui.widgets import linked_number, plain

SISTERS = {"inception_resnet_v2_printed": "inception_resnet_v2_paper"}  # cannot be built: the same with widths that fit


def pick(chosen: Selection) -> int:
    """Selectboxes for network, stage, block and op, the keyboard's way to everything a click selects; and the input."""
    network, stage, block, op = chosen.parts
    stages = tuple(s.name for s in chosen.net.stages)
    columns = st.columns([3, 2, 2, 4, 2])
    with columns[0]:
        _box("Network", tuple(catalog.CATALOG), chosen.key, to=lambda name: name, go=selection.leave)
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
        return _side(chosen.net.size if chosen.run else 299)


def _side(usual: int) -> int:
    return linked_number(
        "Input side, px",
        low=min(32, usual),
        high=1024,
        usual=usual,
        key="size",
        help="Everything below follows at once. The paper's networks were made for 299; 75 is the smallest that fits.",
    )


def origin(chosen: Selection) -> None:
    """Whose network it is and where it can go: from the catalogue to Train, from a run to Classify and back."""
    if not chosen.run:
        train = {"network": chosen.net.name}
        st.page_link("pages/train.py", label="Train this network", icon=":material/monitoring:", query_params=train)
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


def totals(table: ShapeTable) -> None:
    """The network's totals for one image."""
    figures = {
        "Parameters": f"{table.parameters / 1e6:,.2f} M",
        "Multiply-adds": f"{table.multiply_adds / 1e9:,.2f} G",
        "All outputs, fp32": f"{table.activation_bytes / 2**20:,.0f} MiB",
        "Ops": f"{len(table.rows)}",
    }
    exact = (
        f"{table.parameters:,}",
        f"{table.multiply_adds:,}",
        f"{table.activation_bytes:,} bytes",
        "rows of the table",
    )
    with st.container(horizontal=True):
        for (name, value), full in zip(figures.items(), exact, strict=True):
            st.metric(name, value, help=f"Exactly {full}, one image, batch norm's two numbers per channel included.")


def strip(chosen: Selection, size: int) -> None:
    """The whole network as a strip of stages, repeats folded."""
    st.subheader("The network", anchor=False)
    st.caption(f"{chosen.net.name}: {chosen.net.source}. Under each name: channels × height × width.")
    drawn = cache.picture(chosen.key, None, "stages", (size, size), "LR")
    stage = "/".join(chosen.address.split("/")[:2])
    components.drawing(
        drawn.svg(), alt=drawn.alt, key="strip", selected=stage, on_pick=selection.select, on_up=selection.up
    )
    drawer.exports(drawn, name=f"{chosen.net.name}-stages")


def block(chosen: Selection, size: int, table: ShapeTable) -> None:
    """One block with its branches, or every single step of it, and the op that is selected."""
    if chosen.block is None:
        return
    place = f"{chosen.parts[1]}/{chosen.parts[2]}"
    st.subheader(f"Block {place}", anchor=False)
    st.caption(chosen.stage_source)
    fine = st.toggle("Batch norm and ReLU as steps of their own", key="fine", bind="query-params")
    drawn = cache.picture(chosen.key, chosen.block, "ops" if fine else "block", (size, size), "LR")
    components.drawing(
        drawn.svg(),
        alt=drawn.alt,
        key="block-drawing",
        selected=chosen.address,
        on_pick=selection.select_nearest,
        on_up=selection.up,
    )
    drawer.exports(drawn, name=f"{chosen.net.name}-{place.replace('/', '-')}")
    if chosen.parts[3]:
        row = table.row(chosen.address)
        st.markdown(f"**`{row.address}`** — {row.label}")
        st.markdown(arithmetic(row, table))


def rows(chosen: Selection, table: ShapeTable) -> None:
    """The table of the selected block, or of the whole network's stages, and the cost per stage."""
    place = chosen.block or chosen.address
    ops = pd.DataFrame([_readable(row.to_dict()) for row in table.under(place)])
    drawer.table(ops, name="shapes", title=f"Shapes and cost of every op in {place}")
    st.subheader("Where the cost is", anchor=False)
    figure, alt = stage_bars(table)
    st.plotly_chart(figure, key="cost", alt=alt)
    stages = pd.DataFrame([_readable(asdict(total)) for total in table.stages()])
    drawer.table(stages, name="stages", title="Cost per stage as a table", alt=alt)


def source(chosen: Selection) -> None:
    """The PyTorch of the block: what it is made of, and the classes that do it."""
    if chosen.block is None:
        return
    with st.expander("The PyTorch of this block", icon=":material/code_blocks:"):
        if st.toggle("Show it", key="source"):
            import inspect

            from inception_lab.models import build, layers

            st.caption("What the builder makes of the description:")
            st.code(repr(build.block(chosen.net, chosen.block)), language="text")
            st.caption("The classes it is made of, as they run (inception_lab/models/layers.py):")
            st.code(inspect.getsource(layers), language="python")


def show(chosen: Selection, size: int, table: ShapeTable) -> None:
    """Everything about the selection in a network that can be built."""
    origin(chosen)
    totals(table)
    strip(chosen, size)
    block(chosen, size, table)
    rows(chosen, table)
    source(chosen)
    code(chosen, size)


def code(chosen: Selection, size: int) -> None:
    """The Python for exactly what is on screen: the strip, the block at the depth chosen, the selected rows."""
    depth = "ops" if st.session_state.get("fine") else "block"
    of_run = ["from inception_lab.jobs.store import Store", "", f'net = Store().run("{chosen.run}").settings.net()']
    lines = [
        *(of_run if chosen.run else [f'net = lab.net("{chosen.net.name}")']),
        f"table = lab.shapes(net, size={size})",
        f'strip = lab.graph(net, depth="stages", size={size}, direction="LR")',
        "model = lab.build(net)" if chosen.run else "model = lab.build(net, classes=1000)",
        f'rows = table.under("{chosen.block or chosen.address}")',
    ]
    if chosen.parts[3]:
        lines.append(f'row = table.row("{chosen.address}")')
    if chosen.block:
        lines.append(f'lab.graph(net, at="{chosen.address}", depth="{depth}", size={size}, direction="LR")')
    drawer.code("\n".join(lines), name="explore")


def impossible(chosen: Selection, size: int, error: ImpossibleAdd) -> None:
    """The refusal of a network that cannot be built, over the same block of its sister in which the widths fit."""
    st.error(plain(error), icon=":material/error:")
    if chosen.net.name not in SISTERS:
        return
    sister = SISTERS[chosen.net.name]
    place = error.address.split("/", 1)[1]
    at = f"{sister}/{place}"
    stage, copy = place.split("/")[:2]
    drawn = cache.picture(sister, at, "block", (size, size), "LR")
    st.subheader(f"Block {stage}/{copy} of {sister}, where it fits", anchor=False)
    st.caption(
        f"The same block as drawn: its closing 1×1 makes {error.shortcut} channels, as many as the shortcut brings. "
        f"With the printed {error.residual} it breaks at the marked add."
    )
    components.drawing(
        drawn.svg(), alt=drawn.alt, key="sister", selected=at, on_pick=selection.select_nearest, on_up=selection.up
    )
    st.button(
        f"Open it in {sister}",
        key="open-sister",
        icon=":material/open_in_new:",
        on_click=selection.select_nearest,
        args=(at,),
    )


def too_small(chosen: Selection, error: InputTooSmall) -> None:
    """The op on which the input no longer fits, and the way back to the size the network was made for."""
    st.error(plain(error), icon=":material/error:")
    side = chosen.net.size
    st.button(f"Use {side}", key="use-size", icon=":material/undo:", on_click=_use, args=(side,))


def _use(side: int) -> None:
    st.session_state["size"] = side


def _readable(row: Mapping[str, object]) -> dict[str, object]:
    return {key: "×".join(map(str, value)) if isinstance(value, list | tuple) else value for key, value in row.items()}


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
) -> None:
    key = f"pick-{label}"
    shown = options if value in options else (value, *options)
    st.session_state[key] = value

    def changed() -> None:
        go(to(st.session_state[key]))

    st.selectbox(label, shown, key=key, on_change=changed, format_func=lambda name: name or empty)
