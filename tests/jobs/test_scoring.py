"""Brier scores and calibration by hand-made numbers."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from inception_lab.intervals import wilson
from inception_lab.jobs.predictions import WORDS, Prediction, arm_key
from inception_lab.jobs.scoring import (
    CONFIDENCE,
    Ended,
    brier,
    calibration,
    class_score,
    ended,
    late,
    rule_brier,
    scores,
    spread,
    too_short,
)
from inception_lab.jobs.store import Run
from inception_lab.training.presets import preset


def said(word: str | None, *, who: str = "Ada", arm: str = "a", probability: float = 1.0, made: float = 1.0):
    return Prediction(group="g", arm=arm, who=who, word=word, probability=probability, made=made)


def run(outcome: str | None, *, scale: float = 1.0, seed: int = 0, at: float | None = 10.0, status: str = "finished"):
    return Run(
        id=f"{scale}-{seed}",
        group="g",
        status=status,
        settings=preset("micro", scale=scale, seed=seed),
        created=0.0,
        started=1.0,
        ended=at,
        error=None,
        result={"outcome": outcome},
        folder=Path(),
    )


def test_the_score_of_a_tap() -> None:
    assert brier(spread("dies", 1.0), "dies") == 0
    assert brier(spread("dies", 1.0), "trains") == 2
    assert brier(spread("dies", 0.9), "dies") == pytest.approx(0.1**2 + 4 * 0.025**2)
    assert brier(spread("dies", 0.7), "slow") == pytest.approx(0.7**2 + 0.925**2 + 3 * 0.075**2)
    assert brier(spread("dies", 0.2), "slow") == pytest.approx(0.8)
    for probability in CONFIDENCE.values():
        assert sum(spread("slow", probability).values()) == pytest.approx(1)
    assert set(spread("slow", 0.5)) == set(WORDS)


def test_runs_too_short_to_judge_are_counted_and_not_called_unfinished() -> None:
    known = [run("short"), run("short", seed=1), run("dies", seed=2), run(None, seed=3, status="running")]
    assert too_short(known).startswith("2 runs finished and were too short to judge")
    assert too_short(known[1:]).startswith("1 run finished and was too short to judge")
    assert "40 steps or more" in too_short(known)
    assert too_short(known[2:]) == ""
    assert [each.word for each in ended(known)] == ["dies"]


def test_honesty_pays() -> None:
    """The score is proper: whoever believes 0.7 expects least when he says 0.7."""
    belief = spread("dies", 0.7)
    expected = {
        p: sum(belief[word] * brier(spread("dies", p), word) for word in WORDS) for p in (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
    }
    assert min(expected, key=expected.__getitem__) == 0.7


def test_only_finished_and_judged_runs_count_and_nan_is_divergence() -> None:
    runs = [
        run("dies", at=20.0),
        run("nan", seed=1, at=15.0),
        run("short", seed=2, at=12.0),
        run(None, seed=3, at=None, status="running"),
        run("trains", scale=0.1, status="cancelled"),
    ]
    arm = arm_key(preset("micro"))
    assert ended(runs) == [Ended(arm=arm, word="dies", first=12.0), Ended(arm=arm, word="diverges", first=12.0)]


def test_people_are_scored_over_their_runs_and_latecomers_are_not() -> None:
    runs = [Ended(arm="a", word="dies", first=10), Ended(arm="a", word="stalls", first=10)]
    runs.append(Ended(arm="b", word="trains", first=20))
    spoken = [
        said("dies"),
        said("trains", arm="b"),
        said("dies", who="Bo", made=10.0),  # as the first run ended: too late
        said("trains", who="Bo", arm="b", made=19.0, probability=0.7),
        said(None, who="Cy"),
        said("dies", who="Di", arm="not run"),
    ]
    bo, ada = scores(spoken, runs)
    assert (ada.who, ada.right, ada.n, ada.arms) == ("Ada", 2, 3, 2)
    assert ada.brier == pytest.approx((0 + 2 + 0) / 3)
    assert (bo.who, bo.n, bo.brier) == ("Bo", 1, pytest.approx(0.3**2 + 4 * 0.075**2))
    assert late(spoken, runs) == [spoken[2]]
    everybody = class_score(spoken, runs)
    assert (everybody.right, everybody.n) == (3, 4)
    assert (everybody.low, everybody.high) == wilson(3, 4)
    assert everybody.brier == pytest.approx((0 + 2 + 0 + bo.brier) / 4)


def test_calibration_counts_how_often_each_probability_came_true() -> None:
    runs = [Ended(arm="a", word="dies", first=10), Ended(arm="b", word="trains", first=10)]
    spoken = [
        said("dies", probability=0.7),
        said("dies", arm="b", probability=0.7),
        said("trains", who="Bo", arm="b"),
    ]
    low, sure = calibration(spoken, runs)
    assert (low.said, low.n, low.true, low.low, low.high) == (0.7, 2, 1, *wilson(1, 2))
    assert (sure.said, sure.n, sure.true) == (1.0, 1, 1)


def test_nobody_has_no_score() -> None:
    assert scores([], []) == calibration([], []) == []
    assert math.isnan(class_score([], []).brier)
    assert math.isnan(rule_brier([]))


def test_the_rule_is_scored_on_its_two_words() -> None:
    assert rule_brier([(10, True), (1, False)]) == 0
    assert rule_brier([(10, True), (1, True), (10, False), (1, False)]) == 1
