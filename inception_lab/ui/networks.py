"""Which network is asked: the choice, its card, and bringing its weights here. Only what fetches loads torch."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

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
    row = st.container(horizontal=True)
    here = fetched(tag, row, key="fetch", name=f" {tag}")  # before the card, which says whether they are here
    with about:
        _card(RECORDS[tag], here=here)
    if here:
        return tag
    st.info(
        f"{tag} is {AWAY} yet. Going on with the embedded network, {EMBEDDED}. {room()} are free where it "
        "would be kept.",
        icon=":material/info:",
    )
    return EMBEDDED


def _of_run(tag: str, about: DeltaGenerator) -> None:
    """How little a network trained here knows, the rest of it one click away, and the way to Explore."""
    with about:
        trained.caption(tag)
    link = {"run": tag.removeprefix(PREFIX)}
    with st.container(horizontal=True):
        st.caption(f"It knows only {known(tag).classes} kinds of picture, and answers with one of them.")
        st.page_link("pages/explore.py", label="Open it in Explore", icon=":material/account_tree:", query_params=link)


def where(one: WeightRecord, *, here: bool) -> str:
    """Whether the weights of a public network ship with the lab, are here, or are not."""
    return SHIPS if one.embedded else HERE if here else AWAY


def _card(one: WeightRecord, *, here: bool) -> None:
    """What is known of a public network, in few lines."""
    st.caption(
        f"{one.origin}. Licence {one.licence}. Published accuracy: {plain(one.accuracy)}. "
        f"Weights: {one.megabytes} MB, {where(one, here=here)}.\n\n"
        f"Preprocessing: {plain(one.preprocessing)}. {one.notes}"
    )


def fetched(tag: str, row: DeltaGenerator, *, key: str, name: str = "") -> bool:
    """Offers in `row` to fetch the weights of a public network; True once they are here.

    Any click ends the script and the download with it, the one on Stop too; what has come is kept, and the next fetch
    goes on from there.
    """
    from inception_lab.models.hub import unfinished
    from inception_lab.models.weights import fetch, is_cached

    one = RECORDS[tag]
    if is_cached(tag):
        return True
    begun = unfinished(one.repository) / 1e6
    words = f"Fetch{name}, about {one.megabytes} MB"
    if begun >= 1:
        words = f"Go on fetching{name}: {begun:.0f} of about {one.megabytes} MB are here"
    with row:
        go = st.button(words, key=key, icon=":material/download:")
        stop = st.empty()
    if not go:
        return False
    stop.button("Stop", key=f"{key}-stop", icon=":material/stop:")
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


def room() -> str:
    """The space that is left where weights are kept."""
    from inception_lab.models.hub import cache_folder

    return f"{_free(cache_folder()) / 1e9:.1f} GB"


def _free(folder: Path) -> int:
    """Bytes free on the disk of a folder that need not exist yet."""
    there = next(place for place in (folder, *folder.parents) if place.exists())
    return shutil.disk_usage(there).free
