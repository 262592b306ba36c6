"""Twenty people on Explore of one server, each in a browser context of its own, all on this machine's cores."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from statistics import median
from typing import TYPE_CHECKING

import click

from bench.app import chromium_browser, opened, server
from bench.explore import LOADED, NETWORK, PICKED
from bench.harness import Sides, bench

if TYPE_CHECKING:
    from playwright.sync_api import Page

PEOPLE, SOON = 20, 1500  # milliseconds until the first click: long enough to tell all pages of it
CLICK = """([address, at]) => { setTimeout(() => {
  document.querySelector(`.st-key-strip .node[data-address="${address}"]`)
    .dispatchEvent(new MouseEvent('click', {bubbles: true, composed: true}));
}, at - Date.now()); }"""


@bench("explore-crowd", f"{PEOPLE} people click in the same instant: the median until the block is drawn", seconds=0.5)
def crowd() -> Iterator[Sides]:
    """The browser's own work for all of them is in it, on the same cores; spread over two seconds is said beside it."""
    with ExitStack() as stack:
        browser, url = stack.enter_context(chromium_browser()), stack.enter_context(server())
        home = opened(browser, url)
        home.wait_for_function(LOADED, timeout=120_000)  # until then the server is busy with torch
        home.context.close()
        pages = [opened(browser, f"{url}/explore?at={NETWORK}/stem/01") for _ in range(PEOPLE)]
        turns = count()
        yield {"ours": lambda: median(together(pages, next(turns), spread=0))}
        apart = together(pages, next(turns), spread=2000)
        click.echo(f"  spread over two seconds: median {median(apart):.2f} s, the slowest {max(apart):.2f} s", err=True)


def together(pages: list[Page], turn: int, *, spread: int) -> list[float]:
    """Seconds that each page waits for its block, all clicked within `spread` milliseconds."""
    from tests.browser.live import settled

    stage = ("A", "B", "C")[turn % 3]
    start = pages[0].evaluate("() => Date.now()") + SOON
    for place, page in enumerate(pages):
        page.evaluate(PICKED, f"{stage}/01")
        page.evaluate(CLICK, [f"{NETWORK}/{stage}", start + spread * place // len(pages)])
    taken = [float(page.evaluate("() => window.picked")) / 1000 for page in pages]
    for page in pages:
        settled(page)
    return taken
