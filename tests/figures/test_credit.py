"""Bars of credit and of damage say what the numbers say."""

import json

import pytest

from inception_lab.figures.credit import shares
from inception_lab.figures.damage import ranked
from inception_lab.images.parts import Damage, Damaged, Node, Part


def node(address: str, kind: str, **credits: float) -> Node:
    parts = tuple(Part(name, f"{address}/{name}", value, 4) for name, value in credits.items())
    block = "/".join(address.split("/")[:3])
    return Node(address, block, kind, parts, sum(credits.values()), 10.0)  # type: ignore[arg-type]


NODES = [
    node("net/A/01/body/concat", "concat", branch1=1.0, branch2=-3.0),
    node("net/A/01/add", "add", shortcut=9.0, residual=1.0),
    node("net/A/02/add", "add", shortcut=3.0, residual=-1.0),
    node("net/A/03/add", "add", shortcut=0.0, residual=0.0),
]


def test_shares_add_up_in_size_and_keep_their_sign() -> None:
    figure, alt = shares(NODES, "add", label="cat")
    drawn = {trace.name: dict(zip(trace.y, trace.x, strict=True)) for trace in figure.data}
    assert drawn == {
        "shortcut, for": {"A/01": 90, "A/02": 75},
        "residual, for": {"A/01": 10},
        "residual, against": {"A/02": -25},
    }
    assert alt == (
        "Credit for cat at 3 adds. The largest part is shortcut in 3. "
        "Most against it: residual of A/02/add, 25% of that node's sizes."
    )
    shapes = {trace.name: trace.marker.pattern.shape for trace in figure.data}
    assert shapes["shortcut, for"] != shapes["residual, for"] == shapes["residual, against"]


def test_the_branches_of_a_body_have_a_line_of_their_own() -> None:
    figure, alt = shares(NODES, "concat", label="cat")
    assert {trace.name: (tuple(trace.y), tuple(trace.x)) for trace in figure.data} == {
        "branch1, for": (("A/01/body",), (25,)),
        "branch2, against": (("A/01/body",), (-75,)),
    }
    assert "1 concatenation." in alt
    json.loads(figure.to_json())


def test_a_network_without_adds() -> None:
    figure, alt = shares(NODES[:1], "add", label="cat")
    assert not figure.data
    assert alt == "No add in this network."


def damage() -> Damage:
    blocks = (
        Damaged("net/A/01", 0.17, 0.01, 0.5, 1, "cat", 0.8, False),
        Damaged("net/A/02", 0.17, 0.7, 4.0, 2, "dog", 0.6, True),
        Damaged("net/B/01", 0.1, -0.02, -0.25, 1, "cat", 0.9, False),
    )
    return Damage(
        file="f",
        network="net",
        target=1,
        label="cat",
        probability=0.8,
        logit=9.0,
        scale=0.0,
        relative=False,
        blocks=blocks,
    )


def test_damage_is_ranked_by_the_logit() -> None:
    figure, alt = ranked(damage())
    assert list(figure.layout.yaxis.categoryarray) == ["A/02", "A/01", "B/01"]
    logits = {trace.name: (tuple(trace.y), tuple(trace.x)) for trace in figure.data if trace.showlegend}
    assert logits == {
        "falls, same first choice": (("A/01",), (0.5,)),
        "falls, another first choice": (("A/02",), (4.0,)),
        "rises, same first choice": (("B/01",), (-0.25,)),
    }
    points = [value for trace in figure.data if not trace.showlegend for value in trace.x]
    assert points == pytest.approx([1, 70, -2])
    assert "cat loses most with A/02 (+4.00 logits, +70.0 points), gains most with B/01 (-0.25)" in alt
    assert "changes for 1 of 3" in alt
