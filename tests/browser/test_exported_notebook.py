"""A notebook exported as HTML keeps what the lab shows of its values: offline, without a server, in the dark."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from playwright.sync_api import BrowserContext, Page

ROOT = Path(__file__).resolve().parents[2]
CELLS = (
    'import inception_lab as lab\n\nlab.graph("inception_resnet_v2", at="B/07")',
    'lab.graph("inception_resnet_v2", depth="stages").coloured("parameters")',
    'lab.shapes("inception_v4", size=299)',
    'lab.compare("inception_resnet_v2_paper", "inception_resnet_v2")',
)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The four cells, run and exported."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PLATFORM_DIRS", "1")
        NotebookClient(
            notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(ROOT)}}
        ).execute()
    page = tmp_path_factory.mktemp("exported") / "page.html"
    page.write_text(HTMLExporter().from_notebook_node(notebook)[0], encoding="utf-8")
    return page


@pytest.fixture(params=["light", "dark"])
def page(request: pytest.FixtureRequest, exported: Path, new_context: Callable[..., BrowserContext]) -> Page:
    """The page in a browser that is offline; the exporter's own scripts from elsewhere are not for our cells."""
    opened = new_context(color_scheme=request.param, offline=True).new_page()
    opened.goto(exported.as_uri(), wait_until="domcontentloaded")
    return opened


def test_drawings_and_tables_are_there_and_can_be_read(page: Page) -> None:
    drawings = page.locator("svg.lab-graph")
    assert drawings.count() >= 2
    for drawing in drawings.all()[:2]:
        box = drawing.bounding_box()
        assert box is not None
        assert box["width"] > 300
        assert min(drawing.locator("text").evaluate_all(HIGH)) >= 10
        assert contrast(drawing.evaluate(INK)) > 4.5
    assert page.get_by_text("55,843,464").count() + page.get_by_text("42,679,816").count() >= 1
    assert page.locator("table tr", has_text="stem").count() > 3


# The size of letters on the screen.
HIGH = "all => all.map(one => parseFloat(getComputedStyle(one).fontSize) * one.ownerSVGElement.getScreenCTM().a)"
# The colours of a drawing's surface, behind everything, and of its words.
INK = """svg => [getComputedStyle(svg).backgroundColor, getComputedStyle(svg.querySelector('.edge text')).fill]"""


def contrast(colours: list[str]) -> float:
    """WCAG's contrast of a surface, rgb(r, g, b), and what is written on it, that or rgba(r, g, b, a)."""
    surface, ink = ([float(part) for part in re.findall(r"[\d.]+", colour)] for colour in colours)
    assert len(surface) == 3, "a surface that covers what is behind it"
    share = ink[3] if len(ink) == 4 else 1.0
    low, high = sorted(map(light, (surface, [share * a + (1 - share) * b for a, b in zip(ink, surface, strict=False)])))
    return (high + 0.05) / (low + 0.05)


def light(colour: list[float]) -> float:
    """WCAG's relative luminance of red, green and blue, 0 to 255."""
    r, g, b = (p / 12.92 if (p := part / 255) <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for part in colour)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
