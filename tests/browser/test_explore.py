"""Explore in a real browser: the same selection by click, by keyboard, by box and by link."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.live import settled

STRIP = ".st-key-strip"
BLOCK = ".st-key-block-drawing"


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
    first = page.locator(f"{BLOCK} .node[data-address]").first
    first.focus()
    page.keyboard.press("ArrowRight")
    address = page.evaluate("document.activeElement.dataset.address")
    page.keyboard.press("Enter")
    settled(page)
    expect(page.locator(f"{BLOCK} .node.selected")).to_have_attribute("data-address", address)
    page.locator(f"{BLOCK} .node.selected").focus()
    page.keyboard.press("Escape")
    settled(page)
    expect(page).to_have_url(re.compile("at=inception_v4(/|%2F)B(/|%2F)01$"))


def test_box_and_input_size_change_everything_at_once(visit: Visit) -> None:
    page = visit("/explore?at=inception_v4/B/01")
    expect(page.get_by_text("42.68 M")).to_be_visible()
    side = page.get_by_role("spinbutton", name="Input side, px")
    side.fill("400")
    side.press("Enter")
    settled(page)
    expect(page.locator(f'{STRIP} .node[data-address="inception_v4/B"]')).to_contain_text("1024×23×23")
    expect(page).to_have_url(re.compile("size=400"))
    page.reload()
    settled(page)
    expect(page.locator(f'{STRIP} .node[data-address="inception_v4/B"]')).to_contain_text("1024×23×23")


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


def test_printed_network_shows_the_block_that_fits_and_opens_it(visit: Visit) -> None:
    page = visit("/explore?at=inception_resnet_v2_printed/B/01")
    add = page.locator('.st-key-sister .node[data-address="inception_resnet_v2_paper/B/01/add"]')
    expect(add).to_have_class(re.compile("selected"))
    page.get_by_role("button", name="Open it in inception_resnet_v2_paper").click()
    settled(page)
    expect(page).to_have_url(re.compile("at=inception_resnet_v2_paper(/|%2F)B(/|%2F)01(/|%2F)add"))
    expect(page.get_by_text("cannot add")).to_have_count(0)


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
    page.get_by_role("link", name="Paper").click()
    settled(page)
    page.get_by_role("link", name="See it refuse").first.click()
    expect(page.get_by_text("cannot add: the shortcut brings 1152 channels")).to_be_visible()
    page.get_by_role("link", name="Paper").click()
    settled(page)
    page.get_by_role("link", name="Open the block").first.click()
    expect(page.get_by_text("cannot add")).to_have_count(0)
    settled(page)
