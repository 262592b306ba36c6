"""Networks in a stack are what they are alone: weights, order, numbers, what is remembered."""

from typing import Any

import pytest
import torch
from torch import Tensor

from inception_lab.errors import SettingsError
from inception_lab.models.build import InceptionNet
from inception_lab.training import loop, outcomes, stacked
from inception_lab.training.data import Images
from inception_lab.training.events import Step
from inception_lab.training.initialise import initialised
from inception_lab.training.loop import Training
from inception_lab.training.presets import preset
from inception_lab.training.settings import Fork, Settings
from inception_lab.training.stacked import Stacked
from inception_lab.training.together import compatible, stackable, stacks
from tests.training.tiny import tiny

LISTS = ("shortcut", "residual", "zeros", "cosine", "gradient", "update")
ARMS: tuple[dict[str, Any], ...] = (
    {"scale": 1.0},
    {"scale": 0.1, "seed": 1, "rate": 0.1, "clip": 1.0},
    {"stage_scales": (0.1, 0.3, 1.0), "seed": 2, "momentum": 0.0, "decay": 0.8, "eps": 0.5, "init": "xavier"},
    {"scale": 0.3, "closing": 0.5, "schedule": "ramp", "warmup_steps": 3},
)


def small(**changes: Any) -> Settings:
    """The tiny settings made smaller still."""
    return tiny(repeats=(1, 1, 1), batch=4, steps=4).with_(**changes)


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> None:
    """All runs in 64 bits, where rounding is too small for two paths to part within a few steps."""

    def drawn(*arguments: Any, **options: Any) -> InceptionNet:
        return initialised(*arguments, **options).double()

    batch = Images.batch

    def doubled(self: Images, places: Tensor | slice) -> tuple[Tensor, Tensor]:
        x, y = batch(self, places)
        return x.double(), y

    monkeypatch.setattr(loop, "initialised", drawn)
    monkeypatch.setattr(stacked, "initialised", drawn)
    monkeypatch.setattr(Images, "batch", doubled)


def numbers(step: Step) -> list[float]:
    heads = [step.loss, step.accuracy, step.gradient_norm, step.zero_share]
    return [value for value in heads if value is not None] + [value for name in LISTS for value in getattr(step, name)]


def assert_same_weights(found: Training, expected: Training, **tolerance: float) -> None:
    for name, value in expected.evaluated.state_dict().items():
        assert torch.allclose(found.evaluated.state_dict()[name], value, **tolerance), name


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize(
    "common",
    [
        {},
        {"optimiser": "sgd", "average": 0.9},
        {"gain": "learned", "end_norm": True, "augment": True},
        {"gain": "zero", "network": "inception_resnet_v1", "telemetry_every": 2},
    ],
    ids=str,
)
def test_each_is_what_it_is_alone(common: dict[str, Any]) -> None:
    """To 1e-9 of the weights after four steps in 64 bits, and to the seven digits that a step is written with."""
    arms = [small(**common, **arm) for arm in ARMS]
    together = Stacked(arms)
    rows = list(zip(*together.steps(), strict=True))
    for place, arm in enumerate(arms):
        alone = Training(arm)
        for found, expected in zip(rows[place], alone.steps(), strict=True):
            assert (found.step, found.rate) == (expected.step, expected.rate)
            assert (found.gradient_norm is None) == (expected.gradient_norm is None)
            assert [len(getattr(found, n)) for n in LISTS] == [len(getattr(expected, n)) for n in LISTS]
            assert numbers(found) == pytest.approx(numbers(expected), rel=2e-5, abs=1e-6, nan_ok=True), (
                place,
                found.step,
            )
        assert_same_weights(together.alone(place), alone, rtol=1e-9, atol=1e-11)


def test_in_32_bits_rounding_is_all_that_differs() -> None:
    """Scales up to 0.3 agree to 1e-4 over four steps; at scale 1 rounding grows a thousand times at each update."""
    arms = [small(**arm) for arm in ARMS]
    rows = list(zip(*Stacked(arms).steps(), strict=True))
    alone = [list(Training(arm).steps()) for arm in arms]
    for row, expected in zip(rows, alone, strict=True):
        assert numbers(row[0]) == pytest.approx(numbers(expected[0]), rel=1e-5, abs=1e-6)
    for place in (1, 3):
        assert [s.loss for s in rows[place]] == pytest.approx([s.loss for s in alone[place]], rel=1e-4)


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("common", [{}, {"optimiser": "sgd", "average": 0.9}], ids=str)
def test_one_can_leave_and_go_on_alone_while_the_others_go_on(common: dict[str, Any]) -> None:
    arms = [small(**common, **arm) for arm in ARMS]
    together = Stacked(arms)
    first = list(together.steps(until=2))
    leaver = together.alone(1)
    assert (together.at, leaver.at, len(first)) == (2, 2, 2)
    rest = [steps[1].loss for steps in together.steps()]
    assert [step.loss for step in leaver.steps()] == pytest.approx(rest, rel=1e-6)
    assert_same_weights(leaver, together.alone(1), rtol=1e-9, atol=1e-11)


def test_the_last_update_goes_along() -> None:
    together = Stacked([small(scale=0.1), small(scale=0.3)])
    list(together.steps(until=2))
    leaver = next(together.alone(1).steps())
    assert len(leaver.update) == 3
    assert leaver.update == pytest.approx(next(together.steps())[1].update, rel=1e-5)


def test_leaving_disturbs_nobody() -> None:
    arms = [small(scale=scale) for scale in (1.0, 0.1)]
    undisturbed, left = Stacked(arms), Stacked(arms)
    expected, found = list(undisturbed.steps()), []
    for steps in left.steps():
        found.append(steps)
        if steps[0].step == 1:
            left.alone(0)
    assert found == expected


def test_half_precision_in_a_stack_is_near_that_alone() -> None:
    arms = [tiny(precision="bf16", scale=scale, steps=2) for scale in (0.3, 0.1)]
    rows = list(zip(*Stacked(arms).steps(), strict=True))
    for row, arm in zip(rows, arms, strict=True):
        expected = list(Training(arm).steps())
        assert [s.loss for s in row] == pytest.approx([s.loss for s in expected], rel=0.05)


def test_the_callers_generator_is_left_alone() -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    list(Stacked([tiny(steps=2), tiny(steps=2, seed=1)]).steps())
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize(
    "change",
    [
        {"width": 0.07},
        {"batch": 5},
        {"steps": 5},
        {"gain": "learned"},
        {"end_norm": True},
        {"optimiser": "sgd"},
        {"average": 0.9},
        {"telemetry_every": 2},
        {"image_size": 32},
        {"threads": 2},
    ],
    ids=str,
)
def test_what_changes_a_shape_or_an_operation_keeps_runs_apart(change: dict[str, Any]) -> None:
    assert compatible(tiny(), tiny(seed=3, **ARMS[3]))
    assert not compatible(tiny(), tiny(**change))
    with pytest.raises(SettingsError, match="one by one"):
        Stacked([tiny(), tiny(**change)])


@pytest.mark.parametrize(
    "alone",
    [
        tiny(optimiser="adam"),
        tiny(precision="fp16"),
        tiny(dropout=0.5),
        tiny(checkpoint_every=2),
        tiny(fork=Fork(run="some", step=2)),
    ],
    ids=("adam", "fp16", "dropout", "checkpoints", "fork"),
)
def test_what_has_a_state_of_its_own_stays_alone(alone: Settings) -> None:
    assert not stackable(alone)
    assert not compatible(alone, alone)


def test_a_group_falls_into_stacks() -> None:
    group = [tiny(scale=s) for s in (1.0, 0.5, 0.1)]
    group.insert(1, tiny(width=0.07))
    group.append(tiny(dropout=0.5))
    assert stacks(group, most=2) == [[0, 2], [1], [3], [4]]
    assert stacks(group, most=30) == [[0, 2, 3], [1], [4]]
    assert stacks([], most=2) == []


@pytest.mark.heavy
def test_micro_in_a_stack_has_the_outcomes_it_has_alone() -> None:
    arms = [preset("micro", scale=scale, seed=seed, steps=60) for scale in (1.0, 0.1) for seed in (0, 1, 2)]
    rows = list(zip(*Stacked(arms).steps(), strict=True))
    found = [outcomes.judge(row).outcome for row in rows]
    assert found == [outcomes.judge(list(Training(arm).steps())).outcome for arm in arms]
    assert found[:3] == ["dies"] * 3
