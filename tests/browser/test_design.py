"""The designer and the comparison in a real browser: a refusal in the drawing, the way back, and on to Train."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visit
from tests.browser.live import settled


def typed(page: Page, name: str, text: str) -> Locator:
    """A box of the designer with something typed into it, after the page has answered."""
    box = page.get_by_role("spinbutton", name=name, exact=True)
    box.fill(text)
    box.press("Enter")
    settled(page)
    return box


def test_a_design_is_refused_undone_factorised_and_trained(visit: Visit) -> None:
    page = visit("/explore?view=design&at=inception_resnet_v2_paper/B/01/linear")
    channels = typed(page, "Channels of B/01/linear", "1154")
    expect(page.get_by_test_id("stAlert").filter(has_text="1154")).to_be_visible()
    broken = page.locator('.st-key-refused .node[data-address="inception_resnet_v2_paper/B/01/add"]')
    expect(broken).to_contain_text("1152 + 1154")
    expect(channels).to_have_value("1152")
    expect(page).not_to_have_url(re.compile("design="))
    page.locator('.st-key-refused .node[data-address="inception_resnet_v2_paper/B/01/body/branch2/conv2"]').click()
    expect(page).to_have_url(re.compile("branch2(/|%2F)conv2"))
    settled(page)
    typed(page, "Channels of B/01/body/branch2/conv2", "100")
    expect(page).to_have_url(re.compile("design="))
    changed = page.locator('.st-key-designed .node[data-address="inception_resnet_v2_paper/B/01/body/branch2/conv2"]')
    expect(changed).to_contain_text("100")
    page.get_by_role("button", name="Undo").click()
    expect(page).not_to_have_url(re.compile("design="))
    settled(page)
    page = visit("/explore?view=design&at=inception_resnet_v2_paper/A/01/body/branch2/conv2")
    page.get_by_role("button", name="Factorise").click()
    expect(page).to_have_url(re.compile("design="))
    expect(page.get_by_test_id("stAlert").filter(has_text="In total, 5 copies")).to_be_visible()
    settled(page)
    link = page.get_by_role("link", name="Train this design")
    expect(link).to_have_attribute("href", re.compile(r"train\?.*design="))


def test_the_input_side_is_changed_undone_and_linked(visit: Visit) -> None:
    page = visit("/explore?view=design&at=inception_v4/B/03")
    side = typed(page, "Input side, px", "331")
    expect(page).to_have_url(re.compile("size%3D331|size=331"))
    expect(page.locator(".st-key-designed")).to_contain_text("19×19")
    cold = visit(page.url.removeprefix(page.url.split("/explore")[0]))
    expect(cold.get_by_role("spinbutton", name="Input side, px")).to_have_value("331")
    expect(cold.locator(".st-key-designed")).to_contain_text("19×19")
    page.get_by_role("button", name="Undo").click()
    expect(side).to_have_value("299")
    expect(page).not_to_have_url(re.compile("design="))
    page.get_by_role("button", name="Redo").click()
    expect(side).to_have_value("331")
    settled(page)
    page.get_by_role("radio", name="Picture").click()
    expect(page.get_by_role("spinbutton", name="Input side, px")).to_have_value("331")
    settled(page)


def test_a_kernel_is_typed_refused_and_made_possible(visit: Visit) -> None:
    page = visit("/explore?view=design&at=inception_resnet_v2/stem/01&size=75")
    kernel = page.get_by_role("combobox", name="Kernel of stem/01/conv1")
    for text, said in (("4x4", "odd"), ("huge", "such as 3×3"), ("5x5", "needs at least 3x3 cells")):
        kernel.click()
        kernel.fill(text)
        kernel.press("Enter")
        expect(page.get_by_test_id("stAlert").filter(has_text=said)).to_be_visible()
        settled(page)
        expect(kernel).to_have_value("3×3")
    expect(page.locator(".st-key-refused .node.filled").first).to_contain_text("3×3 on 2×2")
    page.get_by_role("button", name="Take 77 px").click()
    expect(page.get_by_role("spinbutton", name="Input side, px")).to_have_value("77")
    settled(page)
    expect(kernel).to_have_value("5×5")
    settled(page)


def test_the_boxes_keep_the_focus_of_the_keyboard(visit: Visit) -> None:
    page = visit("/explore?view=design&at=inception_resnet_v2/B/07")
    box = page.get_by_role("spinbutton", name="Scale in B")
    box.focus()
    for value in ("0.15", "0.2"):
        box.press("ArrowUp")
        box.press("Enter")
        expect(page.locator(".st-key-designed")).to_contain_text(f"× {value}")
        settled(page)
        expect(box).to_be_focused()
    page.get_by_role("button", name="conv2", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("branch2(/|%2F)conv2"))
    settled(page)
    page.keyboard.press("Tab")
    expect(page.get_by_role("spinbutton", name="Channels of B/07/body/branch2/conv2")).to_be_focused()


def test_a_design_is_saved_and_loaded_on_a_phone(visit: Visit, tmp_path: Path) -> None:
    page = visit("/explore?view=design&at=inception_v4/C/01", scheme="dark", width=390)
    typed(page, "Multiply widths by", "0.5")
    expect(page).to_have_url(re.compile("design="))
    settled(page)
    page.get_by_text("Save and load as notation").click()
    expect(page.get_by_role("button", name="Save the notation")).to_be_visible()
    settled(page)
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save the notation").click()
    saved.value.save_as(file := tmp_path / "half.txt")
    page.get_by_role("button", name="Undo").click()
    expect(page).not_to_have_url(re.compile("design="))
    settled(page)
    page.locator('input[type="file"]').set_input_files(file)
    expect(page).to_have_url(re.compile("design="))
    settled(page)
    (tmp_path / "none.txt").write_bytes(b"\xff\xfe")
    page.locator('input[type="file"]').set_input_files(tmp_path / "none.txt")
    expect(page.get_by_test_id("stAlert").filter(has_text="no text in UTF-8")).to_be_visible()
    settled(page)
    main = page.get_by_test_id("stMain")
    assert main.evaluate("main => main.scrollWidth <= main.clientWidth"), "nothing scrolls sideways"


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
