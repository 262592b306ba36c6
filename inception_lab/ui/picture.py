"""The picture of a network at three depths: the strip of its stages, one block, one op with its arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

import pandas as pd
import streamlit as st

from inception_lab.errors import ImpossibleAdd, InputTooSmall
from inception_lab.readers import marks
from inception_lab.readers.drawing import Depth
from inception_lab.readers.explain import arithmetic, entering
from inception_lab.readers.table import Row, ShapeTable
from inception_lab.ui import cache, colouring, components, drawer, exporting, finding, selection, slips
from inception_lab.ui.colouring import Look
from inception_lab.ui.selection import Selection
from inception_lab.ui.widgets import plain

PACKED = 0.17  # kB a box of a whole network takes on its way, 0.15 to 0.26 for the catalogue's


def show(chosen: Selection, size: int, table: ShapeTable) -> str:
    """Everything drawn about the selection, as far as the network can be; returns its Python."""
    totals(table)
    look = colouring.pick(chosen)
    finding.find(chosen, table)
    strip(chosen, size, table, look)
    shown = block(chosen, size, table, look)
    rows(chosen, table)
    source(chosen)
    return code(chosen, size, table, shown, look)


def totals(table: ShapeTable) -> None:
    """The network's totals for one image."""
    figures = {
        "Parameters": (f"{table.parameters / 1e6:,.2f} M", f"{table.parameters:,}"),
        "Multiply-adds": (f"{table.multiply_adds / 1e9:,.2f} G", f"{table.multiply_adds:,}"),
        "All outputs, fp32": (f"{table.activation_bytes / 2**20:,.0f} MiB", f"{table.activation_bytes:,} bytes"),
        "Ops": (f"{len(table.rows)}", "rows of the table"),
    }
    with st.container(horizontal=True):
        for name, (value, full) in figures.items():
            st.metric(name, value, help=f"Exactly {full}, one image, batch norm's two numbers per channel included.")


def strip(chosen: Selection, size: int, table: ShapeTable, look: Look) -> None:
    """The whole network as a strip of stages, repeats folded."""
    st.subheader("The network", anchor=False)
    st.caption(f"{chosen.net.name}: {plain(chosen.net.source)}. At each line: channels × height × width.")
    drawn = cache.picture(chosen.key, None, "stages", (size, size), look.direction)
    drawn = colouring.coloured(drawn, look, None, table)
    stage = "/".join(chosen.address.split("/")[:2])
    components.drawing(
        cache.svg(drawn), alt=drawn.alt, key="strip", selected=stage, on_pick=selection.select, on_up=selection.up
    )
    colouring.legend(drawn, "stages as a whole")
    exporting.exports(drawn, chosen.net, name=f"{chosen.net.name}-stages")


def block(chosen: Selection, size: int, table: ShapeTable, look: Look) -> tuple[str | None, Depth] | None:
    """One block with its branches, every step of it or of all, and the op selected; returns what `graph` was asked."""
    place = _place(chosen)
    if place is None:
        st.caption("Pick a stage to see its block.")
        st.markdown(entering(table))
    else:
        st.subheader("Head" if place.endswith("/head") else f"Block {place.split('/', 1)[1]}", anchor=False)
        st.caption(plain(chosen.stage_source))
        slips.show(chosen, place)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if place:
            _stepper(chosen)
            fine = st.toggle("Batch norm and ReLU as steps of their own", key="fine", bind="query-params")
        whole = st.toggle(_announced(table), key="whole", bind="query-params")
    if not whole and place is None:
        return None
    asked: tuple[str | None, Depth] = (None, "ops") if whole else (place, "ops" if fine else "block")
    drawn = cache.picture(chosen.key, *asked, (size, size), look.direction)
    drawn = colouring.coloured(drawn, look, chosen, table)
    components.drawing(
        cache.svg(drawn),
        alt=drawn.alt,
        key="whole-drawing" if whole else "block-drawing",
        selected=_drawn_at(chosen, asked[1]),
        on_pick=selection.select_nearest,
        on_up=selection.up,
    )
    colouring.legend(drawn, look.scope_words(chosen))
    exporting.exports(drawn, chosen.net, name="-".join([chosen.net.name, *(asked[0] or "all").split("/")[1:]]))
    for row in _op(chosen, table):
        st.markdown(f"**`{row.address}`** — {row.label}")
        st.markdown(arithmetic(row, table, chosen.net))
    return asked


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

    st.number_input(f"Copy of {stage}, 1 to {count}", 1, count, key="copy", on_change=step, width=160)


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
            except (ImpossibleAdd, InputTooSmall) as error:
                st.error(plain(error), icon=":material/error:")
                return
            st.code(written, language="python")
            drawer.download(".py", lambda: written, f"{chosen.net.name}-{place.replace('/', '-')}.py", "text/x-python")


def code(chosen: Selection, size: int, table: ShapeTable, shown: tuple[str | None, Depth] | None, look: Look) -> str:
    """The Python for exactly what is on screen: the strip, the block at the depth chosen, the selected rows."""
    way = f'size={size}, direction="{look.direction}"{cache.marking(chosen.key, (size, size))}'
    lines = [
        chosen.python,
        f"table = lab.shapes(net, size={size}{cache.tolerance(chosen.key, (size, size))})",
        f'strip = lab.graph(net, depth="stages", {way}){look.python()}',
        f'rows = table.under("{chosen.block or chosen.address}")',
    ]
    if not table.refused:  # else there is nothing to build
        lines.append(
            "model = lab.build(net)" if chosen.run or chosen.design else "model = lab.build(net, classes=1000)"
        )
    lines += [f'row = table.row("{row.address}")' for row in _op(chosen, table)]
    if shown:
        at = f'at="{shown[0]}", ' if shown[0] else ""
        lines.append(f'lab.graph(net, {at}depth="{shown[1]}", {way}){look.python(colouring.most(look, chosen, table))}')
    return "\n".join(lines)


def _place(chosen: Selection) -> str | None:
    """The block that is drawn, the head too; None for the network itself."""
    network, stage, *_ = chosen.parts
    return f"{network}/head" if stage == "head" else chosen.block


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
