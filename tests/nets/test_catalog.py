"""The names are a contract, and the numbers of the paper stand where they should."""

from __future__ import annotations

import pytest

from inception_lab.errors import UnknownNetwork
from inception_lab.nets.catalog import CATALOG, net
from inception_lab.nets.inception_v4 import reduction_a
from inception_lab.nets.ops import Net, Op, Residual


def test_the_names() -> None:
    assert list(CATALOG) == [
        "inception_v3",
        "inception_v4",
        "inception_resnet_v1",
        "inception_resnet_v2",
        "inception_resnet_v2_paper",
        "inception_resnet_v2_printed",
    ]
    assert all(network.name == name and network.source for name, network in CATALOG.items())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("inception_v5", "There is no network 'inception_v5'. Did you mean 'inception_v"),
        ("inception_resnetv2", "There is no network 'inception_resnetv2'. Did you mean 'inception_resnet_v2'?"),
        ("vgg", "There is no network 'vgg'. There are inception_v3, inception_v4, "),
    ],
)
def test_an_unknown_name_is_told_the_nearest(name: str, message: str) -> None:
    with pytest.raises(UnknownNetwork) as caught:
        net(name)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("inception_v3", {"A": 3, "B": 4, "C": 2}),
        ("inception_v4", {"A": 4, "B": 7, "C": 3}),
        ("inception_resnet_v1", {"A": 5, "B": 10, "C": 5}),
        ("inception_resnet_v2", {"A": 10, "B": 20, "C": 10}),
        ("inception_resnet_v2_paper", {"A": 5, "B": 10, "C": 5}),
        ("inception_resnet_v2_printed", {"A": 5, "B": 10, "C": 5}),
    ],
)
def test_repeats(name: str, counts: dict[str, int]) -> None:
    assert {stage.name: len(stage.blocks) for stage in net(name).stages if stage.name in counts} == counts


def test_head_keeps_eighty_percent() -> None:
    assert {(network.dropout, network.classes, network.size) for network in CATALOG.values()} == {(0.2, 1000, 299)}


@pytest.mark.parametrize(
    ("name", "k", "l", "m", "n"),
    [
        ("inception_v4", 192, 224, 256, 384),
        ("inception_resnet_v1", 192, 192, 256, 384),
        ("inception_resnet_v2", 256, 256, 384, 384),
        ("inception_resnet_v2_paper", 256, 256, 384, 384),
    ],
)
def test_reduction_a_widths_of_table_1(name: str, k: int, l: int, m: int, n: int) -> None:  # noqa: E741
    assert block(net(name), "reduction_a") == reduction_a(k=k, l=l, m=m, n=n)


def test_printed_widths() -> None:
    printed = net("inception_resnet_v2_printed")
    found = {
        stage.name: {block.width for block in stage.blocks if isinstance(block, Residual)} for stage in printed.stages
    }
    assert (found["A"], found["B"], found["C"]) == ({384}, {1154}, {2048})


def block(network: Net, stage: str) -> Op:
    return next(each.blocks[0] for each in network.stages if each.name == stage)
