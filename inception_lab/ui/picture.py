"""The picture of a network at three depths: the strip of its stages, one block, one op with its arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from inception_lab.errors import Impossible
from inception_lab.readers import marks
from inception_lab.readers.drawing import Depth, Graph
from inception_lab.readers.explain import arithmetic, entering
from inception_lab.readers.table import Row, ShapeTable
from inception_lab.readers.words import large
from inception_lab.ui import cache, colouring, drawer, drawings, finding, selection, slips
from inception_lab.ui.colouring import Look
from inception_lab.ui.selection import Selection
from inception_lab.ui.widgets import plain

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

Asked = tuple[str | None, Depth]  # what a drawing is of: an address, or nothing for the network; and its depth
PACKED = 0.17  # kB a box of a whole network takes on its way, 0.14 to 0.26 for the catalogue's


def show(chosen: Selection, size: int, table: ShapeTable, bar: DeltaGenerator) -> str:
    """Everything drawn about the selection, as far as the network can be; returns its Python.

    The pictures come first, as high on the page as they can be; `bar` is the row above them that has room for more.
    """
    with bar:
        look = colouring.pick()
        finding.find(chosen, table)
    with st.container(gap="xsmall", key="picture"):
        totals(table)
        upper, below = _places(look)
        with below:
            asked = heading(chosen, table)
        stages = cache.picture(chosen.key, None, "stages", (size, size), look.direction)
        lower = None if asked is None else cache.picture(chosen.key, *asked, (size, size), look.direction)
        end = colouring.most(look, chosen, table, lower)
        legend = colouring.legend(look, chosen, end, *filter(None, (stages, lower)))
        beside = lower is not None and look.direction == "TB"  # where the strip is narrow
        with upper:
            strip(chosen, stages.coloured(look.colour, most=end, largest=True), "" if beside else legend)
        if asked and lower:
            with below:
                block(chosen, lower.coloured(look.colour, most=end), asked, legend if beside else "")
    said(chosen, table, drawn=asked is not None)
    rows(chosen, table)
    source(chosen)
    return code(chosen, size, table, asked, look, end)


def _places(look: Look) -> tuple[DeltaGenerator, DeltaGenerator]:
    """Where the strip and the drawing of its part go: below one another, or side by side if they run top down."""
    if look.direction == "LR":
        return st.container(gap="xsmall", key="upper"), st.container(gap="xsmall", key="lower")
    left, right = st.columns([2, 5])
    return left.container(gap="xsmall", key="upper"), right.container(gap="xsmall", key="lower")


def totals(table: ShapeTable) -> None:
    """The network's totals for one image, short and exact, in one line."""
    figures = (
        f"**{table.parameters / 1e6:,.2f} M** parameters ({table.parameters:,})",
        f"**{table.multiply_adds / 1e9:,.2f} G** multiply-adds ({table.multiply_adds:,})",
        f"**{table.activation_bytes / 2**20:,.0f} MiB** of outputs in fp32 ({table.activation_bytes:,} bytes)",
        f"**{len(table.rows)}** ops",
    )
    more = "For one image; batch norm's two numbers per channel are among the parameters."
    st.caption(" · ".join(figures), help=more)


def strip(chosen: Selection, drawn: Graph, legend: str) -> None:
    """The whole network as a strip of stages, repeats folded, and the legend for all drawings."""
    stage = chosen.address if chosen.parts[1] == "head" else "/".join(chosen.address.split("/")[:2])
    drawings.show(
        drawn,
        chosen.net,
        key="strip",
        selected=stage,
        name=f"{chosen.net.name}-stages",
        legend=legend,
        on_pick=selection.select,
    )


def heading(chosen: Selection, table: ShapeTable) -> Asked | None:
    """What the lower drawing shows and what else it could, in one row; returns what `graph` is to be asked."""
    place = colouring.place(chosen)
    fine = False
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="heading"):
        title = st.container(horizontal=True, vertical_alignment="center", gap="small", width="content")
        if place:
            _stepper(chosen)
            fine = st.toggle("Batch norm and ReLU apart", key="fine", bind="query-params")
        whole = st.toggle(_announced(table), key="whole", bind="query-params")
    with title:
        _title(chosen, table, place, whole)
    if whole:
        return None, "ops"
    return None if place is None else (place, "ops" if fine else "block")


def _title(chosen: Selection, table: ShapeTable, place: str | None, whole: bool) -> None:
    """What the lower drawing is of, and where in the paper or the code that stands."""
    if whole:
        st.subheader("All of it", anchor=False, width="content")
    elif place is None:
        st.caption("Pick a stage to see its block.", width="content")
    else:
        name = "Head" if place.endswith("/head") else f"Block {place.split('/', 1)[1]}"
        st.subheader(name, anchor=False, width="content")
        own = table.under(place)
        counts = (sum(row.parameters for row in own), sum(row.multiply_adds for row in own))
        sums = f"**{counts[0]:,}** parameters, **{large(counts[1])}** multiply-adds"
        st.caption(f"{plain(chosen.stage_source)}: {sums}" if chosen.stage_source else sums, width="content")


def block(chosen: Selection, drawn: Graph, asked: Asked, legend: str) -> None:
    """One block with its branches, every step of it, or all of the network."""
    drawings.show(
        drawn,
        chosen.net,
        key="block-drawing" if asked[0] else "whole-drawing",
        selected=_drawn_at(chosen, asked[1]),
        name="-".join([chosen.net.name, *(asked[0] or "all").split("/")[1:]]),
        legend=legend,
        follow=True,
    )


def said(chosen: Selection, table: ShapeTable, *, drawn: bool) -> None:
    """In words: where the paper slips here, and the arithmetic of the op that is selected, or of what enters."""
    place = colouring.place(chosen)
    if place:
        slips.show(chosen, place)
    else:
        st.markdown(entering(table))
    for row in _op(chosen, table) if drawn else ():
        st.markdown(f"**`{row.address}`** — {row.label}")
        st.markdown(arithmetic(row, table, chosen.net))


def _announced(table: ShapeTable) -> str:
    """The label of the switch for the whole network: how many boxes, how much to send, about how long it takes."""
    boxes = 1 + sum(3 if row.op == "conv" else 1 for row in table.rows)
    return f"Every op: {boxes} boxes, ≈ {boxes * PACKED:.0f} kB, ≈ {0.2 + boxes / 1000:.1f} s"


def _stepper(chosen: Selection) -> None:
    """Which of a stage's copies: a number with − and +; the op stays, where the next copy has it."""
    network, stage, copy, op = chosen.parts
    count = next((len(each.blocks) for each in chosen.net.stages if each.name == stage), 1)
    if count == 1:
        return
    st.session_state["copy"] = int(copy)

    def step() -> None:
        selection.select_nearest(f"{network}/{stage}/{st.session_state['copy']:02d}/{op}".rstrip("/"))

    st.number_input(
        f"Copy of {stage}, 1 to {count}", 1, count, key="copy", on_change=step, width=130, label_visibility="collapsed"
    )
    st.caption(f"of {count}", width="content")


def rows(chosen: Selection, table: ShapeTable) -> None:
    """The table of the selected block, or of the whole network's stages."""
    place = chosen.block or chosen.address
    ops = pd.DataFrame([_readable(row.to_dict()) for row in table.under(place)])
    said = marks.by_row(chosen.net, table)
    if found := [said.get(row.address, "") for row in table.under(place)]:
        ops.insert(1, "mark", found)
    drawer.table(ops, name="shapes", title=f"Shapes and cost of every op in {place}")
    stages = pd.DataFrame([_readable(asdict(total)) for total in table.stages()])
    drawer.table(stages, name="stages", title="Cost per stage as a table")


def source(chosen: Selection) -> None:
    """The selection as PyTorch that stands alone."""
    if chosen.block is None:
        return
    with st.expander("The PyTorch of this place", icon=":material/code_blocks:"):
        if st.toggle("Show it", key="source"):
            from inception_lab.readers.source import source as lab_source

            place = chosen.address.removeprefix(f"{chosen.net.name}/")
            st.caption(f"{place} as torch alone runs it; its outputs are those of `lab.build` with the same weights.")
            try:
                written = str(lab_source(chosen.net, at=chosen.address))
            except Impossible as error:
                st.error(plain(error), icon=":material/error:")
                return
            st.code(written, language="python")
            drawer.download(".py", lambda: written, f"{chosen.net.name}-{place.replace('/', '-')}.py", "text/x-python")


def code(chosen: Selection, size: int, table: ShapeTable, asked: Asked | None, look: Look, end: int) -> str:
    """The Python for exactly what is on screen: the strip, the block at the depth chosen, the selected rows."""
    way = f'size={size}, direction="{look.direction}"{cache.marking(chosen.key, (size, size))}'
    lines = [
        chosen.python,
        f"table = lab.shapes(net, size={size}{cache.tolerance(chosen.key, (size, size))})",
        f'strip = lab.graph(net, depth="stages", {way}){look.python(end, largest=True)}',
        f'rows = table.under("{chosen.block or chosen.address}")',
    ]
    if not table.refused:  # else there is nothing to build
        lines.append(
            "model = lab.build(net)" if chosen.run or chosen.design else "model = lab.build(net, classes=1000)"
        )
    lines += [f'row = table.row("{row.address}")' for row in _op(chosen, table)]
    if asked:
        at = f'at="{asked[0]}", ' if asked[0] else ""
        lines.append(f'lab.graph(net, {at}depth="{asked[1]}", {way}){look.python(end)}')
    return "\n".join(lines)


def _drawn_at(chosen: Selection, depth: Depth) -> str:
    """The box of the selection: of a convolution taken apart its first step."""
    last = chosen.address.rsplit("/", 1)[-1]
    return f"{chosen.address}/conv" if depth == "ops" and last.startswith(("conv", "branch")) else chosen.address


def _op(chosen: Selection, table: ShapeTable) -> tuple[Row, ...]:
    """The row of the op that is selected, or of the one whose step is; none where it is a block or a branch."""
    holders = (chosen.address, chosen.address.rsplit("/", 1)[0])
    return tuple(row for row in table.rows if row.address in holders)[:1]


def _readable(row: Mapping[str, object]) -> dict[str, object]:
    return {key: "×".join(map(str, value)) if isinstance(value, list | tuple) else value for key, value in row.items()}
