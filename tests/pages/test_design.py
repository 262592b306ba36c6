"""The designer on Explore without a browser: changes, refusals, the way back, and the Python that makes the same."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import inception_lab as lab
from inception_lab.nets import catalog
from inception_lab.nets.ops import Net
from inception_lab.readers.notation import notation, parse
from inception_lab.readers.shapes import shapes
from tests.pages.test_drawers import drawer, made, page

CONV = "inception_resnet_v2_paper/B/01/body/branch2/conv2"


def opened(at: str = CONV, **link: str) -> AppTest:
    return page("explore", view="design", at=at, **link)


def field(app: AppTest, label: str) -> Any:
    return next(one for one in app.number_input if one.label.startswith(label))


def after(app: AppTest) -> dict[str, int]:
    table = next(table.value for table in app.dataframe if "after" in table.value.columns)
    return dict(zip(table.what, table.after, strict=True))


def test_a_width_is_counted_drawn_linked_and_written_as_python() -> None:
    app = opened()
    field(app, "Channels of").set_value(100).run()
    assert not app.exception
    wanted = lab.net("inception_resnet_v2_paper").changed("B/01/body/branch2/conv2", channels=100, copies="all")
    assert parse(app.query_params["design"]) == wanted
    assert after(app)["parameters"] == shapes(wanted).parameters
    assert made(drawer(app))["net"] == wanted
    again = opened(design=app.query_params["design"])
    assert field(again, "Channels of").value == 100


def test_undo_redo_and_reset() -> None:
    app = opened()
    field(app, "Channels of").set_value(100).run()
    field(app, "Kernel width").set_value(5).run()
    assert app.button(key="redo").disabled
    design = app.query_params["design"]
    app.button(key="undo").click().run()
    assert field(app, "Kernel width").value == 7
    assert field(app, "Channels of").value == 100
    app.button(key="redo").click().run()
    assert app.query_params["design"] == design
    app.button(key="reset").click().run()
    assert "design" not in app.query_params
    assert app.button(key="undo").disabled


def test_a_closing_width_that_cannot_be_added_is_refused_and_the_last_design_stays() -> None:
    app = opened("inception_resnet_v2_paper/B/01/linear")
    field(app, "Channels of").set_value(1154).run()
    assert not app.exception
    (error,) = app.error
    assert "the shortcut brings 1152 channels, the closing 1x1 makes 1154" in error.value.replace("\\", "")
    assert "design" not in app.query_params
    assert after(app)["parameters"] == shapes("inception_resnet_v2_paper").parameters


def test_what_was_refused_does_not_come_back() -> None:
    app = opened("inception_resnet_v2_paper/B/01/linear")
    field(app, "Channels of").set_value(1154).run()
    assert field(app, "Channels of").value == 1152, "the box has what the design has"
    field(app, "Residual scale").set_value(0.2)
    next(button for button in app.button if button.label == "Change").click().run()
    assert not app.error
    assert "design" in app.query_params
    field(app, "Channels of").set_value(1154).run()
    assert len(app.error) == 1, "asked again by hand, it is refused again"


BASE = catalog.net("inception_resnet_v2_paper")
STRANGE = {
    "a scale of 3": BASE.scaled(3.0),
    "a negative scale": BASE.scaled(-0.5),
    "41 blocks": BASE.thin(1 / 16).repeats(5, 41, 5),
    "two stages": BASE.with_(stages=tuple(one for one in BASE.stages if one.name != "B")),
    "a wide convolution": parse(notation(BASE).replace("Conv(160", "Conv(9000")),
    "a large kernel": parse(notation(BASE).replace("(1, 7)", "(1, 17)")),
    "a large input": BASE.thin(1 / 16).with_(size=1100),
    "marks": BASE.with_(source="*Fig.* [7](https://example.org) `x`"),
}


@pytest.mark.parametrize("name", STRANGE)
def test_a_design_beyond_the_limits_of_the_boxes_opens(name: str) -> None:
    """A link may describe more than the boxes offer; they take what it has."""
    wanted = STRANGE[name]
    assert isinstance(wanted, Net)
    assert wanted != BASE
    for at in (CONV, "inception_resnet_v2_paper/C/01/linear"):
        app = page("explore", view="design", at=at, design=notation(wanted, multiline=False))
        assert not app.exception, name


def test_marks_in_the_words_of_a_link_are_not_markdown() -> None:
    app = page("explore", at="inception_resnet_v2_paper/B/01", design=notation(STRANGE["marks"], multiline=False))
    assert not any("[7](" in caption.value for caption in app.caption)


def test_the_last_convolution_can_be_changed() -> None:
    app = opened("inception_resnet_v2/conv2d_7b/01")
    field(app, "Channels of").set_value(1000).run()
    assert not app.exception
    assert made(drawer(app))["net"] == lab.net("inception_resnet_v2").changed("conv2d_7b/01", channels=1000)


def test_a_notation_that_cannot_be_built_is_refused_and_the_designer_stays_open() -> None:
    app = opened()
    app.text_area(key="design-text").set_value(notation(lab.net("inception_resnet_v2_printed"))).run()
    app.button(key="design-load").click().run()
    assert not app.exception
    assert "1154" in app.error[0].value
    field(app, "Channels of").set_value(100).run()
    assert not app.exception
    assert not app.error


def test_an_even_kernel_is_one_sentence() -> None:
    app = opened()
    field(app, "Kernel width").set_value(4).run()
    assert not app.exception
    assert "odd" in app.error[0].value


def test_a_kernel_is_factorised_with_its_saving() -> None:
    at = "inception_resnet_v2_paper/A/01/body/branch2/conv2"
    app = opened(at)
    assert any("parameters" in caption.value and "copies" in caption.value for caption in app.caption)
    app.button(key="factorise").click().run()
    assert not app.exception
    wanted = lab.net("inception_resnet_v2_paper").factorised("A/01/body/branch2/conv2", copies="all")
    assert parse(app.query_params["design"]) == wanted
    assert made(drawer(app))["net"] == wanted


def test_scale_repeats_and_width_in_one_change() -> None:
    app = opened()
    field(app, "Residual scale").set_value(0.2)
    field(app, "Blocks in B").set_value(4)
    field(app, "Width").set_value(0.5)
    next(button for button in app.button if button.label == "Change").click().run()
    assert not app.exception
    wanted = lab.net("inception_resnet_v2_paper").scaled(0.2).repeats(5, 4, 5).thin(0.5)
    assert parse(app.query_params["design"]) == wanted
    assert made(drawer(app))["net"] == wanted


def test_notation_is_loaded_and_what_is_none_is_refused() -> None:
    app = opened()
    wanted = lab.net("inception_v4").thin(0.25).with_(name="mine")
    app.text_area(key="design-text").set_value(notation(wanted)).run()
    app.button(key="design-load").click().run()
    assert not app.exception
    assert parse(app.query_params["design"]) == wanted
    app.text_area(key="design-text").set_value("Net(oops").run()
    app.button(key="design-load").click().run()
    assert len(app.error) == 1
    assert parse(app.query_params["design"]) == wanted
