"""A run can be kept between two steps, gone on with and changed, and gives the numbers it would have given."""

from typing import Any

import pytest
import torch

from inception_lab.errors import SettingsError
from inception_lab.models.layers import ScaledResidual
from inception_lab.training.control import CHANGEABLE
from inception_lab.training.loop import Training
from inception_lab.training.settings import FIELDS
from tests.training.tiny import tiny


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"optimiser": "sgd"},
        {"optimiser": "adam", "rate": 0.001},
        {"average": 0.9},
        {"dropout": 0.5},
        {"precision": "bf16"},
        {"gain": "learned", "end_norm": True},
    ],
    ids=str,
)
def test_a_restored_run_goes_on_bit_for_bit(how: dict[str, Any]) -> None:
    settings = tiny(**how)
    whole = Training(settings)
    steps = list(whole.steps())
    first = Training(settings)
    list(first.steps(until=3))
    state = first.state()
    list(first.steps())  # going on must not reach into the copy
    again = Training(settings)
    again.restore(state)
    assert again.at == 3
    assert list(again.steps()) == steps[3:]
    for name, value in again.evaluated.state_dict().items():
        assert torch.equal(value, whole.evaluated.state_dict()[name]), name


def test_the_optimisers_memory_is_part_of_the_state() -> None:
    training = Training(tiny())
    list(training.steps(until=3))
    state = training.state()
    del state["optimiser"]
    forgetful = Training(tiny())
    forgetful.restore(state)
    assert list(forgetful.steps())[1].loss != list(training.steps())[1].loss


def test_a_changed_rate_holds_from_the_step_that_is_named() -> None:
    training, seen = Training(tiny()), []
    for step in training.steps():
        seen.append(step)
        if step.step == 2:
            assert training.change(rate=0.01) == 3
    assert [step.rate for step in seen] == [0.05, 0.05, 0.05, 0.01, 0.01, 0.01]
    plain = list(Training(tiny()).steps())
    assert seen[:3] == plain[:3]
    assert seen[3].loss == plain[3].loss  # the weights that step 3 meets were made at the old rate
    assert seen[4].loss != plain[4].loss


def test_a_changed_scale_is_met_by_the_next_forward_pass() -> None:
    training = Training(tiny(scale=1.0))
    list(training.steps(until=3))
    assert training.change(scale=0.1) == 3
    [step] = training.steps(until=4)
    plain = list(Training(tiny(scale=1.0)).steps(until=4))
    assert step.residual[0] == pytest.approx(0.1 * plain[3].residual[0], rel=1e-5)
    block = training.model.at(training.addresses[0])
    assert isinstance(block, ScaledResidual)
    assert block.scale.factor == training.settings.scale == 0.1


def test_momentum_can_change_in_mid_run() -> None:
    training = Training(tiny())
    list(training.steps(until=3))
    training.change(momentum=0.0)
    changed = list(training.steps())
    plain = list(Training(tiny()).steps())[3:]
    assert changed[0].loss == plain[0].loss
    assert changed[1].loss != plain[1].loss


def test_what_shapes_the_run_cannot_change() -> None:
    training = Training(tiny())
    with pytest.raises(SettingsError, match="batch, width cannot change"):
        training.change(width=0.5, batch=4)
    with pytest.raises(SettingsError, match="rate must be"):
        training.change(rate=-1.0)
    assert training.settings == tiny()
    assert set(FIELDS) > CHANGEABLE


def test_the_update_is_that_of_the_weights() -> None:
    for how in ({}, {"optimiser": "sgd"}, {"optimiser": "adam", "rate": 0.001}, {"momentum": 0.0}):
        training = Training(tiny(**how))
        block = training.model.at(training.addresses[1])
        weights = [m.weight for m in block.modules() if isinstance(m, torch.nn.Conv2d)]
        list(training.steps(until=2))
        before = torch.cat([w.detach().flatten().clone() for w in weights])
        list(training.steps(until=3))
        after = torch.cat([w.detach().flatten() for w in weights])
        [step] = training.steps(until=4)
        assert step.update[1] == pytest.approx(float((after - before).norm() / before.norm()), rel=1e-3), how


def test_no_update_is_told_before_the_first() -> None:
    first, second, *_ = Training(tiny()).steps()
    assert first.update == ()
    assert len(second.update) == len(second.gradient) == len(second.cosine) == len(second.zeros) == 4


def test_dropout_leaves_the_callers_generator_alone() -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    list(Training(tiny(dropout=0.5, steps=2)).steps())
    assert torch.equal(torch.rand(3), expected)
    assert list(Training(tiny(dropout=0.5)).steps()) == list(Training(tiny(dropout=0.5)).steps())
    assert list(Training(tiny(dropout=0.5)).steps()) != list(Training(tiny()).steps())


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_stays_near_full_precision(precision: str) -> None:
    half, full = (next(Training(tiny(precision=word)).steps()) for word in (precision, "fp32"))
    assert half.loss == pytest.approx(full.loss, rel=0.05)
    assert half.loss != full.loss
    assert half.gradient == pytest.approx(full.gradient, rel=0.2)
    assert half.gradient_norm == pytest.approx(full.gradient_norm, rel=0.2)


def test_smaller_closing_weights_are_the_same_draw() -> None:
    usual, small = Training(tiny()), Training(tiny(closing=0.1))
    for name, value in usual.model.state_dict().items():
        factor = 0.1 if name.endswith("linear.weight") else 1.0
        assert torch.allclose(small.model.state_dict()[name].float(), value.float() * factor), name


def test_a_zero_gain_starts_as_the_shortcut_alone() -> None:
    step = next(Training(tiny(gain="zero")).steps())
    assert step.residual == (0.0,) * 4
    learned, fixed = (next(Training(tiny(gain=word)).steps()) for word in ("learned", "fixed"))
    assert learned.loss == fixed.loss


def test_augmented_images_are_others_and_the_same_for_all_arms() -> None:
    plain, moved = (next(Training(tiny(augment=augment)).steps()) for augment in (False, True))
    assert plain.loss != moved.loss
    assert next(Training(tiny(augment=True)).steps()) == moved


def test_coloured_textures_can_be_trained() -> None:
    steps = list(Training(tiny(data="textures", image_size=32)).steps())
    assert len(steps) == 6
    assert all(step.loss == step.loss for step in steps)


def test_a_whole_network_lies_channels_last_and_a_small_one_does_not() -> None:
    small, whole = Training(tiny()), Training(tiny(small=False, image_size=75, batch=2))
    for training, layout in ((small, torch.contiguous_format), (whole, torch.channels_last)):
        weight = training.model.at(training.addresses[0]).get_submodule("body.branch2.conv2.conv").weight
        assert isinstance(weight, torch.Tensor)
        assert weight.is_contiguous(memory_format=layout)
    assert len(list(whole.steps(until=2))) == 2


def test_an_update_that_overflows_in_half_precision_moves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inception_lab.training.loop.LOSS_SCALE", 2.0**40)
    _, second, *_ = Training(tiny(precision="fp16", steps=3)).steps()
    assert second.update == (0.0,) * 4
