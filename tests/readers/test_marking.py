"""What differs, marked on the drawings: every mark in words, on exactly the boxes that differ."""

from __future__ import annotations

import re

import pytest

from inception_lab.nets.catalog import net
from inception_lab.nets.ops import Net
from inception_lab.readers import marking
from inception_lab.readers.compare import compare, compare_blocks
from inception_lab.readers.difference import differs
from inception_lab.readers.graph import graph
from inception_lab.readers.marking import ADDED, BOTH, CHANGED, REMOVED


def marks(a: Net, b: Net, place: str, there: str = "") -> list[dict[str, tuple[str, str]]]:
    inside = compare_blocks(a, b, place, there or place)
    found = []
    for side, network, at in zip(BOTH, (a, b), (place, there or place), strict=True):
        drawn = graph(network, at=at, depth="block")
        full = f"{network.name}/{at}"
        shown = marking.block(drawn, full, side, inside)
        found.append(
            {node.id.removeprefix(f"{full}/"): (node.fill, node.amount) for node in shown.nodes if node.amount}
        )
    return found


def test_v4_and_the_residual_network_in_their_b_blocks() -> None:
    mine, theirs = marks(net("inception_v4"), net("inception_resnet_v2"), "B/01")
    assert mine["branch1"] == (CHANGED, "384 → 192")
    assert theirs["body/branch1"] == (CHANGED, "384 → 192")
    gone = {at for at, mark in mine.items() if mark == (REMOVED, "removed")}
    assert gone == {f"branch3/conv{place}" for place in range(1, 6)} | {"branch4/pool1", "branch4/conv2"}
    come = {at for at, mark in theirs.items() if mark == (ADDED, "added")}
    assert come == {"linear", "scale", "add", "relu"}
    assert "concat" not in mine
    assert "body/concat" not in theirs


def test_factorised_marks_two_boxes_and_no_neighbour() -> None:
    plain = net("inception_resnet_v2_paper")
    mine, theirs = marks(plain, plain.factorised("A/01/body/branch3/conv2"), "A/01")
    assert mine == {"body/branch3/conv2": (CHANGED, "3×3 → 1×3")}
    assert theirs == {
        "body/branch3/conv2": (CHANGED, "3×3 → 1×3"),
        "body/branch3/conv3": (ADDED, "added"),
    }


def test_the_last_block_without_its_relu() -> None:
    released, drawn = net("inception_resnet_v2"), net("inception_resnet_v2_paper")
    mine, theirs = marks(drawn, released, "C/05", "C/10")
    assert mine["relu"] == (REMOVED, "removed")
    assert "relu" not in theirs


@pytest.mark.parametrize(
    ("kind", "a", "b", "said"),
    [
        ("width", 96, 128, "96 → 128"),
        ("kernel order", "1×7", "7×1", "1×7 / 7×1"),
        ("scale", 0.1, 1.0, "× 0.1 → × 1"),
        ("stride", 1, 2, "stride 1 → 2"),
        ("repeats", 5, 10, "5 → 10 blocks"),
        ("order", "a ∥ b", "b ∥ a", "another order"),
        ("pool", "avg 3×3", "max 3×3", "avg 3×3 → max 3×3"),
    ],
)
def test_words(kind: str, a: object, b: object, said: str) -> None:
    assert marking.change(differs("x", "y", kind, a, b)) == said  # type: ignore[arg-type]


def test_strips_say_what_is_only_in_one_and_how_blocks_are_counted() -> None:
    found = compare("inception_resnet_v2_paper", "inception_resnet_v2")
    one, other = (
        marking.strip(graph(network), 1 if side else 0, found.differences) for side, network in enumerate(found.nets)
    )
    assert other.node("inception_resnet_v2/mixed_5b").amount == "added"
    assert other.node("inception_resnet_v2/mixed_5b").fill == ADDED
    for drawn in (one, other):
        assert drawn.node(f"{drawn.name}/B").amount == "10 → 20 blocks\nwidths\nscale"
        assert drawn.node(f"{drawn.name}/head/pool").amount == "2144 → 1536"
        assert drawn.node(f"{drawn.name}/reduction_a").amount == ""
    assert "stem: ops removed, ops added" in marking.said(one)
    same = compare("inception_v4", "inception_v4")
    assert "Nothing is marked" in marking.said(marking.strip(graph("inception_v4"), 0, same.differences))


def test_a_stage_is_marked_on_both_sides_where_only_the_other_has_more_ops() -> None:
    plain = net("inception_v4")
    changed = plain.factorised("reduction_a/01/branch2/conv2")
    found = compare(plain, changed)
    only = tuple(each for each in found.differences if each.kind == "added")
    assert marking.strip(graph(plain), 0, only).node("inception_v4/reduction_a").amount == "ops added"


def test_a_notebook_sees_the_drawings_without_script_or_server() -> None:
    found = compare("inception_v4", "inception_resnet_v2")
    html = found._repr_html_()
    assert html.count("<details>") == 5, "the strips and four blocks"
    assert html.count("<svg") == 10
    assert not re.search(r"<script|https?://(?!www\.w3\.org)|\son\w+=", html)
    assert html.count(">added</text>") > 4
    assert len(repr(found)) < 80
    assert len(html) < 400_000


def test_what_cannot_be_drawn_says_why() -> None:
    html = compare("inception_resnet_v2_printed", "inception_resnet_v2_paper")._repr_html_()
    assert "1154" in html
    assert html.count("<svg") >= 3


def test_rows_are_words() -> None:
    rows = marking.rows(compare("inception_v4", "inception_resnet_v2").differences)
    assert {"where": "branch1", "what": "width"}.keys() <= rows[0].keys()
    moved = next(row for row in rows if row["where"] == "B/01/branch1 (second: B/01/body/branch1)")
    assert (moved["first"], moved["second"], moved["blocks"]) == ("384", "192", 20)
