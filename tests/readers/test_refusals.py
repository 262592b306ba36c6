"""Every add that cannot be, one behind the other."""

from __future__ import annotations

from typing import Any

import pytest

from inception_lab.errors import InputTooSmall, NetworkError, UnequalGrids
from inception_lab.nets import catalog
from inception_lab.readers.graph import graph
from inception_lab.readers.parser import parse
from inception_lab.readers.refusals import mended
from inception_lab.readers.shapes import shapes


def test_the_printed_network_stops_twice_and_mended_costs_what_the_drawn_one_does() -> None:
    net, refused = mended(catalog.net("inception_resnet_v2_printed"))
    assert [(error.address, error.shortcut, error.residual) for error in refused] == [
        ("inception_resnet_v2_printed/B/01/add", 1152, 1154),
        ("inception_resnet_v2_printed/C/01/add", 2144, 2048),
    ]
    found, wanted = shapes(net), shapes("inception_resnet_v2_paper")
    assert (found.parameters, found.multiply_adds) == (wanted.parameters, wanted.multiply_adds)


def test_a_network_that_can_be_built_stays_as_it_is() -> None:
    net = catalog.net("inception_resnet_v2")
    assert mended(net) == (net, ())


def test_an_input_that_runs_out_is_another_refusal() -> None:
    with pytest.raises(InputTooSmall, match="gets 2x2") as refused:
        mended(catalog.net("inception_v4"), size=74)
    assert (refused.value.window, refused.value.grid) == ((3, 3), (2, 2))


@pytest.mark.parametrize(
    ("place", "change", "at", "grids"),
    [
        ("reduction_a/01/branch1", {"kernel": (5, 5)}, "reduction_a/01/concat", ((16, 16), (17, 17))),
        ("A/01/body/branch1", {"channels": 8}, "", ()),
    ],
)
def test_what_is_joined_has_to_have_the_same_cells(
    place: str, change: dict[str, Any], at: str, grids: tuple[tuple[int, int], ...]
) -> None:
    net = catalog.net("inception_resnet_v2").changed(place, **change)
    if not at:
        assert not shapes(net, tolerant=True).refused
        return
    with pytest.raises(UnequalGrids, match=f"{at} cannot join grids of 16x16 and 17x17 cells"):
        shapes(net)
    found = shapes(net, tolerant=True).refused[0]
    assert isinstance(found, UnequalGrids)
    assert (found.address, found.grids) == (f"inception_resnet_v2/{at}", grids)
    drawn = graph(net, at=at, depth="block", tolerant=True)
    assert [node.mark for node in drawn.nodes if node.mark] == ["16×16 + 17×17"]


def test_a_residual_keeps_its_cells() -> None:
    net = parse('Net(name="x", source="", stages=(Stage("B", (Residual(Conv(3, 3, stride=2)),)),), size=32)')
    with pytest.raises(UnequalGrids, match="x/B/01/add cannot join grids of 32x32 and 16x16 cells"):
        shapes(net)


def test_more_than_can_be_counted_is_refused() -> None:
    net = parse('Net(name="x", source="", stages=(Stage("a", (Conv(65536, 999) >> Conv(65536, 999),)),))')
    with pytest.raises(NetworkError, match="more work than can be counted"):
        shapes(net)
