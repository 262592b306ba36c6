"""Train without a browser: what is on screen at once, what a start asks of the store, what the words mean."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas
import pytest
import streamlit as st
from streamlit import config
from streamlit.testing.v1 import AppTest

from inception_lab.jobs import launch
from inception_lab.jobs.store import Store
from inception_lab.training.outcomes import DEFINITIONS
from inception_lab.training.reference import load
from inception_lab.ui import cache
from tests.ui.ended import leave


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page wakes a supervisor for each test's home; it need not wait ten minutes for work."""
    monkeypatch.setenv("INCEPTION_LAB_IDLE", "3")


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


def test_an_open_page_says_the_same_of_a_folder_that_is_there_and_of_one_that_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("INCEPTION_LAB_FOLDERS", raising=False)
    for name in ("cat", "dog"):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for number in range(6):
            (tmp_path / "pets" / name / f"{number}.png").touch()
    links = [{"set-data": f"folder:{tmp_path / name}"} for name in ("pets", "none")]
    with option("server.address", "0.0.0.0"):
        first, second = (train(**link).error[0].value for link in links)
        assert first == second
        assert "reads no folder named in a link" in first
        monkeypatch.setenv("INCEPTION_LAB_FOLDERS", str(tmp_path))
        named = train(**links[0])
        assert not [error for error in named.error if "named in a link" in error.value]
        assert "There is no folder" in train(**links[1]).error[0].value
    with option("server.address", "127.0.0.1"):
        monkeypatch.delenv("INCEPTION_LAB_FOLDERS")
        assert not [error for error in train(**links[0]).error if "named in a link" in error.value]


@contextmanager
def option(name: str, value: str) -> Iterator[None]:
    """A setting of the server, as its command line would give it."""
    before = st.get_option(name)
    config.set_option(name, value)
    try:
        yield
    finally:
        config.set_option(name, before)


def test_explores_link_brings_its_network() -> None:
    app = train(network="inception_resnet_v1")
    assert app.text_input(key="set-network").value == "inception_resnet_v1"
    assert "network" not in app.query_params


def test_an_experiment_offers_its_arms() -> None:
    app = train(preset="remedies")
    assert app.button(key="start").label == "Start 4 runs"
    app.button_group(key="arms-remedies").set_value(["none", "clip-1"]).run()
    assert app.button(key="start").label == "Start 2 runs"


@pytest.mark.parametrize("link", [{"set-network": "inception_v4"}, {"network": "inception_v3"}])
def test_a_network_without_adds_has_no_scale_to_choose(link: dict[str, str]) -> None:
    app = train(**link)
    assert app.button(key="start").label == "Start 1 run"
    assert "scales" not in [group.key for group in app.button_group]
    text = " ".join(caption.value for caption in app.caption).replace("\\", "")
    assert f"{next(iter(link.values()))} has no residual add, so there is no scale to choose" in text


def test_only_networks_with_adds_are_swept_over_scales() -> None:
    app = train(**{"set-network": "inception_v4, inception_resnet_v1"})
    assert app.button(key="start").label == "Start 3 runs"  # one, and two scales
    app.button_group(key="scales").set_value(["1", "0.3", "0.1"]).run()
    assert app.button(key="start").label == "Start 4 runs"


def test_a_day_of_work_is_asked_for_once_more() -> None:
    app = train(preset="wide", **{"steps-wide": "5000"}, seeds="20")
    app.session_state["predict-skip"] = True  # a click inside a dialog would close it here, unlike in a browser
    app.button(key="start").click().run()
    assert app.button(key="run").disabled
    assert any("40 runs: about" in warning.value and "hours" in warning.value for warning in app.warning)
    app.session_state["predict-skip"] = app.session_state["meant"] = True
    app.button(key="start").click().run()
    assert not app.button(key="run").disabled


def test_half_a_minute_is_not_asked_for_twice() -> None:
    app = train()
    app.session_state["predict-skip"] = True
    app.button(key="start").click().run()
    assert "meant" not in [box.key for box in app.checkbox]
    assert not app.button(key="run").disabled


@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        ({"preset": "nothing"}, "asks for preset 'nothing'; there is micro, paper-rate"),
        ({"scales": "0.7"}, "asks for scales '0.7'; there is 1, 0.5, 0.3"),
        (
            {"preset": "remedies", "arms-remedies": "prayer"},
            "asks for arms-remedies 'prayer'; there is none, scale",
        ),
        ({"sweep": "shipped", "metrics": "joy"}, "asks for metrics 'joy'; there is zero_share, accuracy"),
        ({"sweep": "shipped", "view": "inside", "inside": "nobody"}, "The run 'nobody' of the link is not among"),
        ({"sweep": "shipped", "view": "inside", "quantity": "joy"}, "asks for quantity 'joy'; there is zeros"),
        ({"set-joy": "1"}, "asks for the settings 'joy'; there is network"),
        ({"view": "remedies", "counted-remedies": "none"}, "asks for counted-remedies 'none'; there is both, shipped"),
    ],
    ids=str,
)
def test_what_a_link_asks_for_in_vain_is_said(link: dict[str, str], sentence: str) -> None:
    said = " ".join(warning.value for warning in train(**link).warning).replace("\\", "")
    assert sentence in said


def test_a_link_takes_words_and_shown_texts() -> None:
    app = train(**{"preset": "remedies", "arms-remedies": "clip-1"})
    assert app.button(key="start").label == "Start 1 run"
    app = train(**{"preset": "remedies", "arms-remedies": "clipping at 1"})
    assert "clip-1" in app.query_params["arms-remedies"]
    assert not app.warning


def test_an_emptied_home_is_no_end_of_the_page(home: Path) -> None:
    app = train()
    shutil.rmtree(home)
    app.run()
    assert not app.exception
    assert not app.error
    leave(Store(home, supervised=False), load()[0].settings, load()[0].steps)
    app.run()
    assert app.selectbox(key="shown").options[0].endswith("scale 1 · 1 run")
    launch.stop(home)


def grown(home: Path, *, made: int, status: str = "running") -> AppTest:
    """The page, looking into a run of 120 steps that has made some."""
    cache.store.clear()
    store = Store(home, supervised=False)
    first = load()[0]
    id = leave(store, first.settings, first.steps[:made], status=status, addresses=first.addresses)
    return train(view="inside", sweep="g", inside=id)


def test_the_fork_says_its_step_and_an_impossible_one_is_refused(home: Path) -> None:
    app = grown(home, made=80)
    (id,) = (run.id for run in Store(home, supervised=False).runs())
    fork = lambda: app.button(key=f"fork-{id}")  # noqa: E731
    assert fork().label == "Fork at step 6"  # three before its death at 9
    app.number_input(key=f"fork-step-{id}").set_value(40).run()
    assert (fork().label, fork().disabled) == ("Fork at step 40", False)
    app.number_input(key=f"fork-step-{id}").set_value(100).run()
    assert (fork().label, fork().disabled) == ("Fork at step 100", True)
    assert any("Step 100 is not there yet: this run has come to 79" in caption.value for caption in app.caption)
