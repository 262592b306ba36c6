"""Classify without a browser: uploads of every kind become guesses or one sentence."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from inception_lab.assets import asset
from inception_lab.images.networks import MODELS
from inception_lab.ui.asking import METHODS
from tests.models.hubfolder import randomised, safetensors_bytes, store

HUB = "inception_v4.tf_in1k"


def classify(**link: str) -> AppTest:
    app = AppTest.from_file(Path(__file__).parents[2] / "app.py", default_timeout=120)
    app.switch_page("pages/classify.py")
    for name, value in link.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def sample(name: str) -> bytes:
    return asset("samples", name).read_bytes()


def best(app: AppTest) -> str:
    """The first guess for the photograph looked at: the last table of classes on the page."""
    return str(next(table.value for table in app.dataframe if "probability" in table.value.columns).label[0])


def code(app: AppTest) -> str:
    return next(block.value for block in app.code if block.value.startswith("import inception_lab as lab"))


def test_the_sample_is_classified_without_a_choice() -> None:
    app = classify()
    assert app.dataframe[0].value.label[0] == "espresso"
    assert app.dataframe[0].value.probability[0] == pytest.approx(0.954, abs=0.01)


def test_uploads_go_on_beside_the_bad_one() -> None:
    app = classify()
    app.button_group(key="source").select("upload").run()
    good = io.BytesIO()
    Image.open(asset("samples", "coffee.jpg")).save(good, "WEBP")
    app.file_uploader(key="upload").upload("bad.png", b"GIF89a but not really", "image/png")
    app.file_uploader(key="upload").upload("good.webp", good.getvalue(), "image/webp")
    app.run()
    assert not app.exception
    assert "bad.png" in app.error[0].value.replace("\\", ""), "the name is escaped"
    assert app.dataframe[0].value.label[0] == "espresso"


def test_two_files_of_one_name_are_two_photographs() -> None:
    app = classify(source="upload")
    app.file_uploader(key="upload").upload("IMG_1.png", sample("coffee.jpg"), "image/jpeg")
    app.file_uploader(key="upload").upload("IMG_1.png", sample("chelsea.jpg"), "image/jpeg")
    app.run()
    assert not app.exception
    both = next(table.value for table in app.dataframe if "file" in table.value.columns)
    assert [guess.rsplit(" ", 1)[0] for guess in both["1."]] == ["espresso", "tiger cat"]
    assert best(app) == "espresso"
    app.selectbox(key="closer").select(1).run()
    assert not app.exception
    assert best(app) == "tiger cat"


@pytest.mark.parametrize(("method", "cost"), [("grad_cam", 2), ("integrated_gradients", 53), ("occlusion", 171)])
def test_every_method_names_its_cost_and_explains(method: str, cost: int) -> None:
    app = classify(view="pixels", method=method)
    assert any(f"Cost: {cost} images" in caption.value for caption in app.caption)
    waits = cost > 12
    assert ("explained" in app.session_state) != waits, "little is not asked for twice"
    if waits:
        app.button(key="explain-go").click().run()
    assert not app.exception
    assert any(f"{cost} images through the network in" in caption.value for caption in app.caption)
    squares = next(table.value for table in app.dataframe if "sum" in table.value.columns)
    assert len(squares) == 49
    assert squares.pixels.sum() == 224 * 224
    result = app.session_state["explained"][1]
    assert squares["sum"].sum() == pytest.approx(float(result.values.sum(dtype=float)), rel=1e-5)
    corner = float(result.values[192:, 192:].sum(dtype=float))
    assert squares[(squares.row == 7) & (squares.column == 7)]["sum"].item() == pytest.approx(corner, rel=1e-5)


def test_every_method_of_the_lab_is_on_the_page() -> None:
    from inception_lab.images import attribute

    assert set(METHODS) == set(attribute.METHODS)


def test_the_link_keeps_every_choice_and_leaves_out_what_is_the_default() -> None:
    app = classify(view="pixels")
    assert app.query_params == {"view": "pixels"}
    second = app.selectbox(key="class").options[1]
    app.selectbox(key="class").select_index(1).run()
    chosen = app.selectbox(key="class").value
    app.selectbox(key="method").select("occlusion").run()
    asked = {"view": "pixels", "class": chosen, "method": "occlusion"}
    assert app.query_params == asked
    again = classify(**asked)
    assert again.selectbox(key="class").options[1] == second
    assert (again.selectbox(key="class").value, again.selectbox(key="method").value) == (chosen, "occlusion")
    assert f"target={chosen}" in code(again)


def test_a_class_belongs_to_its_photograph() -> None:
    app = classify(view="pixels")
    app.selectbox(key="class").select_index(1).run()
    app.selectbox(key="sample").select("chelsea.jpg").run()
    assert not app.exception
    assert not app.warning
    assert app.query_params == {"view": "pixels", "sample": "chelsea.jpg"}
    assert app.selectbox(key="class").value == "282", "tiger cat"


def test_a_link_opens_the_upload_and_its_code_is_there_before_the_photograph() -> None:
    app = classify(source="upload", view="pixels", method="occlusion")
    assert app.button_group(key="source").value == "upload"
    assert "assets/samples/coffee.jpg" in code(app)
    app.file_uploader(key="upload").upload("mine.jpg", sample("chelsea.jpg"), "image/jpeg").run()
    assert "'mine.jpg'" in code(app)
    assert "target=282" in code(app)


def test_a_bad_source_in_the_link_is_said() -> None:
    app = classify(source="satellite")
    assert "source 'satellite'" in app.warning[0].value
    assert best(app) == "espresso"


def test_a_hub_network_in_the_cache_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    store(tmp_path / "hf", HUB, safetensors_bytes(randomised("inception_v4").state_dict()))
    try:
        app = classify(network=HUB)
    finally:
        MODELS.clear()  # random weights under a public name are for nobody else
    assert not app.info, "nothing to fetch, nothing to fall back on"
    assert len(app.dataframe[0].value) == 5
    assert any("<span>299×299</span>" in html.value for html in app.get("html")), "the square that enters"
    assert any(c.value.replace("\\", "").startswith(f"{HUB}, one crop") for c in app.caption)
