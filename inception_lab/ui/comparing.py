"""Two networks side by side on Explore: one selection in both, differences marked and listed, costs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from html import escape

import pandas as pd
import streamlit as st

from inception_lab.errors import Impossible, UnknownAddress
from inception_lab.nets.address import locate, written
from inception_lab.nets.ops import Net
from inception_lab.readers import marking, words
from inception_lab.readers.compare import Comparison, Match, compare, counterpart, match_blocks
from inception_lab.readers.difference import differs
from inception_lab.readers.drawing import Graph
from inception_lab.readers.marking import BOTH, Which
from inception_lab.ui import cache, components, drawer, exporting, pairs, selection
from inception_lab.ui.selection import Selection
from inception_lab.ui.widgets import plain

LONE = "lone"  # in the link: a place of the second network to which nothing in the first answers
TALL = 16  # differences, beyond which their table scrolls
ORDER: tuple[str, str] = ("First", "Second")

marked = marking.block


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: its network, what `cache` calls it, the part of an address of it that is selected, its name for
    people."""

    net: Net
    key: str
    rest: str
    title: str = ""

    @property
    def block(self) -> str | None:
        """stage/copy of the block, or None for the network as a whole and its head."""
        stage, _, inner = self.rest.partition("/")
        return None if not stage or stage == "head" else f"{stage}/{inner.split('/')[0] or '01'}"

    @property
    def op(self) -> str:
        """The address in the block, empty for all of it."""
        return "/".join(self.rest.split("/")[2:])

    @property
    def address(self) -> str:
        """The full address of the selection."""
        return f"{self.net.name}/{self.rest}".rstrip("/")


def show(chosen: Selection, size: int) -> str:
    """Presets, the other network, strips, blocks, differences and costs; returns the Python that compares them."""
    word = pairs.pick(chosen)
    net, key, title = pairs.network(chosen.net, word)
    first = Side(chosen.net, chosen.key, chosen.address.partition("/")[2], cache.title(chosen.key))
    first, second, match = _together(first, Side(net, key, "", title))
    found = compare(first.net, second.net)
    st.markdown(f"**{_said(found)}**")
    st.html(marking.legend())
    _strips((first, second), size, found)
    _blocks((first, second), size, match)
    _table(found)
    costs(first, second, size)
    return f"{chosen.python}\n{pairs.python(word)}\nlab.compare(net, other)"


def _together(first: Side, second: Side) -> tuple[Side, Side, Match | None]:
    """The second at what answers to the selection in the first, and their blocks side by side if both have one.

    What only the second has is in the link by its own name.
    """
    if first.block is None:
        alone = _lone(first, second, "")
        head = first.rest if _has(second.net, first.rest) else ""
        return first, replace(second, rest=alone or head), None
    both = counterpart(first.net, second.net, first.block)
    if both is None or first.op:  # a later selection than the one the link may still name
        st.query_params.pop(LONE, None)
    if both is None:
        return first, second, None
    match = match_blocks(first.net, second.net, *both)
    inner = match.pairs.get(first.op, "")
    alone = _lone(first, second, both[1])
    if "/".join(alone.split("/")[2:]) in match.back():
        alone = ""
    return first, replace(second, rest=alone or f"{both[1]}/{inner}".rstrip("/")), match


def _lone(first: Side, second: Side, block: str) -> str:
    """What the link names of the second network: an op in the block that is shown, or without one a block of a stage
    that only the second has. Anything else is taken out of the link, as is what a later selection left there."""
    asked = str(st.query_params.get(LONE, ""))
    place = replace(second, rest=asked)
    if asked and _has(second.net, asked) and place.block is not None:
        answers = counterpart(first.net, second.net, place.block, turned=True)
        if place.block == block if block else answers is None:
            return asked
    st.query_params.pop(LONE, None)
    return ""


def _has(net: Net, rest: str) -> bool:
    try:
        locate(net, f"{net.name}/{rest}")
    except UnknownAddress:
        return False
    return True


def _strips(both: tuple[Side, Side], size: int, found: Comparison) -> None:
    """Strip above strip, each stage marked with what differs in it."""
    drawn: dict[Which, Graph] = {}
    for side in BOTH:
        shown = both[side]
        st.markdown(f"**{ORDER[side]}: {plain(shown.title)}** — {plain(shown.net.source)}")
        graph = cache.picture(shown.key, None, "stages", (size, size), "LR")
        drawn[side] = marking.strip(graph, side, found.differences)
        stage = "/".join(shown.address.split("/")[:2]) if shown.rest else ""
        _draw(drawn[side], f"compared-stages-{side}", side, both, selected=stage)
    _extras(drawn, both, "strip")


def _blocks(both: tuple[Side, Side], size: int, match: Match | None) -> None:
    """Block beside block, their ops marked."""
    if both[0].block is None and both[1].block is None:
        st.caption("Pick a stage in either network to see its block in both.")
        return
    alone = differs("", None, "removed", "", None) if both[0].block else differs(None, "", "added", None, "")
    inside = (alone,) if match is None else match.differences
    drawn: dict[Which, Graph] = {}
    for side, column in zip(BOTH, st.columns(2, gap="small"), strict=True):
        shown, other = both[side], both[1 - side]
        with column:
            if shown.block is None:
                st.info(_missing(shown, other), icon=":material/info:")
                continue
            at = f"{shown.net.name}/{shown.block}"
            st.markdown(f"**{ORDER[side]}: {plain(shown.block)}**")
            graph = cache.picture(shown.key, at, "block", (size, size), "TB")
            drawn[side] = marking.block(graph, at, side, inside)
            _draw(drawn[side], f"compared-block-{side}", side, both, selected=shown.address)
    if match is not None:
        st.markdown(_pairing(both, match))
    _extras(drawn, both, "block")


def _draw(drawn: Graph, key: str, side: Which, both: tuple[Side, Side], *, selected: str) -> None:
    components.drawing(
        cache.svg(drawn),
        alt=drawn.alt + marking.said(drawn),
        key=key,
        selected=selected,
        on_pick=partial(_pick_second, both[0].block, both[1].block) if side else _pick_first,
        on_up=_up,
    )


def _extras(drawn: dict[Which, Graph], both: tuple[Side, Side], depth: str) -> None:
    """Exports and tables of two drawings in one row."""
    if not drawn:
        return
    with st.container(horizontal=True, gap="small"):
        for side, graph in drawn.items():
            name = f"compared-{depth}-{side}-{(graph.at or graph.name).replace('/', '-')}"
            exporting.exports(graph, both[side].net, name=name, title=f"{ORDER[side]} {depth}")
        with st.popover("As tables", icon=":material/table:"):  # their CSV is among the exports
            for side, graph in drawn.items():
                st.markdown(f"**{ORDER[side]}: {plain(graph.at or both[side].title)}**")
                said = graph.alt + marking.said(graph)
                st.dataframe(pd.DataFrame(exporting.boxes(graph)), hide_index=True, width=640, alt=said)


def _pick_first(address: str) -> None:
    """A box of the first network; for callbacks."""
    st.query_params.pop(LONE, None)
    selection.select_nearest(address)


def _pick_second(mine: str | None, theirs: str | None, address: str) -> None:
    """A box of the second network: what answers to it in the first; for callbacks.

    `mine` and `theirs` are the blocks that are shown. What only the second has is kept by its own name.
    """
    st.query_params.pop(LONE, None)
    first, second = pairs.current()
    rest = address.partition("/")[2]
    stage, _, inner = rest.partition("/")
    if not stage or stage == "head":
        return selection.select_nearest(f"{first.name}/{rest}".rstrip("/"))
    block = f"{stage}/{inner.split('/')[0] or '01'}"
    both = (mine, theirs) if mine and theirs == block else counterpart(first, second, block, turned=True)
    if both is None or both[0] is None:
        st.query_params[LONE] = rest if "/" in rest else block
        return selection.select(first.name)
    back = match_blocks(first, second, both[0], block).back()
    op = "/".join(rest.split("/")[2:])
    if op not in back:
        st.query_params[LONE] = rest
    selection.select_nearest(f"{first.name}/{both[0]}/{back.get(op, '')}".rstrip("/"))


def _up() -> None:
    """Escape; for callbacks."""
    st.query_params.pop(LONE, None)
    selection.up()


def _missing(shown: Side, other: Side) -> str:
    """That one has nothing where the other is selected."""
    return f"{plain(shown.title)} has nothing at {plain(other.block)}: the block beside this has no counterpart."


def _pairing(both: tuple[Side, Side], match: Match) -> str:
    """The selected op and its counterpart in words, or the blocks."""
    first, second = both
    if first.op and first.op not in match.pairs:
        return f"Selected: {_named(first)} in the first; **it has no counterpart in the second**."
    if second.op and not first.op:
        return f"Selected: {_named(second)} in the second; **it has no counterpart in the first**."
    if first.op:
        told = [marking.change(each) for each in match.differences if first.op == each.at_a]
        differs = f"**{plain(', '.join(told))}**" if told else "the same"
        return f"Selected: {_named(first)} in the first, {_named(second)} in the second: {differs}."
    if not match.differences:
        return "**The two blocks are the same.**"
    many = words.many(len(match.differences), "difference")
    return f"{many} in these blocks. Pick a box of either drawing to see what answers to it."


def _named(shown: Side) -> str:
    op = written(shown.net, shown.address)
    return f"`{shown.rest}`" + (f" ({plain(words.brief(op))})" if op else "")


def _said(found: Comparison) -> str:
    if found.same:
        return f"{plain(found.a)} and {plain(found.b)} compute the same."
    stages = list(dict.fromkeys(each.address.split("/")[0] or "order of stages" for each in found.differences))
    return f"{words.many(len(found.differences), 'difference')}, in {plain(', '.join(stages))}."


def costs(first: Side, second: Side, size: int) -> None:
    """Totals of both, and how the second stands to the first."""
    st.subheader("What they cost", anchor=False)
    try:
        one, other = (cache.table(shown.key, (size, size)) for shown in (first, second))
    except Impossible as error:
        st.error(plain(error), icon=":material/error:")
        return
    amounts = {
        "parameters": (one.parameters, other.parameters),
        "multiply-adds": (one.multiply_adds, other.multiply_adds),
        "all outputs, bytes": (one.activation_bytes, other.activation_bytes),
        "ops": (len(one.rows), len(other.rows)),
    }
    rows = [
        {"what": word, "first": a, "second": b, "second − first": b - a, "second / first": b / a}
        for word, (a, b) in amounts.items()
    ]
    whole = {name: st.column_config.NumberColumn(format="localized") for name in ("first", "second", "second − first")}
    share = {"second / first": st.column_config.NumberColumn(format="%.3f")}
    frame = pd.DataFrame(rows)
    alt = f"Costs of {first.net.name} and {second.net.name} at {size} pixels"
    st.dataframe(frame, hide_index=True, column_config=whole | share, alt=alt)
    drawer.download("CSV", lambda: frame.to_csv(index=False), "costs-compared.csv", "text/csv")


def _table(found: Comparison) -> None:
    """Every difference in words that wrap; blocks are counted as the first network does."""
    st.subheader("What differs", anchor=False)
    rows = marking.rows(found.differences)
    frame = pd.DataFrame(rows, columns=["where", "what", "first", "second", "blocks"])
    if rows:
        alt = f"{words.many(len(rows), 'difference')} of {escape(found.a)} and {escape(found.b)}"
        with st.container(height=560 if len(rows) > TALL else "content", key="differences"):
            st.table(frame, hide_index=True, alt=alt)
    raw = found.to_pandas()
    drawer.download("CSV", lambda: raw.to_csv(index=False), "differences.csv", "text/csv")
