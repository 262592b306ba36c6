"""What is written evaluates, and reads back, to an equal value."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from inception_lab.nets import ops
from inception_lab.nets.catalog import CATALOG, net
from inception_lab.nets.inception_v4 import BLOCK_A, STEM
from inception_lab.nets.ops import Chain, Concat, Conv, Net, Op, Pool, Residual, Stage
from inception_lab.readers.notation import notation, parse
from tests.readers import strategies

NAMES = {name: getattr(ops, name) for name in ("Conv", "Pool", "Chain", "Concat", "Residual", "Stage", "Net")}


def check(value: Op | Stage | Net) -> None:
    for multiline in (True, False):
        text = notation(value, multiline=multiline)
        assert eval(text, {"__builtins__": {}, **NAMES}) == value
        assert parse(text) == value
    assert "\n" not in text


@pytest.mark.parametrize("name", CATALOG)
def test_networks_stages_and_blocks(name: str) -> None:
    network = net(name)
    for value in (network, network.small(), network.scaled(0.3), network.thin(0.25).with_(classes=10), *network.stages):
        check(value)
    for block in {block for stage in network.stages for block in stage.blocks}:
        check(block)


@settings(max_examples=60, deadline=None, database=None)
@given(strategies.ops)
def test_any_op(op: Op) -> None:
    check(op)


@settings(max_examples=12, deadline=None, database=None)
@given(strategies.nets)
def test_any_network(network: Net) -> None:
    check(network)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Conv(96, 1), "Conv(96, 1)"),
        (Conv(96), "Conv(96, 3)"),
        (Conv(64, (1, 7), stride=2, pad="valid"), 'Conv(64, (1, 7), stride=2, pad="valid")'),
        (Pool("max", stride=2, pad="valid"), 'Pool("max", stride=2, pad="valid")'),
        (Pool("avg", 5, count_border=True), 'Pool("avg", 5, count_border=True)'),
        (Conv(1, 1) >> Pool("avg"), 'Conv(1, 1) >> Pool("avg")'),
        (Concat(Conv(1, 1), Conv(2, 1)), "Concat(Conv(1, 1), Conv(2, 1))"),
        (Chain((Conv(1, 1),)), "Chain((Conv(1, 1),))"),
        (Stage("B", 7 * (Conv(1, 1),), "Fig 5"), 'Stage("B", 7 * (Conv(1, 1),), "Fig 5")'),
        (Stage("B", (Conv(1, 1), Conv(1, 1), Conv(2, 1))), 'Stage("B", (*(2 * (Conv(1, 1),)), Conv(2, 1)))'),
        (Stage('"', (Conv(1, 1),)), "Stage('\"', (Conv(1, 1),))"),
    ],
)
def test_one_line(value: Op | Stage, text: str) -> None:
    assert notation(value) == text


def test_a_block_reads_like_its_figure() -> None:
    assert notation(Residual(BLOCK_A, scale=0.1, relu=False)) == (
        "Residual(\n"
        "    Concat(\n"
        "        Conv(96, 1),\n"
        "        Conv(64, 1) >> Conv(96, 3),\n"
        "        Conv(64, 1) >> Conv(96, 3) >> Conv(96, 3),\n"
        '        Pool("avg") >> Conv(96, 1),\n'
        "    ),\n"
        "    scale=0.1,\n"
        "    relu=False,\n"
        ")"
    )


def test_a_long_chain_has_a_link_a_line() -> None:
    lines = notation(STEM).split("\n")
    assert lines[:3] == ["(", '    Conv(32, 3, stride=2, pad="valid")', '    >> Conv(32, 3, pad="valid")']
    assert max(len(line) for line in lines) <= 120


def test_a_network_names_its_parts() -> None:
    lines = notation(net("inception_resnet_v2").with_(classes=10)).split("\n")
    assert lines[:4] == [
        "Net(",
        '    name="inception_resnet_v2",',
        '    source="as released (TF-slim, Keras, timm), 10/20/10",',
        "    stages=(",
    ]
    assert lines[-3:] == ["    ),", "    classes=10,", ")"]
    assert "            *(9 * (Residual(" in "\n".join(lines)
