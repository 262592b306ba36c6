"""The bench and the race on a page: shipped runs, this lab's own beside them, what the paper says, and the caveat."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from inception_lab.jobs.remedies import against_paper, remedies_table
from inception_lab.jobs.store import Store
from inception_lab.training import reference
from inception_lab.training.experiments import RACE, REMEDIES
from inception_lab.training.settings import Settings
from inception_lab.ui import benches, cache
from inception_lab.ui.widgets import plain
from tests.ui.ended import leave, steps

SHIPPED = reference.load("remedies")


@pytest.fixture
def store(home: Path) -> Store:
    cache.store.clear()
    return Store(home, supervised=False)


def shown(view: str, **link: str) -> AppTest:
    app = AppTest.from_string(f"from inception_lab.ui import remedies\nremedies.{view}()", default_timeout=60)
    for name, value in link.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def captions(app: AppTest) -> str:
    return " ".join(caption.value for caption in app.caption)


def arm(key: str, **changes: object) -> Settings:
    return REMEDIES.arm(key).settings.with_(**changes)


def test_the_shipped_bench_is_on_screen_in_full(store: Store) -> None:
    app = shown("remedies")
    rows = remedies_table(SHIPPED)
    frame = app.table[0].value
    assert list(frame.index) == [row.label for row in rows]
    failed = [f"{row.failed} of {row.n}, {row.low:.2f} to {row.high:.2f}" for row in rows]
    assert list(frame["failed, 95 % interval"]) == failed
    numbers = app.dataframe[0].value
    assert list(numbers.failed) == [row.failed for row in rows]
    assert list(numbers.dies) == [row.outcomes["dies"] for row in rows]
    assert list(frame["the paper (arXiv 3.3)"]) == [row.paper for row in rows]
    assert list(frame.verdict)[1:] == [row.word for row in rows][1:]
    assert f"**Shipped.** {plain(against_paper(rows))}" in [text.value for text in app.markdown]
    assert REMEDIES.caveat in [text.value for text in app.info]
    assert "Shipped runs: n = 64 runs, seeds 0, 1, 2, 3" in captions(app)
    assert "No finished run of the remedies bench was made here yet" in captions(app)
    (code,) = app.code
    exec(compile(code.value.replace("figure.show()", "assert words"), "drawer", "exec"), {})


def test_own_ended_runs_stand_beside_the_shipped_ones_with_their_origin(store: Store) -> None:
    for key, accuracy in (("none", 0.1), ("clip-1", 0.9)):
        for seed in (7, 8):
            leave(store, arm(key, seed=seed), steps(160, accuracy=accuracy))
    leave(store, arm("none", seed=9), steps(30), status="running")
    app = shown("remedies")
    assert "Runs made here: n = 4 runs, seeds 7, 8; 160 steps" in captions(app)
    assert "1 running, 0 waiting; each counts when it has ended." in captions(app)
    frame = app.dataframe[0].value
    here = frame[frame.runs == "here"].set_index("remedy")
    assert {name: (row.n, row.failed) for name, row in here.iterrows()} == {
        "no remedy": (2, 2),
        "clipping at 1": (2, 0),
    }
    assert (frame.runs == "shipped").sum() == len(REMEDIES.arms)
    (code,) = app.code
    exec(compile(code.value.replace("figure.show()", "assert 'Made here' in words"), "drawer", "exec"), {})


def test_the_box_leaves_shipped_or_own_runs_out(store: Store) -> None:
    leave(store, arm("none"), steps(160))
    own = shown("remedies", **{"counted-remedies": "own"})
    assert list(own.dataframe[0].value.runs) == ["here"]
    assert "Shipped runs" not in captions(own)
    alone = shown("remedies", **{"counted-remedies": "shipped"})
    assert set(alone.dataframe[0].value.runs) == {"shipped"}
    assert "Runs made here" not in captions(alone)


def test_own_runs_of_unequal_budgets_are_never_in_one_table(store: Store) -> None:
    for key in ("none", "clip-1"):
        leave(store, arm(key, steps=40), steps(40))
    leave(store, arm("none", steps=50), steps(50))
    app = shown("remedies", **{"counted-remedies": "own"})
    assert app.selectbox(key="budget-remedies").options == ["steps 40", "steps 50"]
    assert list(app.dataframe[0].value.n) == [1, 1]
    app.selectbox(key="budget-remedies").set_value("steps 50").run()
    assert list(app.dataframe[0].value.remedy) == ["no remedy"]


def test_the_race_draws_own_runs_while_they_go_on(store: Store) -> None:
    one = RACE.arms[0].settings
    leave(store, one, steps(60, accuracy=0.5), status="running")
    app = shown("race")
    frame = app.dataframe[0].value
    here = frame[frame.made == "here"]
    assert list(here["accuracy at 50"]) == [0.5]
    assert "Runs made here: n = 1 runs, seeds 0; 200 steps" in captions(app)
    assert (frame.made == "shipped").sum() == len(RACE.arms)


def test_without_shipped_files_there_is_a_sentence_and_they_are_found_again(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = tmp_path / "reference"
    monkeypatch.setattr("inception_lab.training.reference.asset", lambda *parts: files)
    assert benches.shipped("remedies") == []
    for view in ("remedies", "race"):
        assert [text.value for text in shown(view).info] == ["No run of this experiment yet."]
    shutil.copytree(Path(__file__).parents[2] / "assets/reference/remedies", files)
    assert len(benches.shipped("remedies")) == len(SHIPPED)
