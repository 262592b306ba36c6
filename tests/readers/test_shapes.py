"""Shapes and costs, against the reference's totals, an independent count of receptive fields, and refusals."""

from __future__ import annotations

import pytest

from inception_lab.errors import ImpossibleAdd, InputTooSmall, NetworkError
from inception_lab.nets.catalog import CATALOG, net
from inception_lab.nets.ops import Concat, Conv, Net, Pool, Residual, Stage
from inception_lab.readers.shapes import shapes

BUILDABLE = [name for name in CATALOG if not name.endswith("printed")]

TOTALS = {
    "inception_v3": (23_834_568, 5_713_216_096, 94),
    "inception_v4": (42_679_816, 12_253_974_624, 149),
    "inception_resnet_v1": (22_756_328, 6_206_361_696, 127),
    "inception_resnet_v2": (55_843_464, 13_155_794_016, 244),
    "inception_resnet_v2_paper": (32_433_928, 9_257_953_632, 132),
}

STAGES = {
    "inception_v3": {
        "stem": (172_672, 1_340_779_616),
        "A": (255_904 + 277_472 + 285_152, 312_345_600 + 338_688_000 + 348_096_000),
        "reduction_a": (1_153_280, 401_937_408),
        "B": (1_297_408 + 2 * 1_691_008 + 2_141_952, 374_063_104 + 2 * 487_702_528 + 617_914_368),
        "reduction_b": (1_698_304, 291_004_416),
        "C": (5_044_608 + 6_076_800, 322_437_120 + 388_497_408),
        "head": (2_049_000, 2_048_000),
    },
    "inception_v4": {
        "stem": (605_728, 2_289_943_648),
        "A": (1_270_528, 1_550_438_400),
        "reduction_a": (2_306_112, 1_097_164_800),
        "B": (20_553_792, 5_930_853_376),
        "reduction_b": (2_747_392, 511_098_880),
        "C": (13_659_264, 872_939_520),
        "head": (1_537_000, 1_536_000),
    },
    "inception_resnet_v1": {
        "stem": (615_552, 1_882_680_416),
        "A": (387_200, 470_400_000),
        "reduction_a": (1_710_080, 850_169_856),
        "B": (6_900_480, 1_988_689_920),
        "reduction_b": (3_346_176, 501_448_704),
        "C": (8_003_840, 511_180_800),
        "head": (1_793_000, 1_792_000),
    },
    "inception_resnet_v2": {
        "stem": (172_672, 1_340_779_616),
        "mixed_5b": (268_320, 327_398_400),
        "A": (1_231_680, 1_499_008_000),
        "reduction_a": (2_664_960, 1_398_185_984),
        "B": (22_535_680, 6_498_754_560),
        "reduction_b": (3_880_960, 585_424_896),
        "C": (18_318_816 + 2_035_424, 1_170_210_816 + 130_023_424),
        "conv2d_7b": (3_197_952, 204_472_320),
        "head": (1_537_000, 1_536_000),
    },
    "inception_resnet_v2_paper": {
        "stem": (605_728, 2_289_943_648),
        "A": (687_840, 837_312_000),
        "reduction_a": (2_902_528, 1_482_178_560),
        "B": (11_719_040, 3_379_589_120),
        "reduction_b": (3_930_112, 599_629_824),
        "C": (10_443_680, 667_156_480),
        "head": (2_145_000, 2_144_000),
    },
}

BLOCKS = {
    "inception_v3/A/01": (255_904, 312_345_600),
    "inception_v3/A/02": (277_472, 338_688_000),
    "inception_v3/A/03": (285_152, 348_096_000),
    "inception_v3/B/01": (1_297_408, 374_063_104),
    "inception_v3/B/02": (1_691_008, 487_702_528),
    "inception_v3/B/03": (1_691_008, 487_702_528),
    "inception_v3/B/04": (2_141_952, 617_914_368),
    "inception_v3/C/01": (5_044_608, 322_437_120),
    "inception_v3/C/02": (6_076_800, 388_497_408),
    "inception_v4/A/02": (317_632, 387_609_600),
    "inception_v4/B/05": (2_936_256, 847_264_768),
    "inception_v4/C/03": (4_553_088, 290_979_840),
    "inception_resnet_v1/A/01": (77_440, 94_080_000),
    "inception_resnet_v1/B/10": (690_048, 198_868_992),
    "inception_resnet_v1/C/05": (1_600_768, 102_236_160),
    "inception_resnet_v2/A/10": (123_168, 149_900_800),
    "inception_resnet_v2/B/20": (1_126_784, 324_937_728),
    "inception_resnet_v2/C/09": (2_035_424, 130_023_424),
    "inception_resnet_v2/C/10": (2_035_424, 130_023_424),
    "inception_resnet_v2_paper/A/05": (137_568, 167_462_400),
    "inception_resnet_v2_paper/B/01": (1_171_904, 337_958_912),
    "inception_resnet_v2_paper/C/02": (2_088_736, 133_431_296),
}

GRIDS = {
    "inception_v3": {"stem": 192, "A": 288, "reduction_a": 768, "B": 768, "reduction_b": 1280, "C": 2048},
    "inception_v4": {"stem": 384, "A": 384, "reduction_a": 1024, "B": 1024, "reduction_b": 1536, "C": 1536},
    "inception_resnet_v1": {"stem": 256, "A": 256, "reduction_a": 896, "B": 896, "reduction_b": 1792, "C": 1792},
    "inception_resnet_v2": {"stem": 192, "A": 320, "reduction_a": 1088, "B": 1088, "reduction_b": 2080, "C": 2080},
    "inception_resnet_v2_paper": {
        "stem": 384,
        "A": 384,
        "reduction_a": 1152,
        "B": 1152,
        "reduction_b": 2144,
        "C": 2144,
    },
}
SIDES = {"stem": 35, "A": 35, "reduction_a": 17, "B": 17, "reduction_b": 8, "C": 8}


@pytest.mark.parametrize("name", BUILDABLE)
def test_totals(name: str) -> None:
    table = shapes(name)
    convolutions = sum(row.op in ("conv", "linear") for row in table.rows)
    assert (table.parameters, table.multiply_adds, convolutions) == TOTALS[name]


@pytest.mark.parametrize("name", BUILDABLE)
def test_stages(name: str) -> None:
    found = {total.address: (total.parameters, total.multiply_adds) for total in shapes(name).stages()}
    assert found == {f"{name}/{stage}": numbers for stage, numbers in STAGES[name].items()}


@pytest.mark.parametrize("address", BLOCKS)
def test_one_block(address: str) -> None:
    name = address.split("/")[0]
    found = {total.address: (total.parameters, total.multiply_adds) for total in shapes(name).blocks()}
    assert found[address] == BLOCKS[address]


@pytest.mark.parametrize("name", BUILDABLE)
def test_outputs_of_the_schemas(name: str) -> None:
    found = {total.address.split("/")[1]: total.output for total in shapes(name).stages()}
    assert {stage: found[stage] for stage in SIDES} == {
        stage: (GRIDS[name][stage], side, side) for stage, side in SIDES.items()
    }


@pytest.mark.parametrize("name", BUILDABLE)
def test_rows_stages_and_blocks_add_up(name: str) -> None:
    table = shapes(name, size=(400, 600))
    for totals in (table.rows, table.stages(), table.blocks()):
        assert sum(total.parameters for total in totals) == table.parameters
        assert sum(total.multiply_adds for total in totals) == table.multiply_adds
        assert sum(total.activation_bytes for total in totals) == table.activation_bytes
    assert len({row.address for row in table.rows}) == len(table.rows)


@pytest.mark.parametrize("name", BUILDABLE)
def test_a_class_more_costs_the_pooled_width_and_a_bias(name: str) -> None:
    pooled = shapes(name).row(f"{name}/head/pool").output[0]
    more = shapes(net(name).with_(classes=1001))
    assert more.parameters == TOTALS[name][0] + pooled + 1


@pytest.mark.parametrize(
    ("name", "size", "grid"),
    [
        ("inception_v4", 75, (1, 1)),
        ("inception_v4", 150, (3, 3)),
        ("inception_resnet_v2", (350, 400), (9, 11)),
        ("inception_resnet_v1", (400, 600), (11, 17)),
        ("inception_v3", 224, (5, 5)),
        ("inception_resnet_v2_paper", 331, (9, 9)),
    ],
)
def test_last_grid_at_other_sizes(name: str, size: int | tuple[int, int], grid: tuple[int, int]) -> None:
    assert shapes(name, size=size).stages()[-2].output[1:] == grid


@pytest.mark.parametrize(
    ("name", "field"), [("inception_v3", 1311), ("inception_v4", 2071), ("inception_resnet_v2", 3039)]
)
def test_receptive_fields_as_published(name: str, field: int) -> None:
    """The three values of TensorFlow's receptive-field library for the slim networks."""
    last = [row for row in shapes(name).rows if "/head/" not in row.address][-1]
    assert last.receptive_field == (field, field)
    assert last.jump == 32


def test_receptive_field_by_hand() -> None:
    toy = Net(
        "toy",
        "",
        (Stage("s", (Conv(2, 3, stride=2) >> Conv(2, (1, 7)) >> Pool("max", stride=2, pad="valid"),)),),
        size=33,
    )
    rows = {row.address: row for row in shapes(toy).rows}
    assert [rows[f"toy/s/01/{part}"].receptive_field for part in ("conv1", "conv2", "pool3")] == [
        (3, 3),
        (3, 15),
        (7, 19),
    ]
    assert [rows[f"toy/s/01/{part}"].jump for part in ("conv1", "conv2", "pool3")] == [2, 2, 4]
    assert rows["toy/s/01/conv2"].padding == (0, 3)
    assert rows["toy/s/01/pool3"].output == (2, 8, 8)


def test_shortcut_is_the_shortest_path() -> None:
    toy = Net("toy", "", (Stage("s", (Residual(Concat(Conv(2, 3), Conv(2, 5)), scale=0.5),)),), size=9)
    rows = {row.address: row for row in shapes(toy).rows}
    assert rows["toy/s/01/add"].shortest_field == (1, 1)
    assert rows["toy/s/01/add"].receptive_field == (5, 5)
    assert rows["toy/s/01/scale"].shortest_field == (3, 3)
    assert rows["toy/s/01/scale"].label == "× 0.5"


@pytest.mark.parametrize("name", BUILDABLE)
def test_75_is_the_smallest_image(name: str) -> None:
    assert shapes(name, size=75).stages()[-2].output[1:] == (1, 1)
    with pytest.raises(InputTooSmall) as caught:
        shapes(name, size=74)
    message = str(caught.value)
    assert message.startswith(f"{name}/reduction_b/01/branch1/conv2 needs at least 3x3 cells and gets 2x2: ")
    assert "an image of 74x74 pixels is too small" in message
    assert caught.value.address == f"{name}/reduction_b/01/branch1/conv2"


def test_one_short_side_is_enough_to_refuse() -> None:
    with pytest.raises(InputTooSmall, match="an image of 299x60 pixels"):
        shapes("inception_v4", size=(299, 60))


def test_printed_widths_cannot_be_added() -> None:
    with pytest.raises(ImpossibleAdd) as caught:
        shapes("inception_resnet_v2_printed")
    assert str(caught.value) == (
        "inception_resnet_v2_printed/B/01/add cannot add: the shortcut brings 1152 channels, "
        "the closing 1x1 makes 1154. An add needs equal channels on both sides: the closing 1x1 must make 1152 as well."
    )
    assert (caught.value.shortcut, caught.value.residual) == (1152, 1154)


def test_the_printed_c_blocks_fail_too() -> None:
    printed = net("inception_resnet_v2_printed")
    drawn = {stage.name: stage for stage in net("inception_resnet_v2_paper").stages}
    repaired = printed.with_(stages=tuple(drawn["B"] if stage.name == "B" else stage for stage in printed.stages))
    with pytest.raises(ImpossibleAdd, match=r"C/01/add cannot add: the shortcut brings 2144 channels.* makes 2048"):
        shapes(repaired)


@pytest.mark.parametrize("size", [0, -1, "x", (299,), (299, 0), 2.5, (1, "2")])
def test_a_size_that_is_none_is_a_sentence(size: object) -> None:
    with pytest.raises(NetworkError, match="whole and above 0"):
        shapes("inception_v4", size=size)  # type: ignore[arg-type]
