"""The parts of the Classify page: the network, its guesses, and the code that asks for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from inception_lab.errors import LabError
from inception_lab.figures.predictions import guesses
from inception_lab.images.samples import samples
from inception_lab.images.trained import PREFIX, is_run, known
from inception_lab.models.records import EMBEDDED, RECORDS
from inception_lab.ui import attribution, drawer, photos, trained
from inception_lab.ui.photos import Upload
from inception_lab.ui.widgets import linked, plain

if TYPE_CHECKING:
    from inception_lab.images.classify import Classification


def show(uploads: Sequence[Upload], network: str) -> None:
    """Guesses, the pixels they came from, and the code; without a readable photograph the code is a sample's."""
    upload = predictions(uploads, network)
    if upload is None:
        st.query_params.pop("class", None)  # it belonged to the photograph before
        code(photos.of_sample(samples()[0]), network)
    else:
        method, target = attribution.explain(upload, network)
        code(upload, network, f', method="{method}", target={target}')


def code(upload: Upload, network: str, options: str = "") -> None:
    """The Python for the page; `options` are those of the map."""
    best = f", top={photos.guesses(network)}" if is_run(network) else ""
    drawer.code(
        f'''
{upload.python}
guesses = lab.classify(photo, networks=["{network}"], crops=1{best})
lab.attribute(photo, "{network}"{options})
''',
        name="classify",
    )


def pick_network() -> str:
    """The network, with where it comes from; a hub network is fetched only when asked, and runs follow at the end."""
    names = {tag: f"{tag} (ships with the lab)" if one.embedded else tag for tag, one in RECORDS.items()}
    tag = linked("Network", names | trained.networks(), key="network")
    if is_run(tag):
        trained.caption(tag)
        link = {"run": tag.removeprefix(PREFIX)}
        st.page_link("pages/explore.py", label="Open it in Explore", icon=":material/account_tree:", query_params=link)
        return tag
    one = RECORDS[tag]
    scores = f"top-1 {one.top1:.1f} %" + (f", top-5 {one.top5:.1f} %" if one.top5 else "")
    st.caption(
        f"{one.origin}. Licence {one.licence}. Published accuracy: {scores} ({one.accuracy_source}). "
        f"It sees {one.size}×{one.size} pixels. {one.notes}"
    )
    if not one.embedded and not _fetched(tag):
        st.info(
            f"{tag} is not on this machine yet. Going on with the embedded network, {EMBEDDED}.", icon=":material/info:"
        )
        return EMBEDDED
    return tag


def predictions(uploads: Sequence[Upload], network: str) -> Upload | None:
    """Guesses for every photograph; returns the one to explain, or None if there is none to be read."""
    if not uploads:
        st.info("Choose a photograph above.", icon=":material/photo:")
        return None
    said = [(upload, photos.classified(upload, network)) for upload in uploads]
    for _, one in said:
        if one.error:
            st.error(plain(one.error), icon=":material/error:")
    readable = [(upload, one) for upload, one in said if not one.error]
    if not readable:
        return None
    place = 0
    if len(readable) > 1:
        _several([one for _, one in readable])
        names = [f"{n}. {upload.name}" for n, (upload, _) in enumerate(readable, 1)]  # two files may have one name
        place = st.selectbox("Look closer at", range(len(names)), key="closer", format_func=lambda place: names[place])
    upload, one = readable[place]
    _one(upload, one, network)
    return upload


def _fetched(tag: str) -> bool:
    """Offer to fetch the weights of a hub network; True once they are here."""
    from inception_lab.models.weights import fetch, is_cached

    if is_cached(tag):
        return True
    size = RECORDS[tag].megabytes
    if not st.button(f"Fetch {tag}, about {size} MB", key="fetch", icon=":material/download:"):
        return False
    bar = st.progress(0.0, f"Asking the hub for {tag}")
    try:
        fetch(tag, progress=drawer.meter(bar, unit=1_000_000, word="MB"))
    except LabError as error:
        bar.empty()
        st.error(plain(error), icon=":material/cloud_off:")
        return False
    bar.empty()
    return True


def _one(upload: Upload, said: Classification, network: str) -> None:
    left, right = st.columns([1, 2])
    with left:
        side = known(network).size
        st.image(photos.large(photos.square(upload, network)), alt=f"{upload.name} as {network} sees it")
        st.caption(f"The pixels that enter the network, {side}×{side}. " + plain(said.note or ""))
    with right:
        labels, shares = [p.label for p in said.predictions], [p.probability for p in said.predictions]
        figure, alt = guesses(labels, shares)
        st.markdown(f"**{network}** says")
        st.plotly_chart(figure, key="guesses", alt=alt)
        st.caption(f"{network}, one crop, softmax; {said.seconds * 1000:.0f} ms on this machine.")
        drawer.table(pd.DataFrame([p.to_dict() for p in said.predictions]), name="predictions", alt=alt)


def _several(said: Sequence[Classification]) -> None:
    rows = [
        {
            "photograph": place,
            "file": one.file,
            **{f"{n}.": f"{p.label} {p.probability:.1%}" for n, p in enumerate(one.predictions, 1)},
        }
        for place, one in enumerate(said, 1)
    ]
    frame = pd.DataFrame(rows)
    st.dataframe(frame, hide_index=True, alt="Best guesses for every photograph")
    drawer.download("CSV", lambda: frame.to_csv(index=False), "guesses.csv", "text/csv")
