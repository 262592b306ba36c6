"""My image inside: what one op makes of a photograph, what a cell of it sees, and how its number came about.

What needs torch is imported where it is used.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd
import streamlit as st

from inception_lab.errors import LabError
from inception_lab.figures.colours import AMOUNT, ramp
from inception_lab.images.tiles import Limits, limits, maps_in_words, montage, on_photograph, png
from inception_lab.images.trained import MODEL, PREFIX, is_run
from inception_lab.models.records import EMBEDDED, RECORDS
from inception_lab.ui import cache, cells, drawer, drawings, photos, refusals
from inception_lab.ui.cells import Cell
from inception_lab.ui.photos import Upload
from inception_lab.ui.selection import Selection
from inception_lab.ui.widgets import linked, linked_segments, plain

if TYPE_CHECKING:
    from inception_lab.images.arithmetic import Arithmetic
    from inception_lab.images.features import Features
    from inception_lab.nets.ops import Net

RANDOM, NAMED = "random", "random weights, seed 0"
MOST = {"16": "16 strongest", "64": "64", "256": "256"}
SCOPES = {"op": "all maps of this op", "block": "all ops of this block", "map": "each map by itself"}


def show(chosen: Selection) -> str:
    """Photograph, weights, op, maps, and one cell; returns the Python that makes the same."""
    if refusals.blocked(chosen, "No photograph can go through this network"):
        return ""
    weights = _weights(chosen)
    upload = _photograph(photos.choose(weights if is_run(weights) else "", told=False))
    if upload is None:
        return ""
    at = _timm_part(weights) if weights in RECORDS and RECORDS[weights].module == "timm" else _op(chosen)
    try:
        with st.spinner("Running the photograph as far as this op"):
            found = _maps(upload, chosen.key, weights, at)
            shared = _shared(upload, chosen.key, weights, at, found)
    except LabError as error:
        st.error(plain(error), icon=":material/block:")
        return ""
    if int(st.session_state.get("size", 0)) not in (0, len(found.pixels)):
        side = len(found.pixels)
        st.caption(
            f"A photograph enters as the {side}×{side} pixels this network was made for, whatever the side above."
        )
    cell = cells.current(found)
    _grid(found, cell, shared)
    _cell(found, _looked(upload, chosen.key, weights, at, cell))
    return _python(chosen, upload, weights, at, cell)


def _weights(chosen: Selection) -> str:
    """Whose weights: public ones of this network where they are here, a run's own, random ones, or the embedded
    network, which is another one."""
    from inception_lab.models.weights import is_cached

    changed = bool(chosen.run or chosen.design)  # it bears the network's name, and its weights would not be its own
    public = [] if changed else [tag for tag, one in RECORDS.items() if one.network == chosen.net.name]
    own = {tag: tag for tag in public if is_cached(tag)}
    if chosen.run and (cache.store().run(chosen.run).folder / MODEL).is_file():
        own = {f"{PREFIX}{chosen.run}": "as this run trained them"}
    here = {**own, RANDOM: NAMED, EMBEDDED: f"another network: {EMBEDDED}, trained on ImageNet"}
    tag = linked("Weights", here, key="weights")
    if tag == RANDOM:
        more = (
            f" Its public weights ({plain(public[0])}) are not on this machine; Classify fetches them."
            if public
            else ""
        )
        st.caption(
            f"These are **{NAMED}**: nobody trained them, so the maps show what the structure alone does to the "
            f"photograph.{'' if own else more}"
        )
    return tag


def _photograph(uploads: list[Upload]) -> Upload | None:
    """The photograph that is looked at: the first that can be read."""
    for upload in uploads:
        problem = photos.problem(upload)
        if problem is None:
            return upload
        st.error(plain(problem), icon=":material/error:")
    st.info("Choose a photograph above.", icon=":material/photo:")
    return None


def _op(chosen: Selection) -> str:
    """The selected op, with its block's drawing to choose another; the whole network means its first stage."""
    network, stage, *_ = chosen.parts
    address = chosen.address if stage else f"{network}/{chosen.net.stages[0].name}"
    place = f"{network}/head" if stage == "head" else chosen.block or f"{address}/01"
    fine = st.toggle("Batch norm and ReLU as steps of their own", key="fine", bind="query-params")
    size = chosen.net.size
    try:
        drawn = cache.picture(chosen.key, place, "ops" if fine else "block", (size, size), "LR")
    except LabError:  # it is said where the maps are asked for
        return address
    drawings.show(drawn, chosen.net, key="inside-drawing", selected=address)
    return address


def _timm_part(tag: str) -> str:
    st.caption(
        f"{tag} is timm's module and has none of the lab's addresses: its parts go by their own names. The boxes for "
        "network, stage and op above do not change it."
    )
    return linked(f"Part of {tag}", {name: name for name in _parts(tag)}, key="part")


@st.cache_resource(max_entries=4, show_spinner=False)
def _parts(tag: str) -> tuple[str, ...]:
    from inception_lab.images.opened import opened, parts

    with opened(tag) as inside:
        return parts(inside.loaded.model)


def _network(key: str, weights: str) -> str | Net:
    return cache.net(key) if weights == RANDOM else weights


@st.cache_data(max_entries=16, show_spinner=False)
def _maps(upload: Upload, key: str, weights: str, at: str) -> Features:
    from inception_lab.images.features import features
    from inception_lab.images.load import load

    return features(load(upload.data, name=upload.name), _network(key, weights), at=at)


@st.cache_data(max_entries=64, show_spinner=False)
def _looked(upload: Upload, key: str, weights: str, at: str, cell: Cell) -> Features:
    from inception_lab.images.features import features
    from inception_lab.images.load import load

    photo = load(upload.data, name=upload.name)
    return features(photo, _network(key, weights), at=at, channel=cell[0], cell=cell[1:])


@st.cache_data(max_entries=64, show_spinner=False)
def _span(upload: Upload, key: str, weights: str, at: str) -> Limits:
    from inception_lab.images.features import span
    from inception_lab.images.load import load

    return span(load(upload.data, name=upload.name), _network(key, weights), at=at)


def _shared(upload: Upload, key: str, weights: str, at: str, found: Features) -> Limits | None:
    """The ends of the colour scale; None where each map has its own."""
    scopes = {word: title for word, title in SCOPES.items() if word != "block" or weights != EMBEDDED}
    match linked_segments("One colour scale for", scopes, key="limits"):
        case "map":
            return None
        case "block":
            return limits(np.array(_span(upload, key, weights, at)))
        case _:
            return limits(found.maps)


def _grid(found: Features, cell: Cell, shared: Limits | None) -> None:
    """The strongest maps with the legend of their colours, their table and their files."""
    count, high, wide = found.maps.shape
    st.subheader(f"{count} maps of {high}×{wide} cells", anchor=False)
    options = {word: title for word, title in MOST.items() if word == "16" or int(word) // 4 < count}
    most = int(linked_segments("Show", options, key="most") if len(options) > 1 else "16")
    alt = maps_in_words(found, most=most)
    cells.grid(found, cell, most=most, shared=shared, alt=alt)
    st.html(_legend(shared))
    st.caption(
        f"`{found.address}`, {plain(found.weights)}. The strongest first: by root mean square (RMS) over the map's "
        f"{high * wide:,} cells. A click on a map picks that cell; so do Tab, arrows and Enter, and the boxes below."
    )
    rows = [{"rank": rank, **row} for rank, row in enumerate(found.to_rows(), 1)]
    drawer.table(pd.DataFrame(rows), name="maps", title="All channels as a table", alt=alt)
    name = found.address.replace("/", "-")
    with st.container(horizontal=True):
        drawer.download("PNG", lambda: png(montage(found, most=most, each=shared is None)), f"{name}.png", "image/png")
        drawer.download("All maps, NPY", lambda: _npy(found.maps), f"{name}.npy", "application/octet-stream")


def _cell(found: Features, looked: Features) -> None:
    """One cell: what it sees on the photograph, and its number from what went in to what came out."""
    assert looked.at is not None
    assert looked.sees is not None
    channel, row, column = looked.at
    st.subheader(f"Channel {channel}, row {row}, column {column}", anchor=False)
    cells.pickers(found, looked.at)
    left, right = st.columns(2)
    (top, bottom), (first, last) = looked.sees.rows, looked.sees.columns
    high, wide = looked.sees.size
    side = len(looked.pixels)
    words = (
        f"Its receptive field: rows {top} to {bottom} and columns {first} to {last} of the {side}×{side} pixels that "
        f"entered, {high}×{wide} or {high * wide / side**2:.1%} of them"
    )
    picture = on_photograph(looked.pixels, looked.sees)
    left.image(picture, caption=f"{words}.", alt=f"{looked.file} with a frame. {words}.", width="stretch")
    with left:
        drawer.download("PNG", lambda: png(picture), "receptive-field.png", "image/png")
    with right:
        if looked.cell is None:
            value = looked.maps[looked.at]
            st.markdown(f"**{value:.5g}** comes out of several ops; choose the last of them to see its arithmetic.")
        else:
            _arithmetic(looked.cell)


def _arithmetic(found: Arithmetic) -> None:
    rows: list[dict[str, object]] = [
        {
            "from": term.name,
            "channel": str(term.channel),
            "row": str(term.row),
            "column": str(term.column),
            "value": term.value,
            "× weight": term.weight,
            "product": term.product,
        }
        for term in found.terms
    ]
    left = found.count - len(found.terms)
    if left and found.kind != "max":
        empty = {"channel": "", "row": "", "column": "", "value": None, "× weight": None}
        rows.append({"from": f"the other {left:,}", **empty, "product": found.rest})
    frame = pd.DataFrame(rows)
    numbers = {name: st.column_config.NumberColumn(format="%.5g") for name in ("value", "× weight", "product")}
    said = "; ".join(f"{step.words} = {step.value:.6g}" for step in found.steps)
    largest = f"The largest {len(found.terms)} of {found.count:,}" if left else f"All {found.count:,}"
    st.caption(f"{largest} {'values' if found.kind == 'max' else 'products'}; rows and columns count from 0.")
    st.dataframe(frame, hide_index=True, column_config=numbers, alt=f"Arithmetic of one cell: {said}")
    lines = [f"1. {plain(step.words)} = **{plain(f'{step.value:.6g}')}**" for step in found.steps]
    st.markdown("\n".join(lines))
    padded = f" {found.padded:,} of the window's numbers are padding." if found.padded else ""
    st.caption(f"The module itself put out {found.output:.6g}, apart by {abs(found.value - found.output):.1g}.{padded}")
    steps = [{"from": step.words, "product": step.value} for step in found.steps]
    whole = pd.concat([frame, pd.DataFrame(steps)])
    with st.container(horizontal=True):
        drawer.download("CSV", lambda: whole.to_csv(index=False), "cell.csv", "text/csv")
        if found.window is not None:
            drawer.download("Window and kernel, NPZ", lambda: _npz(found), "cell.npz", "application/octet-stream")


def _legend(shared: Limits | None) -> str:
    """A bar of cividis with the numbers at its ends."""
    low, high = (
        ("each map's lowest, or 0", "its highest") if shared is None else (f"{shared[0]:.4g}", f"{shared[1]:.4g}")
    )
    return (
        f'<div role="img" aria-label="colours from {low} to {high}" style="height:.8rem;border-radius:.2rem;'
        f'background:linear-gradient(to right, {", ".join(ramp(AMOUNT))})"></div>'
        '<div style="display:flex;justify-content:space-between;font-size:.85rem">'
        f"<span>{low}</span><span>{high}</span></div>"
    )


def _npy(values: np.ndarray) -> bytes:
    out = BytesIO()
    np.save(out, values)
    return out.getvalue()


def _npz(found: Arithmetic) -> bytes:
    out = BytesIO()
    np.savez_compressed(out, window=cast("np.ndarray", found.window), kernel=cast("np.ndarray", found.kernel))
    return out.getvalue()


def _python(chosen: Selection, upload: Upload, weights: str, at: str, cell: Cell) -> str:
    network, lines = (f'"{weights}"', []) if weights != RANDOM else ("net", [chosen.python])
    call = f'lab.features(photo, {network}, at="{at}", channel={cell[0]}, cell=({cell[1]}, {cell[2]}))'
    return "\n".join([*lines, upload.python, call])
