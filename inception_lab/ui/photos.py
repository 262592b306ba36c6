"""Photographs on the Classify page: where they come from, and what is kept of each one between two runs of the script.

What needs torch is imported where it is used: samples and widgets are on screen before torch is loaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st
from PIL import Image, ImageOps

from inception_lab.errors import ImageError
from inception_lab.images.samples import Sample, samples
from inception_lab.models.records import RECORDS
from inception_lab.ui.widgets import linked, linked_segments

if TYPE_CHECKING:
    from inception_lab.images.classify import Classification

SOURCES = {"samples": "Samples", "upload": "Upload", "camera": "Camera"}
TYPES = ["png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff"]


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came in; nothing about it has been believed yet. `path` is where code would find it."""

    name: str
    data: bytes
    path: str = ""


def choose() -> list[Upload]:
    """Photographs from the shipped samples, from this computer (several) or from the camera."""
    match linked_segments("Photograph from", SOURCES, key="source"):
        case "upload":
            files = st.file_uploader(
                "Photographs, up to 10 MB each", TYPES, accept_multiple_files=True, key="upload", max_upload_size=10
            )
            return [Upload(file.name, file.getvalue()) for file in files]
        case "camera":
            st.caption("The browser offers the camera on this machine's own address or over HTTPS only.")
            shot = st.camera_input("Take a photograph", key="camera")
            return [Upload("camera.jpg", shot.getvalue())] if shot else []
        case _:
            return [_chosen_sample()]


def of_sample(sample: Sample) -> Upload:
    """A shipped photograph, as if it had been given."""
    return Upload(sample.file, sample.path.read_bytes(), f"assets/samples/{sample.file}")


@st.cache_data(max_entries=128, show_spinner="Asking the network")
def classified(upload: Upload, network: str) -> Classification:
    """The guesses of one network; a file that cannot be read has an `error` instead."""
    from inception_lab.images.classify import Classification, classify
    from inception_lab.images.load import load

    try:
        photo = load(upload.data, name=upload.name)
    except ImageError as error:
        return Classification(upload.name, network, 1, (), error=str(error))
    return classify(photo, networks=[network])[0]


@st.cache_data(max_entries=64, show_spinner=False)
def square(upload: Upload, network: str) -> Image.Image:
    """The pixels of a readable photograph that enter a network, cut once: 64 squares are at most 17 MB."""
    from inception_lab.images.crops import pixels
    from inception_lab.images.load import load

    return pixels(load(upload.data, name=upload.name), RECORDS[network])


def _chosen_sample() -> Upload:
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
    return of_sample(chosen)


@st.cache_data(max_entries=32, show_spinner=False)
def _thumbnail(path: Path) -> Image.Image:
    return ImageOps.fit(Image.open(path).convert("RGB"), (240, 180))


def _take(file: str) -> None:
    st.session_state["sample"] = file
