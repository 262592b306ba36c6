"""Make the README's screenshots from the real app: `python -m scripts.screenshots` (needs what the tests need)."""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from tests.browser.chromium import chromium
from tests.browser.conftest import FLAGS
from tests.browser.live import serve, settled

FOLDER = Path(__file__).resolve().parents[1] / "assets" / "screenshots"
SIZE = {"width": 1200, "height": 900}


def explain(page: Page) -> None:
    """Ask for the map, and show it."""
    page.get_by_role("button", name="Explain").click()
    expect(page.get_by_text("images through the network in")).to_be_visible(timeout=120_000)
    settled(page)
    page.get_by_role("combobox", name="Method").evaluate(TO_TOP)


def curves(page: Page) -> None:
    """Show the curves of the shipped runs."""
    page.get_by_role("combobox", name="Runs on screen").evaluate(TO_TOP)


TO_TOP = """box => {
    box.scrollIntoView({block: "start"});
    document.querySelector('[data-testid=stMain]').scrollBy(0, -60);
}"""
PAGES = {
    "explore": ("/explore?at=inception_resnet_v2/B/07/add", None),
    "train": ("/train?sweep=shipped", curves),
    "classify": ("/classify?view=pixels", explain),
    "paper": ("/paper", None),
}


def main() -> None:
    """One PNG per page."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        with serve(Path(home), Path(home) / "log.txt") as live:
            browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
            for name, (path, act) in PAGES.items():
                page = browser.new_page(viewport=SIZE, reduced_motion="reduce")  # type: ignore[arg-type]
                page.goto(live.url + path)
                settled(page)
                page.wait_for_timeout(2500)
                if act:
                    act(page)
                page.wait_for_timeout(1000)
                page.screenshot(path=FOLDER / f"{name}.png")
                print(f"{name}.png")
            browser.close()


if __name__ == "__main__":
    main()
