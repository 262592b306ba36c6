"""The designer on Explore: change a network, see at once what follows, go back and forth, take it to Train or away."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import mode
from typing import Any, cast

import streamlit as st

from inception_lab.errors import ImpossibleAdd, InputTooSmall, LabError, NetworkError
from inception_lab.nets.address import written
from inception_lab.nets.factorise import targets
from inception_lab.nets.ops import Conv, Net, Residual
from inception_lab.nets.rewriting import LARGEST, MOST_CHANNELS, Copies
from inception_lab.readers.compare import compare_blocks
from inception_lab.readers.notation import notation, parse
from inception_lab.readers.saving import saving
from inception_lab.readers.shapes import shapes
from inception_lab.readers.words import window
from inception_lab.ui import cache, comparing, drawer, drawings, refusals, selection
from inception_lab.ui.comparing import Side
from inception_lab.ui.selection import Selection
from inception_lab.ui.widgets import linked_segments, plain

KEPT = 100  # steps back that a session remembers
COPIES = {"all": "all equal copies", "one": "this copy only"}
_STEPS, _PLACE, _REFUSED, _REFUSALS = "design-steps", "design-place", "design-refused", "design-refusals"


@dataclass(frozen=True, slots=True)
class Step:
    """A network on the way, and the Python that made it of the one before it; the first makes it of nothing."""

    net: Net
    python: str


def show(chosen: Selection, size: int) -> str:
    """Undo and redo, what can be changed, what came of it; returns the Python that makes the design."""
    steps, place = _history(chosen)
    _way(steps, place)
    try:
        cache.table(chosen.key, (size, size))
    except (ImpossibleAdd, InputTooSmall) as error:
        refusals.show(chosen, size, error)
        return ""
    _whole(chosen)
    _one(chosen, size)
    _refusal(chosen, size)
    before, now = steps[0].net, steps[place].net
    if before == now:
        st.caption("Nothing is changed yet. What you change is drawn, counted and put into the link at once.")
    _drawing(chosen, before, size)
    comparing.costs(Side(before, cache.key(before), ""), Side(now, chosen.key, ""), size, names=("before", "after"))
    _files(now)
    calls = "".join(step.python for step in steps[1 : place + 1])
    return f"{steps[0].python}{calls}\nlab.shapes(net, size={size})"


def _history(chosen: Selection) -> tuple[list[Step], int]:
    """The steps and the place among them; a network that came from elsewhere begins a history of its own."""
    steps: list[Step] = st.session_state.get(_STEPS, [])
    place = int(st.session_state.get(_PLACE, 0))
    if not steps or steps[place].net != chosen.net:
        steps, place = [Step(chosen.net, chosen.python)], 0
        st.session_state.update({_STEPS: steps, _PLACE: 0})
        st.session_state.pop(_REFUSED, None)
    return steps, place


def _take(net: Net, python: str, size: int) -> None:
    """A change, for callbacks: taken if the network can be built for this input, kept as refused if it cannot."""
    st.session_state.pop(_REFUSED, None)
    try:
        shapes(net, size=size)
    except (ImpossibleAdd, InputTooSmall) as error:
        _refuse(error, drawn=True)
        return
    steps, place = st.session_state[_STEPS], st.session_state[_PLACE]
    if net == steps[place].net:
        return
    steps = [*steps[: place + 1], Step(net, python)]
    if len(steps) > KEPT:  # the first stays, as the network all of it is compared with
        joined = Step(steps[2].net, steps[1].python + steps[2].python)
        steps = [steps[0], joined, *steps[3:]]
    st.session_state.update({_STEPS: steps, _PLACE: len(steps) - 1})
    selection.take(net)


def _try(change: Any, python: str, size: int) -> None:
    """As `_take`, of a change that may refuse itself; for callbacks."""
    try:
        net = change(st.session_state[_STEPS][st.session_state[_PLACE]].net)
    except LabError as error:
        _refuse(error, drawn=True)
    else:
        _take(net, python, size)


def _refuse(error: LabError, *, drawn: bool) -> None:
    """Keeps what was refused for the page to say, `drawn` if its address is one of the network on the page.

    Every refusal makes the number boxes anew, with what the design has: what was refused is not asked again.
    """
    st.session_state[_REFUSED] = error, drawn
    st.session_state[_REFUSALS] = _refusals() + 1


def _refusals() -> int:
    return int(st.session_state.get(_REFUSALS, 0))


def _go(place: int) -> None:
    st.session_state[_PLACE] = place
    st.session_state.pop(_REFUSED, None)
    selection.take(st.session_state[_STEPS][place].net)


def _way(steps: list[Step], place: int) -> None:
    """Undo, redo, reset, and how far one is."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Undo", key="undo", icon=":material/undo:", disabled=place == 0, on_click=_go, args=(place - 1,))
        last = place == len(steps) - 1
        st.button("Redo", key="redo", icon=":material/redo:", disabled=last, on_click=_go, args=(place + 1,))
        st.button("Reset", key="reset", icon=":material/restart_alt:", disabled=place == 0, on_click=_go, args=(0,))
        st.caption(f"Change {place} of {len(steps) - 1}" if len(steps) > 1 else "No changes yet", width="content")


def _whole(chosen: Selection) -> None:
    """What is changed of the whole network: scale, repeats, width; a link may bring what lies beyond the limits."""
    net, size = chosen.net, int(st.session_state.get("size", chosen.net.size))
    now = _scale(net)
    with st.form("design-whole", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        scale = st.number_input(
            "Residual scale",
            min(0.0, now),
            max(2.0, now),
            now,
            0.05,
            key=f"design-scale-{now}",
            width=130,
        )
        counts = {stage.name: len(stage.blocks) for stage in net.stages if stage.name in ("A", "B", "C")}
        counts = counts if len(counts) == len("ABC") else {}
        wanted = [
            int(st.number_input(f"Blocks in {name}", 1, max(40, count), count, key=f"design-{name}-{count}", width=120))
            for name, count in counts.items()
        ]
        width = st.number_input("Width ×", 0.05, 2.0, 1.0, 0.05, key=f"design-width-{hash(net)}", width=110)
        done = st.form_submit_button("Change", icon=":material/edit:")
    if not done:
        return
    after, calls = net, ""
    if scale != now:
        after, calls = after.scaled(scale), f"{calls}\nnet = net.scaled({scale:g})"
    if wanted != list(counts.values()):
        after, calls = after.repeats(*wanted), f"{calls}\nnet = net.repeats{tuple(wanted)}"
    if width != 1.0:
        after, calls = after.thin(width), f"{calls}\nnet = net.thin({width:g})"
    if calls:
        _take(after, calls, size)
        st.rerun()


def _scale(net: Net) -> float:
    """The scale of most residuals, 1 without any."""
    found = [block.scale for stage in net.stages for block in stage.blocks if isinstance(block, Residual)]
    return float(mode(found)) if found else 1.0


def _one(chosen: Selection, size: int) -> None:
    """What is changed of the convolution that is selected."""
    at = _conv(chosen)
    if at is None:
        st.info(
            "Select a convolution, in the drawing or under Op, to change its channels or kernel.",
            icon=":material/touch_app:",
        )
        return
    op = written(chosen.net, at)
    closing = not isinstance(op, Conv)
    now = cache.table(chosen.key, (size, size)).row(at).output[0]
    short = at.removeprefix(f"{chosen.net.name}/")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        copies = cast("Copies", linked_segments("Where", COPIES, key="copies"))
        key = f"channels-{at}-{now}-{_refusals()}"
        channels = st.number_input(f"Channels of {short}", 1, max(MOST_CHANNELS, now), now, key=key, width=180)
        if channels != now:
            _try_now({"channels": int(channels)}, short, copies, size)
        if not closing:
            _kernel(cast("Conv", op), short, copies, size)
    if at in targets(chosen.net):
        found = saving(chosen.net, at, copies=copies, size=size)
        st.button(
            "Factorise into 1×n and n×1",
            key="factorise",
            icon=":material/call_split:",
            on_click=_take,
            args=(found.net, f'\nnet = net.factorised("{short}", copies="{copies}")', size),
        )
        st.caption(plain(str(found)))


def _kernel(op: Conv, short: str, copies: Copies, size: int) -> None:
    """The kernel's height and width."""
    for place, (word, side) in enumerate(zip(("height", "width"), op.window, strict=True)):
        key = f"kernel-{word}-{short}-{window(op.window)}-{_refusals()}"
        wanted = int(st.number_input(f"Kernel {word}", 1, max(LARGEST, side), side, 2, key=key, width=130))
        if wanted != side:
            kernel = (wanted, op.window[1]) if place == 0 else (op.window[0], wanted)
            _try_now({"kernel": kernel}, short, copies, size)


def _try_now(change: dict[str, Any], short: str, copies: Copies, size: int) -> None:
    """The change, and the page anew."""
    word, value = next(iter(change.items()))
    python = f'\nnet = net.changed("{short}", {word}={value!r}, copies="{copies}")'
    _try(lambda net: net.changed(short, copies=copies, **change), python, size)
    st.rerun()


def _conv(chosen: Selection) -> str | None:
    """The convolution that the selection names or is a step of, or a residual's closing 1×1."""
    at = chosen.address
    while at.count("/") >= 2:
        above = at.rpartition("/")[0]
        closing = at.endswith("/linear") and isinstance(written(chosen.net, above), Residual)
        if closing or isinstance(written(chosen.net, at), Conv):
            return at
        at = above
    return None


def _refusal(chosen: Selection, size: int) -> None:
    """What was refused, with the op marked in the block as it was before."""
    error, drawn_here = st.session_state.get(_REFUSED, (None, False))
    if error is None:
        return
    st.error(f"{plain(error)} The last design that works stays.", icon=":material/error:")
    at = getattr(error, "address", "")
    if not drawn_here or at.count("/") < 2:
        return
    block = "/".join(at.split("/")[:3])
    drawn = refusals.marked(cache.picture(chosen.key, block, "block", (size, size), "LR"), at, error)
    drawings.show(drawn, chosen.net, key="refused", more=f" It fails at {at}: {refusals.numbers(error)}.")


def _drawing(chosen: Selection, before: Net, size: int) -> None:
    """The block that is selected, with what differs from the network the design began with."""
    if chosen.block is None:
        return
    place = chosen.block.split("/", 1)[1]
    drawn = cache.picture(chosen.key, chosen.block, "block", (size, size), "LR")
    try:
        inside = compare_blocks(before, chosen.net, place, place)
    except LabError:  # a copy that the network did not have
        inside = ()
    drawn = comparing.marked(drawn, chosen.block, 1, inside) if inside else drawn
    drawings.show(drawn, chosen.net, key="designed", selected=chosen.address)


def _files(net: Net) -> None:
    """The design as a file, and from one."""
    with st.expander("Save and load as notation", icon=":material/save:"):
        text = notation(net)
        st.code(text, language="python")
        drawer.download("Notation", lambda: text, f"{net.name}.txt", "text/plain")
        given = st.text_area("Notation of a network", key="design-text", placeholder='Net("mine", "", (Stage("stem", …')
        st.button("Load it", key="design-load", disabled=not given.strip(), on_click=_load)


def _load() -> None:
    """The pasted notation becomes the design; for callbacks."""
    try:
        net = parse(st.session_state["design-text"])
        if not isinstance(net, Net):
            raise NetworkError("The notation describes a part; a design is a whole network, Net(...).")
        shapes(net)
    except LabError as error:
        _refuse(error, drawn=False)
        return
    selection.take(net)
