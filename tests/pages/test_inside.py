"""Explore's "My image inside" without a browser: whose weights, which maps, which cell, and the Python for it."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from inception_lab.images.features import Features
from inception_lab.nets import catalog
from inception_lab.readers.notation import notation
from tests.trained import train

SMALL = notation(catalog.net("inception_resnet_v2").thin(1 / 8).repeats(2, 1, 1).with_(size=107), multiline=False)
LITE = {"weights": "efficientnet_lite0", "part": "bn1"}


def inside(at: str = "", **link: str) -> AppTest:
    app = AppTest.from_file(Path(__file__).parents[2] / "app.py", default_timeout=60)
    app.switch_page("pages/explore.py")
    for word, value in {"view": "inside", "at": at, **link}.items():
        app.query_params[word] = value
    app.run()
    assert not app.exception
    return app


def text(app: AppTest) -> str:
    return " ".join(one.value for one in (*app.markdown, *app.caption, *app.subheader, *app.info)).replace("\\", "")


def box(app: AppTest, label: str) -> Any:
    return next(one for one in app.selectbox if one.label == label)


def made(app: AppTest) -> Features:
    """What the Python of the view makes."""
    source = next(one.value for one in app.code if one.value.startswith("import inception_lab as lab"))
    *before, last = source.strip().splitlines()
    names: dict[str, Any] = {}
    exec("\n".join([*before, f"shown = {last}"]), names)  # it is what the page offers for download
    found = names["shown"]
    assert isinstance(found, Features)
    return found


def test_random_weights_are_called_so_everywhere() -> None:
    app = inside("A/02/add", design=SMALL)
    assert text(app).count("random weights, seed 0") == 2
    assert "nobody trained them" in text(app)
    assert "shortcut + 0.17 × residual" in text(app)
    assert "random weights, seed 0" in box(app, "Weights").options


def test_a_design_does_not_bear_the_weights_of_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inception_lab.models.weights.is_cached", lambda tag: True)
    assert "inception_resnet_v2.tf_in1k" in box(inside("inception_resnet_v2/A/02/add"), "Weights").options
    options = box(inside("A/02/add", design=SMALL), "Weights").options
    assert not any("tf_in1k" in option for option in options)


def test_the_strongest_cell_is_shown_without_a_choice_and_the_python_makes_it() -> None:
    app = inside(**LITE)
    found = made(app)
    assert found.at is not None
    assert found.at[0] == found.channels[0].channel
    assert found.maps[found.at] == found.maps[found.at[0]].max()
    assert f"Channel {found.at[0]}, row {found.at[1]}, column {found.at[2]}" in text(app)
    assert "32 maps of 112×112 cells" in text(app)
    table = next(one.value for one in app.dataframe if "rms" in one.value.columns)
    assert list(table.channel) == [one.channel for one in found.channels]
    products = next(one.value for one in app.dataframe if "product" in one.value.columns)
    assert found.cell is not None
    assert products["product"].sum() == pytest.approx(found.cell.steps[0].value, abs=1e-9)


def test_a_link_chooses_the_cell_and_the_boxes_move_it() -> None:
    app = inside(**LITE, cell="3.100.7")
    assert [box(app, label).value for label in ("Channel", "Row", "Column")] == [3, 100, 7]
    box(app, "Row").select(0).run()
    assert not app.exception
    assert made(app).at == (3, 0, 7)
    assert app.session_state["cell"] == "3.0.7"
    box(app, "Part of efficientnet_lite0").select("blocks/6/0/bn3").run()  # there is no such cell in another op
    found = made(app)
    assert found.at is not None
    assert found.at[0] == found.channels[0].channel


@pytest.mark.parametrize("cell", ["3.200.7", "a.b.c", "1.2", "-1.0.0"])
def test_a_link_to_no_cell_says_so_and_goes_on(cell: str) -> None:
    app = inside(**LITE, cell=cell)
    assert any("channels 0 to 31, rows 0 to 111" in one.value for one in app.warning)
    assert made(app).at is not None


def test_a_scale_for_all_ops_of_the_block_is_another() -> None:
    def legend(app: AppTest) -> str:
        return next(one.value for one in app.get("html") if "colours from" in one.value)  # type: ignore[attr-defined]

    op, block, each = (legend(inside("A/02/scale", design=SMALL, limits=word)) for word in ("op", "block", "map"))
    assert len({op, block, each}) == 3
    assert "its highest" in each


def test_an_upload_is_looked_into_and_one_that_is_no_picture_refused() -> None:
    app = inside(**LITE, source="upload")
    assert "Choose a photograph above" in text(app)
    file = BytesIO()
    Image.new("RGB", (300, 200), (200, 30, 30)).save(file, "PNG")
    app.file_uploader[0].upload("red.png", file.getvalue(), "image/png").run()
    assert not app.exception
    assert "32 maps of 112×112 cells" in text(app)
    app = inside(**LITE, source="upload")
    app.file_uploader[0].upload("no.png", b"no picture", "image/png").run()
    assert "not a picture" in app.error[0].value


def test_a_block_of_timms_has_maps_but_no_arithmetic() -> None:
    app = inside(weights="efficientnet_lite0", part="blocks/2/1")
    assert "comes out of several ops" in text(app)
    assert "Its receptive field" not in text(app)  # it stands under the picture
    assert made(app).sees is not None


def test_what_cannot_be_built_is_one_sentence() -> None:
    app = inside("inception_resnet_v2_printed/B/03")
    (error,) = app.error
    said = error.value.replace("\\", "")
    assert said.startswith("No photograph can go through this network: it cannot be built")
    assert "B/01/add cannot add 1152 + 1154 channels" in said


def test_what_cannot_be_built_has_a_way_out() -> None:
    app = inside("inception_resnet_v2_printed/stem/01/conv1")
    assert app.button(key="open-sister").label == "Open it in inception_resnet_v2_paper"
    app.button(key="open-sister").click().run(timeout=120)
    assert not app.exception
    assert not app.error
    assert app.query_params["view"] == "inside"
    assert app.query_params["at"] == "inception_resnet_v2_paper/stem/01/conv1"


def test_a_run_looks_with_its_own_weights(home: Path) -> None:
    tag = f"run:{train(home)}"
    app = inside("stem/01", run=tag.removeprefix("run:"))
    assert box(app, "Weights").value == tag
    assert made(app).weights == tag


def test_the_whole_network_means_its_first_stage() -> None:
    assert "/stem/01/" in made(inside("inception_resnet_v2", design=SMALL)).address
