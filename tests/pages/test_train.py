"""Train without a browser: what is on screen at once, what a start asks of the store, what the words mean."""

from __future__ import annotations

from pathlib import Path

import pandas
import pytest
from streamlit.testing.v1 import AppTest

from inception_lab.jobs.store import Store
from inception_lab.training.outcomes import DEFINITIONS
from inception_lab.training.reference import load


def train(**link: str) -> AppTest:
    app = AppTest.from_file(Path(__file__).parents[2] / "app.py", default_timeout=60)
    app.switch_page("pages/train.py")
    for name, value in link.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def outcomes(app: AppTest) -> pandas.DataFrame:
    """The table that has an outcome for each run."""
    return next(frame.value for frame in app.dataframe if "outcome" in frame.value.columns)


def test_shipped_runs_are_on_screen_at_once_with_n_seeds_and_settings() -> None:
    app = train(view="outcomes")
    frame = outcomes(app)
    assert len(frame) == len(load())
    assert list(frame.outcome) == [run.outcome for run in load()]
    captions = [caption.value for caption in train().caption]
    assert any("seeds 0, 1, 2, 3, 4" in words and "rate 0.2" in words for words in captions)


def test_a_start_asks_for_a_word_on_each_arm_before_it_unlocks() -> None:
    app = train()
    app.number_input(key="seeds").set_value(2).run()
    app.button(key="start").click().run()
    assert app.button(key="run").disabled
    assert "2 of 2 arms still without a word." in [caption.value for caption in app.caption]
    assert not Store().runs()


def test_nothing_can_be_started_without_a_scale() -> None:
    app = train()
    app.button_group(key="scales").set_value([]).run()
    assert "start" not in [button.key for button in app.button]
    assert "Choose at least one scale." in [caption.value for caption in app.caption]


def test_a_link_to_runs_that_are_not_here_is_said() -> None:
    app = train(sweep="0000000000")
    assert "not in this lab's store" in app.warning[0].value


def test_every_outcome_word_is_defined_on_the_page() -> None:
    text = " ".join(block.value for block in train(view="map").markdown)
    assert all(f"**{word}**: {meaning}" in text for word, meaning in DEFINITIONS.items())


@pytest.mark.parametrize("link", [{"seeds": "1e309"}, {"steps-micro": "-3"}, {"preset": "nothing"}, {"scales": "x"}])
def test_a_hostile_link_is_survived(link: dict[str, str]) -> None:
    app = train(**link)
    assert app.button(key="start").label == "Start 2 runs"


@pytest.mark.parametrize("view", ["curves", "inside", "outcomes", "forecast", "map", "remedies", "race"])
def test_every_view_shows_something_shipped(view: str) -> None:
    app = train(view=view, sweep="shipped")
    assert not app.error
    assert not app.warning
    assert not [info.value for info in app.info if "No run" in info.value]


def test_a_link_sets_any_setting_and_several_values_make_a_grid() -> None:
    app = train(**{"set-rate": "0.02, 0.2", "set-clip": "1"})
    assert app.text_input(key="set-rate").value == "0.02, 0.2"
    assert app.button(key="start").label == "Start 4 runs"
    assert app.query_params["set-clip"] == "1"
    app.multiselect(key="others").set_value(["clip"]).run()
    assert app.button(key="start").label == "Start 2 runs"
    assert "set-rate" not in app.query_params


@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        ({"set-rate": "fast"}, "rate cannot be"),
        ({"set-width": "9"}, "width must be from"),
        ({"set-batch": "2000", "set-image_size": "331", "set-width": "4"}, "GB"),
        ({"set-data": "cifar10"}, "is not on this machine"),
        ({"set-network": "resnet"}, "no network"),
    ],
    ids=str,
)
def test_what_cannot_be_run_is_refused_with_the_reason(link: dict[str, str], sentence: str) -> None:
    app = train(**link)
    assert sentence in app.error[0].value.replace("\\", "")
    assert "start" not in [button.key for button in app.button]


def test_explores_link_brings_its_network() -> None:
    app = train(network="inception_resnet_v1")
    assert app.text_input(key="set-network").value == "inception_resnet_v1"
    assert "network" not in app.query_params


def test_an_experiment_offers_its_arms() -> None:
    app = train(preset="remedies")
    assert app.button(key="start").label == "Start 4 runs"
    app.button_group(key="arms-remedies").set_value(["none", "clip-1"]).run()
    assert app.button(key="start").label == "Start 2 runs"
