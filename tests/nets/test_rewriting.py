"""One convolution changed: by hand on a toy, refused with numbers, and read back from its notation."""

from __future__ import annotations

import pytest

from inception_lab.errors import ImpossibleAdd, NetworkError, UnknownAddress
from inception_lab.nets.catalog import net
from inception_lab.nets.ops import Concat, Conv, Net, Residual, Stage
from inception_lab.nets.rewriting import scales
from inception_lab.readers.notation import notation, parse
from inception_lab.readers.shapes import shapes

BLOCK = Residual(Concat(Conv(4, 1), Conv(6, 1) >> Conv(8, 3)))
TOY = Net("toy", "", (Stage("stem", (Conv(16, 3),)), Stage("B", (BLOCK, BLOCK, BLOCK))), size=16)


def test_channels_in_one_copy_or_in_all() -> None:
    changed = Residual(Concat(Conv(4, 1), Conv(5, 1) >> Conv(8, 3)))
    at = "B/02/body/branch2/conv1"
    assert TOY.changed(at, channels=5).stages[1].blocks == (BLOCK, changed, BLOCK)
    assert TOY.changed(at, channels=5, copies="all").stages[1].blocks == (changed,) * 3
    assert TOY.changed(at, channels=6) == TOY


@pytest.mark.parametrize(("kernel", "kept"), [((1, 7), (1, 7)), ((5, 5), 5)])
def test_a_kernel_is_written_as_short_as_the_networks_write_it(kernel: tuple[int, int], kept: object) -> None:
    found = TOY.changed("B/01/body/branch2/conv2", kernel=kernel)
    assert found.stages[1].blocks[0] == Residual(Concat(Conv(4, 1), Conv(6, 1) >> Conv(8, kept)))  # type: ignore[arg-type]
    assert parse(notation(found)) == found


def test_a_closing_width_other_than_the_shortcuts_cannot_be_added() -> None:
    odd = TOY.changed("B/02/linear", channels=17)
    with pytest.raises(ImpossibleAdd) as refused:
        shapes(odd, size=16)
    assert (refused.value.address, refused.value.shortcut, refused.value.residual) == ("toy/B/02/add", 16, 17)
    assert parse(notation(odd)) == odd


def test_what_is_refused() -> None:
    with pytest.raises(NetworkError, match="odd"):
        TOY.changed("B/01/body/branch1", kernel=(2, 2))
    with pytest.raises(NetworkError, match="1 to"):
        TOY.changed("B/01/body/branch1", channels=0)
    with pytest.raises(NetworkError, match="no convolution"):
        net("inception_v4").changed("A/01", channels=3)
    with pytest.raises(UnknownAddress):
        TOY.changed("B/09/body/branch1", channels=3)


def test_scales_are_changed_by_stage_and_by_what_they_were() -> None:
    released = net("inception_resnet_v2")
    assert scales(released) == {
        "A": {0.17: tuple(range(1, 11))},
        "B": {0.1: tuple(range(1, 21))},
        "C": {0.2: tuple(range(1, 10)), 1.0: (10,)},
    }
    found = released.rescaled(0.3, stage="C", was=0.2)
    assert scales(found) == scales(released) | {"C": {0.3: tuple(range(1, 10)), 1.0: (10,)}}
    assert found.rescaled(0.2, stage="C", was=0.3) == released
    assert released.rescaled(0.5) == released.scaled(0.5)
    assert set(scales(released.rescaled(0.5, was=1.0))["C"]) == {0.2, 0.5}


def test_a_rescaled_residual_is_trained_as_before_also_inside_another_op() -> None:
    inside = Conv(16, 3) >> Residual(Conv(4, 1), scale=0.5, gain="zero", relu=False)
    toy = Net("toy", "", (Stage("B", (inside, Conv(16, 1))),), size=16)
    assert scales(toy) == {"B": {0.5: (1,)}}
    assert toy.rescaled(0.25).stages[0].blocks[0] == Conv(16, 3) >> Residual(
        Conv(4, 1), scale=0.25, gain="zero", relu=False
    )


def test_a_scale_that_is_nowhere_is_refused() -> None:
    for asked, why in (
        ({"scale": 0.1, "stage": "stem"}, "stage stem has no residual"),
        ({"scale": 0.1, "stage": "B", "was": 0.3}, "with a scale of 0.3"),
        ({"scale": float("nan")}, "finite"),
    ):
        with pytest.raises(NetworkError, match=why):
            TOY.rescaled(**asked)  # type: ignore[arg-type]
    with pytest.raises(NetworkError, match="inception_v4 has no residual"):
        net("inception_v4").rescaled(0.1)
