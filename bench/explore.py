"""Explore's drawings on the server and in a browser, beside torchview's and torchinfo's of the same network."""

from __future__ import annotations

import base64
import gc
import gzip
import importlib.util
import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

from bench.app import chromium_browser, opened, server
from bench.harness import Sides, Skip, bench, timed

if TYPE_CHECKING:
    from playwright.sync_api import Page

NETWORK = "inception_resnet_v2"
MOST_BYTES = 300_000

# Milliseconds from a press of the mouse on a box until the heading of its stage is there and a frame was painted.
PICKED = """(heading) => { window.picked = new Promise(resolve => {
  document.addEventListener('click', () => {
    const started = performance.now();
    const look = () => {
      const there = [...document.querySelectorAll('h3')].some(one => one.textContent.includes(heading));
      const chosen = document.querySelector('.st-key-block-drawing .node[data-address*="/' + heading + '"]');
      if (there && chosen) requestAnimationFrame(() => resolve(performance.now() - started));
      else requestAnimationFrame(look);
    };
    look();
  }, {capture: true, once: true});
}); }"""

LOADED = "() => /Accelerator: (?!looking)/.test(document.body.innerText)"


def cold(**asked: Any) -> Callable[[], str]:
    """A drawing of the network as SVG, laid out anew each time."""
    from inception_lab.readers import layout
    from inception_lab.readers.graph import graph

    def draw() -> str:
        layout.render.cache_clear()
        return graph(NETWORK, **asked).svg()

    return draw


@bench("explore-strip", "the strip of Inception-ResNet-v2 on the server, nothing cached", seconds=0.05)
def strip() -> Iterator[Sides]:
    draw = cold(depth="stages", direction="LR")
    yield {"ours": timed(draw, times=3, processor=True), "torchinfo": timed(summary(), processor=True)}


@bench("explore-block", "its block B/07 on the server, nothing cached", seconds=0.05)
def block() -> Iterator[Sides]:
    draw = cold(at="B/07", depth="block", direction="LR")
    yield {"ours": timed(draw, times=3, processor=True), "torchinfo": timed(summary(), processor=True)}


@bench("explore-pictures", "strip and block, nothing cached, and torchinfo's table of the network", ratio=0.1)
def pictures() -> Iterator[Sides]:
    strip, block = cold(depth="stages", direction="LR"), cold(at="B/07", depth="block", direction="LR")
    both = timed(lambda: (strip(), block()), times=3, processor=True)
    yield {"ours": both, "torchinfo": timed(summary(), processor=True)}


@bench("explore-rows", "every op's shape and cost, like with like: ours, torchinfo's table", ratio=0.1)
def table() -> Iterator[Sides]:
    from inception_lab.readers.shapes import shapes

    yield {
        "ours": timed(lambda: shapes(NETWORK), times=10, processor=True),
        "torchinfo": timed(summary(), processor=True),
    }


@bench("explore-ops", "all its ops on the server, nothing cached", seconds=0.5)
def ops() -> Iterator[Sides]:
    yield {"ours": timed(cold(depth="ops"), processor=True)}


@bench(
    "explore-size",
    "its megabytes on the way to the browser, as seconds, packed; the promised 300 kB",
    ratio=1,
    rounds=1,
)
def size() -> Iterator[Sides]:
    def ours() -> float:
        return len(base64.b64encode(gzip.compress(cold(depth="ops", direction="LR")().encode()))) / 1e6

    yield {"ours": ours, "promised": lambda: MOST_BYTES / 1e6}


@bench("explore-views", "all its ops as SVG: ours, torchview's with the same Graphviz", ratio=0.1, rounds=3)
def against_torchview() -> Iterator[Sides]:
    if importlib.util.find_spec("torchview") is None:
        raise Skip("torchview is not installed; pip install torchview")
    from pygraphviz import AGraph
    from torchview import draw_graph

    import inception_lab as lab

    model = lab.build(NETWORK).eval()

    def theirs() -> bytes:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            source = draw_graph(model, input_size=(1, 3, 299, 299), device="meta", depth=20).visual_graph.source
        drawn: bytes = AGraph(string=source).draw(format="svg", prog="dot")
        return drawn

    gc.collect()
    gc.freeze()  # as the server does once torch is loaded
    click.echo(f"torchview's SVG: {len(theirs()) / 1000:.0f} kB, ours {len(cold(depth='ops')()) / 1000:.0f}", err=True)
    yield {"ours": timed(cold(depth="ops"), processor=True), "torchview": timed(theirs, processor=True)}


def summary() -> Callable[[], object]:
    """torchinfo's table of the network, on a device without data."""
    from torchinfo import summary as table

    import inception_lab as lab

    model = lab.build(NETWORK).eval().to("meta")
    return lambda: table(model, input_size=(1, 3, 299, 299), device="meta", verbose=0)


def pick(page: Page, stage: str) -> float:
    """A click on a stage of the strip until its block is drawn."""
    page.evaluate(PICKED, f"{stage}/01")
    page.locator(f'.st-key-strip .node[data-address="{NETWORK}/{stage}"]').click()
    return float(page.evaluate("() => window.picked")) / 1000


@bench("explore-click", "from a click on a stage to its block drawn, in a browser", seconds=0.25, rounds=12)
def clicked() -> Iterator[Sides]:
    with chromium_browser() as browser, server() as url:
        home = opened(browser, url)
        home.wait_for_function(LOADED, timeout=120_000)  # until then the server is busy with torch
        home.context.close()
        page = opened(browser, f"{url}/explore?at={NETWORK}/stem/01")
        turns = iter(range(1000))

        def ours() -> float:
            from tests.browser.live import settled

            seconds = pick(page, ("A", "B", "C")[next(turns) % 3])
            settled(page)
            return seconds

        yield {"ours": ours}
