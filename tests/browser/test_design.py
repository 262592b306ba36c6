"""The designer and the comparison in a real browser: a refusal in the drawing, the way back, and on to Train."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.live import settled


def test_a_design_is_refused_undone_factorised_and_trained(visit: Visit) -> None:
    page = visit("/explore?view=design&at=inception_resnet_v2_paper/B/01/linear")
    channels = page.get_by_role("spinbutton", name="Channels of B/01/linear")
    channels.fill("1154")
    channels.press("Enter")
    expect(page.get_by_test_id("stAlert").filter(has_text="1154")).to_be_visible()
    broken = page.locator('.st-key-refused .node[data-address="inception_resnet_v2_paper/B/01/add"]')
    expect(broken).to_contain_text("1152 + 1154")
    settled(page)
    expect(page).not_to_have_url(re.compile("design="))
    page.locator('.st-key-designed .node[data-address="inception_resnet_v2_paper/B/01/body/branch2/conv2"]').click()
    expect(page).to_have_url(re.compile("branch2(/|%2F)conv2"))
    settled(page)
    width = page.get_by_role("spinbutton", name="Kernel width")
    width.fill("5")
    width.press("Enter")
    expect(page).to_have_url(re.compile("design="))
    settled(page)
    page.get_by_role("button", name="Undo").click()
    expect(page).not_to_have_url(re.compile("design="))
    settled(page)
    page = visit("/explore?view=design&at=inception_resnet_v2_paper/A/01/body/branch2/conv2")
    page.get_by_role("button", name="Factorise").click()
    expect(page).to_have_url(re.compile("design="))
    settled(page)
    link = page.get_by_role("link", name="Train this design")
    expect(link).to_have_attribute("href", re.compile(r"train\?.*design="))


def test_a_click_in_the_second_network_selects_in_the_first(visit: Visit) -> None:
    page = visit("/explore?view=compare&at=inception_resnet_v2/B/07&beside=inception_resnet_v2_paper")
    second = page.locator(".st-key-compared-block-1")
    expect(second.locator(".node.filled")).to_have_count(2)
    second.locator('.node[data-address="inception_resnet_v2_paper/B/07/add"]').click()
    expect(page).to_have_url(re.compile(r"at=inception_resnet_v2(/|%2F)B(/|%2F)07(/|%2F)add"))
    settled(page)
    chosen = page.locator(".st-key-compared-block-0 .node.selected")
    expect(chosen).to_have_attribute("data-address", "inception_resnet_v2/B/07/add")
    expect(second.locator(".node.selected")).to_have_attribute("data-address", "inception_resnet_v2_paper/B/07/add")
    page.reload()
    settled(page)
    expect(page.get_by_role("combobox", name="Beside it")).to_have_value("inception_resnet_v2_paper")


def test_a_pair_marks_strips_and_blocks_and_its_selection_goes_both_ways(visit: Visit) -> None:
    page = visit("/explore?view=compare")
    page.get_by_role("radio", name="Inception-v4, IR-v2 as released").click()
    expect(page).to_have_url(re.compile(r"at=inception_v4"))
    settled(page)
    second_strip = page.locator(".st-key-compared-stages-1")
    expect(second_strip.locator('[data-address="inception_resnet_v2/mixed_5b"]')).to_contain_text("added")
    expect(second_strip.locator('[data-address="inception_resnet_v2/B"]')).to_contain_text("7 → 20 blocks")
    first, second = (page.locator(f".st-key-compared-block-{place}") for place in (0, 1))
    expect(first.get_by_text("removed", exact=True)).to_have_count(7)
    expect(second.get_by_text("added", exact=True)).to_have_count(4)
    tops = [one.bounding_box() for one in (first, second)]
    assert tops[0]
    assert tops[1]
    assert abs(tops[0]["y"] - tops[1]["y"]) < 2
    second.locator('[data-address="inception_resnet_v2/B/01/body/branch2/conv3"]').click()
    chosen = first.locator(".node.selected")
    expect(chosen).to_have_attribute("data-address", "inception_v4/B/01/branch2/conv3")
    settled(page)
    second.locator('[data-address="inception_resnet_v2/B/01/add"]').click()
    expect(page.get_by_text("it has no counterpart in the first")).to_be_visible()
    expect(page).to_have_url(re.compile(r"lone=B(/|%2F)01(/|%2F)add"))
    settled(page)
    page.reload()
    settled(page)
    expect(second.locator(".node.selected")).to_have_attribute("data-address", "inception_resnet_v2/B/01/add")
    second_strip.locator('[data-address="inception_resnet_v2/mixed_5b"]').click()
    expect(page.get_by_text("has nothing at mixed_5b")).to_be_visible()
    settled(page)


def test_comparing_on_a_phone_stays_within_its_width(visit: Visit) -> None:
    page = visit("/explore?view=compare&at=inception_v4/C/01&beside=inception_resnet_v2", width=390, scheme="dark")
    second = page.locator(".st-key-compared-block-1 svg")
    expect(second).to_be_visible()
    wide = page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
    assert wide <= 390
