"""One address for every thing: which there are, and what a wrong one is told."""

from __future__ import annotations

import pytest

from inception_lab.errors import UnknownAddress
from inception_lab.nets.address import blocks, children, joints, locate
from inception_lab.nets.catalog import CATALOG, net
from inception_lab.nets.ops import Concat, Conv, Pool, Residual
from inception_lab.readers.shapes import shapes

BUILDABLE = [name for name in CATALOG if not name.endswith("printed")]


@pytest.mark.parametrize("name", BUILDABLE)
def test_every_row_of_the_table_can_be_located(name: str) -> None:
    network = net(name)
    for row in shapes(network).rows:
        assert locate(network, row.address) == row.address
        assert locate(network, row.address.removeprefix(f"{name}/")) == row.address


@pytest.mark.parametrize(
    ("asked", "full"),
    [
        ("", "inception_resnet_v2"),
        ("inception_resnet_v2", "inception_resnet_v2"),
        ("/B/", "inception_resnet_v2/B"),
        ("B/07/add", "inception_resnet_v2/B/07/add"),
        ("B/07/body/branch2/conv2/bn", "inception_resnet_v2/B/07/body/branch2/conv2/bn"),
        ("head/classifier", "inception_resnet_v2/head/classifier"),
    ],
)
def test_locate(asked: str, full: str) -> None:
    assert locate(net("inception_resnet_v2"), asked) == full


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            "D",
            "There is no 'D' in inception_resnet_v1; it has stem, A, reduction_a, B, reduction_b, C, head.",
        ),
        ("A/06", "There is no '06' in inception_resnet_v1/A; it has 01, 02, 03, 04, 05."),
        (
            "A/01/branch1",
            "There is no 'branch1' in inception_resnet_v1/A/01; it has body, linear, scale, add, relu.",
        ),
        ("A/01/add/x", "There is no 'x' in inception_resnet_v1/A/01/add; it has nothing inside."),
        ("stem/01/pool4/bn", "There is no 'bn' in inception_resnet_v1/stem/01/pool4; it has nothing inside."),
        ("head/softmax", "There is no 'softmax' in inception_resnet_v1/head; it has pool, dropout, classifier."),
    ],
)
def test_a_wrong_address_is_told_what_there_is(asked: str, message: str) -> None:
    with pytest.raises(UnknownAddress) as caught:
        locate(net("inception_resnet_v1"), asked)
    assert str(caught.value) == message


def test_blocks_count_from_one() -> None:
    found = [address for address, _ in blocks(net("inception_v4"))]
    assert len(found) == 1 + 4 + 1 + 7 + 1 + 3
    assert found[:3] == ["inception_v4/stem/01", "inception_v4/A/01", "inception_v4/A/02"]


def test_parts_are_named_by_kind_and_place() -> None:
    fork = Concat(Conv(1), Pool("max"))
    chain = Conv(1) >> Pool("avg") >> fork >> Residual(Conv(1))
    assert [name for name, _ in children(chain)] == ["conv1", "pool2", "split3", "residual4"]
    assert [name for name, _ in children(fork)] == ["branch1", "branch2"]
    assert joints(fork) == ("concat",)
    assert joints(Residual(fork, relu=False)) == ("linear", "scale", "add")
