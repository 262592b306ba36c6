"""The designer on Explore without a browser: changes, refusals, the way back, and the Python that makes the same."""

from __future__ import annotations

import random
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import inception_lab as lab
from inception_lab.errors import NetworkError
from inception_lab.nets import catalog
from inception_lab.nets.ops import Net
from inception_lab.readers.cost import cost
from inception_lab.readers.notation import notation, parse
from inception_lab.readers.shapes import shapes
from inception_lab.ui import branches
from tests.pages.test_drawers import drawer, made, page

CONV = "inception_resnet_v2_paper/B/01/body/branch2/conv2"
PAPER = catalog.net("inception_resnet_v2_paper")


def opened(at: str = CONV, **link: str) -> AppTest:
    return page("explore", view="design", at=at, **link)


def field(app: AppTest, label: str) -> Any:
    return next(one for one in (*app.number_input, *app.selectbox) if one.label.startswith(label))


def labels(app: AppTest) -> list[str]:
    return [box.label for box in app.number_input]


def after(app: AppTest) -> dict[str, int]:
    table = next(table.value for table in app.dataframe if "after" in table.value.columns)
    return dict(zip(table.what, table.after, strict=True))


def press(app: AppTest, key: str) -> None:
    app.button(key=key).click().run()
    assert not app.exception


def designed(app: AppTest) -> Net:
    """The design, after the page has been held to itself: link, notation, Python, boxes and costs say the same."""
    assert not app.exception
    link = app.query_params.get("design")
    net = parse(link) if link else catalog.net(app.query_params["at"].split("/")[0])
    assert isinstance(net, Net)
    assert "size" not in app.query_params, "the side is the design's own"
    assert parse(next(code.value for code in app.code if code.value.startswith("Net("))) == net
    assert made(drawer(app))["net"] == net
    assert field(app, "Input side").value == net.size
    assert after(app)["parameters"] == shapes(net).parameters
    return net


def test_a_width_is_counted_drawn_linked_and_written_as_python() -> None:
    app = opened()
    field(app, "Channels of B/01/body/branch2/conv2").set_value(100).run()
    assert designed(app) == PAPER.changed("B/01/body/branch2/conv2", channels=100, copies="all")
    again = opened(design=app.query_params["design"])
    assert field(again, "Channels of B/01/body/branch2/conv2").value == 100


def test_every_convolution_of_the_block_has_its_boxes() -> None:
    app = opened("inception_v4/C/01")
    shown = {box.label.removeprefix("Channels of "): box.value for box in app.number_input if "Channels" in box.label}
    rows = {row.address.split("/", 1)[1]: row for row in shapes("inception_v4").under("inception_v4/C/01")}
    assert shown == {at: row.output[0] for at, row in rows.items() if row.op == "conv"}
    assert field(app, "Kernel of C/01/branch3/conv2").value == "3×1"
    closing = opened("inception_resnet_v2_paper/B/01")
    assert "Channels of B/01/linear" in labels(closing)
    assert "Kernel of B/01/linear" not in [box.label for box in closing.selectbox]


def test_undo_redo_and_reset() -> None:
    app = opened()
    field(app, "Channels of B/01/body/branch2/conv2").set_value(100).run()
    field(app, "Kernel of B/01/body/branch2/conv2").set_value("1×5").run()
    assert app.button(key="redo").disabled
    design = app.query_params["design"]
    press(app, "undo")
    assert field(app, "Kernel of B/01/body/branch2/conv2").value == "1×7"
    assert field(app, "Channels of B/01/body/branch2/conv2").value == 100
    press(app, "redo")
    assert app.query_params["design"] == design
    press(app, "reset")
    assert designed(app) == PAPER
    assert app.button(key="undo").disabled


def test_a_closing_width_that_cannot_be_added_is_refused_and_the_last_design_stays() -> None:
    app = opened("inception_resnet_v2_paper/B/01/linear")
    field(app, "Channels of B/01/linear").set_value(1154).run()
    (error,) = app.error
    assert "the shortcut brings 1152 channels, the closing 1x1 makes 1154" in error.value.replace("\\", "")
    assert designed(app) == PAPER


def test_what_was_refused_is_drawn_with_its_own_numbers() -> None:
    app = opened("inception_resnet_v2_paper/B/01/linear")
    field(app, "Channels of B/01/linear").set_value(600).run()
    table = next(table.value for table in app.dataframe if "said" in table.value.columns).set_index("address")
    assert "1×1 · 600" in table.label["inception_resnet_v2_paper/B/01/linear"]
    assert table.said["inception_resnet_v2_paper/B/01/add"] == "1152 + 600"


def test_what_was_refused_does_not_come_back() -> None:
    app = opened("inception_resnet_v2_paper/B/01/linear")
    field(app, "Channels of B/01/linear").set_value(1154).run()
    assert field(app, "Channels of B/01/linear").value == 1152, "the box has what the design has"
    field(app, "Scale of all").set_value(0.2).run()
    assert not app.error
    assert designed(app) == PAPER.scaled(0.2)
    field(app, "Channels of B/01/linear").set_value(1154).run()
    assert len(app.error) == 1, "asked again by hand, it is refused again"


STRANGE = {
    "a scale of 3": PAPER.scaled(3.0),
    "a negative scale": PAPER.scaled(-0.5),
    "41 blocks": PAPER.thin(1 / 16).repeats(5, 41, 5),
    "two stages": PAPER.with_(stages=tuple(one for one in PAPER.stages if one.name != "B")),
    "a wide convolution": parse(notation(PAPER).replace("Conv(160", "Conv(9000")),
    "a large kernel": parse(notation(PAPER).replace("(1, 7)", "(1, 17)")),
    "a large input": PAPER.thin(1 / 16).with_(size=1100),
    "marks": PAPER.with_(source="*Fig.* [7](https://example.org) `x`"),
    "learned scales, all of them": PAPER.scaled((0.1, 0.2, 0.3), gain="learned"),
}


@pytest.mark.parametrize("name", STRANGE)
def test_a_design_beyond_the_limits_of_the_boxes_opens(name: str) -> None:
    """A link may describe more than the boxes offer; they take what it has."""
    wanted = STRANGE[name]
    assert isinstance(wanted, Net)
    assert wanted != PAPER
    for at in (CONV, "inception_resnet_v2_paper/C/01/linear"):
        app = page("explore", view="design", at=at, design=notation(wanted, multiline=False))
        assert not app.exception, name


def test_marks_in_the_words_of_a_link_are_not_markdown() -> None:
    app = page("explore", at="inception_resnet_v2_paper/B/01", design=notation(STRANGE["marks"], multiline=False))
    assert not any("[7](" in caption.value for caption in app.caption)


def test_the_last_convolution_can_be_changed() -> None:
    app = opened("inception_resnet_v2/conv2d_7b/01")
    field(app, "Channels of").set_value(1000).run()
    assert designed(app) == lab.net("inception_resnet_v2").changed("conv2d_7b/01", channels=1000)


@pytest.mark.parametrize(("asked", "kernel"), [("1x7", (1, 7)), (" 3 × 5 ", (3, 5)), ("5", (5, 5)), ("4*4", (4, 4))])
def test_a_kernel_is_read_as_people_write_it(asked: str, kernel: tuple[int, int]) -> None:
    assert branches.kernel_of(asked) == kernel


@pytest.mark.parametrize("asked", ["wide", "", "3×", "1×2×3", "9999", "-3", "٣"])
def test_what_is_no_kernel_is_one_sentence(asked: str) -> None:
    with pytest.raises(NetworkError, match="such as 3×3 or 1×7"):
        branches.kernel_of(asked)


def test_a_kernel_is_factorised_with_its_saving_which_stays_beside_undo() -> None:
    at = "inception_resnet_v2_paper/A/01/body/branch2/conv2"
    app = opened(at)
    (before,) = [caption.value for caption in app.caption if "In total, 5 copies" in caption.value]
    assert "-0\\.046%" in before.replace("\\-", "-"), "a small share has digits enough to be one"
    press(app, "factorise")
    assert designed(app) == PAPER.factorised("A/01/body/branch2/conv2", copies="all")
    (said,) = [one.value for one in app.success]
    assert said == before
    press(app, "undo")
    assert not app.success


def test_each_change_of_the_whole_network_is_made_at_once_and_is_one_step_back() -> None:
    app = opened()
    field(app, "Scale of all").set_value(0.2).run()
    field(app, "Blocks in B").set_value(4).run()
    field(app, "Multiply widths by").set_value(0.5).run()
    assert field(app, "Multiply widths by").value == 1
    field(app, "Multiply widths by").set_value(0.5).run()
    assert any("Widths are × 0.25 of the start" in caption.value for caption in app.caption)
    steps = [PAPER, PAPER.scaled(0.2), PAPER.scaled(0.2).repeats(5, 4, 5)]
    steps += [steps[-1].thin(0.5), steps[-1].thin(0.5).thin(0.5)]
    for wanted in reversed(steps):
        assert designed(app) == wanted
        if not app.button(key="undo").disabled:
            press(app, "undo")


def test_scales_are_changed_where_they_are_and_are_not_offered_where_there_are_none() -> None:
    net = lab.net("inception_resnet_v2")
    app = opened("inception_resnet_v2/B/07")
    shown = {label: field(app, label).value for label in labels(app) if "cale" in label}
    assert shown == {
        "Scale of all residuals": None,
        "Scale in A": 0.17,
        "Scale in B": 0.1,
        "Scale in C, 01–09": 0.2,
        "Scale in C, 10": 1.0,
    }
    field(app, "Scale in C, 01–09").set_value(0.3).run()
    found = designed(app)
    assert found == net.rescaled(0.3, stage="C", was=0.2)
    assert [block.scale for block in found.stages[6].blocks] == 9 * [0.3] + [1.0]  # type: ignore[union-attr]
    field(app, "Scale in A").set_value(0.25).run()
    assert designed(app) == net.rescaled(0.3, stage="C", was=0.2).rescaled(0.25, stage="A")
    for name in ("inception_v3", "inception_v4"):
        assert not any("cale" in label for label in labels(opened(name)))


def test_a_scale_that_is_trained_stays_so() -> None:
    wanted = PAPER.scaled((0.1, 0.2, 0.3), gain="learned")
    app = opened(design=notation(wanted, multiline=False))
    field(app, "Scale in B").set_value(0.25).run()
    assert designed(app) == PAPER.scaled((0.1, 0.25, 0.3), gain="learned")


def test_the_input_side_is_a_part_of_the_design() -> None:
    app = opened()
    field(app, "Input side").set_value(331).run()
    assert designed(app) == PAPER.with_(size=331)
    assert after(app)["multiply-adds"] == cost(PAPER, size=331).total.multiply_adds
    press(app, "undo")
    assert designed(app) == PAPER
    press(app, "redo")
    assert designed(app).size == 331
    again = opened(design=app.query_params["design"])
    assert designed(again) == PAPER.with_(size=331)
    press(again, "reset")
    assert designed(again) == PAPER, "a design bears the name of the network that it began as"


def test_a_side_that_was_looked_at_becomes_the_designs() -> None:
    app = page("explore", at=CONV, size="331")
    assert any("made for 299" in caption.value for caption in app.caption)
    app.segmented_control(key="view").set_value("design").run()
    assert designed(app) == PAPER.with_(size=331)
    press(app, "undo")
    assert designed(app) == PAPER
    press(app, "redo")
    app.segmented_control(key="view").set_value("picture").run()
    assert not app.exception
    assert app.number_input(key="size").value == 331
    assert parse(app.query_params["design"]) == PAPER.with_(size=331)


def test_a_side_from_the_link_goes_into_the_design_or_is_refused() -> None:
    design = notation(PAPER.thin(0.5), multiline=False)
    assert designed(opened(design=design, size="331")) == PAPER.thin(0.5).with_(size=331)
    app = opened("inception_v4/B/03", size="74")
    assert "74x74 pixels is too small" in app.error[0].value
    assert designed(app) == catalog.net("inception_v4")
    press(app, "way-out-0")
    assert designed(app) == catalog.net("inception_v4").with_(size=75)
    assert designed(opened("inception_v4", size="oops")) == catalog.net("inception_v4")


def test_a_kernel_for_which_the_input_is_too_small_has_two_ways_out() -> None:
    start = catalog.net("inception_resnet_v2").with_(size=75)
    app = opened("inception_resnet_v2/stem/01", design=notation(start, multiline=False))
    field(app, "Kernel of stem/01/conv1").set_value("5×5").run()
    assert "needs at least 3x3 cells" in app.error[0].value
    assert designed(app) == start
    wanted = start.changed("stem/01/conv1", kernel=(5, 5), copies="all")
    assert app.button(key="way-out-0").label == "Take 77 px, the smallest that fits"
    press(app, "way-out-0")
    assert designed(app) == wanted.with_(size=77)
    press(app, "undo")
    assert designed(app) == start, "the change and its way out are one step"
    field(app, "Kernel of stem/01/conv1").set_value("5×5").run()
    press(app, "way-out-1")
    assert designed(app) == wanted.small().with_(size=75)


def test_a_size_that_would_not_help_is_no_way_out() -> None:
    start = catalog.net("inception_v4").with_(size=75)
    app = opened("inception_v4/reduction_b/01", design=notation(start, multiline=False))
    field(app, "Kernel of reduction_b/01/branch1/conv2").set_value("5×5").run()
    assert "needs at least 5x5 cells" in app.error[0].value, "and with more of them its grid would not meet the others"
    ways = [button for button in app.button if str(button.key).startswith("way-out")]
    assert [button.label for button in ways] == ["Take the small stem"], "whose reductions do not crop"


def test_a_design_too_large_for_its_own_input_is_made_to_fit() -> None:
    app = opened(design=notation(PAPER.with_(size=40), multiline=False))
    assert not app.exception
    assert len(app.error) == 1
    press(app, "way-out-0")
    assert designed(app) == PAPER.with_(size=75)


def test_notation_is_loaded_as_one_step_and_what_is_none_is_refused() -> None:
    app = opened()
    field(app, "Blocks in B").set_value(4).run()
    wanted = lab.net("inception_v4").thin(0.25).with_(name="mine")
    app.text_area(key="design-text").set_value(notation(wanted)).run()
    press(app, "design-load")
    assert designed(app) == wanted
    app.text_area(key="design-text").set_value("Net(oops").run()
    press(app, "design-load")
    assert len(app.error) == 1
    assert designed(app) == wanted
    field(app, "Multiply widths by").set_value(0.5).run()
    assert designed(app) == wanted.thin(0.5)
    press(app, "undo")
    press(app, "undo")
    assert designed(app) == PAPER.repeats(5, 4, 5), "what was there before it was loaded is one step back"


def load(app: AppTest, data: bytes, name: str = "mine.txt") -> None:
    app.file_uploader[0].upload(name, data, "text/plain").run()
    assert not app.exception


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf", b"# mine\n"])
def test_a_saved_design_is_loaded_from_its_file(mark: bytes) -> None:
    wanted = lab.net("inception_v4").thin(0.25).with_(name="mine", size=160)
    app = opened()
    load(app, mark + notation(wanted).encode(), "mine.py")
    assert designed(app) == wanted
    load(app, notation(PAPER.thin(0.5)).encode())
    assert designed(app) == PAPER.thin(0.5), "a second file is taken like the first"
    press(app, "undo")
    assert designed(app) == wanted


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\xff\xfe\x00N\x00e\x00t", "no text in UTF-8"),
        (b" " * 2_000_000, "has 2.0 MB"),
        (b"   ", "is empty"),
        (b"import torch\n", "no notation of a network. Line 1"),
        (b"Conv(32, 3)", "describes a single Conv"),
        (notation(catalog.net("inception_resnet_v2_printed")).encode(), "1154"),
        (notation(PAPER.with_(size=40)).encode(), "too small"),
    ],
)
def test_a_file_that_is_no_design_is_one_sentence_and_loses_nothing(data: bytes, why: str) -> None:
    app = opened()
    field(app, "Blocks in B").set_value(4).run()
    load(app, data)
    (error,) = app.error
    assert why in error.value.replace("\\", "")
    assert designed(app) == PAPER.repeats(5, 4, 5)
    press(app, "undo")
    assert not app.error
    assert designed(app) == PAPER


def test_a_design_goes_to_train_with_its_copies_and_its_side() -> None:
    app = opened("inception_v4/B/03")
    field(app, "Blocks in B").set_value(2).run()

    def told() -> str:
        return next(str(link.proto.query_string) for link in app.get("page_link") if "Train this" in link.proto.label)

    assert "set-repeats=none" in told()
    assert "image_size" not in told()
    field(app, "Input side").set_value(128).run()
    assert "set-image_size=128" in told()
    assert "set-small=false" in told()
    train = page("train", **{"design": app.query_params["design"], "set-repeats": "none", "set-image_size": "128"})
    assert train.text_input(key="set-image_size").value == "128"
    field(app, "Input side").set_value(400).run()
    assert "image_size" not in told()


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_is_done_in_whatever_order_the_page_agrees_with_itself(seed: int) -> None:
    dice, app = random.Random(seed), opened("inception_resnet_v2_paper/B/01/body/branch2/conv2")
    way: list[Net] = [designed(app)]
    place = 0
    boxes: dict[str, tuple[Any, ...]] = {
        "Scale of all": (0.1, 0.3),
        "Scale in B": (0.2, 0.5),
        "Blocks in A": (2, 3),
        "Multiply widths by": (0.5, 0.25),
        "Channels of": (16, 24, 64),
        "Kernel of": ("1×5", "3×3", "7×1"),
        "Input side": (40, 75, 96, 331),
    }
    for _ in range(14):
        word = dice.choice([*boxes, "undo", "redo"])
        if word in boxes:
            field(app, word).set_value(dice.choice(boxes[word])).run()
        elif not app.button(key=word).disabled:
            press(app, word)
        now = designed(app)
        if word in ("undo", "redo"):
            place = min(max(place + (1 if word == "redo" else -1), 0), len(way) - 1)
        elif now != way[place]:
            way, place = [*way[: place + 1], now], place + 1
        assert now == way[place]
        assert app.button(key="undo").disabled is (place == 0)
        assert app.button(key="redo").disabled is (place == len(way) - 1)


def test_a_view_that_the_browser_lost_is_the_links() -> None:
    app = opened("inception_v4/B/03")
    app.segmented_control(key="view").set_value(None).run()
    assert designed(app) == catalog.net("inception_v4")
    assert app.query_params["view"] == "design"
