"""Predict, then run: what unlocks Run, what is kept, who sees which score."""

from __future__ import annotations

import time
from pathlib import Path

import pandas
import pytest
from streamlit.testing.v1 import AppTest

from inception_lab.jobs import predictions
from inception_lab.jobs.predictions import Prediction, arm_key
from inception_lab.jobs.store import Store
from inception_lab.training import events
from inception_lab.training.events import Step
from inception_lab.training.files import EVENTS
from inception_lab.training.presets import preset
from inception_lab.training.settings import Settings
from inception_lab.ui.predict import differing, distinct

LARGE, SMALL = (preset("micro", scale=scale) for scale in (1.0, 0.1))


@pytest.fixture
def app() -> AppTest:
    return AppTest.from_file(Path(__file__).with_name("predicting.py"), default_timeout=60).run()


def tap(app: AppTest, settings: Settings, word: str) -> None:
    app.button_group(key=f"predict-tap-{arm_key(settings)}").set_value(word).run()
    assert not app.exception


def test_run_unlocks_with_the_last_tap_and_keeps_what_was_said(app: AppTest) -> None:
    run = lambda: app.button(key="run")  # noqa: E731
    assert run().disabled
    assert "2 of 2 arms" in app.caption[1].value  # four runs, two arms: seeds are none
    tap(app, LARGE, "dies")
    assert run().disabled
    tap(app, SMALL, "trains")
    assert not run().disabled
    app.button_group(key=f"predict-sure-{arm_key(SMALL)}").set_value("likely").run()
    app.text_input(key="group").set_value("g").run()
    app.text_input(key="predict-who").set_value("Ada").run()
    before = time.time()
    run().click().run()
    assert not app.exception
    kept = predictions.of_group("g")
    assert [(one.arm, one.who, one.word, one.probability) for one in kept] == [
        (arm_key(LARGE), "Ada", "dies", 1.0),
        (arm_key(SMALL), "Ada", "trains", 0.7),
    ]
    assert all(before <= one.made <= time.time() for one in kept)
    tap(app, LARGE, "slow")
    run().click().run()
    assert app.session_state["new"] == 0
    assert predictions.of_group("g") == kept


def test_skipping_unlocks_and_is_noted_under_a_name_of_the_session(app: AppTest) -> None:
    app.toggle(key="predict-skip").set_value(True).run()
    app.text_input(key="group").set_value("g").run()
    app.button(key="run").click().run()
    first, second = predictions.of_group("g")
    assert first.word is second.word is None
    assert first.who == second.who
    assert first.who.startswith("guest ")


def submitted(store: Store, accuracy: dict[float, float], outcome: dict[float, str]) -> None:
    """A group of finished runs as the supervisor leaves them."""
    for scale in accuracy:
        settings = preset("micro", scale=scale)
        run = store.submit(settings, group="g")
        steps = [
            Step(step=n, loss=1.0, accuracy=accuracy[scale], rate=0.2, gradient_norm=300 * scale, zero_share=0.5)
            for n in range(120)
        ]
        lines = [events.encode(events.start(addresses=(), version="0", threads=1, device="cpu", parameters=1))]
        lines += [events.encode(step.to_dict()) for step in steps]
        (store.folder(run) / EVENTS).write_text("\n".join(lines) + "\n")
        with store._database.change() as db:
            db.execute(
                "UPDATE runs SET status = 'finished', started = 1, ended = ?, result = ? WHERE id = ?",
                (time.time() + 60, f'{{"outcome": "{outcome[scale]}"}}', run),
            )


def test_scores_after_the_runs_with_the_rule_beside_people(app: AppTest, home: Path) -> None:
    spoken = [("Ada", LARGE, "dies", 0.9), ("Ada", SMALL, "trains", 1.0), ("Bo", LARGE, "slow", 1.0)]
    predictions.record(
        [Prediction(group="g", arm=arm_key(s), who=who, word=word, probability=p) for who, s, word, p in spoken]
    )
    app.text_input(key="group").set_value("g").run()
    assert "2 arms are still to be decided" in " ".join(caption.value for caption in app.caption)
    assert not app.dataframe  # nobody copies
    submitted(Store(home, supervised=False), {1.0: 0.1, 0.1: 0.7}, {1.0: "dies", 0.1: "trains"})
    app.run()
    assert not app.exception
    board: pandas.DataFrame = next(frame.value for frame in app.dataframe if "who" in frame.value)
    assert list(board.who) == ["Ada", "Bo", "everybody"]
    assert board["Brier score"][0] == pytest.approx((0.1**2 + 4 * 0.025**2) / 2)
    assert board["Brier score"][1] == 2
    assert list(board["words that came true"]) == ["2 of 2", "0 of 1", "2 of 3"]
    text = " ".join(caption.value for caption in app.caption)
    assert "right in 1 of 2, Brier score 1.000" in text  # P of the small scale is 6: the rule was wrong
    calibration: pandas.DataFrame = next(frame.value for frame in app.dataframe if "said" in frame.value)
    assert list(zip(calibration.said, calibration["came true"], calibration.n, strict=True)) == [(0.9, 1, 1), (1, 1, 2)]


def test_a_run_too_short_to_judge_is_said_and_not_waited_for(app: AppTest, home: Path) -> None:
    predictions.record(
        [Prediction(group="g", arm=arm_key(s), who="Ada", word="dies", probability=1.0) for s in (LARGE, SMALL)]
    )
    submitted(Store(home, supervised=False), {1.0: 0.1}, {1.0: "short"})
    app.text_input(key="group").set_value("g").run()
    assert not app.exception
    text = " ".join(caption.value for caption in app.caption)
    assert "1 run finished and was too short to judge" in text
    assert "1 arm is still to be decided" in text, "the other has no run at all yet"
    assert not [frame for frame in app.dataframe if "who" in frame.value]


def test_the_panel_shows_map_arms_and_scores_without_asking_for_anything(app: AppTest) -> None:
    app.toggle(key="with-forecast").set_value(True).run()
    assert not app.exception
    arms: pandas.DataFrame = next(frame.value for frame in app.dataframe if "forecast" in frame.value)
    assert list(arms.arm) == ["scale 1", "scale 0.1"]
    assert list(arms.forecast) == ["fails", "fails"]  # P = 4.06 for scale 0.1, seed 0: the rule errs here
    assert arms.P[0] == pytest.approx(70.2, abs=0.1)
    scored: pandas.DataFrame = next(frame.value for frame in app.dataframe if "threshold" in frame.value)
    assert list(scored.right) == ["26 of 30 (87%)", "27 of 30 (90%)", "25 of 30 (83%)"]
    points: pandas.DataFrame = next(frame.value for frame in app.dataframe if "rule" in frame.value)
    assert len(points) == 35
    app.select_slider(key="map-rate-0.2").set_value(0.01).run()
    again: pandas.DataFrame = next(frame.value for frame in app.dataframe if "rule" in frame.value)
    assert list(again.P) == pytest.approx(list(points.P / 20))
    app.selectbox(key="map-fixed").set_value("10/20/10 blocks").run()
    app.toggle(key="refit-store").set_value(True).run()
    assert not app.exception
    stored: pandas.DataFrame = next(frame.value for frame in app.dataframe if "threshold" in frame.value)
    assert stored.right.iloc[-1] == "no run yet"


def test_what_is_not_on_the_map_is_forecast_when_asked(tmp_path: Path) -> None:
    """By a process of its own; afterwards the button has gone and the numbers stay."""
    page = tmp_path / "one.py"
    page.write_text(
        "from inception_lab.ui import forecast, frame\nfrom tests.training.tiny import tiny\n"
        "with frame.sentences():\n    forecast.forecast_panel([tiny(scale=0.15)])\n"
    )
    app = AppTest.from_file(page, default_timeout=60).run()
    assert "not made yet" in str(app.dataframe[0].value.forecast[0])
    assert "outside the fit" in app.warning[0].value
    app.button(key="forecast").click().run()
    assert not app.exception
    assert not app.error
    assert not [button for button in app.button if button.key == "forecast"]
    assert app.dataframe[0].value.forecast[0] == "(holds: outside the rule)"
    assert app.selectbox(key="trunk").options == ["scale 0.15"]


def test_arms_are_named_by_what_differs() -> None:
    one = preset("micro")
    arms = [one, one.with_(seed=1), one.with_(rate=0.1), one.with_(repeats=(1, 2, 1))]
    assert distinct(arms) == [one, arms[2], arms[3]]
    assert differing(arms[2], distinct(arms)) == "repeats 5/10/5, rate 0.1"
    assert differing(one, [one]) == "scale 1"


@pytest.mark.parametrize("link", [{"predict-skip": "1"}, {"map-rate-0.2": "x"}, {"trunk": "$"}])
def test_a_hostile_link_changes_nothing(app: AppTest, link: dict[str, str]) -> None:
    for name, value in link.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    assert app.button(key="run").disabled
