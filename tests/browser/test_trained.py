"""A network trained here, in a real browser: asked about photographs, explained, taken apart, and left again."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from inception_lab.training.extract import load
from tests.browser.conftest import Visit
from tests.browser.live import Live, settled
from tests.trained import train


@pytest.fixture(scope="module")
def run(live: Live) -> str:
    """The id of a finished run in the server's home."""
    return train(live.home, scale=0.3, steps=12, batch=32)


def test_a_trained_network_knows_ten_classes_and_says_so(visit: Visit, run: str) -> None:
    page = visit(f"/classify?network=run:{run}")
    chart = page.locator(".st-key-guesses")
    for label in load().classes:
        expect(chart).to_contain_text(label)
    expect(page.get_by_text("It knows only 10 kinds of picture")).to_be_visible()
    page.get_by_role("button", name="Pictures").click()
    page.get_by_role("button", name="Sneaker", exact=True).click()
    settled(page)
    expect(page).to_have_url(re.compile("sample=test-7"))
    expect(page.get_by_alt_text(re.compile(r"^test image \d+, Sneaker as run:"))).to_be_visible()
    page.get_by_role("radio", name="Pixels").click()
    settled(page)
    expect(page.get_by_role("img", name="colours from")).to_be_visible(timeout=60_000)
    settled(page)


def test_from_classify_into_its_blocks_and_back(visit: Visit, run: str) -> None:
    page = visit(f"/classify?network=run:{run}")
    page.get_by_role("link", name="Open it in Explore").click()
    expect(page.get_by_text("This is the network with which")).to_be_visible()
    settled(page)
    node = page.locator('.st-key-block-drawing .node[data-address="inception_resnet_v2_paper/B/01/add"]')
    node.click()
    settled(page)
    expect(page).to_have_url(re.compile(f"run={run}"))
    expect(page.locator(".st-key-block-drawing .node.selected")).to_have_attribute(
        "data-address", "inception_resnet_v2_paper/B/01/add"
    )
    page.reload()
    settled(page)
    expect(page.get_by_text("This is the network with which")).to_be_visible()
    page.get_by_role("link", name="Classify with it").click()
    expect(page.get_by_text("It knows only 10 kinds of picture")).to_be_visible()
    settled(page)


def test_a_run_that_is_gone_is_one_sentence(visit: Visit, run: str) -> None:
    page = visit("/classify?network=run:gone")
    expect(page.get_by_test_id("stAlert")).to_have_count(1)
    expect(page.get_by_test_id("stAlert")).to_contain_text("There is no run 'gone'")
    expect(page.locator(".st-key-guesses")).to_contain_text("espresso")
    page = visit("/explore?run=gone")
    expect(page.get_by_test_id("stAlert")).to_have_count(1)
    expect(page.get_by_role("heading", name="Block B/01")).to_be_visible()


def test_explore_leads_to_train(visit: Visit) -> None:
    page = visit("/explore?at=inception_v4/B/01")
    expect(page.get_by_role("link", name="Train this network")).to_have_attribute(
        "href", re.compile(r"train\?network=inception_v4$")
    )
