"""The language: what `>>` makes, what follows from a width, and the networks derived from one."""

from __future__ import annotations

import math

import pytest

from inception_lab.errors import NetworkError
from inception_lab.nets.catalog import CATALOG, net
from inception_lab.nets.ops import Chain, Concat, Conv, Net, Pool, Residual, Stage, channels, padding
from inception_lab.readers.shapes import shapes


def test_then_makes_one_flat_chain() -> None:
    a, b, c = Conv(1, 1), Conv(2, 1), Conv(3, 1)
    assert a >> b >> c == Chain((a, b, c))
    assert a >> (b >> c) == (a >> b) >> c


def test_descriptions_are_values() -> None:
    assert Conv(3, 3) == Conv(3, 3)
    assert Conv(3, 3) != Conv(3, (3, 3))
    assert Conv(3, (3, 3)).window == Conv(3, 3).window == (3, 3)
    assert Pool("max") != Pool("avg")
    with pytest.raises(AttributeError):
        Conv(3).channels = 4  # type: ignore[misc]


def test_channels_follow_from_what_comes_before() -> None:
    fork = Concat(Conv(5, 1), Pool("max"), Conv(7, 1) >> Conv(11, 3))
    assert channels(fork, 2) == 5 + 2 + 11
    assert channels(Pool("avg") >> fork, 2) == 18
    assert channels(Residual(fork), 2) == 2


@pytest.mark.parametrize(
    ("window", "pad", "cells"),
    [((3, 3), "same", (1, 1)), ((1, 7), "same", (0, 3)), ((7, 1), "same", (3, 0)), ((3, 3), "valid", (0, 0))],
)
def test_padding(window: tuple[int, int], pad: str, cells: tuple[int, int]) -> None:
    assert padding(window, pad) == cells  # type: ignore[arg-type]


def residuals(network: Net) -> list[Residual]:
    return [block for stage in network.stages for block in stage.blocks if isinstance(block, Residual)]


def test_scaled_sets_every_scale_and_nothing_else() -> None:
    released = net("inception_resnet_v2")
    scaled = released.scaled(0.3)
    assert [block.scale for block in residuals(released)] == 10 * [0.17] + 20 * [0.1] + 9 * [0.2] + [1.0]
    assert {block.scale for block in residuals(scaled)} == {0.3}
    assert [block.relu for block in residuals(scaled)] == 39 * [True] + [False]
    assert shapes(scaled).parameters == shapes(released).parameters
    assert net("inception_v4").scaled(0.3) == net("inception_v4")


@pytest.mark.parametrize(
    ("name", "counts", "parameters", "work"),
    [
        ("inception_resnet_v2_paper", (10, 20, 10), 55_284_488, 14_142_011_232),
        ("inception_resnet_v1", (5, 10, 6), 24_357_096, 6_308_597_856),
    ],
)
def test_repeats_against_independent_totals(
    name: str, counts: tuple[int, int, int], parameters: int, work: int
) -> None:
    table = shapes(net(name).repeats(*counts))
    assert (table.parameters, table.multiply_adds) == (parameters, work)


def test_repeats_keeps_the_last_block_last() -> None:
    fewer = net("inception_resnet_v2").repeats(2, 1, 3)
    assert [len(stage.blocks) for stage in fewer.stages] == [1, 1, 2, 1, 1, 1, 3, 1]
    assert [block.relu for block in residuals(fewer)] == 5 * [True] + [False]
    assert fewer.repeats(10, 20, 10) == net("inception_resnet_v2")
    assert net("inception_v3").repeats(3, 4, 2) == net("inception_v3")


def test_repeats_refuses_an_empty_stage() -> None:
    with pytest.raises(NetworkError, match="has 1 to 1000 blocks; asked for 0"):
        net("inception_v4").repeats(0, 1, 1)


def test_thin_scales_every_convolution_but_not_the_classifier() -> None:
    thin = net("inception_resnet_v2").thin(0.25)
    table = shapes(thin)
    outputs = {total.address.split("/")[1]: total.output[0] for total in table.stages()}
    assert outputs == {
        "stem": 48,
        "mixed_5b": 80,
        "A": 80,
        "reduction_a": 272,
        "B": 272,
        "reduction_b": 520,
        "C": 520,
        "conv2d_7b": 384,
        "head": 1000,
    }
    assert thin.thin(1.0) == thin


def test_thin_leaves_at_least_one_channel() -> None:
    assert Net("n", "", (Stage("s", (Conv(3),)),)).thin(0.01).stages[0].blocks == (Conv(1),)


def test_small_keeps_grids_of_7_4_2_for_28_pixels() -> None:
    small = net("inception_resnet_v2_paper").thin(0.25).small()
    totals = {total.address.split("/")[1]: total.output for total in shapes(small, size=28).stages()}
    assert {name: output[1:] for name, output in totals.items() if name in "ABC"} == {
        "A": (7, 7),
        "B": (4, 4),
        "C": (2, 2),
    }
    assert totals["stem"] == (96, 7, 7)
    assert small.size == 32


@pytest.mark.parametrize("name", [name for name in CATALOG if not name.endswith("printed")])
def test_small_keeps_every_stage_after_the_stem(name: str) -> None:
    small = net(name).small()
    assert [stage.name for stage in small.stages] == [stage.name for stage in net(name).stages]
    assert shapes(small).stages()[-2].output[0] == shapes(name).stages()[-2].output[0]


@pytest.mark.parametrize("wrong", [0, -1, math.nan, math.inf, "0.5"])
def test_widths_that_are_none_are_refused(wrong: object) -> None:
    with pytest.raises(NetworkError, match="A width is a number above 0"):
        net("inception_v4").thin(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [math.nan, math.inf, "1"])
def test_scales_that_are_none_are_refused(wrong: object) -> None:
    with pytest.raises(NetworkError, match="a finite number"):
        net("inception_resnet_v2").scaled(wrong)  # type: ignore[arg-type]


def test_a_slip_of_the_hand_does_not_fill_the_memory() -> None:
    with pytest.raises(NetworkError, match="has 1 to 1000 blocks"):
        net("inception_v4").repeats(10**9, 1, 1)
