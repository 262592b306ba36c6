"""The Networks view of Classify: a card for each network, to ask it or to bring its weights here; all in a table."""

from __future__ import annotations

from math import isfinite

import pandas as pd
import streamlit as st

from inception_lab.images.trained import is_run, known
from inception_lab.models.records import RECORDS, WeightRecord
from inception_lab.ui import drawer, networks, trained
from inception_lab.ui.networks import AWAY, HERE
from inception_lab.ui.widgets import plain


def show() -> str:
    """The cards, two in a row, and the table of everything that is known; returns the Python that lists them."""
    tags = [*RECORDS, *(tag for tag in trained.networks() if is_run(tag))]
    st.subheader("Networks with weights", anchor=False)
    head = st.empty()  # how many are here is known after those that were asked for have come
    for pair in (tags[place : place + 2] for place in range(0, len(tags), 2)):
        for column, tag in zip(st.columns(2), pair, strict=False):
            with column, st.container(border=True, gap="small"):
                _card(tag)
    rows = [_row(tag) for tag in tags]
    here = sum(row["where"] != AWAY for row in rows)
    head.caption(
        f"{len(rows)} networks, {here} of them on this machine. Others are fetched from the hub when you ask, "
        f"as safetensors only; {networks.room()} are free here."
    )
    alt = f"{len(rows)} networks with weights, {here} of them on this machine"
    drawer.table(pd.DataFrame(rows), name="networks", title=f"All {len(rows)} networks as a table", alt=alt)
    return "from inception_lab.models.records import RECORDS\n\n[one.tag for one in RECORDS.values()]"


def _card(tag: str) -> None:
    """The head, what counts in a choice, and what can be done: ask it, or fetch it."""
    one = known(tag)
    head = st.empty()
    st.caption(_facts(one))
    row = st.container(horizontal=True)
    here = is_run(tag) or networks.fetched(tag, row, key=f"fetch-{tag}")
    head.markdown(f"**{plain(tag)}** · {_where(tag, here=here)}")
    with row:
        if here:
            st.button("Ask it", key=f"ask-{tag}", icon=":material/image_search:", on_click=_ask, args=(tag,))
        with st.popover("About", icon=":material/info:", key=f"about-{tag}"):
            st.caption(_about(one))


def _where(tag: str, *, here: bool) -> str:
    return HERE if is_run(tag) else networks.where(known(tag), here=here)


def _ask(tag: str) -> None:
    st.session_state["network"] = tag
    st.session_state["view"] = "guesses"


def _facts(one: WeightRecord) -> str:
    """Accuracy, size and input in a line."""
    known_ones = (("top-1", one.top1), ("top-5", one.top5))
    scores = [f"{word} {value:.1f} %" for word, value in known_ones if value is not None and isfinite(value)]
    return plain(
        " · ".join([", ".join(scores) or "accuracy: see About", f"{one.megabytes} MB", f"{one.size}×{one.size} pixels"])
        + f" · {one.licence}"
    )


def _about(one: WeightRecord) -> str:
    return plain(f"{one.origin}. Published accuracy: {one.accuracy}. Preprocessing: {one.preprocessing}. {one.notes}")


def _row(tag: str) -> dict[str, object]:
    from inception_lab.models.weights import is_cached

    one = known(tag)
    return {
        "network": tag,
        "architecture": one.network,
        "where": _where(tag, here=is_run(tag) or is_cached(tag)),
        "origin": one.origin,
        "licence": one.licence,
        "top-1 %": one.top1,
        "top-5 %": one.top5,
        "accuracy from": one.accuracy_source,
        "preprocessing": one.preprocessing,
        "classes": one.classes,
        "MB": one.megabytes,
        "note": one.notes,
    }
