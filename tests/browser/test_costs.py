"""Explore's Cost view in a browser: clicks on marks select, areas open, nothing runs out of a narrow screen."""

from __future__ import annotations

import re
from typing import Literal

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visit
from tests.browser.live import fits, settled


def chart(page: Page, key: str) -> str:
    """The selector of a chart, once it has been drawn."""
    selector = f".st-key-{key} .js-plotly-plot"
    expect(page.locator(f"{selector} .main-svg").first).to_be_visible()
    return selector


def click(page: Page, mark: Locator) -> None:
    """A click where a mark is drawn: Plotly catches it in a layer of its own above the marks."""
    mark.scroll_into_view_if_needed()
    box = mark.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2 - 1, box["y"] + box["height"] / 2)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    settled(page)


def test_a_click_on_a_bar_selects_its_stage_and_areas_open(visit: Visit) -> None:
    page = visit("/explore?at=inception_resnet_v2/B/07&view=cost")
    bars = page.locator(f"{chart(page, 'cost-bars')} .points .point")
    expect(bars).to_have_count(9)
    click(page, bars.nth(6).locator("path"))
    expect(page).to_have_url(re.compile("at=inception_resnet_v2(/|%2F)C&"))
    areas = page.locator(f"{chart(page, 'cost-areas')} .slice")
    expect(areas.filter(has_text="reduction_b").first).to_be_visible()
    assert areas.count() > 40


def test_a_click_on_a_mark_takes_its_side(visit: Visit) -> None:
    page = visit("/explore?at=inception_resnet_v2&view=cost&question=strides")
    marks = page.locator(f"{chart(page, 'strides')} .points .point")
    click(page, marks.nth(6))  # the seventh clean side, counted from 75: 267
    expect(page.get_by_role("spinbutton", name="Input side, px")).to_have_value("267")
    expect(page.get_by_text("267: nothing is thrown away")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("question", ["where", "bounds", "strides"])
def test_nothing_runs_out_of_a_narrow_screen(visit: Visit, question: str, scheme: Literal["light", "dark"]) -> None:
    page = visit(f"/explore?at=inception_v4/B/01&view=cost&question={question}", scheme=scheme, width=390)
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    fits(page)
