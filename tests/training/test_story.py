"""The story says what is in the numbers, and nothing else."""

import math

from inception_lab.training.events import Step
from inception_lab.training.reference import load
from inception_lab.training.story import story


def test_a_death_is_told_from_the_shipped_run() -> None:
    run = next(run for run in load() if run.settings.scale == 1.0 and run.settings.seed == 0)
    told = story(run.steps, run.addresses)
    peak = max(run.steps, key=lambda step: step.loss)
    assert f"to {peak.loss:.3g} at step {peak.step}." in told
    assert f"passed 99.9% at step {run.judgement.died_at}" in told
    first = next(step for step in run.steps if max(step.zeros) >= 0.99)
    assert f"put out 99% zeros at step {first.step}." in told


def test_a_run_that_learns_is_told_without_a_death() -> None:
    run = next(run for run in load() if run.settings.scale == 0.1 and run.settings.seed == 0)
    told = story(run.steps, run.addresses)
    assert f"the accuracy is {run.judgement.accuracy:.2f}" in told
    assert "ReLU passes no gradient" not in told


def test_nothing_and_nan() -> None:
    assert story((), ()) == ""
    assert story([Step(step=0, loss=math.nan, accuracy=0.1, rate=0.2)], ()).startswith("The loss was never a number.")


def test_the_step_at_which_a_loss_broke_is_named() -> None:
    steps = [Step(step=n, loss=2.3 if n < 7 else math.inf, accuracy=0.1, rate=0.2) for n in range(40)]
    assert "At step 7 the loss was inf;" in story(steps, ())


def test_near_death_is_told_with_its_zeros() -> None:
    steps = [Step(step=n, loss=2.3, accuracy=0.1, rate=0.2, zero_share=0.9951) for n in range(40)]
    assert story(steps, ()).endswith("the accuracy is 0.10, with 99.51% zeros before the pooling.")
