"""Branches and residuals on the Classify page: what a class owes to each, and what is left of it at another scale."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal, cast

import pandas as pd
import streamlit as st

from inception_lab.errors import LabError
from inception_lab.figures.credit import shares
from inception_lab.images.parts import Credit, Kind, weighed
from inception_lab.readers.drawing import Graph
from inception_lab.ui import announcing, asking, components, drawer, scales, working
from inception_lab.ui.photos import Upload
from inception_lab.ui.widgets import linked, linked_segments, plain

ASKS = {"credit": "Credit of branches", "rho": "Scale of residuals, ρ"}
PASSES = 3  # credit in passes: one forward, and a way back that adds up every part
KINDS: dict[str, str] = {"add": "Adds: shortcut and residual", "concat": "Concatenations: branches"}


def show(upload: Upload, network: str) -> str:
    """One of the two questions about branches, and for which class; returns the Python for it."""
    residual = scales.residual(network)
    first, second = st.columns([2, 3], vertical_alignment="bottom")
    with first:
        if "ask" not in st.query_params and {"rho", "scope"} & set(st.query_params):  # a link to the slider
            st.query_params["ask"] = "rho"
        ask = linked_segments("Question", ASKS, key="ask") if residual else "credit"
    with second:
        target, against = asking.pick_classes(upload, network)
    if ask == "rho":
        return f"{upload.python}\n{scales.show(upload, network, target, against)}"
    return _credit(upload, network, target, against)


def _credit(upload: Upload, network: str, target: int, against: int | None) -> str:
    """Credit in one block, drawn, and in all as bars; returns the Python for it."""
    st.subheader("Which branches did it come through?", anchor=False)
    compared = "" if against is None else f", against={against}"
    asked = f'{upload.python}\nfound = lab.credit(photo, "{network}", target={target}{compared})\n'
    st.caption(
        "Credit is gradient × activation: how the score would change if a branch grew, to first order. At a "
        "concatenation and at an add the parts add up to the whole; between two of them lie biases and ReLUs, so "
        f"wholes differ from node to node. Cost: once forward and once back, {announcing.cost('credit', network)}."
    )
    try:
        found = working.answer(
            "credit",
            (upload, network, target, against),
            partial(_credited, upload, network, target, against),
            load=announcing.load(network, PASSES),
            label="Follow it back",
            word="steps",
        )
    except LabError as error:
        st.error(plain(error), icon=":material/error:")
        return asked
    if found is None:
        return asked
    st.caption(f"Followed back from {_score(found)}.")
    block = _pick(found)
    _block(found, network, block)
    _every(found)
    return f'{asked}lab.credited(found, at="{block}", depth="{_depth()}", direction="LR")'


def _credited(upload: Upload, network: str, target: int, against: int | None, progress: working.Meter | None) -> Credit:
    from inception_lab.images.credit import credit

    return credit(scales.photo(upload), network, target=target, against=against, progress=progress)


def _score(found: Credit) -> str:
    """What is split, in words with its size."""
    if found.against_label is None:
        return f"the logit of {plain(found.label)} ({found.score:.2f})"
    return f"the logit of {plain(found.label)} less that of {plain(found.against_label)} ({found.score:.2f})"


def _class(found: Credit) -> str:
    return found.label if found.against_label is None else f"{found.label} rather than {found.against_label}"


@st.cache_data(max_entries=64, show_spinner=False)
def _drawn(network: str, at: str, depth: Literal["block", "ops"]) -> Graph:
    from inception_lab.images.pictures import drawing

    return drawing(network, at=at, depth=depth, direction="LR")


def _pick(found: Credit) -> str:
    """A block by its address without the network's name; what a link asks of another network is not asked of this."""
    short = {at.split("/", 1)[1]: at for at in found.blocks}
    scales.forget_part(short, found.network)
    titles = {node.block.split("/", 1)[1]: node.kind for node in found.ends}
    words = {
        place: f"{place} (ends in {'an add' if kind == 'add' else 'a concatenation'})" for place, kind in titles.items()
    }
    return linked("Block", words, key="part")


def _depth() -> Literal["block", "ops"]:
    return "ops" if st.session_state.get("steps") else "block"


def _block(found: Credit, network: str, block: str) -> None:
    """The block's drawing with credit as the width of lines, and its parts as a table."""
    nodes = found.under(block)
    st.toggle("Batch norm and ReLU as steps of their own", key="steps", bind="query-params")
    drawn = weighed(_drawn(network, block, _depth()), nodes)
    said = "; ".join(
        f"{node.address.split('/', 1)[1]}: "
        + ", ".join(f"{part.name} {part.credit:+.3g} ({abs(node.share(part)):.0%})" for part in node.parts)
        for node in nodes
    )
    st.html(_legend())
    components.drawing(
        drawn.svg(), alt=f"{drawn.alt} Credit for {_class(found)}: {said}.", key="credit-drawing",
        on_pick=_stay, on_up=_up,
    )  # fmt: skip
    drawer.exports(drawn, name=f"credit-{block.replace('/', '-')}")
    st.caption(f"Credit in logits, and its share of the sizes of the parts. {plain(said)}.")
    rows = [row for row in found.to_rows() if row["node"] in {node.address for node in nodes}]
    drawer.table(pd.DataFrame(rows), name="credit-block", title=f"Credit in {block} as a table", alt=said)


def _every(found: Credit) -> None:
    """Bars over all nodes of a kind, with their table."""
    st.subheader("Every block", anchor=False)
    here = {kind: words for kind, words in KINDS.items() if any(node.kind == kind for node in found.nodes)}
    if "add" not in here:
        st.info(
            f"{plain(found.network)} has no residual adds: there is only the credit of its concatenations, "
            "and no scale to move.",
            icon=":material/info:",
        )
    kind = cast("Kind", linked_segments("Where tensors meet", here, key="joint") if len(here) > 1 else next(iter(here)))
    figure, alt = shares(found.nodes, kind, label=_class(found))
    st.plotly_chart(figure, key="credit-bars", alt=alt)
    st.caption(plain(alt))
    rows: list[dict[str, Any]] = [row for row in found.to_rows() if row["kind"] == kind]
    drawer.table(pd.DataFrame(rows), name=f"credit-{kind}", title="All of it as a table", alt=alt)
    drawer.download("JSON", lambda: _json(found), "credit.json", "application/json")


def _json(found: Credit) -> str:
    import json

    return json.dumps(found.to_dict(), indent=1)


def _legend() -> str:
    """What the lines mean."""
    from inception_lab.readers.layout import AGAINST, FOR

    line = "display:inline-block;width:2.4rem;vertical-align:middle;margin:0 .4rem 0 0;border-top:5px"
    return (
        f'<div style="display:flex;flex-wrap:wrap;gap:1.2rem;font-size:.9rem">'
        f'<span><span style="{line} solid {FOR}"></span>speaks for the class</span>'
        f'<span><span style="{line} dashed {AGAINST}"></span>speaks against it</span>'
        "<span>the wider, the larger its share of the node</span></div>"
    )


def _stay(_: str) -> None:
    """A box of the block was picked: its words are on the box."""


def _up() -> None:
    """There is nothing above the block here."""
