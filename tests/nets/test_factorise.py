"""1×n → n×1: the same shapes, the saving by hand, refusals with the numbers, one copy or all."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inception_lab.errors import LabError, NetworkError, UnknownAddress
from inception_lab.nets.catalog import net
from inception_lab.nets.factorise import copies_of, targets
from inception_lab.nets.ops import Concat, Conv, Net, Pool, Residual, Stage
from inception_lab.readers.notation import notation, parse
from inception_lab.readers.saving import saving
from inception_lab.readers.shapes import shapes
from tests.readers.test_shapes import BUILDABLE

BLOCK = Residual(Concat(Conv(4, 1), Conv(4, 1) >> Conv(6, 3) >> Conv(8, 5)), scale=0.5)
TOY = Net("toy", "", (Stage("s", (Conv(8, 7, stride=2, pad="valid"), *(3 * (BLOCK,)), replace(BLOCK, scale=1.0))),))


def test_a_link_becomes_two_in_one_copy() -> None:
    stage = TOY.factorised("s/03/body/branch2/conv2").stages[0]
    chain = Conv(4, 1) >> Conv(6, (1, 3)) >> Conv(6, (3, 1)) >> Conv(8, 5)
    assert stage.blocks[2] == replace(BLOCK, body=Concat(Conv(4, 1), chain))
    assert (stage.blocks[:2], stage.blocks[3:]) == (TOY.stages[0].blocks[:2], TOY.stages[0].blocks[3:])


def test_all_copies_change_and_those_that_differ_do_not() -> None:
    made = TOY.factorised("toy/s/03/body/branch2/conv3", copies="all").stages[0].blocks
    assert made[1] == made[2] == made[3] != BLOCK
    assert made[4] == replace(BLOCK, scale=1.0)
    assert copies_of(TOY, "s/03/body/branch2/conv3") == 3
    assert copies_of(TOY, "s/05/body/branch2/conv3") == 1


def test_a_block_of_one_convolution_keeps_padding_and_gives_its_stride_to_the_second() -> None:
    first = TOY.factorised("s/01").stages[0].blocks[0]
    assert first == Conv(8, (1, 7), pad="valid") >> Conv(8, (7, 1), stride=2, pad="valid")


def test_a_step_of_a_convolution_names_it() -> None:
    assert TOY.factorised("s/01/bn") == TOY.factorised("s/01")


@pytest.mark.parametrize("name", BUILDABLE)
def test_every_target_of_every_network_keeps_every_other_shape(name: str) -> None:
    whole = net(name)
    before = shapes(whole, size=139)
    for at in targets(whole)[::5]:
        after = shapes(whole.factorised(at), size=139)
        assert len(after.rows) == len(before.rows) + 1
        assert [total.output for total in after.blocks()] == [total.output for total in before.blocks()]


def test_saving_by_hand() -> None:
    """IR-v2's stem: 3×3 from 32 to 64 channels at 147×147 (Fig 14 and slim's Conv2d_2b)."""
    found = saving("inception_resnet_v2", "stem/01/conv3")
    assert found.copies == 1
    parameters, work = found.place["parameters"], found.place["multiply_adds"]
    assert (parameters.before, parameters.after) == (9 * 32 * 64 + 128, 3 * 32 * 64 + 128 + 3 * 64 * 64 + 128)
    assert (work.before, work.after) == (147**2 * 9 * 32 * 64, 147**2 * 3 * 64 * (32 + 64))
    assert work.share == 0.0, "half as many channels in as out: nothing is saved"
    assert found.total["multiply_adds"].before == 13_155_794_016
    assert found.total["multiply_adds"].saved == work.saved
    kept = found.place["kept_bytes"]
    assert kept.after == 2 * kept.before, "a second map and its norm are kept for the way back"


def test_saving_of_all_copies_is_so_many_times_one() -> None:
    one, every = (
        saving("inception_resnet_v2", "A/04/body/branch2/conv2", copies=copies)
        for copies in ("one", "all")  # type: ignore[arg-type]
    )
    assert every.copies == 10
    assert every.place == one.place
    assert every.total["parameters"].saved == 10 * one.total["parameters"].saved
    assert one.place["parameters"].saved == 3 * 32 * 32 - 2 * 32
    assert str(every).startswith("inception_resnet_v2/A/04/body/branch2/conv2. Here: parameters 9,280 → 6,272 (-32.4%)")
    assert "In total, 10 copies: parameters 55,843,464 → 55,813,384 (-0.054%)" in str(every)


def test_a_valid_stride_can_cost_more() -> None:
    """Fig 7's n 3×3/2 V: the 1×3 has to go over all 35 rows, so it saves less than a third, or costs more."""
    found = saving("inception_v4", "reduction_a/01/branch1")
    rows, columns = 35, 33
    assert found.place["multiply_adds"].after == 3 * 384 * 384 * (rows * columns + 17 * 17)
    assert found.place["multiply_adds"].saved < 0


def test_a_renamed_network_and_its_notation() -> None:
    found = saving("inception_v4", "A/02/branch3/conv2", copies="all", name="mine")
    assert found.net.name == "mine"
    assert parse(notation(found.net)) == found.net
    single = net("inception_v4").factorised("A/02/branch3/conv2")
    assert parse(notation(single)) == single


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("B/01/body/branch2/conv2", "is a 1×7 convolution, which cannot be factorised"),
        ("B/01/body/branch1", "is a 1×1 convolution, which cannot"),
        ("B/01/linear", "is no convolution of its own: only an n×n"),
        ("B/01/body/branch2", "is a chain of ops"),
        ("B/01", "is a residual"),
        ("reduction_a/01/branch3", "is a pooling"),
        ("B", "no convolution of its own"),
        ("head/classifier", "no convolution of its own"),
        ("mixed_5b/01", "is a concatenation"),
    ],
)
def test_refusals_say_what_stands_there(address: str, words: str) -> None:
    with pytest.raises(NetworkError, match=words) as caught:
        net("inception_resnet_v2").factorised(address)
    assert str(caught.value).startswith(f"inception_resnet_v2/{address} ")


def test_an_unknown_address() -> None:
    with pytest.raises(UnknownAddress):
        TOY.factorised("s/09")
    assert issubclass(UnknownAddress, LabError)


def test_targets_are_the_square_kernels() -> None:
    assert targets(TOY)[:3] == ("toy/s/01", "toy/s/02/body/branch2/conv2", "toy/s/02/body/branch2/conv3")
    pools = Net("p", "", (Stage("s", (Pool("max"),)),))
    assert targets(pools) == ()
