"""The residuals' scale on the Classify page: a slider with guesses and map before and after."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st
from PIL import Image

from inception_lab.errors import LabError
from inception_lab.figures.predictions import guesses
from inception_lab.ui import announcing, damage, drawer, maps, tested, working
from inception_lab.ui.photos import Upload, large
from inception_lab.ui.widgets import linked, linked_segments, plain

if TYPE_CHECKING:
    from inception_lab.images.announce import Cost
    from inception_lab.images.attribute import Attribution
    from inception_lab.images.load import Photo
    from inception_lab.images.parts import Damage
    from inception_lab.images.residuals import Rho


@dataclass(frozen=True, slots=True)
class Moved:
    """A network at one scale of its residuals: what it says, and where it sees the class."""

    said: Rho
    map: Attribution


MOST = 200  # per cent of the scale that a block was built with
WORDS = ("built", "moved")
CHART = 210  # pixels: slider and guesses are to be seen at once
MEANING = (
    "ρ is what a block's residual is multiplied by before the add. The weights stay as they are: this asks how much "
    "the trained network leans on a residual, not how one trained with that ρ would do."
)
SCOPES = {"all": "All blocks", "block": "One block"}


def show(upload: Upload, network: str, target: int, against: int | None = None) -> str:
    """The slider with guesses and maps before and after, and what each block is worth; returns their Python."""
    above, below = st.container(), st.container()
    with below:  # first, as the block that is worth most is the one to begin with
        worth = damage.show(upload, network, target, alone=against is not None)
    with above:
        moved = _move(upload, network, target, against, worth)
    return f'{moved}lab.damage(photo, "{network}", target={target})\n'


def _move(upload: Upload, network: str, target: int, against: int | None, worth: Damage | None) -> str:
    """The slider, and guesses and maps before and after; returns their Python."""
    built = residual(network)
    left, right = st.columns([2, 3])
    with left:
        at = _scope(built, worth)
        percent = _percent()
        _said(built, at, percent)
        st.caption(f"{MEANING} Each position costs {_cost(network, target)}.")
    with right:
        found = _answered(upload, network, target, against, at, percent)
    if found is not None:
        before, after = found
        with right:
            rows = _guesses((before.said, after.said), percent)
        if against is not None:
            st.caption("The numbers above are of the first class alone; the maps are of it rather than the other.")
            drawer.table(pd.DataFrame(rows), name="rho", title="Guesses before and after as a table")
        _maps([before.map, after.map], percent)
    place = "" if at is None else f', at="{at}"'
    here = f'{{"{at}": {percent / 100:g}}}' if at else f"{percent / 100:g}"
    compared = "" if against is None else f", against={against}"
    return f"""lab.rho(photo, "{network}", scales=[1, {percent / 100:g}], relative=True{place}, target={target})
lab.moved(photo, "{network}", scales={here}, relative=True, target={target}{compared})
"""


def _answered(
    upload: Upload, network: str, target: int, against: int | None, at: str | None, percent: int
) -> tuple[Moved, Moved] | None:
    """As built and as moved. Once a slow network has been asked, each move of the slider asks it without a button."""
    asked = (upload, network, target, against)
    built = working.kept().get(("step", *asked, None, 100))
    try:
        return working.answer(
            "move",
            (*asked, at, percent),
            lambda progress: (_step(*asked, None, 100, progress), _step(*asked, at, percent, progress)),
            load=announcing.load(network, _cost(network, target).images * (1 + (built is None))),
            label="Ask it at this scale",
            agreed=built is not None,
        )
    except LabError as error:
        st.error(plain(error), icon=":material/error:")
        return None


def _cost(network: str, target: int) -> Cost:
    """Of one position of the slider: guesses and a map."""
    guessed = announcing.cost("rho", network, scales=1, target=target)
    return guessed + announcing.cost("attribute", network, method="grad_cam")


def _step(
    upload: Upload,
    network: str,
    target: int,
    against: int | None,
    at: str | None,
    percent: int,
    progress: working.Meter | None,
) -> Moved:
    """Guesses and map at one scale; kept, as every move of the slider is seen beside the one as built."""
    from inception_lab.images.moved import moved
    from inception_lab.images.residuals import rho

    question = ("step", upload, network, target, against, at if percent != 100 else None, percent)
    if (known := working.kept().get(question)) is not None:
        return known  # type: ignore[no-any-return]
    share = percent / 100
    seen = photo(upload)
    said = rho(seen, network, scales=(share,), at=at, relative=True, target=target, progress=progress)[0]
    scales = share if at is None else {at: share}
    found = moved(seen, network, scales=scales, relative=True, target=target, against=against, progress=progress)
    made = Moved(said, found)
    working.kept().put(question, made)
    return made


@st.cache_data(max_entries=32, show_spinner=False)
def residual(network: str) -> dict[str, float]:
    """The residual blocks of a network by their full addresses, with the scale each was built with."""
    from inception_lab.images.residuals import blocks

    return blocks(network)


def _scope(built: Mapping[str, float], worth: Damage | None) -> str | None:
    """The address to scale, None for all; of single blocks the one that is worth most comes first to mind."""
    if linked_segments("Scale", SCOPES, key="scope") == "all":
        return None
    short = [at.split("/", 1)[1] for at in built]
    worst = worth.ranked()[0].address.split("/", 1)[1] if worth is not None else short[-1]
    forget_part(short, next(iter(built)).split("/", 1)[0])
    if "part" not in st.session_state and "part" not in st.query_params:
        st.session_state["part"] = worst
    words = {place: f"{place} (worth most)" if worth is not None and place == worst else place for place in short}
    return linked("Block", words, key="part")


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


def photo(upload: Upload) -> Photo:
    from inception_lab.images.load import load

    return load(upload.data, name=upload.name)


def _guesses(steps: Sequence[Rho], percent: int) -> list[dict[str, Any]]:
    """The five best before and after, and the class that is asked about; returns the rows of their table."""
    before, after = steps
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
    return rows


def _titles(percent: int) -> tuple[str, str]:
    return "As built", f"At {percent} %"


def _maps(found: Sequence[Attribution], percent: int) -> None:
    """Grad-CAM before and after in one scale of colour, with its legend, numbers and pictures."""
    pictures, limit = maps.overlays(found)
    first, titles, slots = found[0], _titles(percent), {}
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(f"**Where {plain(first.question)} is seen: Grad-CAM, {plain(first.setting)}**")
        for column, word, picture, title in zip(st.columns(2), WORDS, pictures, titles, strict=True):
            alt = f"Grad-CAM for {first.question}, {title}"
            column.image(large(picture), caption=title, alt=alt, width="stretch")
            slots[word] = column.empty()
        maps.legend("0", f"{limit:.3g} matters for {first.question}, in both", signed=first.signed)
        rows = maps.squares({"as built": first.values, f"at {percent} %": found[1].values})
        drawer.table(pd.DataFrame(rows), name="rho-maps", title="Both maps as a table", alt="Means on each square")
        with st.container(horizontal=True):
            for word, picture, title in zip(WORDS, pictures, titles, strict=True):
                drawer.download(f"PNG, {title.lower()}", partial(_png, picture), f"rho-{word}.png", "image/png")
    with right:
        known = {word: (title, one) for word, title, one in zip(WORDS, titles, found, strict=True)}
        tested.show(known, slots, key="rho-test")


def _png(picture: Image.Image) -> bytes:
    out = BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def forget_part(places: Collection[str], network: str) -> None:
    """What a link or another network asks of a block that is not there is not asked of this one, and said."""
    for place in (st.session_state.get("part"), st.query_params.get("part")):
        if place is not None and place not in places:
            st.session_state.pop("part", None)
            st.query_params.pop("part", None)
            st.info(f"{plain(network)} has nothing to ask at {plain(place[:60])}.", icon=":material/info:")
