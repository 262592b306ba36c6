"""Explore in a real browser: the same selection by click, by keyboard, by box and by link."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from inception_lab.nets.address import blocks
from inception_lab.nets.catalog import CATALOG
from inception_lab.readers import words
from inception_lab.readers.graph import graph
from inception_lab.readers.shapes import shapes
from tests.browser.conftest import Visit
from tests.browser.live import fits, settled

Scheme = Literal["light", "dark"]
STRIP = ".st-key-strip"
BLOCK = ".st-key-block-drawing"
HIGH = "all => all.map(one => parseFloat(getComputedStyle(one).fontSize) * one.ownerSVGElement.getScreenCTM().a)"
PRINTED = "inception_resnet_v2_printed"


def click(page: Page, drawing: str, address: str) -> None:
    """A click on a node of a drawing, and the wait for what follows."""
    page.locator(f'{drawing} .node[data-address="{address}"]').click()
    settled(page)


def test_clicks_lead_from_the_strip_to_one_op(visit: Visit) -> None:
    page = visit("/explore")
    click(page, STRIP, "inception_resnet_v2/C")
    expect(page.get_by_role("heading", name="Block C/01")).to_be_visible()
    click(page, BLOCK, "inception_resnet_v2/C/01/add")
    expect(page).to_have_url(re.compile("at=inception_resnet_v2(/|%2F)C(/|%2F)01(/|%2F)add"))
    expect(page.get_by_text("Output 2080 × 8 × 8 = 133,120 numbers")).to_be_visible()
    expect(page.locator(f"{BLOCK} .node.selected")).to_have_attribute("data-address", "inception_resnet_v2/C/01/add")


def test_keyboard_walks_picks_and_leaves(visit: Visit) -> None:
    page = visit("/explore?at=inception_v4/B/01")
    page.locator(f"{BLOCK} .node[data-address]").last.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    address = page.evaluate("document.activeElement.dataset.address")
    page.keyboard.press("Enter")
    settled(page)
    expect(page.locator(f"{BLOCK} .node.selected")).to_have_attribute("data-address", address)
    page.locator(f"{BLOCK} .node.selected").focus()
    page.keyboard.press("Escape")
    settled(page)
    expect(page).to_have_url(re.compile("at=inception_v4(/|%2F)B(/|%2F)01$"))


def focused(page: Page) -> str:
    """The address of the box that has the focus, and nothing where none has."""
    return str(page.evaluate("document.activeElement.dataset?.address ?? ''"))


def test_arrows_go_where_they_point(visit: Visit) -> None:
    page = visit("/explore?at=inception_resnet_v2/B/07")
    at = "inception_resnet_v2/B/07"
    page.locator(f'{BLOCK} .node[data-address="{at}/body/branch2/conv2"]').focus()
    for key, expected in (
        ("ArrowUp", "body/branch1"),
        ("ArrowRight", "body/branch2/conv2"),
        ("ArrowRight", "body/branch2/conv3"),
        ("ArrowLeft", "body/branch2/conv2"),
        ("End", "relu"),
        ("ArrowLeft", "add"),
    ):
        page.keyboard.press(key)
        assert focused(page) == f"{at}/{expected}", key
    page.keyboard.press("Home")
    assert focused(page) == "inception_resnet_v2/B/06"


def test_escape_twice_leaves_the_focus_on_the_stage_in_the_strip(visit: Visit) -> None:
    page = visit("/explore?at=inception_v4/B/03/branch2/conv1")
    page.locator(f"{BLOCK} .node.selected").focus()
    page.keyboard.press("Escape")
    settled(page)
    assert focused(page) == "inception_v4/B/03/branch2/conv1"
    page.keyboard.press("Escape")
    expect(page.locator(BLOCK)).to_have_count(0)
    settled(page)
    page.wait_for_function("document.activeElement.dataset?.address === 'inception_v4/B'")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Block B/01")).to_be_visible()
    settled(page)


def test_the_drawings_are_on_the_first_screen_and_can_be_read(visit: Visit) -> None:
    page = visit("/explore?at=inception_resnet_v2/B/01")
    expect(page.locator(f"{BLOCK} .node").first).to_be_visible()
    settled(page)
    for drawing in (STRIP, BLOCK):
        box = page.locator(f"{drawing} .frame").bounding_box()
        assert box is not None
        assert box["y"] + box["height"] * 2 / 3 < 900
        assert page.locator(f"{drawing} .frame").evaluate("frame => frame.scrollWidth - frame.clientWidth") <= 0
        for part, least in (("edge", 10), ("node", 11)):
            sizes = page.locator(f"{drawing} .{part} text").evaluate_all(HIGH)
            assert min(sizes) >= least, f"{part} in {drawing}"


def test_a_picked_stage_comes_into_sight(visit: Visit) -> None:
    page = visit("/explore?at=inception_resnet_v2/B/01")
    page.set_viewport_size({"width": 1280, "height": 480})
    page.locator(f"{STRIP} .frame").scroll_into_view_if_needed()
    expect(page.locator(f"{BLOCK} .frame")).not_to_be_in_viewport(ratio=0.9)
    click(page, STRIP, "inception_resnet_v2/C")
    expect(page.locator(f"{BLOCK} .frame")).to_be_in_viewport(ratio=0.9)


def test_box_and_input_size_change_everything_at_once(visit: Visit) -> None:
    page = visit("/explore?at=inception_v4/B/01")
    expect(page.get_by_text("42.68 M")).to_be_visible()
    side = page.get_by_role("spinbutton", name="Input side, px")
    side.fill("400")
    side.press("Enter")
    settled(page)
    after = page.locator(f'{STRIP} .edge[data-tail="inception_v4/B"]')
    expect(after).to_contain_text("1024×23×23")
    expect(page).to_have_url(re.compile("size=400"))
    page.reload()
    settled(page)
    after = page.locator(f'{STRIP} .edge[data-tail="inception_v4/B"]')
    expect(after).to_contain_text("1024×23×23")


def test_cold_link_opens_the_op_and_the_frame(visit: Visit) -> None:
    page = visit("/explore?at=inception_resnet_v2/B/07/add")
    expect(page.get_by_text("inception_resnet_v2/B/07/add", exact=True)).to_be_visible()
    for name in ("Explore", "Train", "Classify", "Paper"):
        expect(page.get_by_role("link", name=name, exact=True)).to_be_visible()


def test_bad_link_says_so_and_goes_on(visit: Visit) -> None:
    page = visit("/explore?at=inception_v5/B")
    expect(page.get_by_text("There is no network 'inception_v5'")).to_be_visible()
    expect(page.get_by_text("55.84 M")).to_be_visible()


def test_printed_network_refuses_and_teaches(visit: Visit) -> None:
    page = visit("/explore?at=inception_resnet_v2_printed/B/01")
    expect(page.get_by_text("the shortcut brings 1152 channels, the closing 1x1 makes 1154")).to_be_visible()


def test_printed_network_is_drawn_itself_with_both_adds_marked(visit: Visit) -> None:
    page = visit("/explore?at=inception_resnet_v2_printed/A/03/add")
    expect(page.locator(f"{BLOCK} .node.selected")).to_have_attribute("data-address", f"{PRINTED}/A/03/add")
    failing = page.locator(f"{STRIP} .node.fails")
    expect(failing).to_have_count(2)
    assert [box.get_attribute("data-address") for box in failing.all()] == [f"{PRINTED}/B", f"{PRINTED}/C"]
    click(page, STRIP, f"{PRINTED}/C")
    add = page.locator(f'{BLOCK} .node[data-address="{PRINTED}/C/01/add"]')
    expect(add).to_contain_text("! 2144 + 2048")
    expect(page.locator(f'{BLOCK} .node[data-address="{PRINTED}/C/01/linear"]')).to_contain_text("1×1 · 2048")
    add.hover()
    expect(page.locator(f"{BLOCK} .card")).to_contain_text("2144 channels of the shortcut, 2048 of the residual")
    page.get_by_role("spinbutton", name="Copy of C").press("ArrowUp")
    settled(page)
    expect(page.locator(f'{BLOCK} .node[data-address="{PRINTED}/C/02/add"]')).to_have_class(re.compile("fails"))
    box = page.get_by_role("textbox", name="Find an op")
    box.fill("1154")
    box.press("Enter")
    settled(page)
    expect(page.locator(f"{BLOCK} .node.selected")).to_contain_text("1×1 · 1154")


def test_printed_network_opens_the_one_that_fits(visit: Visit) -> None:
    page = visit("/explore?at=inception_resnet_v2_printed/B/01/add")
    page.get_by_role("button", name="Open it in inception_resnet_v2_paper").click()
    settled(page)
    expect(page).to_have_url(re.compile("at=inception_resnet_v2_paper(/|%2F)B(/|%2F)01(/|%2F)add"))
    expect(page.get_by_text("cannot add")).to_have_count(0)


def test_the_refusal_leads_to_the_papers_contradictions(visit: Visit) -> None:
    page = visit("/explore?at=inception_resnet_v2_printed/B/01")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Where the paper contradicts itself").click()
    expect(opened.value.get_by_role("heading", name="Where it contradicts itself")).to_be_in_viewport()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_slip_is_marked_on_its_op(visit: Visit, scheme: Scheme) -> None:
    page = visit("/explore?at=inception_resnet_v2_paper/stem/01", scheme=scheme)
    slip = page.locator(f"{BLOCK} .node.slip")
    expect(slip).to_have_attribute("data-address", "inception_resnet_v2_paper/stem/01/split6/branch1")
    expect(slip).to_contain_text("! slip, Fig 3")
    expect(slip.locator(".rim")).to_have_count(1)
    slip.hover()
    expect(page.locator(f"{BLOCK} .card")).to_contain_text("Stride 2: its output is 35×35")
    expect(page.get_by_text("The paper slips here")).to_contain_text("Fig 3")


def test_too_small_an_input_offers_the_right_one(visit: Visit) -> None:
    page = visit("/explore?at=inception_v4/B/01&size=74")
    page.get_by_role("button", name="Use 299").click()
    settled(page)
    expect(page.get_by_text("42.68 M")).to_be_visible()
    expect(page).not_to_have_url(re.compile("size=74"))


def test_a_chosen_segment_is_legible_in_the_dark(visit: Visit) -> None:
    chosen = visit("/train", scheme="dark").get_by_role("radio", name="micro")
    assert chosen.evaluate("radio => getComputedStyle(radio).color") == "rgb(233, 237, 243)"


def test_too_small_an_input_names_the_op(visit: Visit) -> None:
    page = visit("/explore?at=inception_v4/B/01&size=74")
    expect(page.get_by_text("needs at least 3x3 cells and gets 2x2")).to_be_visible()


def test_a_link_from_another_page_is_followed_in_a_session_that_has_a_selection(visit: Visit) -> None:
    page = visit("/explore?at=inception_v4/C/02")
    page.get_by_role("link", name="Paper", exact=True).click()
    settled(page)
    page.get_by_role("link", name="See it refuse").first.click()
    expect(page.get_by_text("cannot add: the shortcut brings 1152 channels")).to_be_visible()
    page.get_by_role("link", name="Paper", exact=True).click()
    settled(page)
    page.get_by_role("link", name="Open the block").first.click()
    expect(page.get_by_text("cannot add")).to_have_count(0)
    settled(page)


def test_a_card_says_the_numbers_to_the_pointer_and_to_the_keyboard(visit: Visit) -> None:
    page = visit("/explore?at=inception_v4/reduction_a/01")
    card = page.locator(f"{BLOCK} .card")
    expect(card).to_be_hidden()
    conv = page.locator(f'{BLOCK} .node[data-address="inception_v4/reduction_a/01/branch2/conv3"]')
    conv.hover()
    expect(card).to_be_visible()
    row = shapes("inception_v4").row("inception_v4/reduction_a/01/branch2/conv3")
    said = dict(zip(card.locator("dt").all_inner_texts(), card.locator("dd").all_inner_texts(), strict=True))
    assert said == {
        "kernel": "3×3, stride 2",
        "padding": "V, valid",
        "output": "256×17×17",
        "parameters": f"{224 * 9 * 256 + 512:,}",
        "multiply-adds": "149 M",
        "memory": "289 KiB",
        "receptive field": f"{words.window(row.receptive_field)} px",
    }
    page.mouse.move(0, 0)
    expect(card).to_be_hidden()
    page.locator(f"{BLOCK} .node[tabindex='0']").focus()
    page.keyboard.press("ArrowRight")
    expect(card).to_be_visible()
    described = page.evaluate("document.activeElement.getAttribute('aria-description')")
    assert described.startswith(page.evaluate("document.activeElement.dataset.address"))
    assert page.locator(f"{BLOCK} .node[tabindex='0']").count() == 1, "one stop for the tab key, arrows inside"


def test_zoom_and_pan(visit: Visit) -> None:
    page = visit("/explore?at=inception_v4/B/01")
    frame, svg = page.locator(f"{BLOCK} .frame"), page.locator(f"{BLOCK} svg")

    def wide() -> float:
        box = svg.bounding_box()
        assert box is not None
        return box["width"]

    start = wide()
    page.locator(f"{BLOCK} .node").first.focus()
    page.keyboard.press("+")
    assert wide() == pytest.approx(1.25 * start, rel=0.01)
    page.keyboard.press("-")
    page.keyboard.press("-")
    assert wide() == pytest.approx(start / 1.25, rel=0.01)
    page.keyboard.press("0")
    assert wide() == pytest.approx(start, rel=0.01)
    frame.hover()
    page.keyboard.down("Control")
    page.mouse.wheel(0, -300)
    page.keyboard.up("Control")
    page.wait_for_function(f"document.querySelector('{BLOCK} svg').getBoundingClientRect().width > {2 * start}")
    box = frame.bounding_box()
    assert box is not None
    before = frame.evaluate("frame => [frame.scrollLeft, location.href]")
    page.mouse.move(box["x"] + 300, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 20, steps=4)
    page.mouse.up()
    after = frame.evaluate("frame => [frame.scrollLeft, location.href]")
    assert after[0] == pytest.approx(before[0] + 100, abs=2)
    assert after[1] == before[1], "dragging picks nothing"
    page.locator(f"{BLOCK} .fit").click()
    assert wide() == pytest.approx(start, rel=0.01)
    page.keyboard.press("0")
    assert wide() == pytest.approx(start, rel=0.01)


def test_the_stepper_goes_to_another_copy_of_the_same_op(visit: Visit) -> None:
    page = visit("/explore?at=inception_resnet_v2/B/07/add")
    page.get_by_role("spinbutton", name="Copy of B").press("ArrowUp")
    settled(page)
    expect(page).to_have_url(re.compile("at=inception_resnet_v2(/|%2F)B(/|%2F)08(/|%2F)add"))
    expect(page.locator(f"{BLOCK} .node.selected")).to_have_attribute("data-address", "inception_resnet_v2/B/08/add")


def test_find_jumps_from_match_to_match(visit: Visit) -> None:
    page = visit("/explore?at=inception_v4")
    box = page.get_by_role("textbox", name="Find an op")
    box.fill("max pool")
    box.press("Enter")
    settled(page)
    expect(page.get_by_text("1 of 4")).to_be_visible()
    expect(page).to_have_url(re.compile("stem"))
    page.get_by_role("button", name="Next").click()
    settled(page)
    expect(page.get_by_text("2 of 4")).to_be_visible()
    box.fill("<b>nothing</b>")
    box.press("Enter")
    settled(page)
    expect(page.get_by_text("No op has “<b>nothing</b>”.")).to_be_visible()


def test_every_op_of_the_network_on_request(visit: Visit) -> None:
    page = visit("/explore?at=inception_resnet_v2/C/05/add&dir=TB&colour=memory")
    page.get_by_text("Every op: 823 boxes").click()
    settled(page)
    whole = page.locator(".st-key-whole-drawing")
    expect(whole.locator(".node")).to_have_count(823)
    expect(whole.locator(".node.selected")).to_have_attribute("data-address", "inception_resnet_v2/C/05/add")
    expect(whole.locator(".node.selected")).to_be_in_viewport()
    click(page, STRIP, "inception_resnet_v2/A")
    expect(whole.locator('.node[data-address="inception_resnet_v2/A/01/body/branch1/conv"]')).to_be_in_viewport()
    whole.locator(".fit").click()
    assert whole.locator(".frame").evaluate(
        "f => [f.scrollWidth - f.clientWidth, f.scrollHeight - f.clientHeight]"
    ) == [0, 0]
    whole.locator('.node[data-address="inception_resnet_v2/C/05/scale"]').focus()
    page.keyboard.press("Enter")
    settled(page)
    expect(page).to_have_url(re.compile("scale.*whole=true|whole=true.*scale"))
    expect(page.get_by_text("× 0.2").first).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_exported_page_keeps_click_and_card_offline(
    new_context: Callable[..., BrowserContext], tmp_path: Path, scheme: Scheme
) -> None:
    file = tmp_path / "block.html"
    file.write_text(graph("inception_resnet_v2", at="B/07", depth="block").html(), encoding="utf-8")
    page = new_context(color_scheme=scheme, offline=True).new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith("file://") else errors.append(request.url))
    page.goto(file.as_uri())
    add = page.locator('.node[data-address="inception_resnet_v2/B/07/add"]')
    add.hover()
    expect(page.locator(".card")).to_contain_text("Adds the residual to the shortcut")
    add.click()
    expect(page.locator("#said")).to_contain_text("receptive field: 1087×1087 px")
    expect(add).to_have_class(re.compile("selected"))
    add.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".node.selected")).to_have_attribute("data-address", "inception_resnet_v2/B/07/relu")
    page.reload()
    expect(page.locator(".node.selected")).to_have_attribute("data-address", "inception_resnet_v2/B/07/relu")
    assert not errors


def test_a_finger_picks_and_no_card_stays(new_context: Callable[..., BrowserContext], base_url: str) -> None:
    page = new_context(has_touch=True).new_page()
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{base_url}/explore?at=inception_resnet_v2/B/01")
    settled(page)
    conv = page.locator(f'{BLOCK} .node[data-address="inception_resnet_v2/B/01/body/branch2/conv1"]')
    conv.tap()
    expect(page).to_have_url(re.compile("branch2"))
    settled(page)
    expect(page.locator(f"{BLOCK} .card")).to_be_hidden()
    for drawing in (STRIP, BLOCK):
        boxes = page.locator(f"{drawing} .node .box").evaluate_all(
            "all => all.map(one => one.getBoundingClientRect().height)"
        )
        assert min(boxes) >= 24, "large enough for a finger"


def test_drawings_fit_a_phone(visit: Visit) -> None:
    page = visit("/explore?at=inception_resnet_v2/A/03", width=390)
    fits(page)
    strip = page.locator(f"{STRIP} .frame").bounding_box()
    assert strip is not None
    assert strip["y"] + strip["height"] <= 844, "on the first screen"
    page.locator(f"{STRIP} .fit").click()
    assert page.locator(f"{STRIP} .frame").evaluate("frame => frame.scrollWidth - frame.clientWidth") <= 0
    page.locator(f"{BLOCK} .node").nth(2).hover()
    box = page.locator(f"{BLOCK} .card").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390


@pytest.mark.parametrize("network", list(CATALOG))
def test_every_network_is_drawn_at_every_depth(visit: Visit, network: str) -> None:
    """Strip, block, its steps, one op with its arithmetic, all ops: as many boxes as the reader has nodes."""
    block = next(at for at, _ in blocks(CATALOG[network]) if "/B/" in at)
    page = visit(f"/explore?at={block}")
    expect(page.locator(f"{STRIP} .node")).to_have_count(len(graph(network, depth="stages", tolerant=True).nodes))
    drawn = graph(network, at=block, depth="block", tolerant=True)
    expect(page.locator(f"{BLOCK} .node")).to_have_count(len(drawn.nodes))
    click(page, BLOCK, next(node.id for node in drawn.nodes if node.kind == "conv"))
    expect(page.get_by_text("weights ×").first).to_be_visible()
    page.get_by_text("Batch norm and ReLU apart").click()
    fine = graph(network, at=block, depth="ops", tolerant=True)
    expect(page.locator(f"{BLOCK} .node")).to_have_count(len(fine.nodes))
    page.get_by_text("Every op:").click()
    every = graph(network, depth="ops", tolerant=True)
    expect(page.locator(".st-key-whole-drawing .node")).to_have_count(len(every.nodes))
    expect(page.locator(".st-key-whole-drawing .node.fails")).to_have_count(15 if network == PRINTED else 0)
    settled(page)
