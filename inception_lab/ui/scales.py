"""The residuals' scale on the Classify page: a slider with guesses and map before and after, and what each block is
worth."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st
from PIL import Image

from inception_lab.errors import LabError
from inception_lab.figures.damage import ranked
from inception_lab.figures.predictions import guesses
from inception_lab.images.parts import Damage
from inception_lab.ui import drawer, maps
from inception_lab.ui.asking import memory
from inception_lab.ui.photos import Upload, large
from inception_lab.ui.widgets import linked_segments, plain

if TYPE_CHECKING:
    from inception_lab.images.attribute import Attribution
    from inception_lab.images.load import Photo
    from inception_lab.images.residuals import Rho

MOST = 200  # per cent of the scale that a block was built with
CHART, SIDE = 230, 280  # pixels: slider, guesses and maps are to be seen at once
SCOPES = {"block": "This block", "all": "All blocks"}


def move(upload: Upload, network: str, target: int, block: str, against: int | None = None) -> str:
    """The slider, and guesses and map before and after; returns their Python, nothing for a network without
    residuals."""
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
    try:
        steps = [_rho(upload, network, target, at, share) for share in (100, percent)]
        rows = _guesses(steps, percent)
        if against is not None:
            st.caption("The numbers above are of the first class alone; the maps are of it rather than the other.")
        _maps([_map(upload, network, target, against, at, share) for share in (100, percent)], percent)
        drawer.table(pd.DataFrame(rows), name="rho", title="Guesses before and after as a table")
    except LabError as error:
        st.error(plain(error), icon=":material/error:")
    place = "" if at is None else f', at="{at}"'
    here = f'{{"{at}": {percent / 100:g}}}' if at else f"{percent / 100:g}"
    compared = "" if against is None else f", against={against}"
    return f"""lab.rho(photo, "{network}", scales=[1, {percent / 100:g}], relative=True{place}, target={target})
lab.moved(photo, "{network}", scales={here}, relative=True, target={target}{compared})
"""


def worth(upload: Upload, network: str, target: int, *, alone: bool = False) -> str:
    """What each block is worth, on demand; `alone` if another class is compared with.

    Returns its Python, nothing for a network without residuals.
    """
    if not _built(network):
        return ""
    _damage(upload, network, target, alone=alone)
    return f'lab.damage(photo, "{network}", target={target})\n'


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
    with st.container(horizontal=True):
        st.button("Switch off", key="rho-off", on_click=_set, args=(0,), disabled=value == 0)
        st.button("As built", key="rho-built", on_click=_set, args=(100,), disabled=value == 100)
    if value:
        st.query_params["rho"] = str(value)
    else:
        st.query_params.pop("rho", None)
    return value


def _set(percent: int) -> None:
    st.session_state["rho"] = percent


def _said(built: Mapping[str, float], at: str | None, percent: int) -> None:
    chosen = [
        rho for place, rho in built.items() if at is None or f"{place}/".startswith(f"{place.split('/')[0]}/{at}/")
    ]
    now = _span([rho * percent / 100 for rho in chosen])
    off = f" Switched off: only the shortcut{'s are' if len(chosen) > 1 else ' is'} left." if percent == 0 else ""
    st.caption(f"ρ = {now} in {len(chosen)} block{'s' * (len(chosen) > 1)}, built with {_span(chosen)}.{off}")


def _span(numbers: list[float]) -> str:
    low, high = f"{min(numbers):.3g}", f"{max(numbers):.3g}"
    return low if low == high else f"{low} to {high}"


@st.cache_data(max_entries=128, show_spinner="Asking the network")
def _rho(upload: Upload, network: str, target: int, at: str | None, percent: int) -> Rho:
    from inception_lab.images.residuals import rho

    if percent == 100:  # as built is as built, wherever the slider works
        at = None
    return rho(photo(upload), network, scales=(percent / 100,), at=at, relative=True, target=target)[0]


@st.cache_data(max_entries=64, show_spinner="Drawing the map")
def _map(upload: Upload, network: str, target: int, against: int | None, at: str | None, percent: int) -> Attribution:
    from inception_lab.images.moved import moved

    share = percent / 100
    scales = share if at is None or percent == 100 else {at: share}  # as built is as built, wherever the slider works
    return moved(photo(upload), network, scales=scales, relative=True, target=target, against=against)


def photo(upload: Upload) -> Photo:
    from inception_lab.images.load import load

    return load(upload.data, name=upload.name)


def _guesses(steps: Sequence[Rho], percent: int) -> list[dict[str, Any]]:
    """The five best before and after, and the class that is asked about; returns the rows of their table."""
    before, after = steps
    rows: list[dict[str, Any]] = []
    for column, step, title in zip(st.columns(2), steps, _titles(percent), strict=True):
        figure, alt = guesses([p.label for p in step.predictions], [p.probability for p in step.predictions])
        figure.update_layout(height=CHART)
        column.markdown(f"**{title}**")
        column.plotly_chart(figure, key=f"rho-{title[:2]}", alt=f"{title}. {alt}")
        rows += [
            {"scale": step.scale, "rank": n, "class": p.label, "probability": p.probability}
            for n, p in enumerate(step.predictions, 1)
        ]
    first, then = before.predictions[0].label, after.predictions[0].label
    st.caption(
        f"{plain(after.label)}: {before.probability:.1%} as built, {after.probability:.1%} now; its logit "
        f"{before.logit:.2f}, now {after.logit:.2f}. "
        + (
            f"First choice still {plain(first)}."
            if first == then
            else f"First choice {plain(then)}, not {plain(first)}."
        )
    )
    return rows


def _titles(percent: int) -> tuple[str, str]:
    return "As built", f"At {percent} %"


def _maps(found: Sequence[Attribution], percent: int) -> None:
    """Grad-CAM before and after in one scale of colour, with its legend, numbers and pictures."""
    pictures, limit = maps.overlays(found)
    first = found[0]
    st.markdown(f"**Where {plain(first.question)} is seen: Grad-CAM, {plain(first.setting)}**")
    with st.container(horizontal=True):
        for picture, title in zip(pictures, _titles(percent), strict=True):
            with st.container(width=SIDE, gap="small"):
                alt = f"Grad-CAM for {first.question}, {title}"
                st.image(large(picture), caption=title, alt=alt, width="stretch")
    with st.container(width=2 * SIDE + 16):
        maps.legend("0", f"{limit:.3g} matters for {first.question}, in both", signed=first.signed)
    rows = maps.squares({"as built": first.values, f"at {percent} %": found[1].values})
    drawer.table(pd.DataFrame(rows), name="rho-maps", title="Both maps as a table", alt="Means of both on each square")
    with st.container(horizontal=True):
        for picture, title, name in zip(pictures, _titles(percent), ("built", "moved"), strict=True):
            drawer.download(f"PNG, {title.lower()}", partial(_png, picture), f"rho-{name}.png", "image/png")


def _png(picture: Image.Image) -> bytes:
    out = BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def _damage(upload: Upload, network: str, target: int, *, alone: bool) -> None:
    """Every block off by itself, on demand."""
    from inception_lab.images.residuals import cost

    st.subheader("What each block is worth", anchor=False)
    count, runs = cost(network)
    st.caption(
        f"Switches off each of {count} residual blocks by itself. Cost: about {runs:.0f} images through the network, "
        f"as what comes before a block is not run again; {memory('damage', network)}."
        + " The damage is that to the first class alone, not to its lead over the other."
        * alone
    )
    asked = (upload, network, target)
    with st.container(horizontal=True):
        go = st.button("Measure the damage", key="damage", icon=":material/content_cut:")
        stop = st.empty()
    if go:  # any click ends the script, and the work with it
        stop.button("Stop", key="damage-stop", icon=":material/stop:")
        st.session_state.pop("damaged", None)
        if (found := _measured(*asked)) is not None:
            st.session_state["damaged"] = (asked, found)
        stop.empty()
    before = st.session_state.get("damaged")
    if before and before[0] == asked:
        _ranked(before[1])


def _measured(upload: Upload, network: str, target: int) -> Damage | None:
    """The damage; None after the page has said why there is none."""
    from inception_lab.images.residuals import damage

    bar = st.progress(0.0, "Starting")
    try:
        return damage(photo(upload), network, target=target, progress=drawer.meter(bar, word="steps"))
    except LabError as error:
        st.error(plain(error), icon=":material/block:")
        return None
    finally:
        bar.empty()


def _ranked(found: Damage) -> None:
    figure, alt = ranked(found)
    st.plotly_chart(figure, key="damage-bars", alt=alt)
    st.caption(f"{plain(alt)} One image, {found.seconds:.1f} s.")
    drawer.table(pd.DataFrame(found.to_rows()), name="damage", title="Damage as a table", alt=alt)
    drawer.download("JSON", lambda: json.dumps(found.to_dict(), indent=1), "damage.json", "application/json")
