"""Which networks are averaged with the shown one on the Classify page."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from inception_lab.images.ensemble import PAPER, PAPERS, alike
from inception_lab.images.trained import known
from inception_lab.models.records import RECORDS
from inception_lab.ui import trained
from inception_lab.ui.widgets import plain

__all__ = ["PAPER", "pick"]

KEY = "with"
PRESET = "with-preset"  # in the session: whether the networks were chosen as the paper's ensemble, with its shares


def pick(network: str) -> tuple[tuple[str, ...], bool]:
    """The shown network and those to average it with, and whether they are the paper's ensemble; in the link as `with`.

    Offered are those on this machine that know the same classes. The same networks chosen by hand count equally.
    """
    others = _others(network)
    away = [tag for tag in PAPERS.tags if tag not in (network, *others)]
    if not others:
        _write((), preset=False)
        return (network,), False
    _follow(network, others)
    with st.expander("Average with other networks", expanded=bool(st.session_state.get(KEY)), icon=":material/join:"):
        chosen = st.multiselect(
            "Networks on this machine that know the same classes", others, key=KEY, on_change=_by_hand
        )
        if not away:
            st.button("The paper's ensemble", key="paper-ensemble", on_click=_papers, args=(network,))
        preset = bool(st.session_state.get(PRESET)) and {network, *chosen} == set(PAPERS.tags)
        shares = ", ".join(f"{share:.3g} × {tag}" for tag, share in PAPERS.members)
        st.caption(
            f"The paper's ensemble: {plain(shares)}."
            if preset
            else PAPERS.note + (f" Not on this machine: {', '.join(map(plain, away))}." if away else "")
        )
        if chosen and not preset:
            st.caption("Chosen by hand: each counts equally.")
    _write(chosen, preset=preset)
    return (network, *chosen), preset


def _others(network: str) -> list[str]:
    from inception_lab.models.weights import is_cached

    here = [*(tag for tag in RECORDS if is_cached(tag)), *(tag for tag in trained.networks() if tag not in RECORDS)]
    return [tag for tag in here if tag != network and alike(known(network), known(tag))]


def _papers(network: str) -> None:
    """The other networks of the paper's ensemble; where the shown one is none of them, it is shown instead."""
    if network not in PAPERS.tags:
        st.session_state["network"] = network = PAPERS.tags[0]
    st.session_state[KEY] = [tag for tag in PAPERS.tags if tag != network]
    st.session_state[PRESET] = True


def _by_hand() -> None:
    st.session_state[PRESET] = False


def _follow(network: str, others: Sequence[str]) -> None:
    wanted = [tag for tag in st.query_params.get(KEY, "").split(",") if tag]
    if KEY not in st.session_state:
        if wanted == [PAPER] and network in PAPERS.tags:
            st.session_state[PRESET] = True
            wanted = [tag for tag in PAPERS.tags if tag != network]
        st.session_state[KEY] = [tag for tag in wanted if tag in others]
        if strange := [tag for tag in wanted if tag not in others]:
            st.warning(
                f"The link asks to average with {plain(', '.join(strange)[:80])}; here there is "
                f"{plain(', '.join(others))}.",
                icon=":material/link_off:",
            )
    else:  # another network may have been chosen since
        st.session_state[KEY] = [tag for tag in st.session_state[KEY] if tag in others]


def _write(chosen: Sequence[str], *, preset: bool) -> None:
    if chosen:
        st.query_params[KEY] = PAPER if preset else ",".join(chosen)
    elif KEY in st.query_params:
        st.query_params.pop(KEY)
