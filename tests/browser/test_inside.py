"""My image inside in a real browser: a click on a map, arrows and Enter, and the link that keeps the cell."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.live import fits, settled

PATH = "/explore?view=inside&weights=efficientnet_lite0&part=blocks/4/0/bn3&cell=5.10.10"


def test_a_cell_is_picked_by_click_and_by_keyboard_and_kept_in_the_link(visit: Visit) -> None:
    page = visit(PATH)
    expect(page.get_by_role("heading", name="Channel 5, row 10, column 10")).to_be_visible()
    tile = page.locator(".cells .tile").nth(1)
    channel = tile.get_attribute("data-channel")
    size = tile.locator("img").bounding_box()
    assert size is not None
    tile.locator("img").click(position={"x": size["width"] * 7.5 / 14, "y": size["height"] / 28})
    settled(page)
    expect(page.get_by_role("heading", name=f"Channel {channel}, row 0, column 7")).to_be_visible()
    expect(page).to_have_url(re.compile(rf"cell={channel}\.0\.7"))
    chosen = page.locator(".cells .tile.chosen")
    expect(chosen).to_have_attribute("aria-pressed", "true")
    chosen.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    settled(page)
    expect(page.get_by_role("heading", name=f"Channel {channel}, row 1, column 8")).to_be_visible()
    page.reload()
    settled(page)
    expect(page.get_by_role("heading", name=f"Channel {channel}, row 1, column 8")).to_be_visible()
    expect(page.get_by_text("Its receptive field: rows")).to_be_visible()


def test_an_op_is_picked_in_the_drawing_and_fits_a_phone(visit: Visit) -> None:
    page = visit("/explore?view=inside&at=inception_resnet_v2/A/01", width=390)
    page.locator('.st-key-inside-drawing .node[data-address="inception_resnet_v2/A/01/add"]').click()
    settled(page)
    expect(page.get_by_text("shortcut + 0.17 × residual")).to_be_visible()
    fits(page)
