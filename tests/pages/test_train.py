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
    app = train()
    frame = outcomes(app)
    assert len(frame) == len(load())
    assert list(frame.outcome) == [run.outcome for run in load()]
    assert any("seeds 0, 1, 2, 3, 4" in caption.value and "rate 0.2" in caption.value for caption in app.caption)


def test_start_queues_every_scale_with_every_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inception_lab.jobs.launch.ensure_running", lambda *_, **__: None)
    monkeypatch.setattr("inception_lab.ui.train.ensure_running", lambda *_: None)
    app = train()
    app.number_input(key="seeds").set_value(2).run()
    app.number_input(key="steps-micro").set_value(9).run()
    app.button(key="start").click().run()
    assert not app.exception
    runs = Store().runs()
    assert sorted((run.settings.scale, run.settings.seed, run.settings.steps) for run in runs) == [
        (0.1, 0, 9),
        (0.1, 1, 9),
        (1.0, 0, 9),
        (1.0, 1, 9),
    ]
    assert app.query_params["sweep"] == runs[0].group
    assert len(outcomes(app)) == 4
    app.button(key="stop").click().run()
    assert {run.status for run in Store().runs()} == {"cancelled"}


def test_nothing_can_be_started_without_a_scale() -> None:
    app = train()
    app.button_group(key="scales").set_value([]).run()
    assert app.button(key="start").disabled


def test_a_link_to_runs_that_are_not_here_is_said() -> None:
    app = train(sweep="0000000000")
    assert "not in this lab's store" in app.warning[0].value


def test_every_outcome_word_is_defined_on_the_page() -> None:
    text = " ".join(block.value for block in train().markdown)
    assert all(f"**{word}**: {meaning}" in text for word, meaning in DEFINITIONS.items())


@pytest.mark.parametrize("link", [{"seeds": "1e309"}, {"steps-micro": "-3"}, {"preset": "nothing"}, {"scales": "x"}])
def test_a_hostile_link_is_survived(link: dict[str, str]) -> None:
    app = train(**link)
    assert app.button(key="start").label == "Start 2 runs"
