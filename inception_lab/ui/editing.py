"""What the designer on Explore remembers of a session: its history, and what was refused with the ways out of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st

from inception_lab.errors import Impossible, InputTooSmall, LabError
from inception_lab.nets import catalog
from inception_lab.nets.ops import Net
from inception_lab.readers.shapes import shapes
from inception_lab.readers.strides import sides
from inception_lab.ui import selection
from inception_lab.ui.selection import Selection
from inception_lab.ui.steps import Call, History, Step

LARGEST = 1024  # pixels; sides among which one that fits is looked for
LINKED = "the design in the link"
_HISTORY, _REFUSED = "design-history", "design-refused"


@dataclass(frozen=True, slots=True)
class Refused:
    """A change that was not taken: why, and the ways out of it, each with words for it.

    `drawn` says whether the address in the error is one of the design on the page; `net` is what cannot be, None where
    the change itself could not be made.
    """

    error: LabError
    ways: tuple[tuple[str, Step], ...] = ()
    drawn: bool = True
    net: Net | None = None


def history(chosen: Selection) -> History:
    """The history of the network that is open; one that came from elsewhere begins its own."""
    found: History | None = st.session_state.get(_HISTORY)
    if found is None or found.net != chosen.net:
        found = _begun(chosen)
        st.session_state[_HISTORY] = found
        st.session_state.pop(_REFUSED, None)
    return found


def refused() -> Refused | None:
    """The change that was refused last, until the next one."""
    found: Refused | None = st.session_state.get(_REFUSED)
    return found


def attempt(calls: Sequence[Call], said: str, *, note: str = "", width: float = 1.0) -> None:
    """A change of the design, in words and as calls; taken as one step, or kept as refused; for callbacks."""
    net = _now().net
    try:
        for call in calls:
            net = call(net)
    except LabError as error:
        refuse(error)
    else:
        step(Step(net, "".join(call.python for call in calls), said, note, width=width))


def step(wanted: Step, *, drawn: bool = True) -> None:
    """Take a step if the network can be built for its own input, else keep it as refused; for callbacks."""
    st.session_state.pop(_REFUSED, None)
    try:
        shapes(wanted.net)
    except Impossible as error:
        refuse(error, wanted, drawn=drawn)
    else:
        _move(_now().taken(wanted))


def refuse(error: LabError, wanted: Step | None = None, *, drawn: bool = True) -> None:
    """Keep what was refused for the page to say."""
    ways = ways_out(wanted) if wanted is not None and isinstance(error, InputTooSmall) else ()
    st.session_state[_REFUSED] = Refused(error, ways, drawn, wanted.net if wanted is not None else None)


def go(place: int) -> None:
    """To another place of the history; for callbacks."""
    st.session_state.pop(_REFUSED, None)
    _move(_now().at(place))


def entered(chosen: Selection, side: int | None) -> Selection:
    """The selection on the way into the designer, where the `side` looked at elsewhere becomes the design's own."""
    if side in (None, chosen.net.size):
        return chosen
    history(chosen)
    resize(int(side or 0))
    return selection.current()


def resize(side: int) -> None:
    """Another input side; for callbacks."""
    before = _now().net.size
    attempt((Call("with_", named={"size": side}),), f"input side {before} → {side} px")


def ways_out(wanted: Step) -> tuple[tuple[str, Step], ...]:
    """What makes a step possible that needs more pixels than there are: words for it, and the step that does both."""
    net, ways = wanted.net, []
    larger = sides(net, among=range(net.size + 1, LARGEST + 1)).smallest
    if larger is not None:
        call = Call("with_", named={"size": larger})
        ways.append((f"Take {larger} px, the smallest that fits", _also(wanted, (call,), f"{larger} px")))
    small = (Call("small"), Call("with_", named={"size": net.size}))
    ways.append(("Take the small stem", _also(wanted, small, "small stem")))
    return tuple((words, step) for words, step in ways if _possible(step.net))


def _possible(net: Net) -> bool:
    """Whether it is; it may be more than the side or the stem that stands in the way."""
    try:
        shapes(net)
    except LabError:
        return False
    return True


def _also(wanted: Step, calls: Sequence[Call], said: str) -> Step:
    """The step with more calls behind its own."""
    net, python = wanted.net, wanted.python
    for call in calls:
        net, python = call(net), python + call.python
    return replace(wanted, net=net, python=python, said=f"{wanted.said}, {said}")


def _begun(chosen: Selection) -> History:
    """A history of one step; of two where a design from elsewhere bears the name of a network that can be built."""
    step = Step(chosen.net, chosen.python, run=chosen.run)
    known = catalog.CATALOG.get(chosen.net.name)
    if not chosen.design or known is None:
        return History((step,))
    try:
        shapes(known)
    except LabError:
        return History((step,))
    linked = Step(chosen.net, chosen.python, LINKED, whole=True)
    return History((Step(known, selection.made(known.name)), linked), 1)


def _now() -> History:
    found: History | None = st.session_state.get(_HISTORY)
    return found if found is not None else History((Step(selection.current_net(), ""),))


def _move(to: History) -> None:
    st.session_state[_HISTORY] = to
    selection.take(to.net, run=to.now.run)
