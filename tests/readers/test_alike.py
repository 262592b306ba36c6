"""The fewest edits between two ops: what hypothesis makes up, and blocks whose differences are known by hand."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import permutations

from hypothesis import given

from inception_lab.nets.catalog import CATALOG, net
from inception_lab.nets.ops import Chain, Concat, Conv, Net, Op, Pool, Residual, Stage
from inception_lab.readers import alike
from inception_lab.readers.compare import compare, match_blocks
from inception_lab.readers.difference import Difference
from tests.readers.strategies import nets, ops

A = Concat(
    Conv(96, 1), Conv(64, 1) >> Conv(96, 3), Conv(64, 1) >> Conv(96, 3) >> Conv(96, 3), Pool("avg") >> Conv(96, 1)
)
TURNED = {"added": "removed", "removed": "added"}


def toy(*blocks: Op) -> Net:
    return Net("toy", "", (Stage("A", blocks),))


def told(a: Op, b: Op) -> list[tuple[str, str, object, object]]:
    found = match_blocks(toy(a), toy(b), "A/01", "A/01").differences
    return [(each.address, each.kind, each.a, each.b) for each in found]


def mirrored(each: Difference) -> Difference:
    at = each.at_a if each.at_b is None else each.at_b
    kind = TURNED.get(each.kind, each.kind)
    return replace(each, kind=kind, a=each.b, b=each.a, at_a=each.at_b, at_b=each.at_a, address=at or "")


def in_order(found: tuple[Difference, ...]) -> list[str]:
    """Without the address of a ReLU that only one has, which is where it would stand in the other."""
    return sorted(repr(replace(each, address="") if each.kind in ("relu", "head") else each) for each in found)


@given(ops, ops)
def test_there_mirrors_back(a: Op, b: Op) -> None:
    there, back = (match_blocks(toy(one), toy(other), "A/01", "A/01") for one, other in ((a, b), (b, a)))
    assert in_order(tuple(map(mirrored, there.differences))) == in_order(back.differences)
    assert alike.distance(a, b) == alike.distance(b, a)
    assert bool(there.differences) == bool(alike.distance(a, b)) or any(
        each.kind in ("width", "order") for each in there.differences
    )


@given(nets, nets)
def test_networks_mirror_too(a: Net, b: Net) -> None:
    there, back = compare(a, b).differences, compare(b, a).differences
    assert in_order(tuple(map(mirrored, there))) == in_order(back)
    assert compare(a, a).same


@given(ops)
def test_an_op_does_not_differ_from_itself(op: Op) -> None:
    assert told(op, op) == []
    assert alike.distance(op, op) == 0


@given(ops, ops)
def test_every_pair_of_addresses_is_one_to_one_at_ops(a: Op, b: Op) -> None:
    pairs = match_blocks(toy(a), toy(b), "A/01", "A/01").pairs
    leaves = [(one, other) for one, other in pairs.items() if one.rpartition("/")[2].startswith(("conv", "pool"))]
    assert len({other for _, other in leaves}) == len(leaves)


def test_a_convolution_more_is_one_row() -> None:
    more = Concat(*A.branches[:2], Conv(64, 1) >> Conv(96, 3) >> Conv(96, 3) >> Conv(80, 5), A.branches[3])
    assert told(A, more) == [("branch3/conv4", "added", None, "5×5 · 80")]
    assert told(more, A) == [("branch3/conv4", "removed", "5×5 · 80", None)]


def test_a_branch_less_is_one_row() -> None:
    less = Concat(*A.branches[:2], A.branches[3])
    assert told(A, less) == [("branch3", "removed", "1×1 · 64 → 3×3 · 96 → 3×3 · 96", None)]


def test_branches_in_another_order_are_one_row_and_answer_to_each_other() -> None:
    for order in permutations(range(4)):
        other = Concat(*(A.branches[place] for place in order))
        kinds = [(address, kind) for address, kind, _, _ in told(A, other)]
        assert kinds == ([] if order == (0, 1, 2, 3) else [("concat", "order")])
        pairs = match_blocks(toy(A), toy(other), "A/01", "A/01").pairs
        assert [pairs[f"branch{place + 1}"] for place in order] == [f"branch{place}" for place in (1, 2, 3, 4)]


def test_factorising_leaves_its_neighbours_alone() -> None:
    plain = net("inception_resnet_v2_paper")
    found = compare(plain, plain.factorised("A/01/body/branch3/conv2")).differences
    assert [(each.address, each.kind, each.a, each.b) for each in found] == [
        ("A/01/body/branch3/conv2", "kernel", "3×3", "1×3"),
        ("A/01/body/branch3/conv3", "added", None, "3×1 · 48"),
    ]
    assert (found[0].at_a, found[0].at_b, found[1].at_a) == (found[0].address, found[0].address, None)


def test_a_residual_is_unwrapped_against_a_plain_body() -> None:
    body = Concat(Conv(8, 1), Conv(8, 1) >> Conv(8, 3))
    assert told(body, Residual(body, scale=0.1)) == [
        ("linear", "added", None, "1×1 · 3, linear"),
        ("scale", "added", None, "× 0.1"),
        ("add", "added", None, "add"),
        ("relu", "added", None, "ReLU"),
    ]
    chain = Conv(8, 1) >> Conv(8, 3)
    assert [kind for _, kind, _, _ in told(chain, Residual(chain))] == 4 * ["added"]


def test_a_parallel_branch_is_one_branch_more() -> None:
    """The stems of v3 and v4: a convolution beside each pool."""
    pool, conv = Pool("max", stride=2, pad="valid"), Conv(96, 3, stride=2, pad="valid")
    assert told(Conv(64, 3) >> pool, Conv(64, 3) >> Concat(pool, conv)) == [
        ("split2/branch2", "added", None, "3×3 · 96 (stride 2, V)"),
        ("split2/concat", "added", None, "concat"),
    ]


def test_v4_against_the_residual_network_branch_by_branch() -> None:
    found = match_blocks(net("inception_v4"), net("inception_resnet_v2"), "B/01", "B/01")
    rows = [(each.address, each.at_b, each.kind, each.a, each.b) for each in found.differences]
    assert rows[:4] == [
        ("branch1", "body/branch1", "width", 384, 192),
        ("branch2/conv1", "body/branch2/conv1", "width", 192, 128),
        ("branch2/conv2", "body/branch2/conv2", "width", 224, 160),
        ("branch2/conv3", "body/branch2/conv3", "width", 256, 192),
    ]
    assert [(address, kind) for address, _, kind, _, _ in rows[4:]] == [
        ("branch3", "removed"),
        ("branch4", "removed"),
        ("linear", "added"),
        ("scale", "added"),
        ("add", "added"),
        ("relu", "added"),
    ]
    assert found.pairs["branch2/conv3"] == "body/branch2/conv3"
    assert found.back()["body/branch2/conv3"] == "branch2/conv3"


def test_more_branches_than_can_be_tried_in_every_way() -> None:
    many = [Conv(place, 1) >> Conv(place, 3) for place in range(1, 31)]
    turned = Concat(*reversed(many))
    assert [kind for _, kind, _, _ in told(Concat(*many), turned)] == ["order"]
    wider = Concat(*(Chain((*one.ops[:1], Conv(100 + place, 3))) for place, one in enumerate(many)))
    assert {kind for _, kind, _, _ in told(Concat(*many), wider)} == {"width"}


def test_the_largest_pairs_are_compared_in_less_than_50_ms() -> None:
    spent = []
    for a in CATALOG:
        for b in CATALOG:
            for kept in (alike.weight, alike.distance, alike._aligned, alike._pair, alike._matched):
                kept.cache_clear()
            start = time.process_time()
            compare(a, b)
            spent.append(time.process_time() - start)
    assert max(spent) < 0.05
