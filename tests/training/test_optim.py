"""The optimisers make the published numbers, the rate falls in stairs, clip and average are what they say."""

import math
import subprocess
import sys

import pytest
import torch
from torch import nn

from inception_lab.training import optim
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


def test_it_is_timms_class() -> None:
    chosen = optim.optimiser(Settings(), [nn.Parameter(torch.zeros(1))])
    assert type(chosen).__name__ == "RMSpropTF"
    assert "timm" in (sys.modules[type(chosen).__module__].__file__ or "")
