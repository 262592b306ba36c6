"""The views of Classify in a real browser: crops, the test of a map, branches and ρ, two maps, the networks."""

from __future__ import annotations

import re
import time

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visit
from tests.browser.live import SETTLED_WITHIN, settled
from tests.browser.test_classify import choose

RHO = "ρ, % of the scale it was built with"


def stop(page: Page, key: str) -> Locator:
    """A view's own Stop; Streamlit's in the header is another."""
    return page.locator(f".st-key-{key}").get_by_role("button")


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def bars(page: Page, key: str) -> Locator:
    """The bars of a figure."""
    return page.locator(f".st-key-{key} .barlayer .point")


def words(page: Page, key: str) -> str:
    """A figure in words: its alt text."""
    return page.locator(f".st-key-{key}").get_by_role("figure").get_attribute("aria-label") or ""


def picture(page: Page, alt: str) -> str:
    """Where the browser has a picture from: Streamlit names a picture by its content."""
    return page.get_by_alt_text(alt, exact=True).get_attribute("src") or ""


def test_144_crops_are_stopped_asked_again_and_drawn(visit: Visit) -> None:
    page = visit("/classify?crops=144")
    press(page, "Ask 144 crops")
    expect(page.get_by_text(re.compile(r"^[1-9]\d* of 144"))).to_be_visible()
    start = time.monotonic()
    stop(page, "crops-stop").click()
    expect(stop(page, "crops-stop")).to_be_hidden()
    settled(page)
    assert time.monotonic() - start < 4
    expect(page.locator(".st-key-guesses")).to_have_count(0)
    press(page, "Ask 144 crops")
    expect(page.get_by_text("144 crops averaged")).to_be_visible(timeout=SETTLED_WITHIN)
    settled(page)
    expect(page.locator(".st-key-guesses")).to_contain_text("espresso")
    boxes = page.locator(".st-key-boxes")
    expect(boxes.locator("image").first).to_be_attached()  # the photograph below them
    assert boxes.locator(".scatterlayer .trace path.js-line").count() > 10, "boxes of four scales and three squares"
    crops = page.locator(".st-key-agreement-of-crops .scatterlayer .point")
    expect(crops.nth(143)).to_be_attached()  # every crop is a point of the class it was asked about


def test_a_map_is_tested_in_one_sentence_and_stop_leaves_the_page_usable(visit: Visit) -> None:
    page = visit("/classify?view=pixels")
    press(page, "Test this map")
    expect(page.get_by_text(re.compile(r"^[1-9]\d* of 141"))).to_be_visible()
    stop(page, "trust-stop").click()
    expect(stop(page, "trust-stop")).to_be_hidden()
    settled(page)
    expect(page.get_by_role("img", name="colours from 0 to")).to_be_visible()  # the map is still there
    expect(page.locator(".st-key-trust-curves")).to_have_count(0)
    press(page, "Test this map")
    curves = page.locator(".st-key-trust-curves")
    expect(curves).to_be_visible(timeout=SETTLED_WITHIN * 2)  # 141 images and thirteen networks on a busy machine
    settled(page)
    sentence = page.get_by_test_id("stAlert").filter(has_text=re.compile(r"([Tt]his map)[^:]*: "))
    expect(sentence).to_have_count(1)
    expect(page.get_by_text(re.compile(r"Removing what it marks hurts .* \(n = 5\)"))).to_be_visible()
    expect(curves.locator(".scatterlayer .trace")).to_have_count(6)  # deletion, insertion, each random with its band
    expect(page.get_by_alt_text(re.compile("^The map random classifier, seed 0"))).to_be_visible()


def test_credit_is_the_width_of_the_lines(visit: Visit) -> None:
    page = visit("/classify?view=blocks&part=blocks/4/1")
    drawing = page.locator(".st-key-credit-drawing svg")
    label = drawing.get_attribute("aria-label") or ""
    found = re.search(r"shortcut ([+-]\S+) \((\d+)%\), residual ([+-]\S+) \((\d+)%\)", label)
    assert found, label
    shares = {found[2]: 0.0, found[4]: 0.0}
    entering = drawing.locator('.edge[data-head="efficientnet_lite0/blocks/4/1"]')
    expect(entering).to_have_count(2)
    for edge in entering.all():
        share = re.search(r"\((\d+)%\)", edge.text_content() or "")
        assert share, "the share stands on the line"
        shares[share[1]] = edge.locator("path").first.evaluate("line => parseFloat(getComputedStyle(line).strokeWidth)")
    (thin, thick) = sorted(shares, key=int)
    assert 0 < shares[thin] < shares[thick], shares
    choose(page, "Block", "blocks/1/1")
    expect(page).not_to_have_url(re.compile("part="))  # the first one is the default
    expect(drawing).to_have_attribute("aria-label", re.compile("blocks/1/1"))
    settled(page)


def test_rho_moves_guesses_and_map_of_one_block_and_of_all(visit: Visit) -> None:
    page = visit("/classify?view=blocks&scope=block&part=blocks/4/1&rho=100")
    before = words(page, "rho-At").removeprefix("At 100 %. ")
    assert words(page, "rho-As") == f"As built. {before}"
    built = picture(page, "Grad-CAM for espresso, As built")
    assert picture(page, "Grad-CAM for espresso, At 100 %") == built, "one scale of colour"
    slider = page.get_by_role("slider", name=RHO)
    slider.focus()
    page.keyboard.press("ArrowLeft")
    expect(page).to_have_url(re.compile("rho=95"))
    expect(page.get_by_text("ρ = 0.95 in 1 block, built with 1.")).to_be_visible()
    settled(page)
    press(page, "Switch off")
    expect(page.get_by_text("Switched off: only the shortcut is left.")).to_be_visible()
    expect(page).not_to_have_url(re.compile("rho="))
    settled(page)
    one, seen = words(page, "rho-At"), picture(page, "Grad-CAM for espresso, At 0 %")
    assert one.removeprefix("At 0 %. ") != before
    assert seen != picture(page, "Grad-CAM for espresso, As built")
    expect(page.get_by_role("img", name="in both")).to_be_visible()
    page.get_by_role("radio", name="All blocks").click()
    expect(page.get_by_text("only the shortcuts are left")).to_be_visible()
    settled(page)
    assert words(page, "rho-At") != one
    expect(page.get_by_text(re.compile(r"First choice (?!still)"))).to_be_visible()


def test_what_each_block_is_worth(visit: Visit) -> None:
    page = visit("/classify?view=blocks&ask=rho")  # for a small network it is measured at once
    expect(bars(page, "damage-bars")).to_have_count(18)  # nine blocks, logit and probability
    settled(page)
    said = words(page, "damage-bars")
    assert re.match(r"Each of 9 residual blocks of efficientnet_lite0 .* espresso loses most with blocks/", said), said


def test_a_pinned_map_beside_another_and_again_from_the_link(visit: Visit) -> None:
    page = visit("/classify?view=compare&layer=blocks/4")
    press(page, "Pin this map")
    expect(page).to_have_url(re.compile(r"pin=efficientnet_lite0~grad_cam~967~~blocks(/|%2F)4"))
    expect(page.get_by_text("Explain another class, method or network to compare.")).to_be_visible()
    settled(page)
    choose(page, "Method", "Gradients: Saliency")
    settled(page)
    for key in ("map-pinned", "map-chosen", "map-difference"):
        expect(page.locator(f".st-key-{key} .heatmaplayer image, .st-key-{key} .hm image").first).to_be_attached()
        expect(page.locator(f".st-key-{key} .colorbar, .st-key-{key} .infolayer g[class*=cb]").first).to_be_attached()
    settled(page)
    said = re.search(r"Rank correlation -?0\.\d\d", page.get_by_text("Rank correlation").inner_text())
    ends = [re.search(r"from (\S+) to (\S+) own strength", words(page, f"map-{key}")) for key in ("pinned", "chosen")]
    assert said
    assert all(ends), "one unit"
    page.reload()
    settled(page)
    expect(page.get_by_role("button", name="Unpin")).to_be_visible()  # two images: made without being asked
    expect(page.get_by_text(said[0])).to_be_visible()
    settled(page)
    press(page, "Unpin")
    expect(page).not_to_have_url(re.compile("pin="))
    settled(page)


def test_a_pin_that_is_no_map_is_said(visit: Visit) -> None:
    page = visit("/classify?view=compare&pin=efficientnet_lite0~magic~1")
    expect(page.get_by_text("which is no map")).to_be_visible()


def test_which_maps_agree(visit: Visit) -> None:
    page = visit("/classify?view=compare")
    for name in ("Integrated gradients", "Input × gradient"):  # one off, a cheaper one on
        page.get_by_role("toolbar", name="Methods").get_by_role("button", name=name, exact=True).click()
        settled(page)
    press(page, "Compare them")
    won = page.get_by_test_id("stAlert").filter(has_text="The deletion test favours")  # one map, or none
    expect(won).to_have_count(1, timeout=SETTLED_WITHIN * 2)
    settled(page)
    assert words(page, "agreement").startswith("Agreement of 3 maps: most alike ")


def test_all_networks_in_a_table(visit: Visit) -> None:
    page = visit("/classify")
    page.get_by_role("radio", name="Networks").click()
    expect(page).to_have_url(re.compile("view=networks"))
    settled(page)
    expect(page.get_by_role("button", name=re.compile(r"^Fetch, about \d+ MB$"))).to_have_count(11)
    page.get_by_text(re.compile(r"^All \d+ networks")).click()
    expect(page.get_by_test_id("stDataFrame").filter(visible=True)).to_have_count(1)


def tab_to(page: Page, control: Locator) -> None:
    """Presses Tab until the control has the focus; from where the focus was, round the page once at most."""
    expect(control).to_be_visible()
    for _ in range(150):
        if control.evaluate("one => one.contains(document.activeElement)"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"150 times Tab does not reach {control}")


def operate(page: Page, control: Locator, *keys: str) -> None:
    """Goes to a control by Tab and presses keys there; a longer word is typed."""
    tab_to(page, control)
    for key in keys:
        if key[0].islower():
            page.keyboard.type(key)
        else:
            page.keyboard.press(key)
    page.wait_for_timeout(100)  # the page notices the key, and the script starts
    settled(page)


def test_every_view_without_a_mouse(visit: Visit) -> None:
    page = visit("/classify")
    views = page.get_by_role("radiogroup", name="View").get_by_role("radio")
    operate(page, views.nth(0), "ArrowRight", "Space")
    expect(page).to_have_url(re.compile("view=pixels"))
    operate(page, page.get_by_role("combobox", name="Method"), "saliency", "Enter")
    expect(page).to_have_url(re.compile("method=saliency"))
    for name in ("Class", "Rather than"):
        tab_to(page, page.get_by_role("combobox", name=name))
    tab_to(page, page.get_by_role("button", name="Test this map"))
    page.keyboard.press("Enter")
    operate(page, stop(page, "trust-stop"), "Enter")
    expect(stop(page, "trust-stop")).to_be_hidden()

    page.goto(page.url.replace("view=pixels", "view=blocks"))
    settled(page)
    operate(page, page.get_by_role("combobox", name="Block"), "blocks/4/2", "Enter")
    expect(page).to_have_url(re.compile("part=blocks(/|%2F)4(/|%2F)2"))
    operate(page, page.get_by_role("switch", name="Batch norm"), "Space")
    expect(page).to_have_url(re.compile("steps=true"))
    tab_to(page, page.locator(".st-key-credit-drawing .node").first)
    tab_to(page, page.get_by_role("button", name="Export"))
    ask = page.get_by_role("radiogroup", name="Question").get_by_role("radio")
    operate(page, ask.nth(0), "ArrowRight", "Space")
    expect(page).to_have_url(re.compile("ask=rho"))
    scale = page.get_by_role("radiogroup", name="Scale").get_by_role("radio")
    operate(page, scale.nth(0), "ArrowRight", "Space")
    expect(page).to_have_url(re.compile("scope=block"))
    operate(page, page.get_by_role("slider", name=RHO), "ArrowRight")
    expect(page).to_have_url(re.compile("rho=5"))
    operate(page, page.locator(".st-key-rho-built").get_by_role("button"), "Enter")
    expect(page).to_have_url(re.compile("rho=100"))
    tab_to(page, page.get_by_role("button", name="Test this map"))
    expect(page.locator(".st-key-damage-bars")).to_be_visible(timeout=SETTLED_WITHIN)

    page.goto(page.url.replace("view=blocks", "view=compare"))
    settled(page)
    operate(page, page.get_by_role("button", name="Pin this map"), "Enter")
    expect(page).to_have_url(re.compile("pin="))
    method = page.get_by_role("toolbar", name="Methods").get_by_role("button")
    operate(page, method.nth(0), "Space")
    expect(method.nth(0)).to_have_attribute("aria-pressed", "false")
    for control in (
        page.get_by_role("combobox", name="Networks"),
        page.get_by_role("button", name="Compare them"),
        page.get_by_role("button", name="Unpin"),
    ):
        tab_to(page, control)
