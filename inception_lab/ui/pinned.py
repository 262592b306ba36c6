"""The compare view of Classify: one map is pinned, another stands beside it; and a matrix of how far many agree."""

from __future__ import annotations

import json
from collections.abc import Hashable, Sequence
from functools import partial
from math import inf
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st
from PIL import Image

from inception_lab.errors import LabError
from inception_lab.figures.agreement import field, matrix
from inception_lab.models.records import EMBEDDED
from inception_lab.ui import announcing, drawer, maps, tested, working
from inception_lab.ui.asking import METHODS, Question, answered, ask
from inception_lab.ui.photos import Upload, large
from inception_lab.ui.widgets import plain

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from inception_lab.images.agreement import Agreement
    from inception_lab.images.attribute import Attribution, Method
    from inception_lab.images.comparison import Comparison

PIN = "pinned"  # in the session
Many = tuple[Upload, list[str], list["Method"], int | None, int | None]
"""What the matrix is asked: networks, methods, the class and the one it is compared with."""
LINK = "pin"  # network~method~class~class to compare with~layer of the pinned map; its photograph is the page's


def show(upload: Upload, network: str) -> str:
    """Pin a map, choose another, see both on one scale with their difference; then many. Returns the Python."""
    st.subheader("Two maps beside each other", anchor=False)
    asked = ask(upload, network)
    now = answered(asked, key="explain")
    pinned = st.session_state.get(PIN) or _again(upload)
    with st.container(horizontal=True, vertical_alignment="center"):
        if now is not None and (pinned is None or now is not pinned[1]):
            st.button("Pin this map", key="pin", icon=":material/keep:", on_click=_pin, args=((asked, now),))
        if pinned is not None:
            st.button("Unpin", key="unpin", icon=":material/keep_off:", on_click=_unpin)
        elif now is not None:
            st.caption("Then choose another method, network or class to stand beside it.")
    if pinned is not None:
        _beside(pinned[1], None if now is pinned[1] else now)
    elif now is None:
        st.info("Explain a class, pin the map, then choose another method, network or class.", icon=":material/keep:")
    else:
        _one(now, word="chosen")
    return "\n".join(part for part in (_python(pinned, asked), _matrix(asked)) if part)


def _pin(what: tuple[Question, Attribution]) -> None:
    st.session_state[PIN] = what
    asked = what[0]
    words = (asked.network, asked.method, asked.target, "" if asked.against is None else asked.against, asked.at or "")
    st.query_params[LINK] = "~".join(map(str, words)).rstrip("~")


def _unpin() -> None:
    st.session_state.pop(PIN, None)
    st.query_params.pop(LINK, None)


def _again(upload: Upload) -> tuple[Question, Attribution] | None:
    """Makes the map that the link has pinned, of the photograph on the page, or offers to; None without one."""
    wanted = st.query_params.get(LINK)
    if wanted is None:
        return None
    asked = _wanted(wanted, upload)
    if asked is None:
        st.warning(f"The link pins '{plain(wanted[:60])}', which is no map.", icon=":material/link_off:")
        return None
    layer = f" at {asked.at}" if asked.at else ""
    compared = "" if asked.against is None else f" rather than {asked.against}"
    words = f"The link pins {METHODS[asked.method].title}{layer} of {asked.network} for class {asked.target}{compared}."
    place = st.empty()
    slot = place.container()
    slot.info(plain(words), icon=":material/keep:")
    if asked.network not in _ready(EMBEDDED):
        slot.caption("That network is not on this machine; Networks fetches it.")
        return None
    with slot:
        found = answered(asked, key="pin-again", label="Make the pinned map")
    if found is None:
        return None
    place.empty()
    st.session_state[PIN] = (asked, found)
    return asked, found


def _wanted(link: str, upload: Upload) -> Question | None:
    """The question of a pinned map as a link words it; None if it is none."""
    network, method, target, against, at = (link.split("~") + 4 * [""])[:5]
    whole = target.isdecimal() and (not against or against.isdecimal())
    if method not in METHODS or not whole or max(map(len, (target, against))) > 6 or len(network + at) > 200:
        return None
    return Question(upload, network, method, int(target), int(against) if against else None, at or None)


def named(one: Attribution) -> str:
    """A map in words: method, network, class, photograph."""
    return f"{one.named}, {one.file}"


def _one(now: Attribution, *, word: str) -> None:
    """One map by itself, and its test."""
    unit = "logits" if now.signed else "strength"
    figure, alt = field(now.values, limit=now.limit, signed=now.signed, unit=unit, title=named(now))
    left, right = st.columns([2, 3])
    with left:
        st.caption(plain(named(now)))
        st.plotly_chart(figure, key="map-now", alt=alt, width=360)
        slot = st.empty()
    with right:
        tested.show({word: (word, now)}, {word: slot}, key="compare-test")


def _beside(pinned: Attribution, now: Attribution | None) -> None:
    from inception_lab.images.comparison import compare_maps

    if now is None:
        st.caption(plain(f"Pinned: {named(pinned)}. Explain another class, method or network to compare."))
        _one(pinned, word="pinned")
        return
    try:
        found = compare_maps(pinned, now)
    except LabError as error:
        st.info(plain(error), icon=":material/info:")
        two = st.columns(2)
        for column, one in zip(two, (pinned, now), strict=True):
            column.image(one.overlay(), caption=plain(named(one)), alt=named(one), width="stretch")
        _tests(pinned, now, two)
        return
    columns = _fields(pinned, now, found)
    scale = "the same number of logits" if found.scale == "logits" else "the same share of each map's own strength"
    st.caption(
        plain(
            f"One colour is {scale} in both. Rank correlation {found.correlation:.2f}. {found.setting}. The pinned "
            "map's class stays its own."
        )
    )
    rows = maps.squares({"pinned": found.first, "chosen": found.second, "difference": found.difference})
    drawer.table(
        pd.DataFrame(rows), name="compared", title="Both maps as a table", alt="Mean of both maps on each square"
    )
    drawer.download(
        "Difference, CSV",
        lambda: pd.DataFrame(found.difference).to_csv(index=False, header=False),
        "difference.csv",
        "text/csv",
    )
    _tests(pinned, now, columns)


def _tests(pinned: Attribution, now: Attribution, columns: Sequence[DeltaGenerator]) -> None:
    """What the test of each map found, below the map, and a way to test it."""
    slots = dict(zip(("pinned", "chosen"), (column.empty() for column in columns), strict=True))
    tested.show({"pinned": ("Pinned", pinned), "chosen": ("Chosen", now)}, slots, key="compare-test")


def _fields(pinned: Attribution, now: Attribution, found: Comparison) -> Sequence[DeltaGenerator]:
    """The photograph, both maps and their difference in a row; returns the places of the two maps."""
    unit = found.scale
    fields = (
        ("Pinned", named(pinned), found.first, found.limit, found.signed),
        ("Chosen", named(now), found.second, found.limit, found.signed),
        ("Difference", "Pinned less chosen", found.difference, found.difference_limit, True),
    )
    left, *columns = st.columns(4)
    seen = f"The part of {now.file} that both were shown"
    left.markdown("**Photograph**")
    left.image(large(Image.fromarray(found.pixels)), alt=seen, width="stretch")
    left.caption(plain(seen))
    for column, (title, words, values, limit, signed) in zip(columns, fields, strict=True):
        figure, alt = field(values, limit=limit, signed=signed, unit=unit, title=f"{title}: {words}")
        column.markdown(f"**{title}**")
        column.plotly_chart(figure, key=f"map-{title.lower()}", alt=alt)
        column.caption(plain(words))
    return columns[:2]


def _matrix(asked: Question) -> str:
    """Methods and networks against each other, on demand; returns the Python of it, nothing for fewer than two maps."""
    from inception_lab.images import agreement

    network = asked.network
    st.subheader("Which maps agree?", anchor=False)
    titles = {word: one.title for word, one in METHODS.items()}
    methods = st.pills(
        "Methods",
        list(titles),
        selection_mode="multi",
        default=list(agreement.USUAL),
        key="agree-methods",
        format_func=lambda word: titles[word],
    )
    networks = st.multiselect("Networks", _ready(network), default=[network], key="agree-networks")
    if len(methods) * len(networks) < 2:
        st.caption("Choose at least two maps: two methods, or one method and two networks.")
        return ""
    cost = announcing.cost("agreement", tuple(networks), method=tuple(methods))
    st.caption(
        plain(
            f"Class: the one chosen above; networks with other classes take the one of its name, or their first "
            "choice. Methods that look at a layer take each network's default. "
            f"Cost, the deletion test as arbiter included: {cost}."
        )
    )
    networks = [one for one in (network,) if one in networks] + [one for one in networks if one != network]
    target = asked.target if networks[0] == network else None
    against = asked.against if networks[0] == network else None
    question = (asked.upload, networks, methods, target, against)
    _asked(question)
    compared = "" if against is None else f", against={against}"
    return f"lab.agreement(photo, networks={networks!r}, methods={list(methods)!r}, target={target}{compared})"


def _asked(question: Many) -> None:
    """The matrix, when asked for."""
    try:
        found = working.answer(
            "agree",
            _frozen(question),
            partial(_agree, *question),
            load=inf,
            label="Compare them",
            icon=":material/grid_on:",
        )
    except LabError as error:
        st.error(plain(error), icon=":material/block:")
        return
    if found is not None:
        st.session_state["agreed"] = (question, found)
        _agreed(found)


def _frozen(question: Many) -> Hashable:
    upload, networks, methods, *classes = question
    return (upload, tuple(networks), tuple(methods), *classes)


def _ready(network: str) -> list[str]:
    """The networks that need no fetching: the shown one first, the public ones on this machine, this machine's runs."""
    from inception_lab.models.records import RECORDS
    from inception_lab.models.weights import is_cached
    from inception_lab.ui import trained

    here = [tag for tag in RECORDS if is_cached(tag)]
    return list(dict.fromkeys([network, *here, *trained.networks()]))


def _agree(
    upload: Upload,
    networks: list[str],
    methods: list[Method],
    target: int | None,
    against: int | None,
    progress: working.Meter | None,
) -> Agreement:
    from inception_lab.images.agreement import agreement
    from inception_lab.images.load import load

    photo = load(upload.data, name=upload.name)
    return agreement(photo, networks=networks, methods=methods, target=target, against=against, progress=progress)


def _agreed(found: Agreement) -> None:
    several = len({one.result.network for one in found.ranked}) > 1
    names = [METHODS[one.result.method].title + (f", {one.result.network}" if several else "") for one in found.ranked]
    figure, alt = matrix(names, found.matrix, best=found.best)
    st.info(plain(found.sentence), icon=":material/gavel:")
    st.plotly_chart(figure, key="agreement", alt=alt, width=300 + 130 * len(names))
    st.caption(
        plain(f"{found.setting[0].upper()}{found.setting[1:]}. {found.forwards:,} images in {found.seconds:.1f} s.")
    )
    drawer.table(pd.DataFrame(found.rows()), name="agreement", title="The matrix as a table", alt=alt)
    drawer.download("JSON", lambda: json.dumps(found.to_dict(), indent=1), "agreement.json", "application/json")


def _python(pinned: tuple[Question, Attribution] | None, asked: Question) -> str:
    """The maps on the page: the chosen one, and with a pinned one of this photograph their comparison."""
    chosen = f'chosen = lab.attribute(photo, "{asked.network}"{asked.options})'
    if pinned is None:
        return f"{asked.upload.python}\n{chosen}"
    first = pinned[0]
    lines = [first.upload.python, f'pinned = lab.attribute(photo, "{first.network}"{first.options})']
    if first.upload == asked.upload:
        return "\n".join([*lines, chosen, "lab.compare_maps(pinned, chosen)"])
    return "\n".join([*lines, asked.upload.python, chosen])
