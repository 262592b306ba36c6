"""Photographs on the Classify page: where they come from, and what is kept of each one between two runs of the script.

What needs torch is imported where it is used: samples and widgets are on screen before torch is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st
from PIL import Image, ImageOps

from inception_lab.errors import ImageError
from inception_lab.images.samples import Sample, samples
from inception_lab.images.trained import is_run, known
from inception_lab.ui import trained
from inception_lab.ui.widgets import linked, linked_segments

if TYPE_CHECKING:
    from inception_lab.images.classify import Classification

SOURCES = {"samples": "Samples", "upload": "Upload", "camera": "Camera"}
BEST = 5  # guesses of a network that knows a thousand things
ALL = 10  # and of one that knows ten
VISIBLE = 200  # pixels; smaller pictures are shown with each pixel as a square of several
TYPES = ["png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff"]


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came in; nothing about it has been believed yet. `path` is where code would find it.

    `code` is the Python that makes the picture, where there is no such place.
    """

    name: str
    data: bytes
    path: str = ""
    code: str = ""

    @property
    def python(self) -> str:
        """The Python that calls it `photo`."""
        return self.code or f"photo = {self.path or self.name!r}"


def choose(network: str, *, told: bool = True) -> list[Upload]:
    """Photographs from the shipped samples, from this computer (several) or from the camera.

    For a network trained here on Fashion-MNIST the samples begin with ten of its test images.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        source = linked_segments("Photograph from", SOURCES, key="source")
        sample = _pick_sample(network) if source == "samples" else ""
    match source:
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
            return [_sample(sample, network, told=told)]


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
    return classify(photo, networks=[network], top=guesses(network))[0]


@st.cache_data(max_entries=128, show_spinner=False)
def problem(upload: Upload) -> str | None:
    """Why a file is no readable photograph, or None."""
    from inception_lab.images.load import load

    try:
        load(upload.data, name=upload.name)
    except ImageError as error:
        return str(error)
    return None


@st.cache_data(max_entries=64, show_spinner=False)
def square(upload: Upload, network: str) -> Image.Image:
    """The pixels of a readable photograph that enter a network, cut once: 64 squares are at most 17 MB."""
    from inception_lab.images.crops import pixels
    from inception_lab.images.load import load

    return pixels(load(upload.data, name=upload.name), known(network))


def guesses(network: str) -> int:
    """How many of a network's guesses are shown."""
    return ALL if is_run(network) else BEST


def large(image: Image.Image) -> Image.Image:
    """A picture of few pixels with each as a square of several, so that no browser blurs them; others as they are."""
    times = -(-VISIBLE // max(image.size))
    return image if times == 1 else image.resize((times * image.width, times * image.height), Image.Resampling.NEAREST)


def _pick_sample(network: str) -> str:
    """The key of the sample on the page, bound to the link, chosen by its name or its picture."""
    tests = trained.tests(network)
    titles = {key: f"A test image: {test.label}" for key, test in tests.items()}
    titles |= {sample.file: sample.title for sample in samples()}
    if st.session_state.get("sample", next(iter(titles))) not in titles:  # of a network that is no longer asked
        st.session_state.pop("sample")
        st.query_params.pop("sample", None)
    with st.container(width="stretch"):
        chosen = linked("Sample", titles, key="sample")
    pictures = {key: (test.label, large(Image.open(BytesIO(test.data)))) for key, test in tests.items()}
    pictures = pictures or {sample.file: (sample.title, _thumbnail(sample.path)) for sample in samples()}
    with st.popover("Pictures", icon=":material/photo_library:"):
        _gallery(pictures, wide=84 if tests else 120)
    return chosen


def _sample(chosen: str, network: str, *, told: bool) -> Upload:
    """The sample of a key as if it had been given, with its origin written below, and what to expect if `told`."""
    if test := trained.tests(network).get(chosen):
        st.caption(
            f"{test.name.capitalize()} of Fashion-MNIST (Zalando SE, MIT licence): {test.label}. No run trains on it."
        )
        return Upload(f"{test.name}, {test.label}", test.data, code=test.code)
    sample = next(sample for sample in samples() if sample.file == chosen)
    st.caption(f"{sample.title}, {sample.author}; {sample.licence}; {sample.source}. {sample.note if told else ''}")
    return of_sample(sample)


def _gallery(pictures: Mapping[str, tuple[str, Image.Image]], *, wide: int) -> None:
    """The samples as pictures, each with a button that takes it."""
    with st.container(horizontal=True, key="samples"):
        for key, (title, picture) in pictures.items():
            with st.container(width=wide, gap="small"):
                st.image(picture, width="stretch", alt=title)
                st.button(title, key=f"take-{key}", on_click=_take, args=(key,), type="tertiary")


@st.cache_data(max_entries=32, show_spinner=False)
def _thumbnail(path: Path) -> Image.Image:
    return ImageOps.fit(Image.open(path).convert("RGB"), (240, 180))


def _take(file: str) -> None:
    st.session_state["sample"] = file
