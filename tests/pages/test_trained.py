"""A network trained here on Classify and Explore, without a browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from inception_lab.images.networks import MODELS
from inception_lab.jobs.store import Store
from inception_lab.readers.shapes import shapes
from inception_lab.training.extract import load
from tests.trained import about, rewrite, train
from tests.training.tiny import tiny


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    home = tmp_path_factory.mktemp("trained")
    return home, train(home, scale=0.3)


@pytest.fixture
def run(made: tuple[Path, str], home: Path) -> Iterator[str]:
    """The id of a finished run."""
    shutil.copytree(made[0], home)
    yield made[1]
    MODELS.clear()


def page(name: str, **link: str) -> AppTest:
    app = AppTest.from_file(Path(__file__).parents[2] / "app.py", default_timeout=120)
    app.switch_page(f"pages/{name}.py")
    for word, value in link.items():
        app.query_params[word] = value
    app.run()
    assert not app.exception
    return app


def guesses(app: AppTest) -> list[str]:
    return list(next(table.value for table in app.dataframe if "probability" in table.value.columns).label)


def said(app: AppTest) -> str:
    return " ".join(block.value for block in (*app.caption, *app.markdown, *app.warning)).replace("\\", "")


def written(app: AppTest) -> dict[str, Any]:
    """What the page's own Python makes; its last expression as `shown`."""
    source = next(block.value for block in app.code if block.value.startswith("import inception_lab as lab"))
    *before, last = source.strip().splitlines()
    names: dict[str, Any] = {}
    exec("\n".join([*before, f"shown = {last}"]), names)  # it is what the page offers for download
    return names


def test_a_link_to_a_run_asks_it_about_a_test_image(run: str) -> None:
    app = page("classify", network=f"run:{run}")
    assert not app.warning
    assert sorted(guesses(app)) == sorted(load().classes)
    assert app.selectbox(key="sample").value == "test-0"
    assert "It knows only these 10 kinds of picture and answers with one of them whatever" in said(app)
    assert "trained here for 6 steps on Fashion-MNIST, extract" in said(app)
    assert "28×28 grey pixels" in said(app)


def test_the_code_asks_the_same_of_the_same_picture(run: str) -> None:
    app = page("classify", network=f"run:{run}", sample="test-7")
    assert [guess.label for guess in written(app)["shown"][0].predictions] == guesses(app)
    app = page("classify", network=f"run:{run}", sample="test-7", view="pixels", method="grad_cam")
    names = written(app)
    assert names["found"].target == int(app.selectbox(key="class").value)
    assert not app.exception
    shown = app.session_state["explained"][1]
    assert (shown.values == names["found"].values).all()
    assert (shown.pixels == names["found"].pixels).all()


def test_the_runs_stand_after_the_public_networks_newest_first(run: str, home: Path) -> None:
    other = train(home, scale=1.0)
    Store(home, supervised=False).submit(tiny(steps=2))  # queued, so nothing to ask
    box = page("classify").selectbox(key="network")
    assert [words.split(",")[0] for words in box.options[-2:]] == [f"run {other}: micro", f"run {run}: micro"]
    assert "scale 0.3, seed 0, test accuracy 0." in box.options[-1]
    assert not any(words.startswith("run ") for words in box.options[:-2])


def test_going_back_to_a_public_network_leaves_the_test_images(run: str) -> None:
    app = page("classify", network=f"run:{run}", sample="test-3")
    app.selectbox(key="network").select("efficientnet_lite0").run()
    assert not app.exception
    assert not app.warning
    assert app.selectbox(key="sample").value == "coffee.jpg"
    assert not app.query_params
    assert guesses(app)[0] == "espresso"


def test_a_run_that_cannot_be_had_is_one_sentence(run: str, home: Path) -> None:
    for tag, why in (("run:gone", "There is no run 'gone'"), ("run:../..", "There is no run '../..'")):
        app = page("classify", network=tag)
        assert len(app.warning) == 1
        assert why in said(app)
        assert guesses(app)[0] == "espresso"
        assert not app.query_params
    waiting = Store(home, supervised=False).submit(tiny(steps=2))
    assert f"Run {waiting} has not finished" in said(page("classify", network=f"run:{waiting}"))
    file = home / "runs" / run / "model.safetensors"
    old = about(file)
    del old["net"]
    rewrite(file, old)
    assert "noted no network with it. Train it again" in said(page("classify", network=f"run:{run}"))


def test_a_run_deleted_while_it_is_chosen(run: str, home: Path) -> None:
    app = page("classify", network=f"run:{run}")
    Store(home, supervised=False).delete(run)
    app.run()
    assert not app.exception
    assert len(app.warning) == 1
    assert guesses(app)[0] == "espresso"


def test_explore_opens_the_network_of_a_run(run: str) -> None:
    app = page("explore", run=run)
    assert not app.warning
    assert [box.value for box in app.selectbox] == [f"run:{run}", "B", "01", ""]
    assert app.number_input(key="size").value == 28
    wanted = shapes(tiny(scale=0.3).net()).parameters
    assert any(f"**{wanted / 1e6:.2f} M** parameters" in caption.value for caption in app.caption)
    assert f"This is the network with which run {run}: micro, scale 0.3, seed 0" in said(app).replace("*", "")
    assert app.query_params == {"run": run, "at": "inception_resnet_v2_paper/B/01"}
    app.selectbox[1].select("stem").run()
    assert not app.exception
    assert app.query_params == {"run": run, "at": "inception_resnet_v2_paper/stem"}
    assert "small stem" in said(app), "the catalogue's network has another"


def test_explores_code_makes_the_runs_network(run: str) -> None:
    app = page("explore", run=run, at="inception_resnet_v2_paper/B/02/add")
    names = written(app)
    assert names["net"] == names["model"].net
    assert (names["net"].inputs, names["net"].classes) == (1, 10)
    assert names["row"].address == "inception_resnet_v2_paper/B/02/add"
    assert names["table"].parameters == sum(p.numel() for p in names["model"].parameters())
    shown = next(table.value for table in app.dataframe if {"address", "op"} <= set(table.value.columns))
    assert list(shown.address) == [row.address for row in names["rows"]]


def test_from_a_run_back_to_the_catalogue(run: str) -> None:
    app = page("explore", run=run)
    app.button(key="leave-run").click().run()
    assert not app.exception
    assert app.query_params == {"at": "inception_resnet_v2_paper"}
    assert app.number_input(key="size").value == 299
    assert any("**32.43 M** parameters" in caption.value for caption in app.caption)
    app = page("explore", run=run)
    app.selectbox[0].select("inception_v4").run()
    assert not app.exception
    assert app.query_params == {"at": "inception_v4"}


def test_explore_opens_a_run_that_has_no_weights_yet(home: Path) -> None:
    waiting = Store(home, supervised=False).submit(tiny(steps=2, network="inception_v4"))
    app = page("explore", run=waiting, at="A/01")
    assert app.query_params == {"run": waiting, "at": "inception_v4/A/01"}
    assert "The run is queued" in said(app)


def test_explore_refuses_a_run_or_a_place_that_is_not_there(run: str, home: Path) -> None:
    for link, why in (
        ({"run": "gone"}, "There is no run 'gone'"),
        ({"run": run, "at": "inception_v4/A/01"}, "There is no 'inception_v4' in inception_resnet_v2_paper"),
    ):
        app = page("explore", **link)
        assert len(app.warning) == 1
        assert why in said(app)
        assert app.query_params == {"at": "inception_resnet_v2/B/01"}
    app = page("explore", run=run)
    Store(home, supervised=False).delete(run)
    app.run()
    assert not app.exception
    assert len(app.warning) == 1
    assert app.query_params == {"at": "inception_resnet_v2/B/01"}


def test_a_design_begun_with_a_runs_network_goes_back_to_the_run(run: str) -> None:
    app = page("explore", run=run, view="design")
    box = next(box for box in app.number_input if box.label == "Multiply widths by")
    box.set_value(0.5).run()
    assert not app.exception
    assert "design" in app.query_params
    assert "run" not in app.query_params
    app.button(key="undo").click().run()
    assert not app.exception
    assert app.query_params["run"] == run
    assert "design" not in app.query_params
    app.button(key="redo").click().run()
    assert "design" in app.query_params
