"""Predictions are kept once, by any number of processes, and say who cannot be."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from inception_lab.errors import RunError
from inception_lab.jobs.predictions import Prediction, arm_key, of_group, record
from inception_lab.training.presets import preset


def said(word: str | None = "dies", **changes: object) -> Prediction:
    return Prediction(**{"group": "g", "arm": "a", "who": "Ada", "word": word, **changes})


def test_the_first_word_stays(home: Path) -> None:
    assert of_group("g") == []
    assert not home.exists()  # to look makes nothing
    first, other = said(probability=0.7), said("trains", who="Bo")
    assert record([first, other]) == 2
    assert record([said("trains"), said("slow", arm="b")]) == 1
    assert of_group("g") == [first, other, of_group("g")[2]]
    assert [(one.arm, one.who, one.word) for one in of_group("g")] == [
        ("a", "Ada", "dies"),
        ("a", "Bo", "trains"),
        ("b", "Ada", "slow"),
    ]
    assert of_group("another") == []


def test_skipping_is_kept_too() -> None:
    record([said(None)])
    assert [one.word for one in of_group("g")] == [None]


def test_several_processes_lose_nothing(home: Path) -> None:
    code = (
        "import sys; from inception_lab.jobs.predictions import Prediction, record\n"
        "for n in range(25): record([Prediction(group='g', arm=str(n), who=sys.argv[1], word='slow')])"
    )
    children = [subprocess.Popen([sys.executable, "-c", code, who]) for who in ("Ada", "Bo", "Cy")]
    assert [child.wait(timeout=60) for child in children] == [0, 0, 0]
    assert len({(one.arm, one.who) for one in of_group("g")}) == 75


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"word": "short"}, "one of trains"),
        ({"probability": 0.1}, "from 0.2 to 1"),
        ({"probability": float("nan")}, "from 0.2 to 1"),
        ({"who": " "}, "1 to 40"),
        ({"who": "x" * 41}, "1 to 40"),
    ],
)
def test_what_cannot_be_predicted_is_said(changes: dict[str, object], word: str) -> None:
    with pytest.raises(RunError, match=word):
        said(**changes)


def test_an_arm_is_its_settings_whatever_the_seed() -> None:
    one = preset("micro", scale=0.1)
    assert arm_key(one) == arm_key(one.with_(seed=7))
    assert len({arm_key(one), arm_key(one.with_(scale=0.2)), arm_key(one.with_(rate=0.1))}) == 3
    assert arm_key(one) == "d2f4f1b0d0a487b3"  # kept in people's files: a new field with a default must not change it


def test_a_file_that_is_none_is_said(home: Path) -> None:
    home.mkdir()
    (home / "predictions.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(RunError, match="cannot be used"):
        of_group("g")
