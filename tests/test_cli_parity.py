"""The notebook's function, the command line and what the page calls: the same numbers, to the last digit."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

import inception_lab as lab
from inception_lab.assets import asset
from inception_lab.cli.asked import METHODS
from inception_lab.cli.main import main
from inception_lab.images.load import load
from inception_lab.images.networks import MODELS
from inception_lab.training.events import jsonable
from tests.models.hubfolder import randomised, safetensors_bytes, store
from tests.trained import train

COFFEE = asset("samples", "coffee.jpg")
LITE, V3 = "efficientnet_lite0", "inception_v3.tf_in1k"
CLOCKS = frozenset(("seconds", "idle", "file", "image", "folder"))


@pytest.fixture(scope="module", autouse=True)
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cache of the hub that holds Inception-v3 with random weights."""
    place = tmp_path_factory.mktemp("hub")
    store(place, V3, safetensors_bytes(randomised("inception_v3").state_dict()))
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("HF_HUB_CACHE", raising=False)
        patch.setenv("HF_HOME", str(place))
        MODELS.clear()
        yield
    MODELS.clear()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A residual network that learned for a moment: where it is, and its tag."""
    place = tmp_path_factory.mktemp("home")
    return place, f"run:{train(place)}"


@pytest.fixture
def small(trained: tuple[Path, str], home: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Its tag, in a home of its own that each test finds."""
    monkeypatch.setenv("INCEPTION_LAB_HOME", str(trained[0]))
    return trained[1]


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def printed(*words: object) -> Any:
    """What the command line says, without its clock and its paths."""
    result = run(*words, "--json")
    assert result.exit_code == 0, result.stderr
    return timeless(json.loads(result.stdout))


def timeless(data: Any) -> Any:
    """Plain data as JSON has it, without clocks and paths."""
    match data:
        case dict():
            return {key: timeless(value) for key, value in data.items() if key not in CLOCKS}
        case list():
            return [timeless(value) for value in data]
        case _:
            return data


def plain(data: Any) -> Any:
    return timeless(json.loads(json.dumps(jsonable(data))))


def upload() -> Any:
    """The photograph as the page has it: bytes with a name."""
    return load(BytesIO(COFFEE.read_bytes()), name=COFFEE.name)


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ([], {}),
        (["--crops", 10, "--top", 9], {"crops": 10, "top": 9}),
        (["--crops", 12], {"crops": 12}),
        (["--crops", 144, "--network", "small"], {"crops": 144, "networks": "small"}),
        (["--reading", "slim"], {"reading": "slim"}),
        (["--crops", 10, "--each"], {"crops": 10, "each": True}),
        (
            ["--network", LITE, "--network", V3, "--ensemble"],
            {"networks": [LITE, V3], "ensemble": True},
        ),
    ],
    ids=["1", "10", "12", "144", "slim", "each", "ensemble"],
)
def test_classify(words: list[object], asked: dict[str, Any], small: str) -> None:
    words = [small if word == "small" else word for word in words]
    asked = asked | ({"networks": small} if asked.get("networks") == "small" else {})
    said = printed("classify", COFFEE, *words)
    assert said == plain(lab.classify(COFFEE, **asked).to_dict())
    assert [len(one["votes"]) for one in said["images"]] == [asked.get("crops") if asked.get("each") else 0] * len(
        said["images"]
    )
    page = lab.classify(upload(), **asked | {"each": True})
    assert [one["predictions"] for one in said["images"]] == [
        one["predictions"] for one in plain(page.to_dict())["images"]
    ]


@pytest.mark.parametrize("method", METHODS)
def test_attribute(method: Any, tmp_path: Path, small: str) -> None:
    file = tmp_path / "map.npy"
    said = printed("attribute", COFFEE, "--network", small, "--method", method, "--against", 2, "-o", file)
    for image in (COFFEE, upload()):
        found = lab.attribute(image, small, method=method, against=2)
        assert np.array_equal(np.load(file), found.values)
        assert said == plain(found.to_dict())


@pytest.mark.parametrize(("words", "scales"), [(["--scale", 0.5], 0.5), (["--scale", "B/02=0"], {"B/02": 0.0})])
def test_a_map_with_other_scales(words: list[object], scales: Any, tmp_path: Path, small: str) -> None:
    file = tmp_path / "map.npy"
    asked: dict[str, Any] = {"scales": scales, "relative": True, "method": "grad_cam", "target": 3, "against": 5}
    words = [*words, "--relative", "--method", "grad_cam", "--target", 3, "--against", 5]
    said = printed("attribute", COFFEE, "--network", small, *words, "-o", file)
    found = lab.moved(upload(), small, **asked)
    assert np.array_equal(np.load(file), found.values)
    assert said == plain(found.to_dict())
    assert (said["scales"], said["relative"]) == (scales, True)


def test_a_map_with_other_scales_asks_for_the_first_guess_as_built(small: str) -> None:
    words = ["--network", small, "--scale", 0, "--relative", "--method", "grad_cam"]
    result = run("attribute", COFFEE, *words, "--json")
    said = timeless(json.loads(result.stdout))
    assert said == plain(lab.moved(upload(), small, scales=0.0, relative=True, method="grad_cam").to_dict())
    assert said["target"] == printed("rho", COFFEE, "--network", small, "--scales", "0")["scales"][0]["target"]
    assert "grad_cam: 3 images through the network" in result.stderr
    assert "3 of 3 images" in result.stderr


def test_trust(tmp_path: Path) -> None:
    table = tmp_path / "curves.csv"
    few = ["--steps", 4, "--seeds", 3, "--ground", "grey", "--draws", 2]
    said = printed("trust", COFFEE, "--method", "grad_cam", *few, "--csv", table)
    found = lab.trust(lab.attribute(upload(), method="grad_cam"), steps=4, seeds=3, ground="grey", draws=2)
    assert said == plain(found.to_dict())
    assert len(table.read_text().splitlines()) == 1 + len(found.rows())


def test_compare_maps(tmp_path: Path) -> None:
    file = tmp_path / "difference.npy"
    words = ["--method", "grad_cam", "--method", "saliency", "--network", LITE, "--network", V3, "--target", 967]
    said = printed("compare-maps", COFFEE, *words, "-o", file)
    maps = [
        lab.attribute(upload(), network, method=method, target=967)
        for network, method in ((LITE, "grad_cam"), (V3, "saliency"))  # type: ignore[arg-type]
    ]
    found = lab.compare_maps(maps[0], maps[1])
    assert np.array_equal(np.load(file), found.difference)
    assert said == plain({**found.to_dict(), "maps": [one.to_dict() for one in maps]})


@pytest.mark.parametrize("against", [None, 5])
def test_agreement(small: str, against: int | None) -> None:
    words = ["--method", "grad_cam", "--method", "saliency", "--steps", 4, "--seeds", 3]
    words += [] if against is None else ["--against", against]
    said = printed("agreement", COFFEE, "--network", small, *words)
    asked: dict[str, Any] = {"networks": [small], "methods": ("grad_cam", "saliency"), "steps": 4, "seeds": 3}
    assert said == plain(lab.agreement(upload(), against=against, **asked).to_dict())


@pytest.mark.parametrize(
    ("command", "words", "ask"),
    [
        ("credit", [], lambda image, net: lab.credit(image, net)),
        (
            "credit",
            ["--against", 5, "--at", "B", "--scale", "B=0.5", "--relative"],
            lambda image, net: lab.credit(image, net, against=5, at="B", scales={"B": 0.5}, relative=True),
        ),
        (
            "damage",
            ["--scale", 0.5, "--relative", "--target", 7],
            lambda image, net: lab.damage(image, net, scale=0.5, relative=True, target=7),
        ),
        ("damage", [], lambda image, net: lab.damage(image, net)),
    ],
    ids=["credit", "credit of a stage", "damage by half", "damage"],
)
def test_branches(
    command: str, words: list[object], ask: Callable[[Any, str], Any], tmp_path: Path, small: str
) -> None:
    table = tmp_path / "rows.csv"
    said = printed(command, COFFEE, "--network", small, *words, "--csv", table)
    found = ask(upload(), small)
    assert said == plain(found.to_dict())
    assert len(table.read_text().splitlines()) == 1 + len(found.to_rows())


def test_rho(small: str) -> None:
    said = printed("rho", COFFEE, "--network", small, "--scales", "1,0.5", "--relative", "--at", "B", "--target", 3)
    found = lab.rho(upload(), small, scales=(1, 0.5), relative=True, at="B", target=3)
    assert said == plain({"network": small, "scales": [one.to_dict() for one in found]})


def test_evaluate(tmp_path: Path) -> None:
    for place in ("967", "504"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "photo.jpg").write_bytes(COFFEE.read_bytes())
    words = ["--network", LITE, "--network", V3, "--ensemble"]
    said = printed("evaluate", tmp_path, *words)
    assert said == plain(lab.evaluate(tmp_path, network=[LITE, V3], ensemble=True).to_dict())
    assert (said["rows"][0]["network"], said["rows"][0]["top1_error"]) == (LITE, 0.5)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("trust", COFFEE, "--seeds", 1), "1 random orders say nothing"),
        (("trust", COFFEE, "--ground", "red"), "There is no ground 'red'"),
        (("trust", COFFEE, "--draws", 0), "0 draws of random weights"),
        (("compare-maps", COFFEE, *3 * ("--method", "saliency")), "--method was given 3 times"),
        (("compare-maps", COFFEE, "-o", "map.png"), "map.png must end in .npy"),
        (("agreement", COFFEE, "--method", "saliency"), "at least two different maps"),
        (("credit", COFFEE, "--at", "nowhere"), "Nothing is joined or added at 'nowhere'"),
        (("credit", COFFEE, "--scale", "much"), "'much' is neither a number nor one for a block"),
        (("credit", COFFEE, "--scale", "1", "--scale", "B/07=0"), "one number for all blocks, or blocks"),
        (("rho", COFFEE, "--scales", "1;2"), "is not numbers with commas"),
        (("rho", COFFEE, "--network", V3), "has no residual connections"),
        (("damage", COFFEE, "--target", 1000), "There is no class 1000"),
        (("damage", "nowhere.jpg"), "nowhere.jpg cannot be opened"),
    ],
)
def test_refusals(words: tuple[object, ...], said: str) -> None:
    result = run(*words, "--json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_trust_refuses_before_the_map_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*asked: object, **more: object) -> None:
        raise AssertionError("the map was made")

    monkeypatch.setattr("inception_lab.images.attribute.attribute", never)
    for words in (("--draws", 0), ("--draws", 21), ("--steps", 1), ("--seeds", 2), ("--regions", "hexagons")):
        result = run("trust", COFFEE, "--method", "grad_cam", *words)
        assert (result.exit_code, result.stdout) == (2, "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("trust", COFFEE, "--method", "grad_cam", "--steps", 4, "--seeds", 3, "--draws", 1),
            "than removing random parts",
        ),
        (("compare-maps", COFFEE, "--method", "grad_cam", "--method", "saliency"), "rank correlation "),
        (("agreement", COFFEE, "--method", "grad_cam", "--method", "saliency", "--steps", 4, "--seeds", 3), "chance"),
        (("credit", COFFEE), "shortcut"),
        (("rho", COFFEE, "--scales", "1"), "first guesses"),
        (("damage", COFFEE), "fall in logits"),
    ],
)
def test_for_people(words: tuple[object, ...], said: str, small: str) -> None:
    result = run(*words, "--network", small)
    assert result.exit_code == 0, result.stderr
    assert said in result.stdout
