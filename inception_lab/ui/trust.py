"""Below a map: its test. Removing and bringing back what it marks, the same method on random weights, one sentence."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st
from PIL import Image

from inception_lab.errors import LabError
from inception_lab.figures.trust import trust as drawn
from inception_lab.ui import announcing, drawer
from inception_lab.ui.photos import large
from inception_lab.ui.widgets import plain

if TYPE_CHECKING:
    from inception_lab.images.attribute import Attribution
    from inception_lab.images.redrawn import Remade
    from inception_lab.images.trust import Trust

KEY = "trusted"  # in the session: the map that was tested last, and what was found
ICONS = {
    "trust": ":material/verified:",
    "care": ":material/rule:",
    "distrust": ":material/gpp_bad:",
    "untestable": ":material/help:",
}
SIGNS = {True: ":material/check:", False: ":material/close:"}
FEW = 3  # maps of random weights of each kind that are drawn; the table has all


def show(result: Attribution) -> None:
    """The button with its cost, and what the test of this very map found; it lasts until another map is tested."""
    from inception_lab.images.trust import trust

    st.markdown("**Is this map to be trusted?**")
    if result.note:  # nothing to run
        _found(trust(result))
        return
    st.caption(
        "Removes what the map marks and brings it back, beside five random orders, and makes the map again on networks "
        f"with random weights, {_networks(result)}. {plain(_cost(result))}"
    )
    with st.container(horizontal=True):
        go = st.button("Test this map", key="trust-go", icon=":material/science:")
        stop = st.empty()
    if go:  # any click ends the script, and the work with it
        stop.button("Stop", key="trust-stop", icon=":material/stop:")
        st.session_state.pop(KEY, None)
        found = _run(result)
        stop.empty()
        if isinstance(found, str):
            st.error(found, icon=":material/block:")
        else:
            st.session_state[KEY] = (result, found)
    before = st.session_state.get(KEY)
    if before and before[0] is result:
        _found(before[1])


def _networks(result: Attribution) -> str:
    from inception_lab.images.redrawn import draws_for

    return draws_for(result.passes).in_words()


def _run(result: Attribution) -> Trust | str:
    """What was found, or the sentence that says why nothing was."""
    from inception_lab.images.trust import trust

    bar = st.progress(0.0, "Starting")
    try:
        return trust(result, progress=drawer.meter(bar, word="images"))
    except LabError as error:
        return plain(error)
    finally:
        bar.empty()


def _cost(result: Attribution) -> str:
    """Exactly as many images as will be run, about so long, at most so much memory."""
    from inception_lab.images.trust import cost

    said = announcing.cost("trust", result.network, method=result.method, at=result.layer)
    return f"It takes {replace(said, images=cost(result))}."


def _found(found: Trust) -> None:
    """The sentence, its reasons with their numbers, the curves, the maps of random weights, and the rules."""
    from inception_lab.images.trust import DEFINITIONS

    st.info(plain(found.sentence), icon=ICONS[found.verdict])
    if found.findings:
        lines = (f"- {SIGNS[one.good]} {plain(one.text[:1].upper() + one.text[1:])}" for one in found.findings)
        st.markdown("\n".join(lines))
    name = f"trust-{found.result.method}"
    if found.curves is not None:
        figure, alt = drawn(found.rows(), measure=found.measure, orders=len(found.curves.chance))
        st.plotly_chart(figure, key="trust-curves", alt=alt)
        drawer.table(pd.DataFrame(found.rows()), name=name, title="The curves as a table", alt=alt)
    if found.remade:
        _remade(found.remade, found.result)
    st.caption(plain(f"{found.setting}. {found.forwards:,} images in {found.seconds:.1f} s on this machine."))
    with st.expander("The rules behind the sentence", icon=":material/gavel:"):
        st.markdown("\n".join(f"- **{word}**: {plain(rule)}" for word, rule in DEFINITIONS.items()))
        st.caption("Tried from the top; the first that holds is the verdict.")
    drawer.download("Test as JSON", lambda: json.dumps(found.to_dict(), indent=1), f"{name}.json", "application/json")


def _remade(remade: tuple[Remade, ...], result: Attribution) -> None:
    """The map beside the first few of each kind of random weights: sizes, each from 0 to its own strength."""
    from inception_lab.images.randomised import WORDS

    first = [one for kind in WORDS for one in [one for one in remade if one.kind == kind][:FEW]]
    pictures = [("as trained", result.values)]
    pictures += [(f"{WORDS[one.kind]}, seed {one.seed}: {_alike(one)}", one.values) for one in first]
    with st.container(horizontal=True):
        for words, values in pictures:
            with st.container(width=130, gap="small"):
                st.image(
                    large(grey(values)),
                    caption=plain(words),
                    alt=f"The map {words}",
                    width="stretch",
                    output_format="PNG",
                )
    st.caption(
        "Sizes of the values, black for 0, white for the strongest 1 in 100 of each map; the first seeds of each kind. "
        "What counts is the size of the correlation, as a map upside down draws the same regions."
    )
    rows = pd.DataFrame([one.to_dict() for one in remade])
    drawer.table(rows, name="random-weights", title="All random weights as a table")


def _alike(one: Remade) -> str:
    return "no map" if one.correlation is None else f"correlation {one.correlation:.2f}"


def grey(values: np.ndarray) -> Image.Image:
    """The sizes of a map as grey levels, the strongest 1 in 100 white."""
    size = np.abs(values)
    top = float(np.percentile(size, 99)) or float(size.max()) or 1.0
    return Image.fromarray(np.rint(255 * np.clip(size / top, 0, 1)).astype(np.uint8))
