"""Receptive fields as rectangles on the image: by hand, and against the pixels that have a gradient."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from inception_lab.errors import InputTooSmall, SettingsError, UnknownAddress
from inception_lab.models.build import InceptionNet, build
from inception_lab.nets import catalog
from inception_lab.nets.ops import Chain, Concat, Conv, Net, Op, Pool, Residual, Stage
from inception_lab.readers.receptive import Box, receptive_field
from inception_lab.readers.shapes import shapes


def net(*blocks: Op, size: int = 9) -> Net:
    return Net("toy", "by hand", (Stage("A", blocks),), inputs=1, size=size, classes=2)


def positive(described: Net) -> InceptionNet:
    """All weights equal and positive, and averages for maxima: every pixel a window reads moves the cell."""
    model = build(described).double().eval()
    for address, module in list(model.named_modules()):
        if isinstance(module, nn.Conv2d):
            nn.init.constant_(module.weight, 1 / module.weight[0].numel())
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.MaxPool2d):
            model.set_submodule(address, nn.AvgPool2d(module.kernel_size, module.stride, module.padding))
    return model


def seen(model: InceptionNet, at: str, cell: tuple[int, int], size: int, channel: int | None = None) -> Box:
    """The rectangle around the pixels with a gradient."""
    found: list[torch.Tensor] = []
    handle = model.at(at).register_forward_hook(lambda _, __, out: found.append(out))
    x = torch.ones(1, model.net.inputs, size, size, dtype=torch.float64, requires_grad=True)
    model(x)
    handle.remove()
    cells = found[0][0, slice(None) if channel is None else channel]
    cells[..., cell[0], cell[1]].sum().backward()
    assert x.grad is not None
    rows, columns = np.nonzero(x.grad[0].sum(dim=0).numpy())
    return Box((int(rows.min()), int(rows.max())), (int(columns.min()), int(columns.max())))


def test_padding_and_the_edge_cut_a_window() -> None:
    same = net(Conv(1, 3))
    assert receptive_field(same, "A/01", cell=(4, 4)) == Box((3, 5), (3, 5))
    assert receptive_field(same, "A/01", cell=(0, 8)) == Box((0, 1), (7, 8))
    valid = net(Conv(1, 3, stride=2, pad="valid"), size=10)  # cells 0 to 3, the tenth pixel is never read
    assert receptive_field(valid, "A/01", cell=(3, 0)) == Box((6, 8), (0, 2))


def test_windows_of_two_directions_and_a_shortcut() -> None:
    long = net(Residual(Conv(1, (1, 7)) >> Conv(1, 3)))
    assert receptive_field(long, "A/01/body/conv1", cell=(4, 4)) == Box((4, 4), (1, 7))
    assert receptive_field(long, "A/01/add", cell=(4, 4)) == Box((3, 5), (0, 8))
    assert receptive_field(long, "A/01/linear", cell=(8, 8)) == Box((7, 8), (4, 8))


def test_a_channel_of_a_concatenation_sees_what_its_branch_sees() -> None:
    joined = net(Concat(Pool("avg", 1), Conv(2, 3), Conv(1, 1) >> Conv(1, 5)))
    fields = [receptive_field(joined, "A/01/concat", cell=(4, 4), channel=channel) for channel in range(4)]
    assert [box.size for box in fields] == [(1, 1), (3, 3), (3, 3), (5, 5)]
    assert receptive_field(joined, "A/01", cell=(4, 4)).size == (5, 5)


def test_the_head_sees_everything() -> None:
    one = net(Conv(1, 3))
    assert receptive_field(one, "head/classifier", cell=(0, 0)) == Box((0, 8), (0, 8))
    ended = one.with_(end_norm=True)
    assert receptive_field(ended, "head/norm", cell=(0, 0)) == Box((0, 1), (0, 1))


def test_refusals_name_the_numbers() -> None:
    one = net(Conv(1, 3), Concat(Conv(2, 1), Conv(3, 1)))
    with pytest.raises(SettingsError, match="rows 0 to 8 and columns 0 to 8: there is no cell 9, 0"):
        receptive_field(one, "A/01", cell=(9, 0))
    with pytest.raises(SettingsError, match="channels 0 to 4: there is no channel 5"):
        receptive_field(one, "A/02", cell=(0, 0), channel=5)
    with pytest.raises(SettingsError, match="whole network"):
        receptive_field(one, "toy", cell=(0, 0))
    with pytest.raises(UnknownAddress):
        receptive_field(one, "B/01", cell=(0, 0))
    with pytest.raises(InputTooSmall, match="A/01 needs at least 3x3"):
        receptive_field(net(Conv(1, 3, pad="valid")), "A/01", cell=(0, 0), size=2)


CASES = {
    "inception_v3": (81, ("stem/01/conv2", "stem/01", "A/02", "C/01/branch3", "head/pool")),
    "inception_v4": (96, ("stem/01", "A/01/branch4/conv2/conv", "reduction_a/01", "C/01/branch3")),
    "inception_resnet_v2": (96, ("stem", "A/01/body", "A/02/add", "B/01/body/branch2/conv2", "C")),
}


@pytest.mark.parametrize("name", CASES)
def test_fields_are_the_pixels_with_a_gradient(name: str) -> None:
    size, places = CASES[name]
    thin = catalog.net(name).thin(1 / 32)
    thin = thin.repeats(2, 1, 1) if name != "inception_v3" else thin
    model, generator = positive(thin), np.random.default_rng(0)
    for at in places:
        out: list[torch.Tensor] = []
        handle = model.at(at).register_forward_hook(lambda _, __, made, out=out: out.append(made))
        with torch.no_grad():
            model(torch.ones(1, 3, size, size, dtype=torch.float64))
        handle.remove()
        high, wide = out[0].shape[2:]
        cells = [(0, 0), (high - 1, wide - 1), (int(generator.integers(high)), int(generator.integers(wide)))]
        for cell in cells:
            assert receptive_field(thin, at, cell=cell, size=size) == seen(model, at, cell, size), (at, cell)
        channel = int(generator.integers(out[0].shape[1]))
        assert receptive_field(thin, at, cell=cells[2], size=size, channel=channel) == seen(
            model, at, cells[2], size, channel
        ), (at, channel)


def test_far_from_the_edges_the_size_is_that_of_the_table() -> None:
    described = catalog.net("inception_v4")
    row = shapes(described).row("inception_v4/A/01/branch3/conv2")
    box = receptive_field(described, row.address, cell=(17, 17))
    assert box.size == row.receptive_field


def test_a_chain_takes_the_channels_of_its_last_concatenation() -> None:
    nested = net(Chain((Conv(4, 3), Concat(Conv(1, (1, 3)), Conv(1, (3, 1))))))
    assert receptive_field(nested, "A/01", cell=(4, 4), channel=0).size == (3, 5)
    assert receptive_field(nested, "A/01", cell=(4, 4), channel=1).size == (5, 3)
