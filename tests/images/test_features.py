"""Feature maps and one cell's arithmetic: by hand on toy networks, again in numpy on real ones, and on the edges."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from inception_lab.errors import NetworkError, SettingsError, UnknownAddress, WeightsUnavailable
from inception_lab.images import opened as opening
from inception_lab.images.crops import pixels
from inception_lab.images.features import Features, features, span
from inception_lab.images.load import load
from inception_lab.images.networks import Loaded, tensor
from inception_lab.images.opened import opened, parts, record_of
from inception_lab.images.samples import samples
from inception_lab.models.build import InceptionNet
from inception_lab.models.fused import fused
from inception_lab.models.records import EMBEDDED
from inception_lab.models.weights import pretrained
from inception_lab.nets.catalog import net
from inception_lab.nets.ops import Concat, Conv, Net, Pool, Residual, Stage
from inception_lab.readers.receptive import Box
from inception_lab.readers.shapes import shapes
from tests.images.branches import loaded, set_, toy
from tests.trained import train

GREY = Image.fromarray(np.array([[0, 51], [102, 255]], np.uint8))  # -1, -0.6, -0.2 and 1 for the network


@pytest.fixture
def of(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Features]:
    """`features` of a module of the test's own, folded beside its unfolded self."""
    from copy import deepcopy

    def ask(model: nn.Module, at: str, image: object = GREY, size: int = 2, **options: object) -> Features:
        plain = deepcopy(model)
        held = loaded(fused(deepcopy(model).eval()), size=size)
        monkeypatch.setattr(opening._RANDOM, "get", lambda *_: held)
        monkeypatch.setattr(opening, "_plain_of", lambda _: plain)
        return features(image, net("inception_v4"), at=at, **options)  # type: ignore[arg-type]

    return ask


def rgb(*blocks: object) -> InceptionNet:
    return toy(*blocks, inputs=3)  # type: ignore[arg-type]


def test_a_convolution_by_hand(of: Callable[..., Features]) -> None:
    """Weights 1, 2, 3 on grey: 6 × value; batch norm 2 × (6 v - 0.4) / √4 + 1 = 6 v + 0.6; ReLU cuts the first two."""
    model = rgb(Conv(1, 1))
    set_(model, "A/01/conv", 1, 2, 3)
    norm = model.get_submodule("A.01.bn")
    assert isinstance(norm, nn.BatchNorm2d)
    with torch.no_grad():
        for tensor_, value in ((norm.running_mean, 0.4), (norm.running_var, 4), (norm.weight, 2), (norm.bias, 1)):
            assert tensor_ is not None
            tensor_.fill_(value)
    made = of(model, "A/01", cell=(1, 0), channel=0)
    assert made.maps[0] == pytest.approx(np.array([[0, 0], [0, 6.6]]), abs=1e-6)
    assert made.cell is not None
    assert [step.value for step in made.cell.steps] == pytest.approx([-1.2, -0.6, 0.0], abs=1e-6)
    assert [(term.channel, round(term.product, 6)) for term in made.cell.terms] == [(2, -0.6), (1, -0.4), (0, -0.2)]
    assert of(model, "A/01/conv").maps[0, 1, 1] == pytest.approx(6, abs=1e-6)
    assert of(model, "A/01/bn").maps[0, 0, 0] == pytest.approx(-5.4, abs=1e-6)
    assert made.channels[0].zero_share == 0.75
    assert made.channels[0].rms == pytest.approx(3.3)
    assert made.channels[0].mean == pytest.approx(1.65)


def test_pools_by_hand(of: Callable[..., Features]) -> None:
    top = of(rgb(Pool("max", 3)), "A/01", cell=(0, 0), channel=1).cell
    assert top is not None
    assert (top.value, top.padded, top.count, top.terms[0].row) == (1.0, 5, 4, 1)
    assert [term.value for term in top.terms] == pytest.approx([1, -0.2, -0.6, -1], abs=1e-6)
    for border, among in ((True, 9), (False, 4)):
        mean = of(rgb(Pool("avg", 3, count_border=border)), "A/01", cell=(0, 0), channel=1).cell
        assert mean is not None
        assert mean.value == pytest.approx(-0.8 / among)
        assert mean.error < 1e-6
        assert str(among) in mean.steps[0].words


def test_an_add_by_hand(of: Callable[..., Features]) -> None:
    """x + 0.5 × (4 × 3 x) = 7 x, and the ReLU after it."""
    model = rgb(Residual(Conv(1, 1), scale=0.5))
    set_(model, "A/01/body/conv", 1, 1, 1)
    with torch.no_grad():
        model.at("A/01/linear").weight.fill_(4)  # type: ignore[union-attr, operator]
    add = of(model, "A/01/add", cell=(1, 1), channel=2)
    assert add.cell is not None
    assert [(t.name, t.value, t.weight) for t in add.cell.terms] == [("shortcut", 1, 1), ("residual", 12, 0.5)]
    assert add.cell.value == add.cell.output == 7
    low = of(model, "A/01", cell=(0, 0), channel=0)  # the body's own ReLU leaves 0 of a negative value
    assert low.address.endswith("A/01/relu")
    assert low.cell is not None
    assert [step.value for step in low.cell.steps] == [-1, 0]
    assert of(model, "A/01/scale", cell=(1, 1), channel=0).cell.value == 6  # type: ignore[union-attr]


def test_a_concatenation_says_whose_channel_it_is(of: Callable[..., Features]) -> None:
    model = rgb(Concat(Conv(2, 1), Pool("avg", 3)))
    made = of(model, "A/01", cell=(1, 1), channel=3)
    assert made.cell is not None
    assert made.cell.steps[0].words == "channel 1 of branch2, as it is"
    assert made.cell.value == made.maps[3, 1, 1]
    assert made.sees == Box((0, 1), (0, 1))
    assert of(model, "A/01", cell=(1, 1), channel=0).sees == Box((1, 1), (1, 1))


def by_hand(plain: nn.Module, path: str, x: np.ndarray, cell: tuple[int, int, int], pad: tuple[int, int]) -> float:
    """A convolution's sum in numpy loops over a padded copy, another way than the lab's."""
    conv = plain.get_submodule(path)
    assert isinstance(conv, nn.Conv2d)
    weight = conv.weight[cell[0]].double().numpy()
    padded = np.pad(x.astype(np.float64), ((0, 0), (pad[0], 9), (pad[1], 9)))
    top, left = cell[1] * conv.stride[0], cell[2] * conv.stride[1]
    first = cell[0] if conv.groups > 1 else 0
    total = 0.0
    for i in range(weight.shape[0]):
        for row in range(weight.shape[1]):
            for column in range(weight.shape[2]):
                total += weight[i, row, column] * padded[first + i, top + row, left + column]
    return total


@pytest.mark.parametrize(
    ("conv", "norm", "before", "cell", "pad"),
    [
        ("conv_stem", "bn1", None, (5, 60, 111), (0, 0)),
        ("blocks/1/0/conv_dw", "blocks/1/0/bn2", "blocks/1/0/bn1", (34, 3, 55), (0, 0)),  # 112 to 56 pads below only
        ("blocks/3/1/conv_dw", "blocks/3/1/bn2", "blocks/3/1/bn1", (7, 0, 13), (1, 1)),
        ("blocks/6/0/conv_pwl", "blocks/6/0/bn3", "blocks/6/0/bn2", (99, 6, 0), (0, 0)),
    ],
)
def test_real_numbers_of_the_embedded_network(
    conv: str, norm: str, before: str | None, cell: tuple[int, int, int], pad: tuple[int, int]
) -> None:
    photo, plain = load(samples()[0].path), pretrained(EMBEDDED)
    if before is None:
        x = tensor([pixels(photo, record_of(EMBEDDED))], record_of(EMBEDDED))[0].numpy()
    else:
        x = features(photo, at=before).maps
    made = features(photo, at=norm, cell=cell[1:], channel=cell[0])
    assert made.cell is not None
    total = by_hand(plain, conv.replace("/", "."), x, cell, pad)
    after = plain.get_submodule(norm.replace("/", "."))
    assert isinstance(after, nn.BatchNorm2d)
    mean, var = float(after.running_mean[cell[0]]), float(after.running_var[cell[0]])  # type: ignore[index]
    ended = float(after.weight[cell[0]]) * (total - mean) / math.sqrt(var + after.eps) + float(after.bias[cell[0]])
    relu6 = min(6.0, max(0.0, ended)) if "bn3" not in norm else ended
    assert made.cell.steps[0].value == pytest.approx(total, abs=1e-5, rel=1e-5)
    assert made.cell.value == pytest.approx(relu6, abs=1e-5)
    assert made.maps[cell] == pytest.approx(relu6, abs=1e-5)
    assert made.cell.error < 1e-5
    assert made.cell.rest + math.fsum(term.product for term in made.cell.terms) == pytest.approx(total, abs=1e-5)


THIN = net("inception_resnet_v2").thin(1 / 8).repeats(2, 1, 1)


def test_every_op_of_a_network_adds_up_to_its_own_output_and_has_the_declared_shape() -> None:
    photo = load(samples()[0].path)
    for row in shapes(THIN.with_(size=107)).rows:
        _, high, wide = row.output
        made = features(photo, THIN.with_(size=107), at=row.address, cell=(high - 1, wide // 2))
        assert made.maps.shape == row.output, row.address
        assert made.cell is not None
        assert made.cell.error < 1e-5, row.address
        assert made.cell.output == made.maps[made.at]
        assert made.sees is not None


def test_a_blocks_scale_holds_all_its_ops() -> None:
    photo, thin = load(samples()[0].path), THIN.with_(size=107)
    rows = [row.address for row in shapes(thin).under("inception_resnet_v2/A/01")]
    made = [features(photo, thin, at=at).maps for at in rows]
    low, high = span(photo, thin, at="A/01/body/branch2/conv1/bn")
    assert low == pytest.approx(min(one.min() for one in made), rel=1e-5)
    assert high == pytest.approx(max(one.max() for one in made), rel=1e-5)
    alone = features(photo, at="bn1").maps
    assert span(photo, EMBEDDED, at="bn1") == pytest.approx((alone.min(), alone.max()), rel=1e-5)


def test_the_strongest_come_first_and_what_is_dead_last(of: Callable[..., Features]) -> None:
    model = rgb(Conv(3, 1))
    set_(model, "A/01/conv", 0, 0, 0, 1, 1, 1, 2, 2, 2)
    made = of(model, "A/01")
    assert [one.channel for one in made.channels] == [2, 1, 0]
    assert made.channels[2].zero_share == 1
    assert [row["channel"] for row in made.to_rows()] == [2, 1, 0]
    assert of(model, "A/01", cell=(1, 1)).at == (2, 1, 1)


def test_random_weights_are_named_and_the_same_again() -> None:
    photo, thin = load(samples()[0].path), THIN.with_(size=107)
    torch.manual_seed(5)
    state = torch.get_rng_state()
    first = features(photo, thin, at="A/02")
    assert torch.equal(torch.get_rng_state(), state)  # the process's own generator is not touched
    opening._RANDOM._values.clear()
    again, other = features(photo, thin, at="A/02"), features(photo, thin, at="A/02", seed=1)
    assert first.weights == "random weights, seed 0"
    assert other.weights == "random weights, seed 1"
    assert np.array_equal(first.maps, again.maps)
    assert not np.array_equal(first.maps, other.maps)


def test_the_pass_ends_where_it_is_asked() -> None:
    ran: list[str] = []
    with opened(EMBEDDED) as inside:
        hooks = [
            module.register_forward_hook(lambda *_, name=name: ran.append(name))
            for name, module in inside.loaded.model.named_modules()
            if isinstance(module, nn.Conv2d)
        ]
    try:
        features(samples()[0].path, at="blocks/1/0/bn1")
    finally:
        for hook in hooks:
            hook.remove()
    assert ran == ["conv_stem", "blocks.0.0.conv_dw", "blocks.0.0.conv_pw"]
    with opened(EMBEDDED) as inside:
        assert not any(module._forward_hooks or module._forward_pre_hooks for module in inside.loaded.model.modules())


def test_grey_networks_take_photographs() -> None:
    grey = Net("grey", "by hand", (Stage("A", (Conv(4, 3),)),), inputs=1, size=8, classes=2)
    made = features(samples()[0].path, grey, at="A/01", cell=(0, 0))
    assert made.maps.shape == (4, 8, 8)
    assert made.cell is not None
    assert made.cell.error < 1e-6
    two = grey.with_(inputs=2)
    with pytest.raises(NetworkError, match="2 channels"):
        features(samples()[0].path, two, at="A/01")


def test_fields_in_timms_network_are_the_pixels_with_a_gradient() -> None:
    """With positive weights and small numbers nothing is cut, so every pixel that is read has a gradient."""
    with opened(EMBEDDED) as inside:
        held = inside.loaded
    model = pretrained(EMBEDDED).double()
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.constant_(module.weight, 1 / module.weight[0].numel())
        elif isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
        if hasattr(module, "inplace"):
            module.inplace = False  # type: ignore[assignment]
    for at, cell in (("conv_stem", (111, 0)), ("blocks/1/0/bn2", (55, 7)), ("blocks/3/0", (0, 13)), ("bn2", (3, 3))):
        found: list[torch.Tensor] = []
        handle = model.get_submodule(at.replace("/", ".")).register_forward_hook(
            lambda _, __, out, found=found: found.append(out)
        )
        x = torch.full((1, 3, 224, 224), 1e-3, dtype=torch.float64, requires_grad=True)
        model(x)
        handle.remove()
        found[0][0, :, cell[0], cell[1]].sum().backward()
        assert x.grad is not None
        rows, columns = np.nonzero(x.grad[0].sum(dim=0).numpy())
        seen = Box((int(rows.min()), int(rows.max())), (int(columns.min()), int(columns.max())))
        assert features(samples()[0].path, at=at, cell=cell).sees == seen, at
    assert isinstance(held, Loaded)


def test_refusals_say_the_way_out() -> None:
    photo = samples()[0].path
    with pytest.raises(
        UnknownAddress, match=r"There is no 'B/01' in efficientnet_lite0, whose parts are timm's; it has"
    ):
        features(photo, at="B/01")
    with pytest.raises(UnknownAddress, match="is the whole network; name a stage"):
        features(photo, THIN, at="inception_resnet_v2")
    with pytest.raises(
        SettingsError, match="32 channels of 112×112 cells, counted from 0: there is no channel 0, row 112"
    ):
        features(photo, at="bn1", cell=(112, 0), channel=0)
    with pytest.raises(WeightsUnavailable):
        features(photo, "inception_resnet_v1", at="A/01")


def test_parts_of_timms_network_leave_out_what_only_hands_on() -> None:
    with opened(EMBEDDED) as inside:
        names = parts(inside.loaded.model)
    assert "blocks/0/0/bn2" in names
    assert "blocks/0/0/aa" not in names
    for name in ("conv_stem", "bn1", "blocks/6/0", "classifier"):
        assert name in names


def test_a_run_of_this_machine_is_one_too(home: Path) -> None:
    tag = f"run:{train(home)}"
    made = features(samples()[0].path, tag, at="stem/01", cell=(0, 0))
    assert made.weights == tag
    assert made.cell is not None
    assert made.cell.error < 1e-5


def test_a_network_larger_than_the_memory_is_refused_before_it_is_made() -> None:
    huge = Net("x", "", (Stage("B", (Conv(65536, 1) >> Conv(65536, 1),)),), size=32)
    with pytest.raises(NetworkError, match=r"x needs [\d,.]+ GB for its weights and maps"):
        features(GREY, huge, at="B/01")
