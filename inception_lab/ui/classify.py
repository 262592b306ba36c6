"""The parts of the Classify page: photographs, networks, guesses, and the pixels they came from.

What needs torch is imported where it is used: samples and widgets are on screen before torch is loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd
import streamlit as st
from PIL import Image, ImageOps
from plotly.colors import get_colorscale

from inception_lab.errors import ImageError, LabError
from inception_lab.figures.colours import AMOUNT, SIGNED
from inception_lab.figures.predictions import guesses
from inception_lab.images.samples import samples
from inception_lab.models.records import EMBEDDED, RECORDS
from inception_lab.ui import drawer
from inception_lab.ui.widgets import linked, plain

if TYPE_CHECKING:
    from inception_lab.images.attribute import Attribution, Method
    from inception_lab.images.classify import Classification

SOURCES = ("Samples", "Upload", "Camera")
TYPES = ["png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff"]


METHODS: dict[Method, tuple[str, str]] = {
    "integrated_gradients": (
        "Integrated gradients",
        "Adds up the gradients on the way from a black image to this one; the map adds up to the change of the score.",
    ),
    "grad_cam": (
        "Grad-CAM",
        "Weighs the last feature maps by their mean gradient: coarse, but it shows the region that counted.",
    ),
    "occlusion": ("Occlusion", "Covers one square after the other with grey and measures how far the score falls."),
}


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came in; nothing about it has been believed yet. `path` is where code would find it."""

    name: str
    data: bytes
    path: str = ""


def choose() -> list[Upload]:
    """Photographs from the shipped samples, from this computer (several) or from the camera."""
    source = st.segmented_control("Photograph from", SOURCES, default="Samples", key="source", required=True)
    if source == "Upload":
        files = st.file_uploader(
            "Photographs, up to 10 MB each", TYPES, accept_multiple_files=True, key="upload", max_upload_size=10
        )
        return [Upload(file.name, file.getvalue()) for file in files]
    if source == "Camera":
        st.caption("The browser offers the camera on this machine's own address or over HTTPS only.")
        shot = st.camera_input("Take a photograph", key="camera")
        return [Upload("camera.jpg", shot.getvalue())] if shot else []
    return [_sample()]


def pick_network() -> str:
    """The network, with where it comes from; a hub network is fetched only when asked."""
    names = {tag: f"{tag} (ships with the lab)" if known.embedded else tag for tag, known in RECORDS.items()}
    tag = linked("Network", names, key="network")
    known = RECORDS[tag]
    scores = f"top-1 {known.top1:.1f} %" + (f", top-5 {known.top5:.1f} %" if known.top5 else "")
    st.caption(
        f"{known.origin}. Licence {known.licence}. Published accuracy: {scores} ({known.accuracy_source}). "
        f"It sees {known.size}×{known.size} pixels. {known.notes}"
    )
    if not known.embedded and not _fetched(tag):
        st.info(f"Going on with the embedded network, {EMBEDDED}.", icon=":material/info:")
        return EMBEDDED
    return tag


def predictions(uploads: Sequence[Upload], network: str) -> Upload | None:
    """Guesses for every photograph; returns the one to explain, or None if there is none to be read."""
    if not uploads:
        st.info("Choose a photograph above.", icon=":material/photo:")
        return None
    said = {upload.name: _classified(upload, network) for upload in uploads}
    for one in said.values():
        if one.error:
            st.error(plain(one.error), icon=":material/error:")
    readable = [upload for upload in uploads if not said[upload.name].error]
    if len(readable) > 1:
        _several([said[upload.name] for upload in readable])
    if not readable:
        return None
    names = [upload.name for upload in readable]
    chosen = st.selectbox("Look closer at", names, key="closer") if len(names) > 1 else names[0]
    upload = readable[names.index(chosen or names[0])]
    _one(upload, said[upload.name], network)
    return upload


def explain(upload: Upload, network: str) -> None:
    """Which pixels a class came from: method, class, cost beforehand, progress, the map with its legend, exports."""
    from inception_lab.images.attribute import attribute, cost
    from inception_lab.images.load import load

    st.subheader("Which pixels did it come from?", anchor=False)
    left, right = st.columns(2)
    with left:
        method = cast("Method", linked("Method", {word: title for word, (title, _) in METHODS.items()}, key="method"))
    best = {p.index: f"{p.label} ({p.probability:.1%})" for p in _classified(upload, network).predictions}
    target = right.selectbox("Class", list(best), key="target", format_func=lambda index: best[index])
    st.caption(f"{METHODS[method][1]} Cost: {cost(method, network=network)} images through the network.")
    asked = (upload, network, method, target)
    with st.container(horizontal=True):
        go = st.button("Explain", type="primary", key="explain", icon=":material/search_insights:")
        if go:
            st.button(
                "Stop", key="explain-stop", icon=":material/stop:"
            )  # any click ends the script, and the work with it
    if go:
        bar = st.progress(0.0, "Starting")
        result = attribute(
            load(upload.data, name=upload.name),
            network,
            method=method,
            target=target,
            progress=drawer.meter(bar),
        )
        bar.empty()
        st.session_state["explained"] = (asked, result)  # one map a session: the last
    before = st.session_state.get("explained")
    if before and before[0] == asked:
        _map(before[1])
    drawer.code(
        f'''
photo = {upload.path or upload.name!r}
lab.classify(photo, networks=["{network}"], crops=1)
lab.attribute(photo, "{network}", method="{method}", target={target})
''',
        name="classify",
    )


def _sample() -> Upload:
    """The sample on the page: pictures in a row, the chosen one bound to the link."""
    found = {sample.file: sample for sample in samples()}
    with st.container(horizontal=True, key="samples"):
        for sample in found.values():
            with st.container(width=120, gap="small"):
                st.image(_thumbnail(sample.path), width=120, alt=sample.title)
                st.button(sample.title, key=f"take-{sample.file}", on_click=_take, args=(sample.file,), type="tertiary")
    file = linked("Sample", {name: sample.title for name, sample in found.items()}, key="sample")
    chosen = found[file]
    st.caption(f"{chosen.title}, {chosen.author}; {chosen.licence}; {chosen.source}. {chosen.note}")
    return Upload(chosen.file, chosen.path.read_bytes(), f"assets/samples/{chosen.file}")


@st.cache_data(max_entries=32, show_spinner=False)
def _thumbnail(path: Path) -> Image.Image:
    return ImageOps.fit(Image.open(path).convert("RGB"), (240, 180))


def _take(file: str) -> None:
    st.session_state["sample"] = file


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


@st.cache_data(max_entries=128, show_spinner="Asking the network")
def _classified(upload: Upload, network: str) -> Classification:
    from inception_lab.images.classify import classify
    from inception_lab.images.load import load

    try:
        photo = load(upload.data, name=upload.name)
    except ImageError as error:
        from inception_lab.images.classify import Classification

        return Classification(upload.name, network, 1, (), error=str(error))
    return classify(photo, networks=[network])[0]


def _one(upload: Upload, said: Classification, network: str) -> None:
    from inception_lab.images.crops import pixels
    from inception_lab.images.load import load

    left, right = st.columns([1, 2])
    with left:
        st.image(
            pixels(load(upload.data, name=upload.name), RECORDS[network]), alt=f"{upload.name} as {network} sees it"
        )
        st.caption(
            f"The pixels that enter the network, {RECORDS[network].size}×{RECORDS[network].size}. "
            + plain(said.note or "")
        )
    with right:
        labels, shares = [p.label for p in said.predictions], [p.probability for p in said.predictions]
        figure, alt = guesses(labels, shares)
        st.plotly_chart(figure, key="guesses", alt=alt)
        st.caption(f"{network}, one crop, softmax; {said.seconds * 1000:.0f} ms on this machine.")
        drawer.table(pd.DataFrame([p.to_dict() for p in said.predictions]), name="predictions", alt=alt)


def _several(said: Sequence[Classification]) -> None:
    rows = [
        {"file": one.file, **{f"{n}.": f"{p.label} {p.probability:.1%}" for n, p in enumerate(one.predictions, 1)}}
        for one in said
    ]
    frame = pd.DataFrame(rows)
    st.dataframe(frame, hide_index=True, alt="Best guesses for every photograph")
    drawer.download("CSV", lambda: frame.to_csv(index=False), "guesses.csv", "text/csv")


def _map(result: Attribution) -> None:
    """The pixels, the map over them, what its colours mean, and what the method says of its own error."""
    left, right = st.columns(2)
    left.image(
        result.pixels, caption=f"What entered {result.network}", alt=f"{result.file}, cut to what the network sees"
    )
    title = METHODS[result.method][0]
    alt = f"{title} for {result.label}: most weight around {_peak(result)}"
    right.image(result.overlay(), caption=f"{title} for {result.label}, {result.setting}", alt=alt)
    right.html(_legend(result))
    if result.completeness_error is not None and result.difference is not None:
        share = result.completeness_error / max(abs(result.difference), 1e-9)
        st.caption(
            f"The map adds up to the change of the score, {result.difference:.2f} logits from black to this image, "
            f"but for {result.completeness_error:.3f} ({share:.1%})."
        )
    st.caption(
        f"{result.forwards} images through the network in {result.seconds:.1f} s. Raw values are exported unscaled."
    )
    with st.container(horizontal=True):
        drawer.download("PNG", result._repr_png_, f"{result.method}.png", "image/png")
        raw = pd.DataFrame(result.values)
        drawer.download(
            "Raw values, CSV", lambda: raw.to_csv(index=False, header=False), f"{result.method}.csv", "text/csv"
        )


def _legend(result: Attribution) -> str:
    """A bar of the map's colours with the numbers at its ends."""
    colours = ", ".join(colour for _, colour in get_colorscale(SIGNED if result.signed else AMOUNT))
    low = f"−{result.limit:.3g} against" if result.signed else "0"
    high = f"{result.limit:.3g} for {escape(result.label)}"
    return (
        f'<div role="img" aria-label="colours from {low} to {high}" style="height:.8rem;border-radius:.2rem;'
        f'background:linear-gradient(to right, {colours})"></div>'
        '<div style="display:flex;justify-content:space-between;font-size:.85rem">'
        f"<span>{low}</span><span>{high}</span></div>"
    )


def _peak(result: Attribution) -> str:
    """Where on the square the map is strongest, in thirds."""
    high, wide = np.unravel_index(int(np.argmax(result.values)), result.values.shape)
    down = ("top", "middle", "bottom")[int(high) * 3 // result.values.shape[0]]
    across = ("left", "centre", "right")[int(wide) * 3 // result.values.shape[1]]
    return f"the {down} {across}"
