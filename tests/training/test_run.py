"""A run in this process: its numbers belong to the seed, step 0 comes before any update, the caller is left alone."""

import copy
import math
import time

import pytest
import torch
from torch.nn import functional

from inception_lab.errors import ImpossibleAdd, SettingsError
from inception_lab.training import data
from inception_lab.training.events import Step
from inception_lab.training.initialise import initialised
from inception_lab.training.loop import Training
from inception_lab.training.overhead import telemetry_overhead
from inception_lab.training.run import run
from tests.training.tiny import tiny


@pytest.fixture(scope="module")
def plain() -> list[Step]:
    return list(run(tiny()))


def test_step_0_is_the_network_as_initialised(plain: list[Step]) -> None:
    settings = tiny()
    model = initialised(settings.net(), init="he", seed=0).train()
    images = data.load("fashion_mnist_extract", size=28, device=torch.device("cpu"))[0]
    x, y = images.batch(next(data.order(len(images), batch=settings.batch, seed=settings.seed)))
    with torch.no_grad():
        logits = model(x)
    assert plain[0].loss == pytest.approx(float(functional.cross_entropy(logits, y)), rel=1e-6)
    assert plain[0].accuracy == pytest.approx(float((logits.argmax(1) == y).float().mean()))


def test_a_step_says_everything(plain: list[Step]) -> None:
    assert [step.step for step in plain] == list(range(6))
    for step in plain:
        assert len(step.shortcut) == len(step.residual) == len(step.zeros) == len(step.ratio) == 4
        assert step.gradient_norm is not None
        assert step.zero_share == step.zeros[-1]  # the last block's output is what is pooled
        assert step.rate == 0.05


def test_the_same_seed_gives_the_same_numbers(plain: list[Step]) -> None:
    torch.manual_seed(99)
    torch.rand(7)
    assert list(run(tiny())) == plain
    assert list(run(tiny(seed=1))) != plain


def test_runs_taken_in_turns_give_the_numbers_they_give_alone(plain: list[Step]) -> None:
    pairs = list(zip(run(tiny()), run(tiny(seed=1)), strict=True))
    assert [pair[0] for pair in pairs] == plain


def test_telemetry_changes_nothing_it_measures(plain: list[Step]) -> None:
    bare = list(run(tiny(telemetry_every=0)))
    assert [(step.loss, step.accuracy) for step in bare] == [(step.loss, step.accuracy) for step in plain]
    assert all(step.zero_share is None and step.gradient_norm is None and step.zeros == () for step in bare)
    sparse = list(run(tiny(telemetry_every=4)))
    assert [step.zero_share is not None for step in sparse] == [True, False, False, False, True, False]
    assert sparse[4] == plain[4]


def test_the_arms_of_a_seed_differ_in_the_scale_only() -> None:
    arms = [Training(tiny(scale=scale)) for scale in (1.0, 0.1)]
    first = [next(arm.steps()) for arm in arms]
    assert first[0].shortcut[0] == first[1].shortcut[0]  # the same weights saw the same batch
    assert first[1].residual[0] == pytest.approx(0.1 * first[0].residual[0], rel=1e-5)


def test_the_callers_torch_is_left_alone() -> None:
    state, threads = torch.random.get_rng_state(), torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        steps = run(tiny(threads=1))
        next(steps)
        assert torch.get_num_threads() == 2
        next(steps)
        steps.close()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_the_run_has_its_own_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    training = Training(tiny(threads=2, steps=1))
    seen: list[int] = []
    training.model.register_forward_pre_hook(lambda *_: seen.append(torch.get_num_threads()))
    list(training.steps())
    assert seen == [2]


def test_the_rate_and_the_clip_are_followed() -> None:
    steps = list(run(tiny(schedule="exponential", schedule_factor=0.5, schedule_steps=2, clip=0.5)))
    assert [step.rate for step in steps] == [0.05, 0.05, 0.025, 0.025, 0.0125, 0.0125]
    assert steps[0].gradient_norm is not None
    assert steps[0].gradient_norm > 0.5  # the norm is the one before clipping


def test_a_clipped_step_is_no_longer_than_the_clip() -> None:
    training = Training(tiny(optimiser="sgd", momentum=0.0, rate=1.0, clip=0.25, steps=1))
    before = copy.deepcopy(training.model)
    list(training.steps())
    pairs = zip(training.model.parameters(), before.parameters(), strict=True)
    moved = torch.cat([(p - q).detach().flatten() for p, q in pairs])
    assert float(moved.norm()) == pytest.approx(0.25, rel=1e-3)


def test_the_last_update_is_applied() -> None:
    training = Training(tiny(steps=1))
    before = training.model.head.classifier.weight.detach().clone()
    list(training.steps())
    assert not torch.equal(training.model.head.classifier.weight.detach(), before)


def test_the_average_is_what_is_evaluated() -> None:
    training = Training(tiny(average=0.9, steps=3))
    list(training.steps())
    assert training.evaluated is not training.model
    live, kept = training.model.state_dict(), training.evaluated.state_dict()
    assert live.keys() == kept.keys()
    assert not torch.equal(live["head.classifier.weight"], kept["head.classifier.weight"])
    assert Training(tiny()).evaluated.net == training.evaluated.net


def test_the_test_images_are_all_counted() -> None:
    training = Training(tiny(steps=2))
    list(training.steps())
    with torch.no_grad():
        training.model.head.classifier.weight.zero_()
        training.model.head.classifier.bias.copy_(torch.eye(10)[3])
    assert training.test_accuracy() == 0.1  # always "Dress": 200 of 2,000
    assert training.test_accuracy(stop=lambda: True) is None


def test_numbers_out_of_range_are_kept() -> None:
    steps = list(run(tiny(optimiser="sgd", rate=100.0, steps=20)))
    assert len(steps) == 20
    assert any(not math.isfinite(step.loss) for step in steps)


def test_what_cannot_be_built_says_so() -> None:
    with pytest.raises(ImpossibleAdd, match=r"[ABC]/01"):
        next(run(tiny(network="inception_resnet_v2_printed")))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_missing_gpu_says_so() -> None:
    with pytest.raises(SettingsError, match="no CUDA device"):
        next(run(tiny(device="cuda")))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_a_gpu_starts_from_the_same_weights(plain: list[Step]) -> None:
    found = next(run(tiny(device="cuda")))
    assert found.loss == pytest.approx(plain[0].loss, rel=1e-3)


def test_the_cost_of_telemetry_can_be_measured() -> None:
    found = telemetry_overhead(tiny(), steps=2, clock=time.process_time)
    assert found.steps == 2
    assert found.ratio == found.with_telemetry / found.without_telemetry > 0
