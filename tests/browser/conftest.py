"""Fixtures for tests that drive a real Chromium against a live server.

    def test_home(visit): page = visit("/")                                    a page of the shared server
    def test_dark(visit): page = visit("/Train", scheme="dark", width=390)     dark, and as narrow as a phone

Without a Chromium these tests are skipped with the reason; in CI a skipped browser test is a failure.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, Protocol

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.chromium import chromium
from tests.browser.live import SETTLED_WITHIN, Live, Watch, serve, settled

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


expect.set_options(timeout=30_000)  # milliseconds; a busy machine draws slowly


class Visit(Protocol):
    """Open a path of the shared server in a browser of its own and wait until the page is drawn."""

    def __call__(self, path: str = "/", *, scheme: Literal["light", "dark"] = "light", width: int = 1280) -> Page: ...


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The browser to drive."""
    path = chromium()
    if path is None:
        pytest.skip("no Chromium here; `scripts/test` installs one")
    return path


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any], chromium_path: str) -> dict[str, Any]:
    """Playwright's own fixture, with the installed Chromium and without anything that calls out."""
    return {**browser_type_launch_args, "executable_path": chromium_path, "args": FLAGS}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """Playwright's own fixture: a laptop's window, and nothing that moves."""
    return {**browser_context_args, "viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"}


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The app on a free port, with a home of its own, shared by all browser tests."""
    folder = tmp_path_factory.mktemp("live")
    with serve(folder / "home", folder / "server.log") as server:
        yield server


@pytest.fixture(scope="session")
def base_url(live: Live) -> str:
    """Playwright's own fixture: `page.goto("/explore")` means the shared server."""
    return live.url


@pytest.fixture
def visit(live: Live, new_context: Callable[..., BrowserContext]) -> Iterator[Visit]:
    """Open pages of the shared server; at the end none of them may have complained or called out."""
    watches: list[Watch] = []

    def open_page(path: str = "/", *, scheme: Literal["light", "dark"] = "light", width: int = 1280) -> Page:
        page = new_context(color_scheme=scheme).new_page()
        page.set_viewport_size({"width": width, "height": 900})
        watches.append(Watch(page, live.url))
        page.set_default_timeout(SETTLED_WITHIN)
        page.goto(path)
        return settled(page)

    yield open_page
    for watch in watches:
        watch.assert_clean()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is a browser test."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker("browser")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """In CI a browser test that would be skipped has failed."""
    report = yield
    _forbid_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    """The same for a file of them that would be skipped whole."""
    report = yield
    _forbid_skip(report)
    return report


def _forbid_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if os.environ.get("CI") and report.outcome == "skipped" and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"a browser test may not be skipped in CI: {report.longrepr}"
