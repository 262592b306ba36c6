"""The residuals' scale on the Classify page: a slider with guesses and map before and after, and what each block is
worth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from inception_lab.errors import LabError
from inception_lab.figures.damage import ranked
from inception_lab.figures.predictions import guesses
from inception_lab.images.parts import Damage
from inception_lab.ui import drawer
from inception_lab.ui.photos import Upload, large
from inception_lab.ui.widgets import linked_segments, plain

if TYPE_CHECKING:
    from inception_lab.images.attribute import Attribution
    from inception_lab.images.load import Photo
    from inception_lab.images.residuals import Rho

MOST = 200  # per cent of the scale that a block was built with
SCOPES = {"block": "This block", "all": "All blocks"}


def show(upload: Upload, network: str, target: int, block: str) -> str:
    """The slider and the damage; returns their Python, nothing for a network without residuals."""
    built = _built(network)
    if not built:
        return ""
    st.subheader("Move the residuals' scale", anchor=False)
    st.caption(
        "ρ is what a block's residual is multiplied by before the add. The weights stay as they are, so this asks how "
        "much the trained network leans on a residual; it does not say how a network trained with that ρ would do."
    )
    at = _scope(built, block)
    percent = _percent()
    _said(built, at, percent)
    steps = _asked(upload, network, target, at, percent)
    if steps is not None:
        _guesses(steps, percent)
        _maps(upload, network, target, at, percent)
    _damage(upload, network, target)
    place = "" if at is None else f', at="{at}"'
    here = f'{{"{at}": {percent / 100:g}}}' if at else f"{percent / 100:g}"
    return f"""lab.rho(photo, "{network}", scales=[1, {percent / 100:g}], relative=True{place}, target={target})
lab.moved(photo, "{network}", scales={here}, relative=True, target={target})
lab.damage(photo, "{network}", target={target})
"""


@st.cache_data(max_entries=32, show_spinner=False)
def _built(network: str) -> dict[str, float]:
    from inception_lab.images.residuals import blocks

    return blocks(network)


def _scope(built: Mapping[str, float], block: str) -> str | None:
    """The address to scale, None for all; a block without a residual leaves no choice."""
    if not any(f"{at}/".startswith(f"{at.split('/', 1)[0]}/{block}/") for at in built):
        st.caption(f"{plain(block)} has no residual, so all blocks are scaled; choose another one above.")
        return None
    return block if linked_segments("Scale", SCOPES, key="scope") == "block" else None


def _percent() -> int:
    """A slider from 0 to MOST per cent, kept in the link as `?rho=n`."""
    wanted = st.query_params.get("rho")
    if "rho" not in st.session_state:
        number = int(wanted[:6]) if wanted is not None and wanted.isascii() and wanted.isdigit() else 0
        asked = wanted is not None and wanted.isascii() and wanted.isdigit() and number <= MOST and number % 5 == 0
        st.session_state["rho"] = number if asked else 0
        if wanted is not None and not asked:
            st.warning(
                f"The link asks for rho '{plain(wanted[:40])}'; it is 0 to {MOST} in steps of 5.",
                icon=":material/link_off:",
            )
    value = int(st.slider("ρ, % of the scale it was built with", 0, MOST, step=5, key="rho"))
    if value:
        st.query_params["rho"] = str(value)
    else:
        st.query_params.pop("rho", None)
    return value


def _said(built: Mapping[str, float], at: str | None, percent: int) -> None:
    chosen = [
        rho for place, rho in built.items() if at is None or f"{place}/".startswith(f"{place.split('/')[0]}/{at}/")
    ]
    low, high = min(chosen), max(chosen)
    own = f"{low:.3g}" if low == high else f"{low:.3g} to {high:.3g}"
    now = f"{low * percent / 100:.3g}" if low == high else f"{low * percent / 100:.3g} to {high * percent / 100:.3g}"
    off = " Switched off: only the shortcut is left." if percent == 0 else ""
    st.caption(f"ρ = {now} in {len(chosen)} block{'s' * (len(chosen) > 1)}, built with {own}.{off}")


def _asked(upload: Upload, network: str, target: int, at: str | None, percent: int) -> list[Rho] | None:
    """What the network says as it is and at the slider's scale; None, with the reason shown, if it says nothing."""
    try:
        return _rho(upload, network, target, at, percent)
    except LabError as error:
        st.error(plain(error), icon=":material/error:")
        return None


@st.cache_data(max_entries=128, show_spinner="Asking the network")
def _rho(upload: Upload, network: str, target: int, at: str | None, percent: int) -> list[Rho]:
    from inception_lab.images.residuals import rho

    return rho(photo(upload), network, scales=(1.0, percent / 100), at=at, relative=True, target=target)


@st.cache_data(max_entries=64, show_spinner="Drawing the map")
def _map(upload: Upload, network: str, target: int, at: str | None, percent: int) -> Attribution:
    from inception_lab.images.moved import moved

    share = percent / 100
    return moved(photo(upload), network, scales=share if at is None else {at: share}, relative=True, target=target)


def photo(upload: Upload) -> Photo:
    from inception_lab.images.load import load

    return load(upload.data, name=upload.name)


def _guesses(steps: list[Rho], percent: int) -> None:
    """The five best before and after, and the class that is asked about."""
    before, after = steps
    rows = []
    for column, step, title in zip(st.columns(2), steps, ("As built", f"At {percent} %"), strict=True):
        figure, alt = guesses([p.label for p in step.predictions], [p.probability for p in step.predictions])
        column.markdown(f"**{title}**")
        column.plotly_chart(figure, key=f"rho-{title[:2]}", alt=f"{title}. {alt}")
        rows += [
            {"scale": step.scale, "rank": n, "class": p.label, "probability": p.probability}
            for n, p in enumerate(step.predictions, 1)
        ]
    st.caption(
        f"{plain(after.label)}: {before.probability:.1%} as built, {after.probability:.1%} now; its logit "
        f"{before.logit:.2f}, now {after.logit:.2f}."
    )
    drawer.table(pd.DataFrame(rows), name="rho", title="Before and after as a table")


def _maps(upload: Upload, network: str, target: int, at: str | None, percent: int) -> None:
    """Grad-CAM before and after, each with the value of its full colour."""
    for column, share in zip(st.columns(2), (100, percent), strict=True):
        try:
            found = _map(upload, network, target, at, share)
        except LabError as error:
            column.error(plain(error), icon=":material/error:")
            continue
        title = "As built" if share == 100 else f"At {share} %"
        column.image(
            large(found.overlay()),
            caption=f"{title}: Grad-CAM, {found.setting}; full colour at {found.limit:.3g}",
            alt=f"Grad-CAM for {found.label}, {title}",
            width="stretch",
        )


def _damage(upload: Upload, network: str, target: int) -> None:
    """Every block off by itself, on demand."""
    from inception_lab.images.residuals import cost

    st.subheader("What each block is worth", anchor=False)
    count, runs = cost(network)
    st.caption(
        f"Switches off each of {count} residual blocks by itself. Cost: about {runs:.0f} images through the network, "
        "as what comes before a block is not run again."
    )
    asked = (upload, network, target)
    with st.container(horizontal=True):
        go = st.button("Measure the damage", key="damage", icon=":material/content_cut:")
        stop = st.empty()
    if go:  # any click ends the script, and the work with it
        stop.button("Stop", key="damage-stop", icon=":material/stop:")
        st.session_state["damaged"] = (asked, _measured(*asked))
        stop.empty()
    before = st.session_state.get("damaged")
    if before and before[0] == asked:
        _ranked(before[1])


def _measured(upload: Upload, network: str, target: int) -> Damage:
    from inception_lab.images.residuals import damage

    bar = st.progress(0.0, "Starting")
    found = damage(photo(upload), network, target=target, progress=drawer.meter(bar, word="steps"))
    bar.empty()
    return found


def _ranked(found: Damage) -> None:
    figure, alt = ranked(found)
    st.plotly_chart(figure, key="damage-bars", alt=alt)
    st.caption(f"{plain(alt)} One image, {found.seconds:.1f} s.")
    drawer.table(pd.DataFrame(found.to_rows()), name="damage", title="Damage as a table", alt=alt)
