"""The guesses' part of Classify without a browser: protocols, many photographs, networks averaged."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
import torch
from streamlit.testing.v1 import AppTest
from torch import Tensor, nn

from inception_lab.images import announce, networks
from inception_lab.images.classify import classify
from inception_lab.images.ensemble import PAPERS
from inception_lab.images.networks import Models
from inception_lab.images.samples import samples
from inception_lab.images.trained import known
from inception_lab.ui import crops, entering, photos
from tests.models.hubfolder import store


@pytest.fixture(autouse=True)
def fresh() -> None:
    st.cache_data.clear()
    st.cache_resource.clear()


def _page() -> None:
    import streamlit as st

    from inception_lab.images.samples import samples
    from inception_lab.ui import crops, photos

    given = [photos.of_sample(sample) for sample in samples()[:2]] + [photos.Upload("bad*.png", b"x")]
    given = given if st.query_params.get("many") else given[:1]
    st.code(crops.show(given, given[0], st.query_params.get("network", "efficientnet_lite0"), st.container()))


def page(**link: str) -> AppTest:
    app = AppTest.from_function(_page, default_timeout=200)
    for name, value in link.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def table(app: AppTest, column: str) -> Any:
    return next(frame.value for frame in app.dataframe if column in frame.value.columns)


def test_the_page_shows_what_the_library_answers() -> None:
    app = page(crops="12")
    [found] = classify(samples()[0].path, crops=12, each=True)
    assert table(app, "probability").probability.tolist() == [p.probability for p in found.predictions]
    boxes = table(app, "scale")
    assert (len(boxes), boxes.mirrored.sum()) == (12, 6)
    assert any(f"{found.agreeing} of 12 crops" in text.value for text in app.markdown)
    assert "crops=12)" in app.code[0].value
    scope: dict[str, Any] = {"lab": __import__("inception_lab")}
    last = app.code[0].value.splitlines()[-1]
    exec(f"photo = {str(samples()[0].path)!r}\nfound = {last}", scope)
    assert scope["found"][0].predictions == found.predictions


def test_slims_crop_is_one_more_word() -> None:
    app = page(crops="slim")
    [found] = classify(samples()[0].path, reading="slim")
    assert table(app, "probability").probability.tolist() == [p.probability for p in found.predictions]
    assert 'crops=1, reading="slim"' in app.code[0].value


def test_144_crops_wait_to_be_asked_for() -> None:
    app = page(crops="144")
    assert not app.dataframe
    assert any("Cost: 144 images" in caption.value for caption in app.caption)
    assert app.button(key="crops-go").label == "Ask 144 crops"


def test_many_photographs_are_a_table_and_bad_ones_have_names() -> None:
    app = page(many="1")
    both = table(app, "trouble")
    assert both.file.tolist() == ["coffee.jpg", "chelsea.jpg", "bad*.png"]
    assert both["1."][0].startswith("espresso")
    assert both.trouble[2].startswith("bad*.png is not a picture")
    assert not app.error, "the page has named it above"


def test_a_bad_photograph_has_every_row_that_a_good_one_has() -> None:
    good, bad = photos.of_sample(samples()[0]), photos.Upload("bad.png", b"x")
    said = crops._ask([good, bad], crops.Question(("efficientnet_lite0",), "slim"), None)
    assert [(one.file, one.reading) for one in said] == [("coffee.jpg", "slim"), ("bad.png", "slim")]
    assert {row["reading"] for row in said.rows()} == {"slim"}


class Sure(nn.Module):
    """Always class 3."""

    def forward(self, x: Tensor) -> Tensor:
        found = torch.zeros(len(x), 1000)
        found[:, 3] = 9.0
        return found


def asked(app: AppTest) -> AppTest:
    """Three large networks are asked when that is wanted, not before."""
    app.button(key="crops-go").click().run()
    assert not app.exception
    return app


def test_the_way_into_each_network_of_an_ensemble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = photos.of_sample(samples()[0])
    light = entering._way(upload, ("efficientnet_lite0",), 1, "timm")
    assert [step.size for step in light.steps] == ["600×400", "384×256", "224×224"]
    assert (light.low, light.high, light.seen) == ("−1", "1", "−1.00 to 1.00")
    other = entering._way(upload, ("inception_v3.gluon_in1k",), 1, "timm")
    assert [step.size for step in other.steps][1:] == ["511×341", "299×299"]
    assert (other.low, other.high) == ("−2.12", "2.64"), "one axis for all: the range is another"
    assert entering._preparing(known(PAPERS.tags[0])) != entering._preparing(known(PAPERS.tags[1]))
    row = entering._row(other, titled=True)
    assert row.count("<img") == 3
    assert 'alt="coffee.jpg as inception_v3.gluon_in1k sees it"' in row
    assert 'aria-label="its numbers: ' in row


def test_networks_here_can_be_averaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(networks, "pretrained", lambda tag, *, progress: Sure().eval())
    monkeypatch.setattr(networks, "MODELS", Models())
    monkeypatch.setattr(announce, "MODELS", networks.MODELS)
    for tag in PAPERS.tags:
        store(tmp_path, tag, json.dumps({"tag": tag}).encode())
    app = page(network=PAPERS.tags[0])
    app.button(key="paper-ensemble").click().run()
    assert any(re.search(r"Cost: 3 images .* MB of memory", caption.value) for caption in app.caption)
    app = asked(app)
    assert app.query_params["with"] == "paper-ensemble"
    assert "networks=['paper-ensemble']" in app.code[0].value
    members = table(app, "share")
    assert members.share.tolist() == [0.25, 0.375, 0.375, 1.0]
    app = asked(app.multiselect(key="with").unselect(PAPERS.tags[2]).run())
    assert f"networks={list(PAPERS.tags[:2])!r}, crops=1, ensemble=True" in app.code[0].value
    app = asked(app.multiselect(key="with").select(PAPERS.tags[2]).run())
    assert app.query_params["with"] == ",".join(PAPERS.tags[1:])
    assert f"networks={list(PAPERS.tags)!r}, crops=1, ensemble=True" in app.code[0].value
    assert table(app, "share").share.tolist() == pytest.approx([1 / 3, 1 / 3, 1 / 3, 1])
    again = asked(page(network=PAPERS.tags[1], **{"with": "paper-ensemble"}))
    assert table(again, "share").share.tolist() == [0.25, 0.375, 0.375, 1.0]
    assert again.query_params["with"] == "paper-ensemble"
    assert any("0.25 × inception_v4" in text.value.replace("\\", "") for text in again.markdown)
