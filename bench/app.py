"""The app in a real browser against an empty Streamlit app: first render, and a widget's round trip."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bench.harness import Sides, Skip, bench

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parents[1]

# Milliseconds since the page was asked for, once the script has run and its title is there.
DRAWN = """() => {
  const app = document.querySelector('[data-testid=stApp]');
  const done = app && app.dataset.testScriptState === 'notRunning' && app.dataset.testConnectionState === 'CONNECTED';
  return done && document.querySelector('h1') ? performance.now() : 0;
}"""

# Milliseconds from a click on "Start … runs" until a new run has a point in the plot; started before the click.
# Runs that ship with the lab are dotted, its own are solid.
STARTED = """() => { window.firstPoint = new Promise(resolve => {
  document.addEventListener('pointerdown', () => {
    const started = performance.now();
    const look = () => {
      const plot = document.querySelector('.st-key-curves .js-plotly-plot');
      const drawn = plot?.data?.some(trace => trace.x?.length && trace.line?.dash === 'solid');
      if (drawn) resolve(performance.now() - started);
      else requestAnimationFrame(look);
    };
    look();
  }, {capture: true, once: true});
}); }"""

# Milliseconds from the press of a key until the script has run and two frames were painted; started before the press.
PRESSED = """() => { window.roundTrip = new Promise(resolve => {
  const app = document.querySelector('[data-testid=stApp]');
  let started = 0, ran = false;
  document.addEventListener('keydown', () => { started = performance.now(); }, {capture: true, once: true});
  const observer = new MutationObserver(changes => {
    ran ||= changes.some(change => change.oldValue !== 'notRunning');
    if (!started || !ran || app.dataset.testScriptState !== 'notRunning') return;
    observer.disconnect();
    requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now() - started)));
  });
  observer.observe(app, {attributes: true, attributeFilter: ['data-test-script-state'], attributeOldValue: true});
  setTimeout(() => resolve(0), 20000);
}); }"""


@contextmanager
def chromium_browser() -> Iterator[Browser]:
    """The browser the tests drive, with the tests' flags."""
    from playwright.sync_api import sync_playwright

    from tests.browser.chromium import chromium
    from tests.browser.conftest import FLAGS

    path = chromium()
    if path is None:
        raise Skip("no Chromium here; `scripts/test` installs one")
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=path, args=FLAGS) as browser:
        yield browser


@contextmanager
def server(script: str = "app.py") -> Iterator[str]:
    """The address of a fresh server with an empty home."""
    from tests.browser.live import serve

    if not (ROOT / script).exists():
        raise Skip(f"there is no {script} to measure")
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        serve(Path(folder, "home"), Path(folder, "log"), script=script) as live,
    ):
        yield live.url


@contextmanager
def servers() -> Iterator[tuple[Browser, dict[str, str]]]:
    """A browser, and the addresses of the two apps."""
    with chromium_browser() as browser, server() as ours, server("bench/empty.py") as empty:
        yield browser, {"ours": ours, "empty": empty}


def render(browser: Browser, url: str) -> float:
    """First render in a browser that has never seen the app, of a server that has."""
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(url, wait_until="commit")
        return float(page.wait_for_function(DRAWN, polling="raf", timeout=60_000).json_value()) / 1000


def opened(browser: Browser, url: str) -> Page:
    """A page that has come to rest."""
    from tests.browser.live import settled

    page = browser.new_context(reduced_motion="reduce").new_page()
    page.goto(url)
    page.wait_for_function(DRAWN, timeout=60_000)
    return settled(page)


def press(page: Page) -> float:
    """A press of the space bar on the page's first toggle."""
    toggle = page.get_by_test_id("stCheckbox").locator("input").first
    for _ in range(3):  # a press just when the page draws the toggle anew is lost, and is no round trip
        page.evaluate(PRESSED)
        toggle.press("Space")
        if milliseconds := page.evaluate("() => window.roundTrip"):
            return float(milliseconds) / 1000
    raise RuntimeError(f"the first toggle of {page.url} does not react")


@bench("render", "first render of the home page: the lab, an empty Streamlit app", ratio=1.5)
def first_render() -> Iterator[Sides]:
    with servers() as (browser, urls):
        yield {side: lambda url=url: render(browser, url) for side, url in urls.items()}  # type: ignore[misc]


@bench("render-explore", "first render of Explore: the lab, an empty Streamlit app", ratio=1.5)
def first_render_of_explore() -> Iterator[Sides]:
    with servers() as (browser, urls):
        ours, empty = f"{urls['ours']}/explore", urls["empty"]
        yield {"ours": lambda: render(browser, ours), "empty": lambda: render(browser, empty)}


@bench("widget", "a toggle's round trip: on Explore, in an empty Streamlit app", ratio=2.0, rounds=15)
def round_trip() -> Iterator[Sides]:
    with servers() as (browser, urls):
        ours, empty = opened(browser, f"{urls['ours']}/explore"), opened(browser, urls["empty"])
        yield {"ours": lambda: press(ours), "empty": lambda: press(empty)}


def first_point(browser: Browser) -> float:
    """From the click on Start to the first point in the plot, where nothing has run before and no supervisor lives."""
    with server() as url:
        page = opened(browser, f"{url}/train")
        button = page.get_by_role("button", name="Start")
        button.wait_for()
        page.evaluate(STARTED)
        button.click()
        seconds = float(page.evaluate("() => window.firstPoint")) / 1000
        page.context.close()
        return seconds


@bench("first-point", "from the click on Start to the first point in the plot, empty lab", seconds=4, rounds=3)
def time_to_first_point() -> Iterator[Sides]:
    with chromium_browser() as browser:
        yield {"ours": lambda: first_point(browser)}
