"""The lower part of the Classify page: which pixels a class came from, as a map, as numbers, as files."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd
import streamlit as st
from PIL import Image
from plotly.colors import get_colorscale

from inception_lab.figures.colours import AMOUNT, SIGNED
from inception_lab.ui import drawer
from inception_lab.ui.photos import Upload, classified, large
from inception_lab.ui.widgets import linked

if TYPE_CHECKING:
    from inception_lab.images.attribute import Attribution, Method

GRID = 7  # the table's rows and columns: as fine as the last feature maps of a 224-pixel network

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


def explain(upload: Upload, network: str) -> tuple[Method, int]:
    """Which pixels a class came from: method, class, cost beforehand, progress, the map; returns method and class."""
    from inception_lab.images.attribute import cost

    st.subheader("Which pixels did it come from?", anchor=False)
    left, right = st.columns(2)
    with left:
        method = cast("Method", linked("Method", {word: title for word, (title, _) in METHODS.items()}, key="method"))
    with right:
        target = _class(upload, network)
    st.caption(f"{METHODS[method][1]} Cost: {cost(method, network=network)} images through the network.")
    asked = (upload, network, method, target)
    with st.container(horizontal=True):
        go = st.button("Explain", type="primary", key="explain", icon=":material/search_insights:")
        stop = st.empty()
    if go:  # any click ends the script, and the work with it
        stop.button("Stop", key="explain-stop", icon=":material/stop:")
        st.session_state["explained"] = (asked, _run(upload, network, method, target))  # one map a session: the last
        stop.empty()
    before = st.session_state.get("explained")
    if before and before[0] == asked:
        _map(before[1])
    return method, target


def _class(upload: Upload, network: str) -> int:
    """The class to explain, of the five best; with another photograph or network the choice begins anew."""
    best = {str(p.index): f"{p.label} ({p.probability:.1%})" for p in classified(upload, network).predictions}
    asked, written = st.session_state.get("class-written", ((upload, network), None))
    if asked != (upload, network):
        st.session_state.pop("class", None)
        if st.query_params.get("class") == written:  # not a link, but what this page wrote for the other one
            st.query_params.pop("class", None)
    chosen = linked("Class", best, key="class")
    st.session_state["class-written"] = ((upload, network), chosen)
    return int(chosen)


def _run(upload: Upload, network: str, method: Method, target: int) -> Attribution:
    from inception_lab.images.attribute import attribute
    from inception_lab.images.load import load

    bar = st.progress(0.0, "Starting")
    photo = load(upload.data, name=upload.name)
    result = attribute(photo, network, method=method, target=target, progress=drawer.meter(bar))
    bar.empty()
    return result


def _map(result: Attribution) -> None:
    """The pixels, the map over them, what its colours mean, and what the method says of its own error."""
    left, right = st.columns(2)
    entered = f"{result.file}, cut to what the network sees"
    left.image(
        large(Image.fromarray(result.pixels)), caption=f"What entered {result.network}", alt=entered, width="stretch"
    )
    title = METHODS[result.method][0]
    alt = f"{title} for {result.label}: most weight around {_peak(result)}"
    caption = f"{title} for {result.label}, {result.setting}"
    right.image(large(result.overlay()), caption=caption, alt=alt, width="stretch")
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
    drawer.table(_squares(result), name=f"{result.method}-squares", title="The map as a table", alt=alt)
    with st.container(horizontal=True):
        drawer.download("PNG", result._repr_png_, f"{result.method}.png", "image/png")
        raw = pd.DataFrame(result.values)
        drawer.download(
            "Raw values, CSV", lambda: raw.to_csv(index=False, header=False), f"{result.method}.csv", "text/csv"
        )


def _squares(result: Attribution) -> pd.DataFrame:
    """The map summed over GRID × GRID squares: place, size in pixels, and the sum, which adds up to the whole map's."""
    high, wide = (np.array_split(np.arange(side), GRID) for side in result.values.shape)
    return pd.DataFrame(
        [
            {
                "row": row,
                "column": column,
                "top": int(down[0]),
                "left": int(across[0]),
                "pixels": len(down) * len(across),
                "sum": float(result.values[np.ix_(down, across)].sum(dtype=np.float64)),
            }
            for row, down in enumerate(high, 1)
            for column, across in enumerate(wide, 1)
        ]
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
