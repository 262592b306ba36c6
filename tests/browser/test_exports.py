"""Every file the pages offer is what its name says: downloaded by a click, and read."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visit
from tests.browser.live import settled

BLOCK = "inception_v4-B-03"


def downloaded(page: Page, button: Locator) -> tuple[str, bytes]:
    """The name and the bytes of the file behind a button."""
    with page.expect_download() as started:
        button.click()
    return started.value.suggested_filename, Path(started.value.path()).read_bytes()


@pytest.fixture
def explore(visit: Visit) -> Page:
    return visit("/explore?at=inception_v4/B/03")


def test_a_drawing_in_four_formats(explore: Page) -> None:
    export = explore.get_by_role("button", name="Export").nth(1)
    export.evaluate("button => button.scrollIntoView({block: 'center'})")  # what drops down must fit below it
    export.click()
    files = dict(
        downloaded(explore, explore.get_by_role("button", name=kind, exact=True))
        for kind in ("SVG", "PNG", "HTML", "DOT")
    )
    assert set(files) == {f"{BLOCK}.{suffix}" for suffix in ("svg", "png", "html", "dot")}
    svg = ElementTree.fromstring(files[f"{BLOCK}.svg"])
    assert svg.tag == "{http://www.w3.org/2000/svg}svg"
    assert len(svg.findall(".//*[@data-address]")) >= 13, "ten convolutions, a pool, the concat and what enters"
    assert files[f"{BLOCK}.png"].startswith(b"\x89PNG\r\n\x1a\n")
    assert min(Image.open(io.BytesIO(files[f"{BLOCK}.png"])).size) > 100
    page = files[f"{BLOCK}.html"].decode()
    assert page.lower().startswith("<!doctype html>")
    assert "inception_v4/B/03/concat" in page
    assert 'src="http' not in page
    assert 'href="http' not in page
    assert files[f"{BLOCK}.dot"].decode().lstrip().startswith("digraph")


def test_the_code_as_a_script_and_as_a_notebook(explore: Page) -> None:
    explore.get_by_text("Python for this view").click()
    name, script = downloaded(explore, explore.get_by_role("button", name=".py", exact=True))
    assert name == "explore.py"
    compile(script, name, "exec")
    assert b'at="inception_v4/B/03"' in script
    name, notebook = downloaded(explore, explore.get_by_role("button", name=".ipynb", exact=True))
    assert name == "explore.ipynb"
    content = json.loads(notebook)
    assert content["nbformat"] == 4
    assert "".join(content["cells"][0]["source"]) == script.decode()


def test_a_table_as_csv(explore: Page) -> None:
    explore.get_by_text("Cost per stage as a table").click()
    name, content = downloaded(explore, explore.locator(".st-key-download-stages-csv").get_by_role("button"))
    assert name == "stages.csv"
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    assert [row["address"] for row in rows][:2] == ["inception_v4/stem", "inception_v4/A"]
    assert sum(int(row["parameters"]) for row in rows) == 42_679_816, "timm's inception_v4 has as many"


def test_a_map_as_picture_and_as_numbers(visit: Visit) -> None:
    page = visit("/classify?view=pixels&method=grad_cam")
    expect(page.get_by_role("img", name="colours from 0 to")).to_be_visible(timeout=60_000)
    settled(page)
    page.get_by_text("The map as a table").click()
    expect(page.get_by_test_id("stDataFrame").filter(visible=True)).to_have_count(1)
    name, picture = downloaded(page, page.get_by_role("button", name="PNG", exact=True))
    assert name == "grad_cam.png"
    assert Image.open(io.BytesIO(picture)).size == (224, 224)
    _, raw = downloaded(page, page.get_by_role("button", name="Raw values, CSV"))
    values = [[float(cell) for cell in row] for row in csv.reader(io.StringIO(raw.decode()))]
    assert (len(values), {len(row) for row in values}) == (224, {224})
    _, squares = downloaded(page, page.locator(".st-key-download-grad_cam-squares-csv").get_by_role("button"))
    rows = list(csv.DictReader(io.StringIO(squares.decode())))
    assert len(rows) == 49
    assert sum(float(row["sum"]) for row in rows) == pytest.approx(sum(map(sum, values)), rel=1e-4)
