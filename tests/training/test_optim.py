"""The optimisers make the published numbers, the rate falls in stairs, clip and average are what they say."""

import copy
import math
import subprocess
import sys

import pytest
import torch
from timm.optim import RMSpropTF
from torch import Tensor, nn

from inception_lab.training import optim, rmsprop
from inception_lab.training.rmsprop import RMSProp
from inception_lab.training.settings import Settings

GRADIENTS = (0.5, -0.2, 1.0)


def walked(settings: Settings) -> list[float]:
    """Where one weight from 0 goes under the three gradients."""
    weight = nn.Parameter(torch.zeros(1))
    optimiser = optim.optimiser(settings, [weight])
    places = []
    for gradient in GRADIENTS:
        weight.grad = torch.tensor([gradient])
        optimiser.step()
        places.append(float(weight.detach()))
    return places


def test_rmsprop_in_tensorflow_form() -> None:
    found = walked(Settings(rate=0.045, decay=0.9, eps=1.0, momentum=0.9))
    assert found == pytest.approx([-0.016217, -0.024171, -0.064389], abs=1e-6)


def test_rmsprop_by_the_formula() -> None:
    mean, buffer, weight, places = 1.0, 0.0, 0.0, []
    for gradient in GRADIENTS:
        mean = 0.8 * mean + 0.2 * gradient**2
        buffer = 0.5 * buffer + 0.1 * gradient / math.sqrt(mean + 0.01)
        weight -= buffer
        places.append(weight)
    assert walked(Settings(rate=0.1, decay=0.8, eps=0.01, momentum=0.5)) == pytest.approx(places, rel=1e-5)


def test_momentum_sgd() -> None:
    found = walked(Settings(optimiser="sgd", rate=0.1, momentum=0.9))
    assert found == pytest.approx([-0.05, -0.075, -0.1975], abs=1e-6)


def test_adam_keeps_its_own_defaults() -> None:
    chosen = optim.optimiser(Settings(optimiser="adam", momentum=0.8), [nn.Parameter(torch.zeros(1))])
    assert (chosen.defaults["betas"], chosen.defaults["eps"]) == ((0.8, 0.999), 1e-8)


def test_a_new_rate_acts_on_new_gradients_only() -> None:
    weight = nn.Parameter(torch.zeros(1))
    chosen = optim.optimiser(Settings(rate=0.1, momentum=0.5), [weight])
    weight.grad = torch.tensor([1.0])
    chosen.step()
    first = float(weight.detach())
    optim.set_rate(chosen, 0.0)
    chosen.step()
    assert float(weight.detach()) == pytest.approx(1.5 * first)


@pytest.mark.parametrize(("word", "last"), [("sgd", -0.5), ("rmsprop_tf", None)])
def test_a_momentum_that_comes_back_after_none_moves_along_no_old_gradient(word: str, last: float | None) -> None:
    """Gradients 1, 0 and 5 of one weight at rate 0.1, with the momentum 0.9, then 0, then 0.9 again."""
    weight = nn.Parameter(torch.zeros(1))
    known = Settings(optimiser=word, rate=0.1)
    chosen = optim.optimiser(known, [weight])
    moves = []
    for gradient, momentum in ((1.0, 0.9), (0.0, 0.0), (5.0, 0.9)):
        optim.adjust(chosen, known.with_(momentum=momentum))
        weight.grad, before = torch.tensor([gradient]), float(weight.detach())
        chosen.step()
        moves.append(float(weight.detach()) - before)
    assert moves[0] < 0
    assert moves[1] == 0
    if last is not None:
        assert moves[2] == pytest.approx(last)  # -0.581 with the velocity of two steps ago
    assert "momentum_buffer" in chosen.state[weight]
    chosen.load_state_dict(chosen.state_dict())


def test_the_rate_falls_in_stairs() -> None:
    settings = Settings(rate=0.045, schedule="exponential", schedule_factor=0.94, schedule_steps=2)
    assert optim.rate_at(settings, 0) == optim.rate_at(settings, 1) == 0.045
    # the table of the paper's recipe, epochs for steps
    rates = {20: 0.02424, 50: 0.00958, 100: 0.00204, 120: 0.00110, 160: 3.19e-4, 200: 9.25e-5}
    assert {step: optim.rate_at(settings, step) for step in rates} == pytest.approx(rates, rel=5e-3)
    assert optim.rate_at(Settings(rate=0.045), 10_000) == 0.045


def test_the_clip_bounds_the_norm_of_all_gradients_together() -> None:
    weights = [nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(2))]
    weights[0].grad, weights[1].grad = torch.tensor([3.0]), torch.tensor([0.0, 4.0])
    assert float(optim.gradient_norm(weights)) == 5
    assert float(optim.clip(weights, 1.0)) == 5
    assert float(optim.gradient_norm(weights)) == pytest.approx(1, abs=1e-5)
    assert float(optim.clip(weights, 2.0)) == pytest.approx(1, abs=1e-5)
    assert float(optim.gradient_norm(weights)) == pytest.approx(1, abs=1e-5)


def test_the_average_runs_behind_the_weights_and_statistics() -> None:
    model = nn.BatchNorm1d(1)
    averaged = optim.average(model, 0.75)
    averaged.update_parameters(model)
    with torch.no_grad():
        model.weight.fill_(5.0)
        model.running_mean.fill_(8.0)  # type: ignore[union-attr]
    averaged.update_parameters(model)
    assert float(averaged.module.weight.detach()) == 2.0
    assert float(averaged.module.running_mean) == 2.0


def test_a_worker_starts_without_what_it_does_not_need() -> None:
    script = """
import sys, torch
from inception_lab.training import optim
from inception_lab.training.settings import Settings
optim.without_compiler()
weight = torch.nn.Parameter(torch.ones(3))
chosen = optim.optimiser(Settings(optimiser="rmsprop_tf"), [weight])
weight.sum().backward()
chosen.step()
assert float(weight.detach()[0]) < 1
print([name for name in ("torch._dynamo", "timm", "torchvision", "streamlit") if name in sys.modules])
"""
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("momentum", [0.9, 0.0])
@pytest.mark.parametrize("last", [False, True], ids=["contiguous", "channels-last"])
@pytest.mark.parametrize("rate", [0.2, torch.tensor(0.2)], ids=["number", "tensor"])
def test_the_flat_form_is_timms_bit_for_bit(rate: float | Tensor, last: bool, momentum: float) -> None:
    """At sizes that no vector of a processor divides, and over the border between two pieces."""
    chance = torch.Generator().manual_seed(0)
    shapes = [(3,), (1,), (5, 7, 3, 3), (17,), (64, 11, 1, 7), (rmsprop.PIECE + 13,), ()]
    ours, theirs = [], []
    for shape in shapes:
        drawn = torch.randn(shape, generator=chance)
        drawn = drawn.contiguous(memory_format=torch.channels_last) if last and len(shape) == 4 else drawn
        ours.append(nn.Parameter(drawn.clone()))
        theirs.append(nn.Parameter(drawn.clone()))
    flat = RMSProp(ours, lr=rate, alpha=0.9, eps=1.0, momentum=momentum)
    plain = RMSpropTF(theirs, lr=0.2, alpha=0.9, eps=1.0, momentum=momentum, foreach=False)
    for _ in range(4):
        for a, b in zip(ours, theirs, strict=True):
            a.grad = torch.randn(a.shape, generator=chance)
            b.grad = a.grad.clone()
        flat.step()
        plain.step()
    for a, b in zip(ours, theirs, strict=True):
        assert torch.equal(a, b), a.shape
        assert torch.equal(flat.state[a]["square_avg"], plain.state[b]["square_avg"])


def test_what_it_remembers_can_be_kept_and_given_to_another() -> None:
    def stepped(chosen: torch.optim.Optimizer, model: nn.Module, seed: int) -> None:
        chance = torch.Generator().manual_seed(seed)
        for p in model.parameters():
            p.grad = torch.randn(p.shape, generator=chance)
        chosen.step()

    model = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3))
    first = optim.optimiser(Settings(), model.parameters())
    stepped(first, model, 1)
    kept = copy.deepcopy({"model": model.state_dict(), "optimiser": first.state_dict()})
    stepped(first, model, 2)
    again = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3))
    second = optim.optimiser(Settings(), again.parameters())
    again.load_state_dict(kept["model"])
    second.load_state_dict(kept["optimiser"])
    memory = second.state[again[0].weight]["momentum_buffer"]
    before = kept["optimiser"]["state"][0]["momentum_buffer"].clone()
    assert torch.equal(memory, before)
    stepped(second, again, 2)
    for a, b in zip(model.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)
    assert torch.equal(kept["optimiser"]["state"][0]["momentum_buffer"], before), "going on must not reach into it"
    assert not torch.equal(memory, before), "what the state shows is what the optimiser goes on with"


def test_timms_memory_can_be_gone_on_with() -> None:
    a, b = nn.Parameter(torch.ones(3)), nn.Parameter(torch.ones(3))
    a.grad = b.grad = torch.tensor([0.5, -1.0, 2.0])
    plain = RMSpropTF([b], lr=0.1, alpha=0.9, eps=1.0, momentum=0.9, foreach=False)
    plain.step()
    flat = RMSProp([a], lr=0.1)
    flat.load_state_dict(plain.state_dict())
    with torch.no_grad():
        a.copy_(b)
    plain.step()
    flat.step()
    assert torch.equal(a, b)


def test_a_rate_in_a_tensor_stays_the_same_tensor() -> None:
    rate = torch.tensor(0.1)
    chosen = RMSProp([nn.Parameter(torch.zeros(1))], lr=rate)
    optim.set_rate(chosen, 0.05)
    assert chosen.param_groups[0]["lr"] is rate
    assert float(rate) == pytest.approx(0.05)


def test_a_parameter_without_a_gradient_is_told() -> None:
    with pytest.raises(ValueError, match="1 parameters have no gradient"):
        RMSProp([nn.Parameter(torch.zeros(1))], lr=0.1).step()
