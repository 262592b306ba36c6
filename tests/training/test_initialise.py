"""Weights belong to the seed, not to the scale, and have the spread their word promises."""

import math

import pytest
import torch
from torch import nn

from inception_lab.training.initialise import initialised
from inception_lab.training.presets import preset
from inception_lab.training.settings import Init
from tests.training.tiny import tiny

WIDE = preset("micro", width=0.5, repeats=(1, 1, 1)).net()


def test_the_scale_does_not_change_the_draw() -> None:
    one = initialised(tiny(scale=1.0).net(), init="he", seed=3).state_dict()
    tenth = initialised(tiny(scale=0.1).net(), init="he", seed=3).state_dict()
    other = initialised(tiny(scale=0.1).net(), init="he", seed=4).state_dict()
    assert all(torch.equal(one[name], tenth[name]) for name in one)
    assert not torch.equal(one["C.01.linear.weight"], other["C.01.linear.weight"])


def test_the_global_generator_is_left_alone_and_not_used() -> None:
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    first = initialised(tiny().net(), init="torch", seed=0).state_dict()
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.manual_seed(2)
    assert torch.equal(initialised(tiny().net(), init="torch", seed=0).state_dict()["stem.01.conv1.conv.weight"],
                       first["stem.01.conv1.conv.weight"])  # fmt: skip


@pytest.mark.parametrize(
    ("init", "sigma"),
    [
        ("he", lambda i, o: math.sqrt(2 / i)),
        ("xavier", lambda i, o: math.sqrt(2 / (i + o))),
        ("truncated", lambda i, o: 0.8796 * math.sqrt(1.3 * 2 / i)),  # cutting at two sigma leaves 0.8796 of it
        ("torch", lambda i, o: math.sqrt(1 / (3 * i))),
    ],
)
def test_spread_of_the_weights(init: Init, sigma: object) -> None:
    conv = initialised(WIDE, init=init, seed=0).get_submodule("reduction_a.01.branch2.conv3.conv")
    assert isinstance(conv, nn.Conv2d)
    assert callable(sigma)
    fan_in, fan_out = conv.in_channels * 9, conv.out_channels * 9
    assert float(conv.weight.detach().std()) == pytest.approx(sigma(fan_in, fan_out), rel=0.01)
    assert float(conv.weight.detach().mean()) == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize(("init", "zero"), [("he", True), ("xavier", True), ("truncated", True), ("torch", False)])
def test_biases_and_batch_norm(init: Init, zero: bool) -> None:
    model = initialised(tiny().net(), init=init, seed=0)
    biases = [m.bias for m in model.modules() if isinstance(m, nn.Conv2d | nn.Linear) and m.bias is not None]
    assert len(biases) == 5
    assert all((not b.any()) == zero for b in biases)
    for norm in (m for m in model.modules() if isinstance(m, nn.BatchNorm2d)):
        assert (norm.eps, norm.momentum) == (1e-3, 0.1)
        assert torch.equal(norm.weight.detach(), torch.ones(norm.num_features))
        assert not norm.bias.any()
        assert norm.running_mean is not None
        assert norm.running_var is not None
        assert not norm.running_mean.any()
        assert float(norm.running_var.min()) == float(norm.running_var.max()) == 1
        assert int(norm.num_batches_tracked or 0) == 0


def test_nothing_stays_unset() -> None:
    model = initialised(tiny().net(), init="xavier", seed=0)
    assert all(tensor.device.type == "cpu" for tensor in model.state_dict().values())
    assert all(torch.isfinite(tensor).all() for tensor in model.state_dict().values())


@pytest.mark.parametrize(("name", "parameters"), [("micro", 1_945_338), ("wide", 29_945_514)])
def test_parameters_of_the_presets(name: str, parameters: int) -> None:
    with torch.device("meta"):
        from inception_lab.models.build import build

        assert sum(p.numel() for p in build(preset(name).net()).parameters()) == parameters
