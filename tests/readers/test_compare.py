"""Differences of two networks, checked by hand against the reference's table of released and drawn."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from inception_lab.errors import UnknownAddress
from inception_lab.nets.catalog import CATALOG, net
from inception_lab.nets.ops import Chain, Concat, Conv, Net, Op, Pool, Residual, Stage
from inception_lab.readers.compare import compare, compare_blocks, counterpart

Told = list[tuple[str, str, object, object]]


def told(a: Net | str, b: Net | str) -> Told:
    return [(each.address, each.kind, each.a, each.b) for each in compare(a, b).differences]


def toy(*blocks: Op) -> Net:
    return Net("toy", "", (Stage("A", blocks),))


def block(network: Net, stage: str) -> Op:
    return next(each.blocks[0] for each in network.stages if each.name == stage)


@pytest.mark.parametrize("name", CATALOG)
def test_a_network_is_the_same_as_itself(name: str) -> None:
    assert compare(name, net(name).with_(name="other", source="elsewhere")).same


def test_released_against_drawn() -> None:
    found = {
        (address, kind): (a, b) for address, kind, a, b in told("inception_resnet_v2", "inception_resnet_v2_paper")
    }
    stem = {at: found.pop((at, kind)) for at, kind in list(found) if at.startswith("stem/")}
    assert stem["stem/01/conv5"] == ("1×1 · 80", None)
    assert stem["stem/01/conv6"] == ("3×3 · 192 (V)", None)
    assert stem["stem/01/split4/branch2"] == (None, "3×3 · 96 (stride 2, V)"), "beside the pool"
    assert stem["stem/01/split6/branch1"] == (None, "3×3 · 192 (stride 2, V)"), "beside the pool"
    assert str(stem["stem/01/split5"][1]).startswith("{1×1 · 64 → 3×3 · 96 (V) ∥ 1×1 · 64 → 1×7 · 64 → 7×1 · 64 → ")
    mixed = found.pop(("mixed_5b", "removed"))
    assert mixed == ("{1×1 · 96 ∥ 1×1 · 48 → 5×5 · 64 ∥ 1×1 · 64 → 3×3 · 96 → 3×3 · 96 ∥ avg 3×3 → 1×1 · 64}", None)
    assert found == {
        ("A", "repeats"): (10, 5),
        ("A/01/linear", "width"): (320, 384),
        ("A/01/scale", "scale"): (0.17, 1.0),
        ("B", "repeats"): (20, 10),
        ("B/01/linear", "width"): (1088, 1152),
        ("B/01/scale", "scale"): (0.1, 1.0),
        ("C", "repeats"): (10, 5),
        ("C/01/linear", "width"): (2080, 2144),
        ("C/01/scale", "scale"): (0.2, 1.0),
        ("C/10/relu", "relu"): (False, True),
        ("conv2d_7b", "removed"): ("1×1 · 1536", None),
        ("head/pool", "width"): (1536, 2144),
    }


def test_the_other_way_round() -> None:
    there = compare("inception_resnet_v2", "inception_resnet_v2_paper").differences
    back = compare("inception_resnet_v2_paper", "inception_resnet_v2").differences
    turned = {"added": "removed", "removed": "added"}
    assert sorted((turned.get(each.kind, each.kind), str(each.b), str(each.a), each.copies) for each in back) == sorted(
        (each.kind, str(each.a), str(each.b), each.copies) for each in there
    )
    assert [(each.address, each.at_a, each.at_b) for each in back if each.kind == "relu"] == [
        ("C/05/relu", "C/05/relu", None)
    ]
    stages = dict.fromkeys(each.address.split("/")[0] for each in back)
    assert list(stages)[:4] == ["stem", "mixed_5b", "A", "B"]


def test_drawn_against_printed() -> None:
    assert told("inception_resnet_v2_paper", "inception_resnet_v2_printed") == [
        ("B/01/linear", "width", 1152, 1154),
        ("C/01/linear", "width", 2144, 2048),
    ]


def test_plain_against_scaled_is_the_scales_and_nothing_else() -> None:
    plain = net("inception_resnet_v1")
    found = compare(plain, plain.scaled(0.1)).differences
    assert [(each.address, each.kind, each.a, each.b, each.copies) for each in found] == [
        ("A/01/scale", "scale", 1.0, 0.1, 5),
        ("B/01/scale", "scale", 1.0, 0.1, 10),
        ("C/01/scale", "scale", 1.0, 0.1, 5),
    ]


def test_a_small_network_has_another_stem_and_pads() -> None:
    plain = net("inception_resnet_v1")
    found = told(plain, plain.small())
    assert found[0] == ("input", "input", "3×299×299", "3×32×32")
    stem = {kind for address, kind, _, _ in found if address.startswith("stem/")}
    assert {"removed", "width", "padding"} <= stem
    rest = [row for row in found if row[0] != "input" and not row[0].startswith("stem/")]
    assert {kind for _, kind, _, _ in rest} == {"padding"}
    assert [address for address, *_ in rest] == [
        "reduction_a/01/branch1",
        "reduction_a/01/branch2/conv3",
        "reduction_a/01/branch3",
        "reduction_b/01/branch1/conv2",
        "reduction_b/01/branch2/conv2",
        "reduction_b/01/branch3/conv3",
        "reduction_b/01/branch4",
    ]


def test_repeats_alone() -> None:
    assert told(net("inception_v4"), net("inception_v4").repeats(2, 9, 3)) == [
        ("A", "repeats", 4, 2),
        ("B", "repeats", 7, 9),
    ]


def test_kernel_order() -> None:
    """The drawing of v4's B against the release: the long branch in the other order."""
    released = block(net("inception_v4"), "B")
    assert isinstance(released, Concat)
    long = released.branches[2]
    assert isinstance(long, Chain)
    turned = Chain(tuple(replace(op, kernel=op.window[::-1]) for op in long.ops if isinstance(op, Conv)))
    drawn = Concat(*released.branches[:2], turned, released.branches[3])
    assert told(toy(released), toy(drawn)) == [
        ("A/01/branch3/conv2", "kernel order", "7×1", "1×7"),
        ("A/01/branch3/conv3", "kernel order", "1×7", "7×1"),
        ("A/01/branch3/conv4", "kernel order", "7×1", "1×7"),
        ("A/01/branch3/conv5", "kernel order", "1×7", "7×1"),
    ]


PLAIN = Concat(Conv(4, 1), Pool("avg") >> Conv(4, 3))


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (
            Concat(Conv(5, 1), Pool("avg") >> Conv(4, 3)),
            [("A/01/branch1", "width", 4, 5), ("head/pool", "width", 8, 9)],
        ),
        (Concat(Conv(4, 3), Pool("avg") >> Conv(4, 3)), [("A/01/branch1", "kernel", "1×1", "3×3")]),
        (Concat(Conv(4, (1, 1)), Pool("avg") >> Conv(4, (3, 3))), []),
        (Concat(Conv(4, 1, pad="valid"), Pool("avg") >> Conv(4, 3)), []),
        (
            Concat(Conv(4, 1), Pool("avg") >> Conv(4, 3, stride=2, pad="valid")),
            [("A/01/branch2/conv2", "stride", 1, 2), ("A/01/branch2/conv2", "padding", "same", "valid")],
        ),
        (
            Concat(Conv(4, 1), Pool("max", 5) >> Conv(4, 3)),
            [("A/01/branch2/pool1", "pool", "avg 3×3", "max 5×5")],
        ),
        (
            Concat(Conv(4, 1), Pool("avg", count_border=True) >> Conv(4, 3)),
            [("A/01/branch2/pool1", "pool", "avg 3×3", "avg 3×3 counting the border")],
        ),
        (
            Concat(Conv(4, 1), Conv(4, 3)),
            [("A/01/branch2/pool1", "removed", "avg 3×3", None)],
        ),
    ],
)
def test_one_change_is_one_difference(changed: Op, expected: Told) -> None:
    assert told(toy(PLAIN), toy(changed)) == expected


def test_a_branch_more_is_added() -> None:
    more = Concat(*PLAIN.branches, Conv(1, 1))
    assert told(toy(PLAIN), toy(more)) == [
        ("A/01/branch3", "added", None, "1×1 · 1"),
        ("head/pool", "width", 8, 9),
    ]


def test_a_block_turned_residual() -> None:
    assert [(address, kind) for address, kind, *_ in told(toy(PLAIN), toy(Residual(PLAIN)))] == [
        ("A/01/linear", "added"),
        ("A/01/scale", "added"),
        ("A/01/add", "added"),
        ("A/01/relu", "added"),
        ("head/pool", "width"),
    ]


def test_copies_that_differ_differently_are_told_apart() -> None:
    found = compare(toy(*4 * (Conv(4, 1),)), toy(Conv(5, 1), Conv(6, 1), Conv(5, 1), Conv(4, 1))).differences
    assert [(each.address, each.b, each.copies) for each in found] == [("A/01", 5, 2), ("A/02", 6, 1)]


def test_a_width_changed_early_shows_in_the_linear_after_it() -> None:
    residual = Residual(Conv(2, 3))
    a, b = (Net("n", "", (Stage("stem", (Conv(width, 3),)), Stage("A", 3 * (residual,)))) for width in (8, 16))
    assert told(a, b) == [
        ("stem/01", "width", 8, 16),
        ("A/01/linear", "width", 8, 16),
        ("head/pool", "width", 8, 16),
    ]


def test_head_and_input() -> None:
    plain = net("inception_v3")
    assert told(plain, plain.with_(classes=10, dropout=0.5, inputs=1)) == [
        ("input", "input", "3×299×299", "1×299×299"),
        ("head/dropout", "head", 0.2, 0.5),
        ("head/classifier", "head", 1000, 10),
    ]


def test_stages_in_another_order() -> None:
    one, two = Stage("x", (Conv(1, 1),)), Stage("y", (Conv(1, 1),))
    assert told(Net("n", "", (one, two)), Net("n", "", (two, one))) == [("", "order", "x, y", "y, x")]


def test_a_stage_under_another_name_is_one_stage() -> None:
    stem = Stage("stem", (Conv(8, 3),))
    one, other = (Net("n", "", (stem, Stage(name, count * (PLAIN,)))) for name, count in (("A", 2), ("mixed", 3)))
    assert told(one, other) == [("A", "name", "A", "mixed"), ("A", "repeats", 2, 3)]
    assert counterpart(one, other, "A/02") == ("A/02", "mixed/03")
    assert told(one, Net("n", "", (stem, Stage("x", (Pool("max"),))))) == [
        ("A", "removed", "2 × {1×1 · 4 ∥ avg 3×3 → 3×3 · 4}", None),
        ("x", "added", None, "max 3×3"),
    ]


def test_the_counterpart_of_a_block() -> None:
    released, drawn = net("inception_resnet_v2"), net("inception_resnet_v2_paper")
    assert counterpart(released, drawn, "C/10") == ("C/10", "C/05"), "the last answers to the last"
    assert counterpart(drawn, released, "C/05") == ("C/05", "C/10")
    assert counterpart(released, drawn, "B/07") == ("B/07", "B/07")
    assert counterpart(released, drawn, "B/15") == ("B/15", "B/09")
    assert counterpart(released, drawn, "C/05", turned=True) == ("C/10", "C/05")
    assert counterpart(released, drawn, "mixed_5b/01") is None
    assert compare(released, drawn).blocks() == tuple((at, at) for at in ("stem/01", "A/01", "B/01", "C/01"))


def _both(at: str) -> dict[str, str]:
    return {"at_a": at, "at_b": at}


def test_plain_data_and_notebook_view() -> None:
    comparison = compare("inception_resnet_v2_paper", "inception_resnet_v2_printed")
    assert json.loads(json.dumps(comparison.to_dict())) == {
        "a": "inception_resnet_v2_paper",
        "b": "inception_resnet_v2_printed",
        "same": False,
        "differences": [
            {"address": "B/01/linear", "kind": "width", "a": 1152, "b": 1154, "copies": 10, **_both("B/01/linear")},
            {"address": "C/01/linear", "kind": "width", "a": 2144, "b": 2048, "copies": 5, **_both("C/01/linear")},
        ],
    }
    assert repr(comparison) == "<inception_resnet_v2_paper and inception_resnet_v2_printed: 2 differences>"
    assert list(comparison.to_pandas().address) == ["B/01/linear", "C/01/linear"]
    assert ">1154</td>" in comparison._repr_html_()
    assert "no difference" in compare("inception_v4", "inception_v4")._repr_html_()
    assert "<i>" not in compare(toy(PLAIN).with_(name="<i>"), toy(Conv(1)))._repr_html_()


def test_one_block_of_each_by_its_place() -> None:
    released, drawn = net("inception_resnet_v2"), net("inception_resnet_v2_paper")
    found = compare_blocks(released, drawn, "B/20", "B/10")
    assert [(each.address, each.kind, each.a, each.b) for each in found] == [
        ("linear", "width", 1088, 1152),
        ("scale", "scale", 0.1, 1.0),
    ]
    assert compare_blocks(released, released, "B/01", "B/20") == ()
    with pytest.raises(UnknownAddress, match="B/21"):
        compare_blocks(released, drawn, "B/21", "B/01")
