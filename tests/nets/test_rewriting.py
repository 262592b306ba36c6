"""One convolution changed: by hand on a toy, refused with numbers, and read back from its notation."""

from __future__ import annotations

import pytest

from inception_lab.errors import ImpossibleAdd, NetworkError, UnknownAddress
from inception_lab.nets.catalog import net
from inception_lab.nets.ops import Concat, Conv, Net, Residual, Stage
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
