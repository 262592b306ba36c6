"""The designer's boxes for the whole network: input side, scales, copies, widths; each changes it at once."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TypeVar

import streamlit as st

from inception_lab.nets.ops import Net
from inception_lab.nets.rewriting import scales
from inception_lab.ui import editing
from inception_lab.ui.steps import Call, History

FEW = 3  # scales in one stage that get a box each
NARROW, WIDE = 130, 160  # pixels
T = TypeVar("T", int, float)


def side(now: int, low: int, high: int) -> int:
    """The input side, which here is the design's own."""
    _number(
        "Input side, px",
        now,
        (low, high, 1),
        key="design-size",
        change=editing.resize,
        help="A part of the design: it can be undone, goes into the link and the notation, and on to Train.",
        width=None,
    )
    return now


def show(past: History) -> None:
    """Scales, copies and widths; a link may bring what lies beyond the limits of the boxes."""
    st.subheader("The whole network", anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _scales(past.net)
        _repeats(past.net)
        _widths()
    now = "as at" if past.width == 1 else f"× {past.width:.3g} of"
    st.caption(
        f"Widths are {now} {past.origin}. What you change is drawn, counted and put into the link at once, "
        "and each change is one step back."
    )


def _scales(net: Net) -> None:
    """A box for each scale of each stage, and one for all; none where there is no residual."""
    known = scales(net)
    every = {scale for here in known.values() for scale in here}
    if len(known) > 1 or len(every) > 1:
        common = next(iter(every)) if len(every) == 1 else None
        _scale("Scale of all residuals", common, key="design-scale")
    for stage, here in known.items():
        if len(here) > FEW:
            _scale(f"Scale in {stage}", None, key=f"design-scale-{stage}", stage=stage)
            continue
        for place, (scale, blocks) in enumerate(here.items()):
            which = "" if len(here) == 1 else f", {_numbers(blocks)}"
            _scale(f"Scale in {stage}{which}", scale, key=f"design-scale-{stage}-{place}", stage=stage)


def _scale(label: str, now: float | None, *, key: str, stage: str = "") -> None:
    def change(scale: float) -> None:
        where = f"scale in {stage}" if stage else "scale of all residuals"
        before = "" if now is None else f"{now:g} → "
        named: dict[str, str | float] = {"stage": stage} if stage else {}
        named |= {"was": now} if stage and now is not None else {}
        editing.attempt((Call("rescaled", (scale,), named),), f"{where}: {before}{scale:g}")

    low, high = min(0.0, now or 0.0), max(2.0, now or 0.0)
    _number(label, now, (low, high, 0.05), key=key, change=change, width=WIDE if len(label) > 16 else NARROW)


def _numbers(blocks: tuple[int, ...]) -> str:
    """Numbers of blocks, neighbours folded: 01–09, 12."""
    starts = [blocks[0], *(b for a, b in pairwise(blocks) if b != a + 1)]
    ends = [*(a for a, b in pairwise(blocks) if b != a + 1), blocks[-1]]
    return ", ".join(f"{a:02d}" if a == b else f"{a:02d}–{b:02d}" for a, b in zip(starts, ends, strict=True))


def _repeats(net: Net) -> None:
    """How many blocks the stages A, B and C have, those of them that there are."""
    counts = {stage.name: len(stage.blocks) for stage in net.stages}
    for name in (name for name in "ABC" if name in counts):

        def change(count: int, name: str = name) -> None:
            wanted = counts | {name: count}
            call = Call("repeats", tuple(wanted.get(each, 1) for each in "ABC"))  # of a stage there is not: nothing
            editing.attempt((call,), f"blocks in {name}: {counts[name]} → {count}")

        _number(f"Blocks in {name}", counts[name], (1, max(40, counts[name]), 1), key=f"design-{name}", change=change)


def _widths() -> None:
    def change(width: float) -> None:
        editing.attempt((Call("thin", (width,)),), f"widths × {width:g}", width=width)

    _number("Multiply widths by", 1.0, (0.05, 2.0, 0.05), key="design-width", change=change, width=WIDE)


def _number(
    label: str,
    now: T | None,
    limits: tuple[T, T, T],
    *,
    key: str,
    change: Callable[[T], None],
    width: int | None = NARROW,
    help: str | None = None,
) -> None:
    """A box that has what the design has, whatever was asked of it before, and hands on what is asked of it now.

    Its key stays, so that the keyboard's focus does too.
    """
    st.session_state[key] = now

    def changed() -> None:
        if (wanted := st.session_state[key]) is not None:
            change(wanted)

    low, high, step = limits
    kind = "%d" if isinstance(step, int) else "%g"
    st.number_input(
        label,
        low,
        high,
        None if now is None else "min",  # where a box may be empty, it can be emptied
        step,
        format=kind,
        key=key,
        on_change=changed,
        help=help,
        placeholder="several",
        width=width or "stretch",
    )
