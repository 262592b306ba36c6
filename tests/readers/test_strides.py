"""What strides throw away: the reference's grids, PyTorch's own windows, and the sides that come out clean."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import inception_lab as lab
from inception_lab.errors import NetworkError
from inception_lab.nets.ops import Conv, Net, Pool, Residual, Stage
from inception_lab.readers.strides import SIDES, fit, sides
from tests.readers.test_shapes import BUILDABLE


def unread(windows: int, *, cells: int, kernel: int, stride: int, border: int) -> int:
    """How many of the last cells no window covers, by covering them one window after the other."""
    covered = {place * stride - border + offset for place in range(windows) for offset in range(kernel)}
    return next(left for left in range(cells) if cells - 1 - left in covered)


def by_pytorch(net: Net, side: int) -> dict[str, tuple[int, int]]:
    """Rows and columns that each strided module leaves unread, from the grids of a meta forward pass."""
    with torch.device("meta"):
        model = lab.build(net).eval()
    found: dict[str, tuple[int, int]] = {}

    def hook(name: str, part: nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d) -> None:
        def note(_: nn.Module, inputs: tuple[torch.Tensor], output: torch.Tensor) -> None:
            axes = []
            for axis in (0, 1):
                kernel, stride, border = (
                    value if isinstance(value, int) else value[axis]
                    for value in (part.kernel_size, part.stride, part.padding)
                )
                cells, windows = inputs[0].shape[2 + axis], output.shape[2 + axis]
                axes.append(unread(windows, cells=cells, kernel=kernel, stride=stride, border=int(border)))
            found[f"{net.name}/{name.removesuffix('.conv').replace('.', '/')}"] = (axes[0], axes[1])

        part.register_forward_hook(note)

    for name, part in model.named_modules():
        if isinstance(part, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d) and part.stride not in (1, (1, 1)):
            hook(name, part)
    with torch.no_grad(), torch.device("meta"):
        model(torch.zeros(1, net.inputs, side, side))
    return found


@pytest.mark.parametrize("name", BUILDABLE)
def test_clean_sides(name: str) -> None:
    """299 and 331 throw nothing away, 75 is the smallest that works: `clean` repeats every 32 pixels from there."""
    found = sides(name)
    assert found.smallest == 75
    assert found.clean == tuple(range(75, 513, 32))
    assert {299, 331} <= set(found.clean)
    assert len(found.fits) == len(SIDES) == 481


@pytest.mark.parametrize("name", ["inception_v4", "inception_resnet_v2"])
@pytest.mark.parametrize("side", [76, 224, 299, 331, 343])
def test_against_pytorchs_windows(name: str, side: int) -> None:
    found = {one.address: (one.rows, one.columns) for one in fit(name, size=side).lost}
    assert found == by_pytorch(lab.net(name), side)


@pytest.mark.parametrize("side", range(33, 49))
def test_padded_strides_against_pytorchs_windows(side: int) -> None:
    """The small stem pads: what it throws away is mostly padding, which is no loss."""
    net = lab.net("inception_resnet_v2").small().thin(0.1)
    assert {one.address: (one.rows, one.columns) for one in fit(net, size=side).lost} == by_pytorch(net, side)


@pytest.mark.parametrize("side", [224, 256, 288, 320])
def test_usual_sides_lose_at_three_stages(side: int) -> None:
    lost = [one.address.split("/")[1:] for one in fit("inception_v4", size=side).lost if one.rows]
    assert [parts[0] for parts in lost] == ["stem"] * 3 + ["reduction_b"] * 3
    assert [parts[2] for parts in lost[:3]] == ["conv1", "split6", "split6"], "first convolution, last step of the stem"


def test_a_row_without_gradient_is_a_lost_row() -> None:
    layer = nn.Conv2d(1, 1, 3, stride=2, bias=False)
    image = torch.ones(1, 1, 224, 225, requires_grad=True)
    layer(image).sum().backward()
    assert image.grad is not None
    rows = int((image.grad.abs().sum(dim=(0, 1, 3)) == 0).sum())
    columns = int((image.grad.abs().sum(dim=(0, 1, 2)) == 0).sum())
    first = fit("inception_resnet_v1", size=(224, 225)).lost[0]
    assert (first.rows, first.columns) == (rows, columns) == (1, 0)


def test_grid_chain_of_299() -> None:
    """299 → 149 → 147 → 73 → 71 → 35 → 17 → 8, as Figs 3, 7, 8 and 9 print."""
    found = fit("inception_v4", size=299)
    assert list(dict.fromkeys(one.grid[0] for one in found.lost)) == [299, 147, 71, 35, 17]
    assert [one.jump for one in found.lost][::3] == [1, 4, 8, 16]
    assert (found.end, found.rows, found.clean) == ((8, 8), 0, True)


def test_too_small_says_where() -> None:
    found = fit("inception_v4", size=74)
    assert found.stopped == "inception_v4/reduction_b/01/branch1/conv2"
    assert not found.clean
    assert sides("inception_v4", among=range(32, 75)).smallest is None
    assert sides("inception_v4").at(74) == found


def test_two_cells_can_be_lost() -> None:
    net = Net("toy", "", (Stage("s", (Conv(1, 3, stride=3, pad="valid") >> Pool("max", stride=2, pad="valid"),)),))
    assert [(one.grid, one.rows, one.columns, one.jump) for one in fit(net, size=(11, 12)).lost] == [
        ((11, 12), 2, 0, 1),
        ((3, 4), 0, 1, 3),
    ]


def test_residuals_keep_the_grid() -> None:
    net = Net("toy", "", (Stage("s", (Residual(Conv(1, 3)), Pool("max", stride=2, pad="valid"))),))
    assert sides(net, among=(8, 9)).ops == ("toy/s/02",)
    assert [one.rows for one in sides(net, among=(8, 9)).fits] == [1, 0]


def test_a_side_of_nothing() -> None:
    with pytest.raises(NetworkError, match="above 0, not 0×5"):
        fit("inception_v4", size=(0, 5))
