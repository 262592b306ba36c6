"""Explore's Cost view without a browser: three questions, their links, tables, code and clicks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from inception_lab.readers.cost import cost
from inception_lab.readers.strides import sides
from inception_lab.ui import costs, rooflines
from tests.readers.test_shapes import BUILDABLE, TOTALS


def view(at: str = "inception_resnet_v2/B/07", **link: str) -> AppTest:
    app = AppTest.from_file(Path(__file__).parents[2] / "app.py", default_timeout=60)
    app.switch_page("pages/explore.py")
    for word, value in {"at": at, "view": "cost", **link}.items():
        app.query_params[word] = value
    app.run()
    assert not app.exception
    return app


def table(app: AppTest, column: str) -> Any:
    return next(frame.value for frame in app.dataframe if column in frame.value.columns)


def python(app: AppTest) -> dict[str, Any]:
    """The names that the code of the view leaves behind, its last line as `shown`."""
    source = next(block.value for block in app.code if block.value.startswith("import inception_lab as lab"))
    *before, last = source.strip().splitlines()
    names: dict[str, Any] = {}
    exec("\n".join([*before, f"shown = {last}"]), names)  # it is what the page offers for download
    return names


def text(app: AppTest) -> str:
    return " ".join(block.value for block in (*app.markdown, *app.caption, *app.info))


def charts(app: AppTest) -> int:
    return len(app.get("plotly_chart"))


@pytest.mark.parametrize("name", BUILDABLE)
def test_totals_of_every_network(name: str) -> None:
    app = view(name)
    exact = {metric.label: metric.help for metric in app.metric}
    assert exact["Parameters"] == f"Exactly {TOTALS[name][0]:,}, one image."
    assert exact["Multiply-adds"] == f"Exactly {TOTALS[name][1]:,}, one image."
    shown = table(app, "kept_bytes")
    assert shown.parameters.iloc[-1] == shown.parameters.iloc[:-1].sum() == TOTALS[name][0]
    assert charts(app) == 2


def test_the_link_says_what_is_shown() -> None:
    app = view(amount="kept_bytes", within="stage", each="blocks")
    shown = table(app, "kept_bytes")
    assert list(shown.address)[:-1] == [f"inception_resnet_v2/B/{n:02d}" for n in range(1, 21)]
    assert python(app)["rows"] == cost("inception_resnet_v2").level("blocks", under="inception_resnet_v2/B")
    assert app.selectbox(key="amount").value == "kept_bytes"


def test_a_peak_has_no_areas() -> None:
    app = view(amount="live_bytes")
    assert charts(app) == 1
    assert "not their sum" in text(app)


def test_the_block_and_the_head_alone() -> None:
    assert table(view(within="block", each="ops"), "kept_bytes").address.iloc[-1] == "inception_resnet_v2/B/07"
    assert len(table(view("inception_v4/head/pool", within="stage", each="ops"), "kept_bytes")) == 4


def test_roofline_of_each_machine() -> None:
    app = view(question="bounds", machine="k40")
    shown = table(app, "bound by")
    assert len(shown) == len(cost("inception_resnet_v2").rows)
    assert python(app)["shown"] * 1e6 == pytest.approx(shown["least µs"].sum())
    app.number_input(key="roof-batch").set_value(64).run()
    assert table(app, "bound by").FLOPs.iloc[0] == 64 * shown.FLOPs.iloc[0]
    app.selectbox(key="machine").select("own").run()
    app.number_input(key="roof-peak").set_value(1).run()
    assert not app.exception
    assert next(m.value for m in app.metric if m.label == "Ridge") == "0.05 FLOPs/byte"
    assert (app.query_params["roof-peak"], app.query_params["roof-batch"]) == ("1", "64")
    again = view(question="bounds", machine="own", **{"roof-peak": "1", "roof-batch": "64"})
    assert next(m.value for m in again.metric if m.label == "Ridge") == "0.05 FLOPs/byte"


def test_this_machine_is_measured_once_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    from inception_lab.models import machine

    monkeypatch.setattr(machine, "measure", lambda: machine.Measured("processor", 2, 5e10, 1e10))
    app = view(question="bounds", machine="here")
    assert charts(app) == 0
    assert "Not measured yet" in text(app)
    app.button(key="roof-measure").click().run()
    assert charts(app) == 1
    assert next(m.value for m in app.metric if m.label == "Ridge") == "5 FLOPs/byte"
    other = view(question="bounds", machine="here")
    assert charts(other) == 1
    assert "processor, 2 threads, measured" in python(other)["machine"].name
    assert len(rooflines._measured()) == 1


PRINTED = "inception_resnet_v2_printed"


def test_the_parts_of_the_network_as_printed_have_costs_that_are_called_so() -> None:
    app = view(f"{PRINTED}/B/07", within="stage", each="blocks")
    assert "No network has their sum" in text(app)
    exact = {metric.label: metric.help for metric in app.metric}
    # ten closing 1x1 wider by 2 (385 numbers a channel), five narrower by 96 (449 numbers a channel)
    assert (
        exact["Parameters"]
        == f"Exactly {TOTALS['inception_resnet_v2_paper'][0] + 10 * 2 * 385 - 5 * 96 * 449:,}, one image."
    )
    assert python(app)["rows"] == cost(PRINTED, tolerant=True).level("blocks", under=f"{PRINTED}/B")
    assert len(table(view(f"{PRINTED}/B/07", question="bounds", machine="k40"), "bound by")) == 224


def test_why_299_is_asked_of_the_network_as_printed_too() -> None:
    app = view(f"{PRINTED}/B/07", question="strides")
    assert "nothing is thrown away" in text(app)
    assert "Clean near by: 235, 267, 299, 331. **75** is the smallest side that goes through." in text(app)
    assert table(app, "lost in all").set_index("side")["lost in all"][331] == 0


def test_the_chart_of_sides_goes_down_to_the_smallest() -> None:
    app = view(question="strides")
    app.button_group(key="sides").set_value("all").run()
    assert not app.exception
    assert app.query_params["sides"] == "all"


def test_sides_near_by_in_words() -> None:
    all_sides = sides("inception_v4")
    assert costs.near(all_sides, 80).startswith("Clean near by: 75, 107, 139, 171.")
    assert costs.near(sides("inception_v4", among=range(32, 70)), 60) == (
        "None is clean. No side from 32 to 69 goes through."
    )
    assert costs.near(sides("inception_v4", among=range(80, 110)), 90) == (
        "Clean near by: 107. Every side from 80 on goes through."
    )


@pytest.mark.parametrize(
    ("size", "said"), [("299", "nothing is thrown away"), ("224", "`stem/01/conv1` 1 of 224 rows")]
)
def test_why_299(size: str, said: str) -> None:
    app = view(question="strides", size=size)
    assert said in text(app)
    shown = table(app, "lost in all").set_index("side")
    assert shown["lost in all"][299] == shown["lost in all"][331] == 0
    assert shown["last grid"][75] == "1×1"
    assert "reduction_b" in shown["does not fit"][74]
    assert len(shown) == 481
    assert python(app)["shown"] == python(app)["found"].at(int(size))


def test_a_clean_side_is_taken_by_a_press() -> None:
    app = view(question="strides", size="224")
    pills = app.button_group(key="clean-side")
    assert pills.value is None
    pills.set_value(331).run()
    assert app.number_input(key="size").value == 331
    assert "**331**: nothing is thrown away" in text(app)


def test_sides_beyond_the_chart_are_in_it() -> None:
    app = view(question="strides", size="600")
    app.toggle(key="rows-strides").set_value(True).run()
    assert len(table(app, "lost in all")) == 569


@pytest.mark.parametrize(
    ("question", "key", "point", "wanted"),
    [
        ("where", "cost-bars", "inception_resnet_v2/C", ("explore_at", "inception_resnet_v2/C")),
        ("bounds", "roof", "inception_resnet_v2/A/01/linear", ("explore_at", "inception_resnet_v2/A/01/linear")),
        ("strides", "strides", 331, ("size", 331)),
    ],
)
def test_a_click_on_a_mark_selects(
    monkeypatch: pytest.MonkeyPatch, question: str, key: str, point: object, wanted: tuple[str, object]
) -> None:
    """What the callback does with a click as the browser sends it; the browser itself is tested elsewhere."""
    import streamlit as st

    state: dict[str, Any] = {
        key: {"selection": {"points": [{"customdata": [point]}]}},
        "explore_at": "inception_resnet_v2",
    }
    monkeypatch.setattr(st, "session_state", state)
    {"where": costs._picked, "bounds": rooflines._picked, "strides": costs._sized}[question]()
    assert state[wanted[0]] == wanted[1]
    before = dict(state)
    state[key] = {"selection": {"points": []}}
    {"where": costs._picked, "bounds": rooflines._picked, "strides": costs._sized}[question]()
    assert {**state, key: None} == {**before, key: None}, "letting go of a mark changes nothing"
