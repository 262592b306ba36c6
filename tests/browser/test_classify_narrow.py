"""Every view of Classify on a phone: nothing runs out, a finger hits what it aims at, pictures have words."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.live import fits, settled
from tests.browser.test_classify import encoded, payload, upload

VIEWS = ("guesses", "pixels", "blocks", "blocks&ask=rho", "compare", "networks")

SMALL = """main => [...main.querySelectorAll("button, a, summary, [role=button]")]
    .filter(one => one.offsetParent && getComputedStyle(one).visibility !== "hidden")
    .map(one => [one.getAttribute("aria-label") || one.innerText, one.getBoundingClientRect()])
    .filter(([_, box]) => box.width < 24 || box.height < 24)
    .map(([name, box]) => `${name}: ${Math.round(box.width)} x ${Math.round(box.height)}`)"""

MUTE = """main => [...main.querySelectorAll("img")]
    .filter(one => !one.alt && one.getAttribute("role") !== "presentation")
    .map(one => one.src.slice(0, 60))"""


def good(page: Page) -> None:
    """What every view owes a phone."""
    fits(page)
    main = page.get_by_test_id("stMain")
    assert main.evaluate(SMALL) == [], "targets are 24 pixels high and wide"
    assert main.evaluate(MUTE) == [], "a picture without words"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", VIEWS)
def test_a_view_on_a_phone(visit: Visit, view: str, scheme: Literal["light", "dark"]) -> None:
    good(visit(f"/classify?view={view}", scheme=scheme, width=390))


def test_the_way_into_the_network_stands_beside_the_photograph(visit: Visit) -> None:
    from PIL import Image

    page = visit("/classify", width=390)
    steps = page.locator(".entering li")
    expect(steps).to_have_count(4)
    expect(steps.nth(2)).to_contain_text("224×224")
    upload(page, payload("wide.png", encoded(Image.new("RGB", (1900, 100), "teal"), "PNG")))
    expect(steps.nth(0)).to_contain_text("1900×100")
    page.get_by_role("button", name="Table").click()
    expect(page.get_by_text("(value / 255 − 0.5) / 0.5: black −1, white 1")).to_be_visible()
    settled(page)
    good(page)


def test_the_scale_shows_its_effect_on_the_first_screen(visit: Visit) -> None:
    page = visit("/classify?view=blocks&ask=rho")
    said = page.get_by_text("First choice chocolate sauce, not espresso.")
    box = said.bounding_box()
    assert box is not None
    assert box["y"] < 900, "guesses before and after are seen without scrolling"
