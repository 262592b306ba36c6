"""Which network is asked: the choice, its card, and bringing its weights here. Only what fetches loads torch."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from inception_lab.errors import LabError
from inception_lab.images.trained import PREFIX, is_run, known
from inception_lab.models.records import EMBEDDED, RECORDS, WeightRecord
from inception_lab.ui import drawer, trained
from inception_lab.ui.widgets import linked, plain

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

SHIPS, HERE, AWAY = "ships with the lab", "on this machine", "not on this machine"


def pick() -> str:
    """The network to ask, in the link as `network`; the embedded one while another's weights are not here.

    Public networks come first, those trained here follow. A network is fetched only when asked.
    """
    names = {tag: f"{tag} ({SHIPS})" if one.embedded else tag for tag, one in RECORDS.items()}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.container(width="stretch"):
            tag = linked("Network", names | trained.networks(), key="network")
        about = st.popover("About", icon=":material/info:")
    if is_run(tag):
        _of_run(tag, about)
        return tag
    here = _fetched(tag)  # before the card is written, which says whether the weights are here
    with about:
        _card(RECORDS[tag], here=here)
    if here:
        return tag
    st.info(f"{tag} is {AWAY} yet. Going on with the embedded network, {EMBEDDED}.", icon=":material/info:")
    return EMBEDDED


def cards() -> str:
    """A table of every network: origin, licence, preprocessing, accuracy, size, and whether its weights are here.

    Returns the Python that lists them.
    """
    from inception_lab.models.weights import is_cached

    rows = [_row(tag, where=_where(one, here=is_cached(tag))) for tag, one in RECORDS.items()]
    rows += [_row(tag, where=HERE) for tag in trained.networks() if is_run(tag)]
    here = sum(row["where"] != AWAY for row in rows)
    st.subheader("Networks with weights", anchor=False)
    st.caption(f"{len(rows)} networks, {here} of them on this machine. Others are fetched from the hub when you ask.")
    frame = pd.DataFrame(rows)
    st.dataframe(frame, hide_index=True, alt=f"{len(rows)} networks with weights, {here} of them on this machine")
    drawer.download("CSV", lambda: frame.to_csv(index=False), "networks.csv", "text/csv")
    return "from inception_lab.models.records import RECORDS\n\n[one.tag for one in RECORDS.values()]"


def _of_run(tag: str, about: DeltaGenerator) -> None:
    """How little a network trained here knows, the rest of it one click away, and the way to Explore."""
    with about:
        trained.caption(tag)
    link = {"run": tag.removeprefix(PREFIX)}
    with st.container(horizontal=True):
        st.caption(f"It knows only {known(tag).classes} kinds of picture, and answers with one of them.")
        st.page_link("pages/explore.py", label="Open it in Explore", icon=":material/account_tree:", query_params=link)


def _row(tag: str, *, where: str) -> dict[str, object]:
    one = known(tag)
    return {
        "network": tag,
        "architecture": one.network,
        "where": where,
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


def _where(one: WeightRecord, *, here: bool) -> str:
    return SHIPS if one.embedded else HERE if here else AWAY


def _card(one: WeightRecord, *, here: bool) -> None:
    """What is known of a public network, in few lines."""
    where = _where(one, here=here)
    st.caption(
        f"{one.origin}. Licence {one.licence}. Published accuracy: {plain(one.accuracy)}. "
        f"Weights: {one.megabytes} MB, {where}.\n\nPreprocessing: {plain(one.preprocessing)}. {one.notes}"
    )


def _fetched(tag: str) -> bool:
    """Offer to fetch the weights of a public network; True once they are here.

    Any click ends the script and the download with it, the one on Stop too; what has come is kept, and the next fetch
    goes on from there.
    """
    from inception_lab.models.hub import cache_folder, unfinished
    from inception_lab.models.weights import fetch, is_cached

    one = RECORDS[tag]
    if is_cached(tag):
        return True
    begun = unfinished(one.repository) / 1e6
    words = (
        f"Go on fetching {tag}: {begun:.0f} of about {one.megabytes} MB are here"
        if begun >= 1
        else (f"Fetch {tag}, about {one.megabytes} MB")
    )
    with st.container(horizontal=True):
        go = st.button(words, key="fetch", icon=":material/download:")
        stop = st.empty()
    st.caption(f"{_free(cache_folder()) / 1e9:.1f} GB are free where it goes.")
    if not go:
        return False
    stop.button("Stop", key="fetch-stop", icon=":material/stop:")
    bar = st.progress(0.0, f"Asking the hub for {tag}")
    try:
        fetch(tag, progress=drawer.meter(bar, unit=1_000_000, word="MB"))
    except LabError as error:
        st.error(plain(error), icon=":material/cloud_off:")
        return False
    finally:
        bar.empty()
        stop.empty()
    return True


def _free(folder: Path) -> int:
    """Bytes free on the disk of a folder that need not exist yet."""
    there = next(place for place in (folder, *folder.parents) if place.exists())
    return shutil.disk_usage(there).free
