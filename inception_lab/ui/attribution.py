"""The pixels view of Classify: which pixels a class came from, as a map, as numbers, as files."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st
from PIL import Image

from inception_lab.ui import drawer, maps, trust
from inception_lab.ui.asking import METHODS, answered, ask
from inception_lab.ui.photos import Upload, large
from inception_lab.ui.widgets import plain

if TYPE_CHECKING:
    from inception_lab.images.attribute import Attribution


def show(upload: Upload, network: str) -> str:
    """The question, its cost, the map and its test; returns the Python that asks the same."""
    st.subheader("Which pixels did it come from?", anchor=False)
    asked = ask(upload, network)
    if (found := answered(asked, key="explain")) is not None:
        st.session_state["explained"] = (asked, found)  # the map on the page
        _map(found)
        trust.show(found)
    return f'{upload.python}\nfound = lab.attribute(photo, "{network}"{asked.options})\nlab.trust(found)'


def _map(result: Attribution) -> None:
    """The pixels, the map over them, what its colours mean, and what the method says of its own error."""
    left, right = st.columns(2)
    entered = f"{result.file}, cut to what the network sees"
    left.image(
        large(Image.fromarray(result.pixels)), caption=f"What entered {result.network}", alt=entered, width="stretch"
    )
    title = METHODS[result.method].title
    alt = f"{title} for {result.question}: most weight around {_peak(result)}"
    caption = f"{title} for {result.question}, {result.setting}"
    if result.note:  # a picture of zeros in the colours of a map would look like one
        right.info(plain(result.note), icon=":material/visibility_off:")
        right.caption(plain(caption))
        return
    right.image(large(result.overlay()), caption=plain(caption), alt=alt, width="stretch")
    with right:
        maps.legend(*result.ends, signed=result.signed)
    if result.completeness_error is not None and result.difference is not None:
        st.caption(completeness(result))
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
        drawer.download("NPY", lambda: _npy(result), f"{result.method}.npy", "application/octet-stream")


def completeness(result: Attribution) -> str:
    """How much of the promised sum the map holds, in a sentence."""
    error, whole = result.completeness_error or 0.0, result.difference or 0.0
    what = "The cells of the layer add" if result.layer else "The map adds"
    return (
        f"{what} up to the change of the score, {whole:.2f} logits from black to this image, "
        f"but for {error:.2g} ({error / max(abs(whole), 1e-9):.1%})."
    )


def _npy(result: Attribution) -> bytes:
    out = BytesIO()
    np.save(out, result.values)
    return out.getvalue()


def _squares(result: Attribution) -> pd.DataFrame:
    """The map summed over GRID × GRID squares: place, size in pixels, and the sum, which adds up to the whole map's."""
    high, wide = (np.array_split(np.arange(side), maps.GRID) for side in result.values.shape)
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


def _peak(result: Attribution) -> str:
    """The ninth of the square that has most of what speaks for the class."""
    rows, columns = (np.array_split(np.arange(side), 3) for side in result.values.shape)
    sums = [[float(result.values[np.ix_(row, column)].clip(0).sum()) for column in columns] for row in rows]
    high, wide = divmod(int(np.argmax(sums)), 3)
    return f"the {('top', 'middle', 'bottom')[high]} {('left', 'centre', 'right')[wide]}"
