"""A question that a view puts to a network: at once where it is little, else with a button, a bar and a Stop.

    cost = announcing.cost("credit", network)
    found = working.answer("credit", question, work, load=announcing.load(network, 3), label="Follow it back")

Answers are kept for all sessions, by question; the last `KEPT` of them, so that thirty pupils with one photograph hold
one map and not thirty.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar

import streamlit as st

from inception_lab.ui import drawer

Answer = TypeVar("Answer")
Meter = Callable[[int, int], None]

AT_ONCE = 12.0  # images through the embedded network, or as much of a larger one: done without being asked
BARE = 6.0  # of these: less is done before a bar could be read
KEPT = 96  # answers; a map is about 0.4 MB


class Kept:
    """The last `most` answers, for all threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = Lock()
        self._answers: OrderedDict[Hashable, Any] = OrderedDict()

    def get(self, question: Hashable) -> Any:
        """The answer, None for none."""
        with self._lock:
            if question in self._answers:
                self._answers.move_to_end(question)
            return self._answers.get(question)

    def put(self, question: Hashable, answer: Any) -> None:
        with self._lock:
            self._answers[question] = answer
            while len(self._answers) > self._most:
                self._answers.popitem(last=False)


@st.cache_resource(show_spinner=False)
def kept() -> Kept:
    """What was answered, for all sessions of the server."""
    return Kept(KEPT)


def answer(
    key: str,
    question: Hashable,
    work: Callable[[Meter | None], Answer],
    *,
    load: float,
    label: str,
    icon: str = ":material/play_arrow:",
    word: str = "images",
    agreed: bool = False,
    buttons: str = "",
) -> Answer | None:
    """The kept answer, or a new one; None while it waits to be asked for.

    `load` is the work in images through the embedded network; up to `AT_ONCE`, or once `agreed`, it starts by itself.
    Any click ends the script, and the work with it; after one on Stop it waits for the button. `buttons` begins the
    keys of both, by default as `key`. Raises what `work` does.
    """
    if (known := kept().get((key, question))) is not None:
        return known  # type: ignore[no-any-return]
    buttons = buttons or key
    halted = f"{buttons}-halted"
    waits = (load > AT_ONCE and not agreed) or st.session_state.get(halted) == question
    with st.container(horizontal=True):
        go, stop = st.empty(), st.empty()
    if waits and not go.button(label, key=f"{buttons}-go", type="primary", icon=icon):
        return None
    st.session_state.pop(halted, None)
    if load > BARE:
        stop.button("Stop", key=f"{buttons}-stop", icon=":material/stop:", on_click=_halt, args=(halted, question))
    made = _done(work, word, bar=load > BARE)
    go.empty()
    stop.empty()
    kept().put((key, question), made)
    return made


def _done(work: Callable[[Meter | None], Answer], word: str, *, bar: bool) -> Answer:
    if not bar:
        with st.spinner("Asking the network", show_time=False):
            return work(None)
    shown = st.progress(0.0, "Starting")
    try:
        return work(drawer.meter(shown, word=word))
    finally:
        shown.empty()


def _halt(key: str, question: Hashable) -> None:
    st.session_state[key] = question
