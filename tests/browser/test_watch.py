"""Watching in a real browser: drawing and heatmap are one picture, and a browser that lost a message gets it again."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, WebSocketRoute, expect

from inception_lab.training.reference import load
from tests.browser.conftest import Visit
from tests.browser.live import Live, fits, settled

RUN = load()[0]  # scale 1, seed 0: the first that the page offers
NAMES = [address.split("/", 1)[1] for address in RUN.addresses]
LAST = len(RUN.steps) - 1


def inside(page: Page) -> Locator:
    """The view of one run from within; its line that says step, block and value."""
    page.get_by_text("Inside one run", exact=True).click()
    settled(page)
    where = page.locator(".replay .where")
    expect(where).to_contain_text(f"step {LAST} of {LAST}")
    return where


def shown(step: int, name: str) -> str:
    """What the line says: no share is rounded up."""
    value = RUN.steps[step].zeros[NAMES.index(name)]
    return f"step {step} of {LAST} · block {name}: {int(value * 1e4) / 1e4:.4f}"


def test_drawing_heatmap_slider_and_keys_move_one_step_and_one_block(visit: Visit) -> None:
    page = visit("/train?sweep=shipped")
    where = inside(page)
    expect(where).to_have_text(shown(LAST, "C/05"))
    page.locator(".replay .block", has_text="A/03").click()
    expect(where).to_have_text(shown(LAST, "A/03"))
    slider = page.get_by_role("slider", name="Step", exact=True)
    slider.fill("7")
    expect(where).to_have_text(shown(7, "A/03"))
    heat = page.locator(".replay canvas")
    heat.press("ArrowRight")
    heat.press("ArrowDown")
    expect(where).to_have_text(shown(8, "A/04"))
    size = heat.bounding_box()
    assert size
    heat.click(position={"x": size["width"] - 8, "y": 8})  # the cell in the corner: the first block, the last step
    expect(where).to_have_text(shown(LAST, "A/01"))
    chosen = page.locator(".replay .block[aria-pressed=true]")
    expect(chosen).to_have_attribute("aria-label", re.compile("^block A/01: 0"))


def test_replay_runs_and_pauses_by_the_space_bar_and_ends_at_the_newest(visit: Visit) -> None:
    page = visit("/train?sweep=shipped")
    where = inside(page)
    heat = page.locator(".replay canvas")
    heat.press(" ")
    expect(where).to_contain_text(f"step 2 of {LAST}")
    heat.press(" ")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    page.get_by_role("slider", name="Step", exact=True).fill(str(LAST - 1))
    heat.press(" ")
    expect(where).to_contain_text(f"step {LAST} of {LAST}")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()


def test_slow_motion_is_of_the_chosen_step_and_block_and_goes_by_keys(visit: Visit) -> None:
    page = visit("/train?sweep=shipped")
    inside(page)
    page.get_by_role("slider", name="Step", exact=True).fill("4")
    page.locator(".replay .block", has_text="B/02").click()
    page.get_by_role("button", name="Slow motion: update 4 of B/02").click()
    cards = page.locator(".callouts li")
    expect(cards).to_have_count(5)
    block = NAMES.index("B/02")
    expect(cards.nth(0)).to_contain_text(f"{RUN.steps[4].shortcut[block]:.3g}")
    expect(cards.nth(1)).to_contain_text(f"{RUN.steps[4].ratio[block]:.3g}")
    page.get_by_role("button", name="Next").click()
    expect(page.locator(".callouts li[aria-current=step]")).to_contain_text("2 Add")
    page.get_by_role("button", name="Next").press("ArrowRight")
    expect(page.locator(".callouts li[aria-current=step]")).to_contain_text("3 Loss")


def test_a_shipped_run_has_every_quantity(visit: Visit) -> None:
    page = visit("/train?sweep=shipped")
    inside(page)
    page.get_by_role("combobox", name="Quantity").click()
    page.get_by_role("option", name="cosine").click()
    settled(page)
    expect(page.locator(".replay")).to_have_attribute(
        "aria-label", re.compile("Heatmap of cosine .* 20 blocks and 120")
    )
    expect(page.locator(".replay canvas")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_picture_fits_a_phone(visit: Visit, scheme: str) -> None:
    page = visit("/train?sweep=shipped", scheme=scheme, width=390)  # type: ignore[arg-type]
    inside(page)
    fits(page)
    boxes = page.locator(".replay .block")
    expect(boxes).to_have_count(len(NAMES))
    cut = "boxes => boxes.filter(box => box.scrollWidth > box.clientWidth + 1).map(box => box.textContent)"
    assert boxes.evaluate_all(cut) == [], "every name and number fits its box"


def test_a_browser_that_lacks_the_base_asks_for_it(live: Live, new_context: Callable[..., BrowserContext]) -> None:
    """The first whole message is spoilt on its way, so that what builds on it cannot be drawn."""
    page = new_context().new_page()
    spoilt: list[bytes] = []

    def spoil(message: str | bytes) -> str | bytes:
        found = isinstance(message, bytes) and re.search(rb'"base": "(\w{12})", "whole": true', message)
        if not found or spoilt or b"zeros before the pooling" not in message:
            return message
        spoilt.append(found[1])
        return message.replace(found[1], b"0" * 12)

    def between(route: WebSocketRoute) -> None:
        server = route.connect_to_server()
        server.on_message(lambda message: route.send(spoil(message)))

    page.route_web_socket(re.compile("_stcore/stream"), between)
    page.goto(f"{live.url}/train?sweep=shipped")
    settled(page)
    traces = "document.querySelector('.st-key-curves .js-plotly-plot')?.data"
    grey = f"{traces}?.filter(t => t.name?.startsWith('baseline'))"
    page.wait_for_function(f"{grey}?.length === 0")
    page.get_by_role("combobox", name="Baseline, grey").click()
    page.get_by_role("option").nth(1).click()
    page.wait_for_function(f"{grey}?.[0]?.y.length === {LAST + 1}")
    assert spoilt, "nothing was spoilt, so nothing was shown"
