"""The views of Classify without a browser: protocols, ensembles, contrasts, the test of a map, many files, networks."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from inception_lab.assets import asset
from inception_lab.images.networks import MODELS
from inception_lab.models.records import RECORDS
from tests.models.hubfolder import randomised, safetensors_bytes, store
from tests.pages.test_classify import classify, sample

LITE, HUB = "efficientnet_lite0", "inception_v3.tf_in1k"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A network of random weights in the hub's cache."""
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    store(tmp_path / "hf", HUB, safetensors_bytes(randomised("inception_v3", aux_logits=False).state_dict()))
    yield
    MODELS.clear()  # random weights under a public name are for nobody else


def table(app: AppTest, column: str) -> dict[str, list[object]]:
    """The first table with such a column, column by column."""
    return dict(next(one.value for one in app.dataframe if column in one.value.columns).items())


@pytest.mark.parametrize("crops", [12, 144])
def test_crops_are_boxes_that_vote(crops: int) -> None:
    app = classify(crops=str(crops))
    assert any(f"Cost: {crops} images through the network" in caption.value for caption in app.caption)
    if crops > 12:
        assert not app.dataframe, "so much is not run before it is asked for"
        app.button(key="crops-go").click().run()
    assert not app.exception
    boxes = table(app, "mirrored")
    assert len(boxes["crop"]) == crops
    assert sum(map(bool, boxes["mirrored"])) == crops / 2
    shares = [column for column in boxes if column.startswith("espresso")]
    mean = sum(map(float, boxes[shares[0]])) / crops  # type: ignore[arg-type]
    assert table(app, "probability")["probability"][0] == pytest.approx(mean, abs=1e-5)


def test_two_networks_are_averaged(hub: None) -> None:
    app = classify(**{"with": HUB})
    assert not app.warning
    members = table(app, "share")
    assert list(members["network"]) == [LITE, HUB, "average"]
    best, probability = members["first choice"][2], members["probability"][2]
    said = table(app, "label")
    assert (said["label"][0], said["probability"][0]) == (best, probability)
    assert f"networks=['{LITE}', '{HUB}'], crops=1, ensemble=True" in app.code[0].value
    assert app.query_params == {"with": HUB}


def test_a_contrast_of_two_classes_in_pixels_and_branches() -> None:
    app = classify(sample="chelsea.jpg", view="pixels", **{"class": "281", "against": "282"})
    found = app.session_state["explained"][1]
    assert (found.target, found.against) == (281, 282)
    app.button_group(key="view").select("blocks").run()
    assert not app.exception
    assert app.selectbox(key="against").value == "282", "the question goes along"
    assert any("tabby" in c.value and "less that of tiger cat" in c.value for c in app.caption)
    assert "target=281, against=282" in app.code[0].value
    app.button_group(key="view").select("pixels").run()
    assert (app.selectbox(key="class").value, app.selectbox(key="method").value) == ("281", "grad_cam")
    assert app.session_state["explained"][1] is found, "it is not made again"


def test_a_word_the_pixels_do_not_know_is_said_where_it_counts() -> None:
    assert not classify(method="magic").warning, "the guesses ask no method"
    app = classify(view="pixels", method="magic")
    assert "method 'magic'" in app.warning[0].value


def test_a_map_is_tested() -> None:
    app = classify(view="pixels", method="grad_cam")
    app.button(key="trust-go").click().run()
    assert not app.exception
    tested, found = app.session_state["trusted"]
    assert tested is app.session_state["explained"][1]
    said = [*app.success, *app.warning, *app.error, *app.info]
    assert [one.value.replace("\\", "") for one in said] == [found.sentence]
    curves = table(app, "deletion")
    assert [float(share) for share in curves["deletion"]] == [row["deletion"] for row in found.rows()]  # type: ignore[arg-type]
    assert len(found.curves.chance) == 5, "random orders beside it"


def test_a_map_of_zeros_is_no_map() -> None:
    app = classify(view="pixels", method="grad_cam", layer="blocks/6", **{"class": "56"})
    assert not app.exception
    nothing = "othing at efficientnet_lite0/blocks/6 speaks for king snake"
    assert [one.value.replace("\\", "") for one in app.info] == [
        f"N{nothing}: the map is 0 everywhere.",
        f"This map cannot be tested: n{nothing}.",
    ]
    assert not [one for one in app.button if one.key == "trust-go"], "there is nothing to test"
    assert not any("matters for" in str(one.value) for one in [*app.markdown, *app.caption])


def test_a_bad_file_is_named_once_and_has_its_row() -> None:
    app = classify(source="upload")
    good = io.BytesIO()
    Image.open(asset("samples", "coffee.jpg")).save(good, "WEBP")
    for name, content in (
        ("bad.png", b"no picture"),
        ("good.webp", good.getvalue()),
        ("cat.jpg", sample("chelsea.jpg")),
    ):
        app.file_uploader(key="upload").upload(name, content, "image/png")
    app.run()
    assert not app.exception
    (error,) = app.error
    assert "bad.png" in error.value.replace("\\", "")
    rows = table(app, "file")
    assert list(rows["file"]) == ["bad.png", "good.webp", "cat.jpg"]
    assert [bool(word) for word in rows["trouble"]] == [True, False, False]


def test_every_network_is_in_the_table() -> None:
    app = classify(view="networks")
    rows = table(app, "where")
    assert list(rows["network"]) == list(RECORDS)
    assert rows["where"][0] == "ships with the lab"
    assert any(f"{len(RECORDS)} networks, " in caption.value for caption in app.caption)


def ran(code: str) -> list[Any]:
    """What each line of a page's Python gives, None for one that only sets a name."""
    scope: dict[str, Any] = {}
    return [eval(line, scope) if line.startswith("lab.") else exec(line, scope) for line in code.splitlines()]


def test_the_python_of_a_map_gives_it_and_its_test() -> None:
    app = classify(view="pixels", method="grad_cam", layer="blocks/5")
    app.button(key="trust-go").click().run()
    *_, tested = ran(app.code[0].value)
    shown = app.session_state["trusted"][1]
    assert (tested.sentence, tested.curves.deletion.logit) == (
        shown.sentence,
        pytest.approx(shown.curves.deletion.logit),
    )


def test_the_python_of_two_maps_and_the_matrix_gives_what_the_page_shows() -> None:
    app = classify(view="compare", **{"class": "968"})
    assert "compare_maps" not in app.code[0].value, "nothing is pinned"
    app.button(key="pin").click().run()
    app.selectbox(key="method").set_value("saliency").run()
    app.button_group(key="agree-methods").set_value(["saliency", "grad_cam"]).run()
    app.button(key="agree-go").click().run()
    assert not app.exception
    compared, agreed = (one for one in ran(app.code[0].value) if one is not None)
    said = " ".join(caption.value.replace("\\", "") for caption in app.caption)
    assert f"Rank correlation {compared.correlation:.2f}" in said
    _, shown = app.session_state["agreed"]
    assert (agreed.sentence, agreed.matrix.tolist()) == (shown.sentence, shown.matrix.tolist())
    app.button_group(key="agree-methods").set_value(["saliency"]).run()
    assert "lab.agreement" not in app.code[0].value, "one map agrees with nothing"
