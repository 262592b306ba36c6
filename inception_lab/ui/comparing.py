"""Two networks side by side on Explore: one selection in both, what differs between them, and what each costs."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from html import escape
from typing import Literal

import pandas as pd
import streamlit as st

from inception_lab.errors import ImpossibleAdd, InputTooSmall, LabError, UnknownAddress
from inception_lab.images.trained import PREFIX
from inception_lab.nets import catalog
from inception_lab.nets.address import blocks, locate
from inception_lab.nets.ops import Net, Residual
from inception_lab.readers.compare import Comparison, Difference, compare, compare_blocks
from inception_lab.readers.drawing import Graph
from inception_lab.ui import cache, drawer, drawings, selection
from inception_lab.ui.selection import Selection
from inception_lab.ui.widgets import linked, plain

PLAIN, _HELD = "unscaled", "compare-held"
PAIRS = {
    "Inception-ResNet-v2 as drawn, as released": ("inception_resnet_v2_paper/B/01", "inception_resnet_v2"),
    "Inception-v4, Inception-ResNet-v2": ("inception_v4/B/01", "inception_resnet_v2"),
    "Inception-v3, Inception-ResNet-v1": ("inception_v3", "inception_resnet_v1"),
    "Scaled by 0.1, unscaled": ("inception_resnet_v2/B/01", PLAIN),
}
OTHER, ALONE = "#f0b429", "#8fb8de"  # another value, and no counterpart; the words in the boxes say which as well


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: its network, what `cache` calls it, and the part of the selection's address that it has."""

    net: Net
    key: str
    rest: str

    @property
    def block(self) -> str | None:
        """stage/copy of the block, or None for the network as a whole and its head."""
        stage, _, inner = self.rest.partition("/")
        return None if not stage or stage == "head" else f"{stage}/{inner.split('/')[0] or '01'}"

    @property
    def address(self) -> str:
        """The full address of the selection."""
        return f"{self.net.name}/{self.rest}".rstrip("/")


def show(chosen: Selection, size: int) -> str:
    """Presets, the other network, both drawings, costs and differences; returns the Python that compares them."""
    _pairs()
    other = _second(chosen)
    net, key = _other(chosen.net, other)
    left = Side(chosen.net, chosen.key, "/".join(chosen.address.split("/")[1:]))
    right = Side(net, key, _counterpart(left.rest, net))
    if left.rest and not right.rest:
        st.info(f"{plain(net.name)} has nothing at {plain(left.rest)}: it is shown as a whole.", icon=":material/info:")
    found = compare(left.net, right.net)
    st.markdown(f"**{_said(found)}**")
    _legend()
    inside = _differences(left, right)
    for place, side in enumerate((left, right)):
        _side(side, size, place, inside)
    costs(left, right, size)
    _table(found)
    second = "other = net.scaled(1.0)" if other == PLAIN else selection.made(other, name="other")
    return f"{chosen.python}\n{second}\nlab.compare(net, other)"


def _pairs() -> None:
    with st.container(horizontal=True):
        for place, (title, (at, other)) in enumerate(PAIRS.items()):
            st.button(title, key=f"pair-{place}", on_click=_take, args=(at, other), type="tertiary")


def _take(at: str, other: str) -> None:
    selection.leave(at)
    st.session_state["beside"] = other


def _second(chosen: Selection) -> str:
    """The word of the network beside the selected one; the selected one can be held there while another is opened."""
    options = _others(chosen.net) | _held()
    if st.session_state.get("beside", "") not in options:  # the run was deleted, or the first is now the same
        st.session_state.pop("beside", None)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        other = linked("Beside it", options, key="beside")
        st.button(
            "Hold the first here",
            key="hold",
            icon=":material/keep:",
            on_click=_hold,
            args=(chosen.key,),
            help="The first network stays beside whatever is opened next: a design, the network of a run, another one.",
        )
    return other


def _hold(key: str) -> None:
    st.session_state["beside"] = st.session_state[_HELD] = key


def _held() -> dict[str, str]:
    """The network that was held, and one of a run or a design that a link names."""
    words = (st.session_state.get(_HELD, ""), st.session_state.get("beside", ""), st.query_params.get("beside", ""))
    found: dict[str, str] = {}
    for word in words:
        if word in catalog.CATALOG or word.startswith((PREFIX, cache.DESIGN)):
            with suppress(LabError):  # the run was deleted, or the link is damaged: `linked` says that there is no such
                cache.net(word)
                found[word] = cache.title(word)
    return found


def _others(net: Net) -> dict[str, str]:
    """What can stand beside a network: its unscaled sister where it has residuals, and the catalogue's others."""
    residual = any(isinstance(block, Residual) for stage in net.stages for block in stage.blocks)
    same = {PLAIN: "the same, unscaled"} if residual and net.scaled(1.0) != net else {}
    names = {name: name for name, one in catalog.CATALOG.items() if one != net}
    usual = "inception_resnet_v2_paper" if net.name == "inception_resnet_v2" else "inception_resnet_v2"
    first = {usual: names[usual]} if usual in names else {}
    return first | names | same


def _other(net: Net, word: str) -> tuple[Net, str]:
    """The network of a word, and what `cache` calls it."""
    if word != PLAIN:
        return cache.net(word), word
    scaled = net.scaled(1.0)
    return scaled, cache.key(scaled)


def _counterpart(rest: str, net: Net) -> str:
    """The same place in another network, or as much of the way there as it has."""
    stage, _, inner = rest.partition("/")
    copies = sum(at.startswith(f"{net.name}/{stage}/") for at, _ in blocks(net))
    copy, _, op = inner.partition("/")
    if copies and copy.isdecimal():
        rest = f"{stage}/{min(int(copy), copies):02d}/{op}".rstrip("/")
    while rest:
        try:
            return locate(net, f"{net.name}/{rest}").partition("/")[2]
        except UnknownAddress:
            rest = rest.rpartition("/")[0]
    return ""


def _differences(left: Side, right: Side) -> tuple[Difference, ...]:
    """Those of the two blocks that are drawn."""
    if left.block is None or right.block is None:
        return ()
    return compare_blocks(left.net, right.net, left.block, right.block)


def _side(side: Side, size: int, place: int, inside: tuple[Difference, ...]) -> None:
    """One network: its strip, its block with what differs marked in it."""
    st.subheader(f"{'First' if place == 0 else 'Second'}: {side.net.name}", anchor=False)
    st.caption(plain(side.net.source))
    depths: list[tuple[str | None, Literal["stages", "block"]]] = [(None, "stages")]
    if side.block is not None:
        depths.append((f"{side.net.name}/{side.block}", "block"))
    for at, depth in depths:
        try:
            drawn = cache.picture(side.key, at, depth, (size, size), "LR")
        except LabError as error:
            st.error(plain(error), icon=":material/error:")
            return
        if at is not None:
            drawn = marked(drawn, at, place, inside)
        drawings.show(
            drawn,
            side.net,
            key=f"compared-{depth}-{place}",
            selected="/".join(side.address.split("/")[:2]) if depth == "stages" else side.address,
            more=_alt(inside, place) if at else "",
            on_pick=_pick,
        )


def marked(drawn: Graph, block: str, place: int, inside: tuple[Difference, ...]) -> Graph:
    """The block with the boxes that differ filled and named; what the other side alone has is marked there."""
    marks: dict[str, tuple[str, str]] = {}
    for each in inside:
        own = each.a if place == 0 else each.b
        words = "differs" if each.kind == "structure" else f"{each.kind} {own}"
        marks[f"{block}/{each.address}".rstrip("/")] = (ALONE if each.kind == "structure" else OTHER, words)
    here = {at: mark for at, mark in marks.items() if _drawn(drawn, at)}
    return drawn.marked(here)


def _drawn(drawn: Graph, address: str) -> bool:
    try:
        drawn.node(address)
    except UnknownAddress:
        return False
    return True


def _alt(inside: tuple[Difference, ...], place: int) -> str:
    if not inside:
        return " The block is the same in both networks."
    said = "; ".join(f"{each.address or 'the block'}: {each.kind}" for each in inside[:6])
    return f" Marked as different: {said}{' and more' if len(inside) > 6 else ''}."


def _pick(address: str) -> None:
    """A box of either drawing: the same place in the first network, as near as it has it."""
    now = selection.current_net()
    selection.select_nearest(f"{now.name}/{_counterpart(address.partition('/')[2], now)}".rstrip("/"))


def _legend() -> None:
    chip = "display:inline-block;width:.8rem;height:.8rem;border-radius:.2rem;margin-right:.3rem;background:"
    words = ((OTHER, "another value, written in the box"), (ALONE, "built in another way"))
    items = "".join(
        f'<span role="listitem"><span style="{chip}{colour}"></span>{word}</span>' for colour, word in words
    )
    st.html(f'<div role="list" style="display:flex;flex-wrap:wrap;gap:.3rem 1rem;font-size:.85rem">{items}</div>')


def _said(found: Comparison) -> str:
    if found.same:
        return f"{plain(found.a)} and {plain(found.b)} compute the same."
    stages = list(dict.fromkeys(each.address.split("/")[0] or "order of stages" for each in found.differences))
    return f"{len(found.differences)} differences, in {plain(', '.join(stages))}."


def costs(left: Side, right: Side, size: int, *, names: tuple[str, str] = ("first", "second")) -> None:
    """Totals of both, and how the second stands to the first."""
    st.subheader("What they cost", anchor=False)
    try:
        one, other = (cache.table(side.key, (size, size)) for side in (left, right))
    except (ImpossibleAdd, InputTooSmall) as error:
        st.error(plain(error), icon=":material/error:")
        return
    amounts = {
        "parameters": (one.parameters, other.parameters),
        "multiply-adds": (one.multiply_adds, other.multiply_adds),
        "all outputs, bytes": (one.activation_bytes, other.activation_bytes),
        "ops": (len(one.rows), len(other.rows)),
    }
    more, ratio = f"{names[1]} − {names[0]}", f"{names[1]} / {names[0]}"
    rows = [{"what": word, names[0]: a, names[1]: b, more: b - a, ratio: b / a} for word, (a, b) in amounts.items()]
    whole = {name: st.column_config.NumberColumn(format="localized") for name in (*names, more)}
    share = {ratio: st.column_config.NumberColumn(format="%.3f")}
    frame = pd.DataFrame(rows)
    alt = f"Costs of {left.net.name} and {right.net.name} at {size} pixels"
    st.dataframe(frame, hide_index=True, column_config=whole | share, alt=alt)
    drawer.download("CSV", lambda: frame.to_csv(index=False), "costs-compared.csv", "text/csv")


def _table(found: Comparison) -> None:
    """Every difference; stages and blocks are counted as the first network does."""
    st.subheader("What differs", anchor=False)
    rows = [
        {
            "where": each.address,
            "what": each.kind,
            "first": _text(each.a),
            "second": _text(each.b),
            "blocks": each.copies,
        }
        for each in found.differences
    ]
    frame = pd.DataFrame(rows, columns=["where", "what", "first", "second", "blocks"])
    st.dataframe(frame, hide_index=True, alt=f"{len(rows)} differences of {escape(found.a)} and {escape(found.b)}")
    drawer.download("CSV", lambda: frame.to_csv(index=False), "differences.csv", "text/csv")


def _text(value: object) -> str:
    return "–" if value is None else str(value)
