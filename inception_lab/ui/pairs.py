"""Which two networks Compare shows: the one that is open, the one beside it, and pairs worth a look."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from inception_lab.errors import LabError
from inception_lab.images.trained import PREFIX
from inception_lab.nets import catalog
from inception_lab.nets.ops import Net, Residual
from inception_lab.ui import cache, selection
from inception_lab.ui.selection import Selection
from inception_lab.ui.widgets import linked

PLAIN, BESIDE, _HELD, _PAIR = "unscaled", "beside", "compare-held", "pair"
PAIRS = {
    "IR-v2 as drawn, as released": ("inception_resnet_v2_paper/B/01", "inception_resnet_v2"),
    "Inception-v4, IR-v2 as released": ("inception_v4/B/01", "inception_resnet_v2"),
    "Inception-v3, IR-v1": ("inception_v3/B/01", "inception_resnet_v1"),
    "IR-v2 as released (scaled 0.17 / 0.1 / 0.2 / 1), unscaled": ("inception_resnet_v2/B/01", PLAIN),
}
"""Where to look first in the first network, and the word of the second."""


def pick(chosen: Selection) -> str:
    """The pairs and the choice of the second network; returns its word."""
    above = st.container()  # which pair is lit follows from the choice below it
    word = _second(chosen)
    now = (chosen.key, word)
    lit = [title for title, (at, other) in PAIRS.items() if (at.split("/")[0], other) == now]
    st.session_state[_PAIR] = lit[0] if lit else None
    with above:
        st.pills("Pairs worth a look", list(PAIRS), key=_PAIR, on_change=_take)
    return word


def network(first: Net, word: str) -> tuple[Net, str, str]:
    """The second network of a word: itself, what `cache` calls it, its name for people."""
    if word != PLAIN:
        return cache.net(word), word, cache.title(word)
    scaled = first.scaled(1.0)
    return scaled, cache.key(scaled), f"{first.name}, unscaled"


def current() -> tuple[Net, Net]:
    """Both networks as they are chosen; for callbacks."""
    first = selection.current_net()
    return first, network(first, str(st.session_state[BESIDE]))[0]


def python(word: str) -> str:
    """The lines that make the second network, as `other`."""
    return "other = net.scaled(1.0)" if word == PLAIN else selection.made(word, name="other")


def _take() -> None:
    """The pair that was picked; one that is taken off again stays."""
    if title := st.session_state.get(_PAIR):
        at, other = PAIRS[title]
        selection.leave(at)
        st.session_state[BESIDE] = other


def _second(chosen: Selection) -> str:
    """The word of the network beside the selected one; the selected one can be held there while another is opened."""
    options = _others(chosen.net) | _held()
    if st.session_state.get(BESIDE, "") not in options:  # the run was deleted, or the first is now the same
        st.session_state.pop(BESIDE, None)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        other = linked("Beside it", options, key=BESIDE)
        st.button(
            "Hold the first here",
            key="hold",
            icon=":material/keep:",
            on_click=_hold,
            args=(chosen.key,),
            help="The first network stays beside whatever is opened next: a design, the network of a run, another one.",
        )
    return other


def _hold(key: str) -> None:
    st.session_state[BESIDE] = st.session_state[_HELD] = key


def _held() -> dict[str, str]:
    """The network that was held, and one of a run or a design that a link names."""
    words = (st.session_state.get(_HELD, ""), st.session_state.get(BESIDE, ""), st.query_params.get(BESIDE, ""))
    found: dict[str, str] = {}
    for word in words:
        if word in catalog.CATALOG or word.startswith((PREFIX, cache.DESIGN)):
            with suppress(LabError):  # the run was deleted, or the link is damaged: `linked` says that there is no such
                cache.net(word)
                found[word] = cache.title(word)
    return found


def _others(net: Net) -> dict[str, str]:
    """What can stand beside a network: its unscaled sister where it has residuals, and the catalogue's others."""
    residual = any(isinstance(block, Residual) for stage in net.stages for block in stage.blocks)
    same = {PLAIN: "the same, unscaled"} if residual and net.scaled(1.0) != net else {}
    names = {name: name for name, one in catalog.CATALOG.items() if one != net}
    usual = "inception_resnet_v2_paper" if net.name == "inception_resnet_v2" else "inception_resnet_v2"
    first = {usual: names[usual]} if usual in names else {}
    return first | names | same
