"""Every page opens on a cold server, in light, in dark and on a phone, without a complaint and without calling out."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit

ROOT = Path(__file__).resolve().parents[2]
PATHS = ["/", *(f"/{page.stem}" for page in sorted((ROOT / "pages").glob("*.py")))]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 390)])
def test_page_opens(visit: Visit, path: str, scheme: str, width: int) -> None:
    page = visit(path, scheme=scheme, width=width)  # type: ignore[arg-type]
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    beyond = page.get_by_test_id("stMain").evaluate("main => main.scrollWidth - main.clientWidth")
    assert beyond <= 0, f"the page scrolls sideways by {beyond} pixels"
    background = page.get_by_test_id("stApp").evaluate("app => getComputedStyle(app).backgroundColor")
    assert background == ("rgb(14, 18, 24)" if scheme == "dark" else "rgb(255, 255, 255)")
