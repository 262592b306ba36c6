"""What enters a network: the photograph as it was given, resized, cut, and as numbers; a row of small pictures each."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st
from PIL import Image, ImageDraw

from inception_lab.images.trained import known
from inception_lab.ui import drawer
from inception_lab.ui.photos import Upload, large

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from inception_lab.images.crops import Reading
    from inception_lab.models.records import WeightRecord

SIDE = 168  # pixels of a small picture, twice what it is shown with
AXIS = 2.7  # the range of every network fits between -AXIS and AXIS: white is 2.64 after ImageNet's mean and deviation
BINS = 36
ROWS = 2  # ways into a network that stand open
FRAME = (253, 231, 37)  # cividis' end; with a dark line on either side it is seen on anything
CUT = {"timm": "", "slim": ", as slim cuts"}


@dataclass(frozen=True, slots=True)
class Step:
    """One small picture of the way: its address, what it is, its size in words, and what it shows in words."""

    source: str
    title: str
    size: str
    alt: str


@dataclass(frozen=True, slots=True)
class Way:
    """How a photograph enters some networks that prepare it alike; `bars` is the share of numbers in each bin."""

    networks: tuple[str, ...]
    steps: tuple[Step, ...]
    bars: tuple[float, ...]
    low: str
    high: str
    seen: str
    rows: tuple[dict[str, Any], ...]


def show(
    slot: DeltaGenerator, upload: Upload, networks: Sequence[str], *, crops: int = 1, reading: Reading = "timm"
) -> None:
    """The way into each of the networks, those that prepare it alike together, with a table, CSV and the pixels."""
    alike: dict[tuple[Any, ...], list[str]] = {}
    for tag in networks:
        alike.setdefault(_preparing(known(tag)), []).append(tag)
    ways = [_way(upload, tuple(tags), crops, reading) for tags in alike.values()]
    with slot.container(horizontal=True, key="entering"):
        with st.container(width="content", gap="small"):
            for way in ways[:ROWS]:
                st.html(_row(way, titled=len(networks) > 1), width="content")
        with st.popover("Table", icon=":material/table:", help="The steps as a table, and the pixels to take away"):
            _twin(upload, ways, networks[0], reading)
        if more := ways[ROWS:]:
            with st.expander(f"{len(more)} more way{'s' * (len(more) > 1)} to prepare it"):
                for way in more:
                    st.html(_row(way, titled=True))


def _twin(upload: Upload, ways: Sequence[Way], network: str, reading: Reading) -> None:
    frame = pd.DataFrame([{"network": ", ".join(way.networks)} | row for way in ways for row in way.rows])
    st.table(frame if len(ways) > 1 else frame.drop(columns="network"), hide_index=True, alt=_said(ways[0]))
    with st.container(horizontal=True):
        drawer.download("CSV", lambda: frame.to_csv(index=False), "pipeline.csv", "text/csv")
        drawer.download("The square, PNG", lambda: _png(_square(upload, network, reading)), "entering.png", "image/png")
        drawer.download(
            "Its numbers, NPY", lambda: _npy(upload, network, reading), "entering.npy", "application/octet-stream"
        )


def _preparing(one: WeightRecord) -> tuple[Any, ...]:
    return one.size, one.resize, one.interpolation, one.channels, one.mean, one.std


@st.cache_data(max_entries=64, show_spinner=False)
def _way(upload: Upload, networks: tuple[str, ...], crops: int, reading: Reading) -> Way:
    from inception_lab.images.load import load
    from inception_lab.images.pipeline import pictures, pipeline

    photo, record = load(upload.data, name=upload.name), known(networks[0])
    line = pipeline(photo, record, crops, reading)
    resized, boxes, square = pictures(photo, record, crops, reading)
    rows = line.steps()
    out = {row["step"]: row["out"] for row in rows}
    first = f"the first of {crops} crops" if crops > 1 else f"{record.size}×{record.size}{CUT[reading]}"
    sees = f"{upload.name} as {networks[0]} sees it"
    uncut = "not resized before the cut" if resized.size == photo.image.size else out["resize"]
    grey = "grey, " * (record.channels == 1)
    steps = (
        Step(_source(photo.image), "as given", out["file"], f"{upload.name}, {out['file']} pixels"),
        Step(
            _source(_framed(resized, boxes)),
            "resized",
            grey + uncut,
            f"{grey}resized: {uncut}; a frame where it is cut",
        ),
        Step(_source(square), "cut", first, sees + ("" if crops == 1 else f", crop 1 of {crops}")),
    )
    values = (np.asarray(square, np.float32) / 255 - np.array(record.mean)) / np.array(record.std)
    counts, _ = np.histogram(values, BINS, (-AXIS, AXIS))
    low, high = min(line.lowest), max(line.highest)
    return Way(
        networks,
        steps,
        tuple((counts / counts.max()).tolist()),
        _number(low),
        _number(high),
        out["range"].removesuffix(" here"),
        tuple(rows),
    )


def _row(way: Way, *, titled: bool) -> str:
    """A way as a list of pictures; the last of them is drawn of bars, on one axis for all networks."""
    figures = "".join(
        f'<li><img src="{one.source}" alt="{escape(one.alt, quote=True)}"><b>{one.title}</b>'
        f"<span>{escape(one.size)}</span></li>"
        for one in way.steps
    )
    bars = "".join(f'<i style="height:{max(100 * one**0.5, 2):.0f}%"></i>' for one in way.bars)
    said = escape(f"its numbers: {way.seen}; black is {way.low}, white {way.high}", quote=True)
    last = (
        f'<li><div class="bars" role="img" aria-label="{said}">{bars}</div><b>as numbers</b>'
        f"<span>{escape(way.seen)}</span></li>"
    )
    title = f"<p>{escape(', '.join(way.networks))}</p>" if titled else ""
    return f'<div class="entering">{title}<ol>{figures}{last}</ol></div>'


def _said(way: Way) -> str:
    return "; ".join(f"{row['step']}: {row['out']}, {row['how']}" for row in way.rows)


def _framed(image: Image.Image, boxes: Sequence[tuple[int, int, int, int]]) -> Image.Image:
    """A small copy with the frames of what is cut out of it."""
    small = _small(image)
    share = small.width / image.width
    draw = ImageDraw.Draw(small)
    for box in boxes:
        left, top, right, bottom = (round(share * side) for side in box)
        frame = (left, top, max(right - 1, left), max(bottom - 1, top))
        draw.rectangle(frame, outline=(20, 20, 20), width=4)
        draw.rectangle(frame, outline=FRAME, width=2)
    return small


def _small(image: Image.Image) -> Image.Image:
    small = large(image).convert("RGB")
    small = small.copy() if small is image else small
    small.thumbnail((2 * SIDE, SIDE))
    return small


def _source(image: Image.Image) -> str:
    out = BytesIO()
    _small(image).save(out, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{b64encode(out.getvalue()).decode()}"


def _square(upload: Upload, network: str, reading: Reading) -> Image.Image:
    from inception_lab.images.crops import pixels
    from inception_lab.images.load import load

    return pixels(load(upload.data, name=upload.name), known(network), reading=reading)


def _png(image: Image.Image) -> bytes:
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def _npy(upload: Upload, network: str, reading: Reading) -> bytes:
    """The numbers as the network takes them, (channels, height, width)."""
    from inception_lab.images.networks import tensor

    out = BytesIO()
    np.save(out, tensor([_square(upload, network, reading)], known(network))[0].numpy())
    return out.getvalue()


def _number(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")
