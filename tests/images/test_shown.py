"""Results print themselves in a few lines and show themselves in a notebook, pictures in the page itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
import torch

from inception_lab.images.agreement import agreement
from inception_lab.images.attribute import Attribution, attribute
from inception_lab.images.comparison import compare_maps
from inception_lab.images.credit import credit
from inception_lab.images.moved import moved
from inception_lab.images.residuals import damage, rho
from inception_lab.images.samples import samples
from inception_lab.images.trust import trust

COFFEE = samples()[0].path


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def cam() -> Attribution:
    return attribute(COFFEE, method="grad_cam")


@pytest.fixture(scope="module")
def results(cam: Attribution) -> dict[str, Any]:
    return {
        "attribute": cam,
        "trust": trust(cam, steps=4, seeds=3, draws=1),
        "compare": compare_maps(cam, moved(COFFEE, scales=0.0, relative=True, target=967)),
        "agreement": agreement(COFFEE, methods=("saliency", "grad_cam"), steps=4, seeds=3),
        "credit": credit(COFFEE, scales={"blocks/4/1": 0.5}),
        "rho": rho(COFFEE, scales=(1, 0)),
        "damage": damage(COFFEE),
    }


class Page(HTMLParser):
    """Its elements, and that every one that is opened is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag != "img":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize(
    ("name", "pictures"),
    [("attribute", 1), ("trust", 1), ("compare", 3), ("agreement", 2), ("credit", 0), ("rho", 0), ("damage", 0)],
)
def test_a_result_shows_itself(name: str, pictures: int, results: dict[str, Any]) -> None:
    html = results[name]._repr_html_()
    page = Page()
    page.feed(html)
    assert page.open == [], "all elements are closed"
    images = [values for tag, values in page.found if tag == "img"]
    assert len(images) == pictures
    assert all(image["alt"] and (image["src"] or "").startswith("data:image/png;base64,") for image in images)
    assert not re.search(r"(src|href)=.(?!data:)|url\(|<script|<link", html), "nothing is fetched, nothing runs"
    assert pictures or "<table>" in html


@pytest.mark.parametrize("name", ["attribute", "trust", "compare", "agreement", "credit", "rho", "damage"])
def test_a_result_prints_itself_in_a_few_lines(name: str, results: dict[str, Any]) -> None:
    text = str(results[name])
    assert len(text) < 1800
    assert len(text.splitlines()) <= 17
    assert not re.search(r"array\(|[A-Z]\w+\(", text), "no dump of a dataclass"


def test_the_trust_of_a_map_is_its_sentence_with_reasons(results: dict[str, Any]) -> None:
    found = results["trust"]
    head, sentence, *lines = str(found).splitlines()
    assert head == "Grad-CAM, efficientnet_lite0, espresso"
    assert sentence == found.sentence
    assert lines[:-1] == [f"  {one}" for one in found.findings]
    html = found._repr_html_()
    assert html.count("<polyline") == 4
    assert "Curves of the probability from 0.95" in html


def test_names_tell_a_changed_network_from_the_one_as_built(results: dict[str, Any]) -> None:
    assert results["compare"].names == (
        "Grad-CAM, efficientnet_lite0, espresso",
        "Grad-CAM, efficientnet_lite0, residuals × 0, espresso",
    )
    assert results["compare"].to_dict()["names"][1] in results["compare"]._repr_html_()
    assert results["credit"].head.endswith("logits; residuals at blocks/4/1 = 0.5")


def test_long_tables_are_cut_and_say_so(results: dict[str, Any]) -> None:
    found = results["credit"]
    assert str(found).endswith(f"… {len(found.to_rows()) - 12} more; to_rows() has them all")
    assert len(found.text().splitlines()) == 4 + len(found.to_rows())
