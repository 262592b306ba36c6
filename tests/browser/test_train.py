"""Train in a real browser: a run from the click to its outcome, seen by everybody and lost by nobody."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from inception_lab.jobs import launch
from tests.browser.conftest import Visit
from tests.browser.live import Live, serve, settled

RANGE = "document.querySelector('.st-key-curves .js-plotly-plot').layout.xaxis.range.map(Math.round)"


POINTS = """Math.max(0, ...(document.querySelector('.st-key-curves .js-plotly-plot')?.data ?? [])
    .filter(t => !(t.name || '').includes('shipped') && t.line?.dash === 'solid').map(t => t.x.length))"""


def start(page: Page, *, steps: int) -> None:
    """Start the two default scales with so many steps."""
    box = page.get_by_role("spinbutton", name="Steps")
    box.fill(str(steps))
    box.press("Enter")
    settled(page)
    page.get_by_role("button", name="Start 2 runs").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Run")).to_be_disabled()
    dialog.get_by_text("Skip predicting").click()
    dialog.get_by_role("button", name="Run").click()
    expect(dialog).to_be_hidden()


def seen_points(page: Page) -> int:
    """How many points the longest curve of a run made here has, now."""
    return int(page.evaluate(POINTS))


def expect_points(page: Page, points: int) -> None:
    """Wait until the longest curve of a run made here has so many points."""
    page.wait_for_function(f"{POINTS} === {points}", timeout=120_000)


def test_shipped_runs_are_on_screen_without_a_choice(visit: Visit) -> None:
    page = visit("/train?sweep=shipped")
    plot = page.locator(".st-key-curves .plot")
    expect(plot).to_have_attribute("aria-label", re.compile(r"scale 1 \(reference, n = \d+\) ends at 1.*died"))
    verdict = "Supported. 5 of 5 runs failed at scale 1.0, 3 of 15 at scales 0.1 to 0.3 (of those 15: slow 9"
    page.get_by_role("radio", name="Outcomes and verdict").click()
    expect(page.get_by_text(verdict)).to_be_visible()


def test_two_runs_from_the_click_to_the_outcome(visit: Visit) -> None:
    page = visit("/train")
    start(page, steps=25)
    expect(page.get_by_text(re.compile(r"Step \d+ of 50"))).to_be_visible()
    page.wait_for_function(f"{POINTS} > 2")
    page.evaluate("Plotly.relayout(document.querySelector('.st-key-curves .js-plotly-plot'), {'xaxis.range': [1, 9]})")
    seen = seen_points(page)
    longer = f"data.some(t => t.x.length > {seen} && t.line?.width === 3)"
    page.wait_for_function(f"document.querySelector('.st-key-curves .js-plotly-plot').{longer}")
    assert page.evaluate(RANGE) == [1, 9], "the zoom must survive the tick"
    expect(page.get_by_role("button", name="Stop all")).to_be_hidden(timeout=120_000)
    address = page.url
    page.reload()
    settled(page)
    expect_points(page, 25)
    other = visit(address.removeprefix(page.evaluate("location.origin")))
    expect_points(other, 25)


def test_stop_is_heard_at_once(visit: Visit) -> None:
    page = visit("/train")
    start(page, steps=2000)
    page.wait_for_function(f"{POINTS} > 1")
    page.get_by_role("button", name="Stop all").click()
    expect(page.get_by_role("button", name="Stop all")).to_be_hidden(timeout=15_000)
    table = page.get_by_test_id("stDataFrame").first
    expect(table).to_be_visible()


def test_runs_outlive_the_server(tmp_path: Path, new_context: Callable[..., BrowserContext]) -> None:
    """The server is killed (-9) while a run goes on; the next server shows the same run, finished."""
    home = tmp_path / "lab"
    with serve(home, tmp_path / "first.log") as first:
        page = new_context().new_page()
        page.goto(f"{first.url}/train")
        settled(page)
        start(page, steps=30)
        page.wait_for_function(f"{POINTS} > 1")  # a run's own points: shipped curves are there before the click
        link = page.url.removeprefix(first.url)
        page.close()
        first.process.kill()
        first.process.wait()
        with serve(home, tmp_path / "second.log") as second:
            page = new_context().new_page()
            page.goto(f"{second.url}{link}")
            settled(page)
            expect(page.get_by_role("button", name="Stop all")).to_be_hidden(timeout=120_000)
            expect_points(page, 30)


def test_a_link_restores_what_was_chosen(visit: Visit) -> None:
    page = visit("/train?sweep=shipped&preset=paper-rate&scales=0.3&scales=0.05&seeds=4&metrics=Loss")
    expect(page.get_by_role("button", name="Start 8 runs")).to_be_visible()
    expect(page.locator(".st-key-curves .plot")).to_have_attribute("aria-label", re.compile("loss, training batch"))
    page.reload()
    settled(page)
    expect(page.get_by_role("button", name="Start 8 runs")).to_be_visible()
    expect(page).to_have_url(re.compile("preset=paper-rate"))


def test_the_papers_link_chooses_the_preset(visit: Visit) -> None:
    page = visit("/paper")
    page.get_by_role("link", name="Train with the preset at the paper's rate").click()
    expect(page.get_by_text("40 blocks, Xavier weights")).to_be_visible()


@pytest.mark.heavy  # once in six the runs ended too early here; tests/jobs kills supervisors in the suite
def test_runs_wait_for_a_killed_supervisor_no_longer_than_a_tick(visit: Visit, live: Live) -> None:
    """The page itself starts the next supervisor while somebody watches."""
    page = visit("/train")
    start(page, steps=60)
    expect(page.get_by_text(re.compile(r"Step [1-9]\d* of 120"))).to_be_visible()
    supervisor = launch.supervisor(live.home)
    assert supervisor
    os.kill(supervisor.pid, signal.SIGKILL)
    expect(page.get_by_role("button", name="Stop all")).to_be_hidden(timeout=120_000)
    expect_points(page, 60)
