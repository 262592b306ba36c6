"""A class hour at the projector: predict, run, watch one die, fork it with 0.1, read the verdict and the scores."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.live import settled

STEPS = 40  # the fewest that can be judged


def look_at(page: Page, view: str) -> None:
    page.get_by_role("radio", name=view).click()
    settled(page)


def choose(page: Page, box: str, option: str) -> None:
    """Take an option of a selectbox."""
    page.get_by_role("combobox", name=box, exact=True).click()
    page.get_by_role("option", name=re.compile(option)).first.click()
    settled(page)


def test_predict_run_fork_and_read_the_verdict(visit: Visit) -> None:
    page = visit("/train")
    steps = page.get_by_role("spinbutton", name="Steps")
    steps.fill(str(STEPS))
    steps.press("Enter")
    settled(page)
    page.get_by_role("button", name="Start 2 runs").click()
    dialog = page.get_by_role("dialog")
    run = dialog.get_by_role("button", name="Run")
    expect(run).to_be_disabled()
    dialog.get_by_role("textbox", name="Your name").fill("Ada")
    dialog.get_by_role("button", name="dies").or_(dialog.get_by_role("radio", name="dies")).first.click()
    expect(dialog.get_by_text("1 of 2 arms still without a word.")).to_be_visible()
    dialog.get_by_role("button", name="slow").or_(dialog.get_by_role("radio", name="slow")).last.click()
    expect(run).to_be_enabled()
    run.click()
    expect(dialog).to_be_hidden()

    expect(page.get_by_text(re.compile(r"Step [1-9]\d* of 80"))).to_be_visible()
    expect(page.get_by_role("button", name="Stop all")).to_be_hidden(timeout=180_000)
    plot = page.locator(".st-key-curves .plot")
    expect(plot).to_have_attribute("aria-label", re.compile(r"scale 1 .*died"))

    look_at(page, "Inside one run")
    choose(page, "Run", "^scale 1, seed 0$")
    expect(page.get_by_text(re.compile(r"Before the pooling, zeros passed 99\.9% at step \d+"))).to_be_visible()
    page.get_by_text("Fork this run").click()
    page.get_by_role("button", name=re.compile(r"^Fork at step \d+$")).click()
    expect(page.get_by_text(re.compile(r"Step \d+ of 120"))).to_be_visible()
    expect(page.get_by_role("button", name="Stop all")).to_be_hidden(timeout=180_000)

    look_at(page, "Outcomes and verdict")
    expect(page.get_by_text(re.compile("^Undecided"))).to_be_visible()
    expect(page.get_by_text(re.compile("too few to tell, each needs at least 3 finished runs"))).to_be_visible()
    expect(page.get_by_role("heading", name="Predicted and came true")).to_be_visible()
    expect(page.get_by_role("button", name="scale 1, seed 0")).to_be_visible()  # its autopsy
