"""Explore without a browser: every box, link and number follows from the one selected address."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest


def explore(at: str | None = None, size: int | None = None) -> AppTest:
    app = AppTest.from_file(Path(__file__).parents[2] / "app.py", default_timeout=60)
    app.switch_page("pages/explore.py")
    if at:
        app.query_params["at"] = at
    if size:
        app.query_params["size"] = str(size)
    app.run()
    assert not app.exception
    return app


def metrics(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def unescaped(markdown: str) -> str:
    return markdown.replace("\\", "")


@pytest.mark.parametrize(
    ("network", "parameters", "work"),
    [
        ("inception_v3", "23.83 M", "5.71 G"),
        ("inception_v4", "42.68 M", "12.25 G"),
        ("inception_resnet_v1", "22.76 M", "6.21 G"),
        ("inception_resnet_v2", "55.84 M", "13.16 G"),
        ("inception_resnet_v2_paper", "32.43 M", "9.26 G"),
    ],
)
def test_totals_of_every_network(network: str, parameters: str, work: str) -> None:
    shown = metrics(explore(network))
    assert (shown["Parameters"], shown["Multiply-adds"]) == (parameters, work)


def test_boxes_follow_the_link_and_write_it() -> None:
    app = explore("inception_resnet_v2/B/07/add")
    assert [box.value for box in app.selectbox] == ["inception_resnet_v2", "B", "07", "add"]
    app.selectbox[1].select("C").run()
    assert app.session_state["explore_at"] == "inception_resnet_v2/C"
    assert [box.value for box in app.selectbox] == ["inception_resnet_v2", "C", "01", ""]
    app.selectbox[0].select("inception_v3").run()
    assert app.session_state["explore_at"] == "inception_v3"
    assert not app.exception


def test_one_op_shows_its_arithmetic() -> None:
    text = " ".join(block.value for block in explore("inception_v4/C/02/branch3/conv2").markdown)
    assert "384 × (3×1) × 448 weights + 2 × 448 of batch norm = 516,992" in text
    assert "weights × 8 × 8 cells = 33,030,144" in text


def test_the_head_can_be_selected() -> None:
    app = explore("inception_v4/head/classifier")
    assert [box.value for box in app.selectbox][:3] == ["inception_v4", "head", "classifier"]


def test_refusals_are_sentences() -> None:
    printed, small, unknown = (
        explore("inception_resnet_v2_printed/B/01"),
        explore("inception_v4", 74),
        explore("nothing/at"),
    )
    assert "cannot add: the shortcut brings 1152" in unescaped(printed.error[0].value)
    assert "gets 2x2" in unescaped(small.error[0].value)
    assert "no network 'nothing'" in unescaped(unknown.warning[0].value)


def test_code_of_the_view_runs() -> None:
    app = explore("inception_v4/B/03", 139)
    source = next(code.value for code in app.code if "lab.graph" in code.value)
    made: dict[str, object] = {}
    exec(source, made)  # it is what the page offers for download
    assert made["model"].net.name == "inception_v4"  # type: ignore[attr-defined]


def test_a_network_that_cannot_be_built_shows_the_block_that_can() -> None:
    app = explore("inception_resnet_v2_printed/B/01")
    assert "B/01" in app.subheader[0].value
    assert "inception_resnet_v2_paper" in app.subheader[0].value
    assert any("With the printed 1154 it breaks" in caption.value for caption in app.caption)
    app.button(key="open-sister").click().run()
    assert not app.exception
    assert not app.error
    assert app.session_state["explore_at"] == "inception_resnet_v2_paper/B/01/add"
    assert metrics(app)["Parameters"] == "32.43 M"


def test_too_small_an_input_is_one_click_from_the_right_one() -> None:
    app = explore("inception_v4/B/03", 74)
    app.button(key="use-size").click().run()
    assert not app.exception
    assert not app.error
    assert app.number_input(key="size").value == 299
    assert metrics(app)["Parameters"] == "42.68 M"


@pytest.mark.parametrize("size", ["1e309", "9" * 400, "nan", "abc", "-1"])
def test_a_hostile_size_in_the_link_is_survived(size: str) -> None:
    app = AppTest.from_file(Path(__file__).parents[2] / "app.py", default_timeout=60)
    app.switch_page("pages/explore.py")
    app.query_params["size"] = size
    app.run()
    assert not app.exception
    assert app.metric[0].value == "55.84 M"
    assert "it is a whole number from 32 to 1024" in app.warning[0].value
