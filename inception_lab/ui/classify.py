"""The Classify page below its network and photographs: which photograph is looked at, and the views of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, assert_never, cast

import streamlit as st

from inception_lab.images.samples import samples
from inception_lab.images.trained import is_run
from inception_lab.ui import attribution, blocks, cards, crops, drawer, entering, photos, pinned
from inception_lab.ui.photos import Upload
from inception_lab.ui.widgets import linked_segments, plain

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

Question = Literal["guesses", "pixels", "blocks", "compare"]

VIEWS: dict[Question | Literal["networks"], str] = {
    "guesses": "Guesses",
    "pixels": "Pixels",
    "blocks": "Branches and ρ",
    "compare": "Compare",
    "networks": "Networks",
}


def show(uploads: Sequence[Upload], network: str, way: DeltaGenerator) -> None:
    """The view that is picked, and the Python that makes it; without a readable photograph that of a sample.

    Into `way` goes how the photograph enters the network, or each of several.
    """
    view = linked_segments("View", {str(word): title for word, title in VIEWS.items()}, key="view")
    if view == "networks":
        drawer.code(cards.show(), name="networks")
        return
    upload = _looked_at(uploads)
    if upload is None:
        st.query_params.pop("class", None)  # it belonged to the photograph before
        upload = photos.of_sample(samples()[0])
        top = f", top={photos.guesses(network)}" if is_run(network) else ""
        drawer.code(f'{upload.python}\nlab.classify(photo, networks=["{network}"]{top})', name="classify")
        return
    drawer.code(_answered(cast("Question", view), uploads, upload, network, way), name="classify")


def _answered(view: Question, uploads: Sequence[Upload], upload: Upload, network: str, way: DeltaGenerator) -> str:
    """The view of one photograph; returns its Python."""
    if view != "guesses":  # which asks several networks, and crops in other ways
        entering.show(way, upload, (network,))
    match view:
        case "guesses":
            return crops.show(uploads, upload, network, way)
        case "pixels":
            return attribution.show(upload, network)
        case "blocks":
            return blocks.show(upload, network)
        case "compare":
            return pinned.show(upload, network)
        case _:
            assert_never(view)


def _looked_at(uploads: Sequence[Upload]) -> Upload | None:
    """The photograph of the views, after those that cannot be read were named; None if there is none left."""
    if not uploads:
        st.info("Choose a photograph above.", icon=":material/photo:")
        return None
    problems = [photos.problem(upload) for upload in uploads]
    for problem in filter(None, problems):
        st.error(plain(problem), icon=":material/error:")
    readable = [upload for upload, problem in zip(uploads, problems, strict=True) if problem is None]
    if len(readable) <= 1:
        return readable[0] if readable else None
    names = [f"{n}. {upload.name}" for n, upload in enumerate(readable, 1)]  # two files may have one name
    place = st.selectbox("Look closer at", range(len(names)), key="closer", format_func=lambda place: names[place])
    return readable[place]
