"""The Python under each view makes what the view shows: the code is taken from the page, run, and compared."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from streamlit.testing.v1 import AppTest

import inception_lab as lab
from inception_lab.training.presets import preset as lab_preset
from inception_lab.ui import cache

ROOT = Path(__file__).parents[2]


def page(name: str, **link: str) -> AppTest:
    app = AppTest.from_file(ROOT / "app.py", default_timeout=120)
    app.switch_page(f"pages/{name}.py")
    for word, value in link.items():
        app.query_params[word] = value
    app.run()
    assert not app.exception
    return app


def drawer(app: AppTest) -> str:
    return next(block.value for block in app.code if block.value.startswith("import inception_lab as lab"))


def made(source: str) -> dict[str, Any]:
    """The names that the code leaves behind; its last expression, which a notebook shows, as `shown`."""
    *before, last = source.strip().splitlines()
    names: dict[str, Any] = {}
    exec("\n".join([*before, f"shown = {last}"]), names)  # it is what the page offers for download
    return names


@pytest.mark.parametrize("fine", [False, True])
def test_explores_code_draws_the_block_on_screen(monkeypatch: pytest.MonkeyPatch, fine: bool) -> None:
    drawn = []
    picture = cache.picture
    monkeypatch.setattr(cache, "picture", lambda *asked: drawn.append(picture(*asked)) or drawn[-1])
    app = page("explore", at="inception_v4/B/03/branch2/conv2", size="139")
    if fine:
        drawn.clear()
        app.toggle(key="fine").set_value(True).run()
    names = made(drawer(app))
    strip, block = drawn[-2:]
    assert names["shown"] == block
    assert names["strip"] == strip
    assert len(block.nodes) == (33 if fine else 13), "ten convolutions, each in three with fine"
    assert any(f"**{len(names['table'].rows)}** ops" in caption.value for caption in app.caption)
    assert names["model"].net.name == "inception_v4"
    shown = next(table.value for table in app.dataframe if {"address", "op"} <= set(table.value.columns))
    assert list(shown.address) == [row.address for row in names["rows"]]
    assert f"`{names['row'].address}`" in " ".join(block.value for block in app.markdown)


def test_explores_code_for_the_head_and_for_the_whole_network() -> None:
    for at in ("inception_v4/head/classifier", "inception_v4"):
        names = made(drawer(page("explore", at=at)))
        assert names["strip"].at is None


@pytest.mark.parametrize("crops", ["1", "slim", "10", "12"])
def test_classifys_code_makes_the_guesses(monkeypatch: pytest.MonkeyPatch, crops: str) -> None:
    monkeypatch.chdir(ROOT)
    app = page("classify", sample="chelsea.jpg", crops=crops)
    table = next(table.value for table in app.dataframe if "probability" in table.value.columns)
    (said,) = made(drawer(app))["shown"]
    assert [p.label for p in said.predictions] == list(table.label)
    assert [p.probability for p in said.predictions] == list(table.probability)


@pytest.mark.parametrize("against", ["", "281"])
def test_classifys_code_makes_the_map(monkeypatch: pytest.MonkeyPatch, against: str) -> None:
    monkeypatch.chdir(ROOT)
    link = {"sample": "chelsea.jpg", "view": "pixels", "method": "grad_cam", "class": "285", "against": against}
    app = page("classify", **{word: value for word, value in link.items() if value})
    shown, explained = made(drawer(app))["found"], app.session_state["explained"][1]
    assert (shown.method, shown.target, shown.label) == ("grad_cam", 285, "Egyptian cat")
    assert shown.against == explained.against == (int(against) if against else None)
    assert (shown.values == explained.values).all()


def test_classifys_code_splits_the_class_over_the_branches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    app = page("classify", view="blocks", part="blocks/4/1")
    assert not app.error
    names = made(drawer(app))
    tables = [list(table.value.credit) for table in app.dataframe if "credit" in table.value.columns]
    assert [row["credit"] for row in names["found"].to_rows() if row["kind"] == "add"] in tables


def test_classifys_code_moves_the_scale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    app = page("classify", view="blocks", part="blocks/4/1", rho="50", scope="block")
    assert not app.error
    assert 'at="blocks/4/1"' in drawer(app)
    made(drawer(app))
    assert "lab.credit" not in drawer(app), "the other question of the view"


def test_classifys_code_runs_before_there_is_a_photograph(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    names = made(drawer(page("classify", source="camera")))
    assert names["shown"][0].predictions[0].label == "espresso"


def test_trains_code_asks_for_the_runs_on_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The runs themselves would take minutes; what the code asks for is compared with the table."""
    app = page("train", sweep="shipped", view="outcomes")
    sweep = Mock()
    monkeypatch.setattr(lab, "sweep", sweep, raising=False)
    made(drawer(app))
    (preset,), asked = sweep.call_args
    table = next(table.value for table in app.dataframe if "outcome" in table.value.columns)
    wanted = {(scale, seed) for scale in asked["scales"] for seed in asked["seeds"]}
    assert preset == "micro"
    assert wanted == set(zip(table.scale, table.seed, strict=True))
    assert asked.get("steps", lab_preset("micro").steps) == lab_preset("micro").steps
