"""The designer's boxes for the block that is open: every convolution's channels and kernel, branch by branch."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby
from typing import cast

import streamlit as st

from inception_lab.errors import NetworkError
from inception_lab.nets.address import written
from inception_lab.nets.factorise import targets
from inception_lab.nets.ops import Conv, Op, Residual, Size
from inception_lab.nets.rewriting import MOST_CHANNELS, Copies
from inception_lab.readers.saving import saving
from inception_lab.readers.table import ShapeTable
from inception_lab.readers.words import window
from inception_lab.ui import editing, selection
from inception_lab.ui.selection import Selection
from inception_lab.ui.steps import Call
from inception_lab.ui.widgets import linked_segments, plain

COPIES = {"all": "all equal copies", "one": "this copy only"}
KERNELS = ("1×1", "1×3", "3×1", "3×3", "1×5", "5×1", "5×5", "1×7", "7×1", "7×7")
LONG = 6  # letters of a name that fit the narrow card; those of a split inside a branch are longer


@dataclass(frozen=True, slots=True)
class Line:
    """One convolution of the block: its address, the branch it is in, its name there, and what can be changed.

    A residual's closing 1×1 has no kernel to change.
    """

    address: str
    branch: str
    name: str
    channels: int
    kernel: Size | None

    @property
    def short(self) -> str:
        """The address without the network's name."""
        return self.address.split("/", 1)[1]


def show(chosen: Selection, table: ShapeTable) -> None:
    """The boxes, one card for each branch, and what can be done with the convolution that is selected."""
    if chosen.block is None:
        st.info("Pick a stage to change the branches of its blocks.", icon=":material/touch_app:")
        return
    st.subheader(f"The branches of {chosen.block.split('/', 1)[1]}", anchor=False)
    copies = cast("Copies", linked_segments("Change", COPIES, key="copies"))
    row = next(stage.blocks for stage in chosen.net.stages if stage.name == chosen.parts[1])
    count = row.count(cast("Op", written(chosen.net, chosen.block)))
    if copies == "all" and count > 1:
        st.caption(f"{count} equal blocks of the stage change together.")
    at = selected(chosen)
    with st.container(horizontal=True, gap="small"):
        for branch, lines in groupby(lines_of(chosen, table), key=lambda line: line.branch):
            _card(branch, tuple(lines), copies, at)
    _factorise(chosen, at, copies)


def _card(branch: str, lines: tuple[Line, ...], copies: Copies, at: str | None) -> None:
    """The convolutions of one branch below each other."""
    name = 50 if all(len(line.name) <= LONG for line in lines) else 116
    with st.container(border=True, width=name + 217, gap="xsmall"):
        st.markdown(f"**{branch}** :small[channels, kernel]")
        for line in lines:
            _line(line, copies, name, selected=line.address == at)


def lines_of(chosen: Selection, table: ShapeTable) -> list[Line]:
    """The convolutions of the block, those of one branch together."""
    found = []
    for at in chosen.steps:
        op = written(chosen.net, at)
        if not isinstance(op, Conv) and not _closing(chosen, at):
            continue
        channels = op.channels if isinstance(op, Conv) else table.row(at).output[0]
        inner = at.removeprefix(f"{chosen.block}").strip("/").removeprefix("body/")
        branch = re.match(r"(?:.*?/)??branch\d+", inner)
        name = inner[branch.end() :].strip("/") if branch else inner
        where = branch[0] if branch else "in line" if isinstance(op, Conv) else "closing 1×1"
        found.append(Line(at, where, name or "conv", channels, op.window if isinstance(op, Conv) else None))
    return found


def selected(chosen: Selection) -> str | None:
    """The convolution that the selection names or is a step of, or a residual's closing 1×1."""
    at = chosen.address
    while at.count("/") >= 2:
        if _closing(chosen, at) or isinstance(written(chosen.net, at), Conv):
            return at
        at = at.rpartition("/")[0]
    return None


def _closing(chosen: Selection, at: str) -> bool:
    return at.endswith("/linear") and isinstance(written(chosen.net, at.rpartition("/")[0]), Residual)


def _line(line: Line, copies: Copies, name: int, *, selected: bool) -> None:
    """The name, which selects the convolution, its channels and its kernel."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        label = f"**:primary-background[{line.name}]**" if selected else line.name
        with st.container(width=name):
            st.button(label, key=f"line-{line.short}", type="tertiary", on_click=selection.select, args=(line.address,))
        key = f"channels-{line.short}"
        st.session_state[key] = line.channels
        st.number_input(
            f"Channels of {line.short}",
            1,
            max(MOST_CHANNELS, line.channels),
            label_visibility="collapsed",
            key=key,
            on_change=_channels,
            args=(line, copies),
            width=74,
        )
        if line.kernel is None:
            st.markdown("1×1")
        else:
            _kernel_box(line, copies)


def _kernel_box(line: Line, copies: Copies) -> None:
    key, now = f"kernel-{line.short}", window(line.kernel or (1, 1))
    st.session_state[key] = now
    st.selectbox(
        f"Kernel of {line.short}",
        KERNELS if now in KERNELS else (*KERNELS, now),
        label_visibility="collapsed",
        key=key,
        on_change=_kernel,
        args=(line, copies),
        accept_new_options=True,
        width=88,
    )


def _channels(line: Line, copies: Copies) -> None:
    wanted = int(st.session_state[f"channels-{line.short}"])
    call = Call("changed", (line.short,), {"channels": wanted, "copies": copies})
    editing.attempt((call,), f"channels of {line.short}: {line.channels} → {wanted}")


def kernel_of(text: str) -> Size:
    """The kernel (height, width) that a text names: 3×3, 1x7 or one side; raises `NetworkError`."""
    found = re.fullmatch(r"\s*([0-9]{1,3})\s*(?:[x×*,]\s*([0-9]{1,3}))?\s*", text)
    if found is None:
        raise NetworkError(f"A kernel is height×width, such as 3×3 or 1×7, not '{text[:20]}'.")
    return int(found[1]), int(found[2] or found[1])


def _kernel(line: Line, copies: Copies) -> None:
    try:
        kernel = kernel_of(str(st.session_state[f"kernel-{line.short}"] or ""))
    except NetworkError as error:
        return editing.refuse(error)
    call = Call("changed", (line.short,), {"kernel": kernel, "copies": copies})
    editing.attempt((call,), f"kernel of {line.short}: {window(line.kernel or (1, 1))} → {window(kernel)}")


def _factorise(chosen: Selection, at: str | None, copies: Copies) -> None:
    """An n×n that is selected taken apart, with what that saves said before."""
    if at is None or at not in targets(chosen.net):
        if any(target.startswith(f"{chosen.block}/") for target in targets(chosen.net)):
            st.caption("Select an n×n convolution, here by its name or in the drawing, to factorise it.")
        return
    short, n = at.split("/", 1)[1], cast("Conv", written(chosen.net, at)).window[0]
    found = saving(chosen.net, at, copies=copies)
    call = Call("factorised", (short,), {"copies": copies})
    st.button(
        f"Factorise {plain(short)} into 1×{n} and {n}×1",
        key="factorise",
        icon=":material/call_split:",
        on_click=editing.attempt,
        args=((call,), f"{short} factorised"),
        kwargs={"note": str(found)},
    )
    st.caption(plain(found))
