"""The picture of a network at three depths: the strip of its stages, one block, one op with its arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

import pandas as pd
import streamlit as st

from inception_lab.figures.cost import stage_bars
from inception_lab.readers.explain import arithmetic
from inception_lab.readers.table import Row, ShapeTable
from inception_lab.ui import cache, components, drawer, selection
from inception_lab.ui.selection import Selection


def show(chosen: Selection, size: int, table: ShapeTable) -> str:
    """Everything drawn about the selection in a network that can be built; returns its Python."""
    totals(table)
    strip(chosen, size)
    block(chosen, size, table)
    rows(chosen, table)
    source(chosen)
    return code(chosen, size, table)


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
    for row in _op(chosen, table):
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


def code(chosen: Selection, size: int, table: ShapeTable) -> str:
    """The Python for exactly what is on screen: the strip, the block at the depth chosen, the selected rows."""
    depth = "ops" if st.session_state.get("fine") else "block"
    lines = [
        chosen.python,
        f"table = lab.shapes(net, size={size})",
        f'strip = lab.graph(net, depth="stages", size={size}, direction="LR")',
        "model = lab.build(net)" if chosen.run else "model = lab.build(net, classes=1000)",
        f'rows = table.under("{chosen.block or chosen.address}")',
    ]
    lines += [f'row = table.row("{row.address}")' for row in _op(chosen, table)]
    if chosen.block:
        lines.append(f'lab.graph(net, at="{chosen.address}", depth="{depth}", size={size}, direction="LR")')
    return "\n".join(lines)


def _op(chosen: Selection, table: ShapeTable) -> tuple[Row, ...]:
    """The row of the op that is selected, or of the one whose step is; none where it is a block or a branch."""
    holders = (chosen.address, chosen.address.rsplit("/", 1)[0])
    return tuple(row for row in table.rows if row.address in holders)[:1] if chosen.parts[3] else ()


def _readable(row: Mapping[str, object]) -> dict[str, object]:
    return {key: "×".join(map(str, value)) if isinstance(value, list | tuple) else value for key, value in row.items()}
