"""What the watching page draws from runs: arms told apart, forks on their stems, nothing drawn twice for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pandas
import pytest
from streamlit.testing.v1 import AppTest

from inception_lab.training.reference import load
from inception_lab.training.settings import Fork
from inception_lab.ui import runs, watch
from inception_lab.ui.runs import Arm

REFERENCE = load()[0]


def arm(name: str = "a", *, steps: int = 30, first: int = 0, **changes: Any) -> Arm:
    return Arm(
        name=name,
        settings=REFERENCE.settings.with_(**changes),
        status="running",
        steps=REFERENCE.steps[first:steps],
        addresses=REFERENCE.addresses,
        judgement=None,
        kind="here",
    )


@pytest.fixture
def state() -> Iterator[dict[str, Any]]:
    """A session's state."""
    kept: dict[str, Any] = {}
    with patch("streamlit.session_state", kept):
        yield kept


def test_arms_are_told_apart_by_every_setting_that_differs_but_not_by_their_length() -> None:
    found = [arm(rate=0.2, clip=1.0), arm("b", rate=0.02, steps=10, clip=1.0), arm("c", seed=3, scale=0.1, clip=1.0)]
    assert runs.differing(found) == ("rate",)
    assert [one.other for one in runs.series(found, "loss")] == ["rate 0.2", "rate 0.02", "rate 0.2"]
    assert [one.dash for one in runs.series(found, "loss", dash=())] == ["", "", ""]


def test_a_setting_is_said_in_words() -> None:
    found = arm(stage_scales=(0.1, 0.2, 0.3), clip=None, augment=True)
    told = runs.words(found, ("stage_scales", "clip", "augment", "rate", "fork"))
    assert told == "stage scales 0.1/0.2/0.3, clip none, augment yes, rate 0.2"


def test_a_fork_begins_at_the_last_point_of_its_stem() -> None:
    parent, child = arm("parent"), arm("child", first=12, scale=0.1, fork=Fork(run="parent", step=12))
    stem, branch = runs.series([parent, child], "loss")
    assert (list(branch.steps[:2]), branch.values[0], branch.fork) == ([11, 12], stem.values[11], 12)
    alone = runs.series([child], "loss")[0]
    assert alone.steps[0] == 12, "a stem that is not on screen is not drawn"


def test_the_block_that_fell_silent_first_is_named() -> None:
    assert runs.first_silent(REFERENCE.steps, REFERENCE.addresses) == "C/05"
    assert runs.first_silent(REFERENCE.steps[:3], REFERENCE.addresses) == ""


def test_a_picture_to_which_nothing_was_added_is_not_built_again(state: dict[str, Any]) -> None:
    choice = watch.Choice(metrics=("loss",))
    first = watch._Picture.of([arm()], choice, key="k")
    assert watch._Picture.of([arm()], choice, key="k") is first
    assert watch._Picture.of([arm(steps=31)], choice, key="k") is not first


def test_a_step_more_sends_a_step_more(state: dict[str, Any]) -> None:
    sent: list[dict[str, Any]] = []
    with (
        patch("inception_lab.ui.components.component", lambda *_, **__: lambda **given: sent.append(given["data"])),
        patch("streamlit.caption"),
    ):
        for steps in (100, 101):
            watch.curves([arm(steps=steps)], watch.Choice(metrics=("loss", "accuracy")))
    assert [message["whole"] for message in sent] == [True, False]
    assert sent[0]["base"] == sent[1]["base"]
    assert {name: (start, len(text)) for name, (_, start, text) in sent[1]["arrays"].items()} == {
        "t0 y": (100, 8),
        "t1 y": (100, 8),
    }


def test_the_table_shows_what_differs_and_the_newest_numbers() -> None:
    def script() -> None:
        from inception_lab.ui import watch
        from tests.ui.test_watch import arm

        watch.differences([arm(scale=0.1, rate=0.02), arm("b", scale=1.0)])
        watch.death_meter([arm(scale=0.1), arm("b", scale=1.0, steps=5)])

    app = AppTest.from_function(script, default_timeout=60).run()
    assert not app.exception
    frame: pandas.DataFrame = app.dataframe[0].value
    assert list(frame.columns[:3]) == ["scale", "seed", "rate"]
    assert "network" not in frame.columns
    last = REFERENCE.steps[29]
    assert (frame.loc[0, "step"], frame.loc[0, "loss"]) == (29, last.loss)


def test_slow_motion_of_a_step_that_was_never_made_is_nothing() -> None:
    app = AppTest.from_string(
        "from dataclasses import replace\n"
        "from inception_lab.ui.callouts import callouts\n"
        "from tests.ui.test_watch import arm\n"
        "callouts(arm(), step=500, block=0)\n"
        "callouts(replace(arm(), addresses=()), step=3, block=0)\n",
        default_timeout=60,
    ).run()
    assert not app.exception
    assert not app.main.children
