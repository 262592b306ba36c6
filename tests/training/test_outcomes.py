"""Each outcome word means what its definition says, at its thresholds and on the right window."""

import math
from dataclasses import asdict
from typing import get_args

import pytest

from inception_lab.errors import RunError
from inception_lab.training.events import Step, jsonable
from inception_lab.training.outcomes import (
    DEFINITIONS,
    Judgement,
    Limits,
    Outcome,
    first_silent,
    judge,
    limits,
    silences,
)


def run(
    *, steps: int = 40, loss: float = 1.0, accuracy: float = 0.7, zeros: float | None = 0.5, at: int = 0
) -> list[Step]:
    return [Step(step=at + n, loss=loss, accuracy=accuracy, rate=0.2, zero_share=zeros) for n in range(steps)]


@pytest.mark.parametrize(
    ("steps", "outcome"),
    [
        (run(accuracy=0.6), "trains"),
        (run(accuracy=0.5999), "slow"),
        (run(accuracy=0.25), "slow"),
        (run(accuracy=0.2499), "stalls"),
        (run(loss=2.6, accuracy=0.1), "stalls"),
        (run(steps=1, loss=2.5) + run(loss=2.6001, accuracy=0.1, at=1), "diverges"),
        (run(steps=1, loss=12.0) + run(loss=3.3, accuracy=0.1, at=1), "stalls"),  # high, but falling
        (run(loss=2.3, accuracy=0.1, zeros=0.9989), "stalls"),
        (run(loss=2.3, accuracy=0.1, zeros=0.999), "dies"),
        (run(loss=9.0, zeros=1.0), "dies"),
        (run(loss=math.nan, zeros=1.0), "nan"),
        (run(loss=math.inf), "nan"),
        (run(loss=2.3, accuracy=0.1, zeros=None), "stalls"),
    ],
)
def test_thresholds(steps: list[Step], outcome: Outcome) -> None:
    assert judge(steps).outcome == outcome


def test_only_the_last_twenty_steps_count() -> None:
    judgement = judge(run(steps=100, accuracy=0.1, zeros=1.0) + run(steps=20, accuracy=0.8, zeros=0.3, at=100))
    assert judgement.outcome == "trains"
    assert judgement.died_at is None
    assert (judgement.window, judgement.accuracy, judgement.zero_share) == (20, pytest.approx(0.8), pytest.approx(0.3))


def test_one_spike_of_the_loss_is_no_divergence() -> None:
    steps = run(steps=39, loss=1.0) + run(steps=1, loss=500.0, at=39)
    assert judge(steps).outcome == "trains"
    assert judge(steps).loss == pytest.approx(519 / 20)


def test_death_is_dated_at_the_first_dead_step() -> None:
    steps = run(steps=9, zeros=0.99) + run(steps=40, zeros=0.9999, at=9)
    assert judge(steps).died_at == 9


def test_a_short_run_is_called_short_unless_it_died_or_broke() -> None:
    assert judge(run(steps=3)).window == 3
    assert judge(run(steps=39, loss=50.0, accuracy=0.1)).outcome == "short"
    assert judge(run(steps=20, zeros=1.0)).outcome == "dies"
    assert judge(run(steps=19, zeros=1.0)).outcome == "short"
    assert judge(run(steps=2, loss=math.nan)).outcome == "nan"
    with pytest.raises(RunError, match="without a single step"):
        judge([])


def test_every_word_has_its_definition() -> None:
    assert set(DEFINITIONS) == set(get_args(Outcome))
    assert "99.9%" in DEFINITIONS["dies"]


def test_ten_classes_have_the_limits_of_the_shipped_runs_to_the_last_digit() -> None:
    assert limits() == limits(10) == Limits(diverged=2.6, stalled=0.25, trained=0.6)


@pytest.mark.parametrize(
    ("classes", "stalled", "trained"), [(2, 7 / 12, 7 / 9), (8, 1 / 8 + 7 / 48, 11 / 18), (100, 0.175, 0.56)]
)
def test_other_numbers_of_classes_are_as_far_from_guessing(classes: int, stalled: float, trained: float) -> None:
    at = limits(classes)
    assert (at.stalled, at.trained) == (pytest.approx(stalled), pytest.approx(trained))
    assert at.diverged - math.log(classes) == pytest.approx(2.6 - math.log(10))


def test_of_two_classes_guessing_stalls_and_a_high_loss_is_lower() -> None:
    guessing = run(loss=0.7, accuracy=0.5)
    assert (judge(guessing).outcome, judge(guessing, 2).outcome) == ("slow", "stalls")
    assert judge(run(accuracy=0.7), 2).outcome == "slow"
    high = run(steps=1, loss=0.7) + run(loss=1.1, accuracy=0.5, at=1)
    assert (judge(high).outcome, judge(high, 2).outcome) == ("slow", "diverges")


def test_a_block_is_silent_from_99_per_cent_of_zeros_on() -> None:
    shares = [(0.2, 0.9899, 0.5), (0.99, 0.5, 0.999), (1.0, 0.995, 0.1)]
    steps = [Step(step=5 + n, loss=1.0, accuracy=0.1, rate=0.2, zeros=zeros) for n, zeros in enumerate(shares)]
    assert list(silences(steps).items()) == [(0, 6), (2, 6), (1, 7)]
    assert first_silent(steps, ("net/A/01", "net/B/07", "net/C/01")) == "A/01"
    assert first_silent(steps[:1], ("net/A/01",)) == first_silent([], ()) == ""


def test_a_judgement_is_read_back_from_a_result() -> None:
    said = judge(run(steps=40, loss=math.inf, zeros=None))
    words = {**jsonable(asdict(said)), "seconds": 3.0}
    assert words["outcome"] == "nan"
    assert words["loss"] == "inf"
    assert Judgement.from_dict(words) == said
