"""Classify without a browser: uploads of every kind become guesses or one sentence."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from inception_lab.assets import asset


def classify() -> AppTest:
    app = AppTest.from_file(Path(__file__).parents[2] / "app.py", default_timeout=120)
    app.switch_page("pages/classify.py").run()
    assert not app.exception
    return app


def test_the_sample_is_classified_without_a_choice() -> None:
    app = classify()
    assert app.dataframe[0].value.label[0] == "espresso"
    assert app.dataframe[0].value.probability[0] == pytest.approx(0.954, abs=0.01)


def test_uploads_go_on_beside_the_bad_one() -> None:
    app = classify()
    app.button_group(key="source").select("Upload").run()
    good = io.BytesIO()
    Image.open(asset("samples", "coffee.jpg")).save(good, "WEBP")
    app.file_uploader(key="upload").upload("bad.png", b"GIF89a but not really", "image/png")
    app.file_uploader(key="upload").upload("good.webp", good.getvalue(), "image/webp")
    app.run()
    assert not app.exception
    assert "bad.png" in app.error[0].value
    assert app.dataframe[0].value.label[0] == "espresso"


def test_grad_cam_names_its_layer_and_its_cost() -> None:
    app = classify()
    app.selectbox(key="method").select("grad_cam").run()
    assert any("Cost: 2 images" in caption.value for caption in app.caption)
    app.button(key="explain").click().run()
    assert not app.exception
    assert any("images through the network in" in caption.value for caption in app.caption)
