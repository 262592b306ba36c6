"""Photographs on the command line, with the embedded network and the samples that ship with the lab."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from inception_lab.assets import asset
from inception_lab.cli import attribute
from inception_lab.cli.counting import counting
from inception_lab.cli.main import main

ROOT = Path(__file__).resolve().parents[1]
COFFEE = asset("samples", "coffee.jpg")
CHELSEA = asset("samples", "chelsea.jpg")


def lab(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def answer(*words: str | Path) -> Any:
    result = lab(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_classify_as_a_process_prints_one_object() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "inception_lab", "classify", str(COFFEE), "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    data = json.loads(done.stdout)
    assert (data["network"], data["crops"]) == ("efficientnet_lite0", 1)
    [image] = data["images"]
    assert (image["file"], image["error"], len(image["predictions"])) == (str(COFFEE), None, 5)
    first = image["predictions"][0]
    assert (first["label"], first["index"]) == ("espresso", 967)
    assert first["probability"] == pytest.approx(0.954, abs=0.01)


def test_a_bad_file_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"not a picture")
    result = lab("classify", broken, COFFEE, "--top", "1", "--json")
    assert result.exit_code == 0
    bad, good = json.loads(result.stdout)["images"]
    assert (bad["file"], bad["predictions"]) == (str(broken), [])
    assert bad["error"].startswith("broken.jpg is not a picture the lab can read")
    assert [guess["label"] for guess in good["predictions"]] == ["espresso"]
    assert result.stderr.splitlines()[1:] == [f"Error: {bad['error']}"], "the cost stands before it"


def test_only_bad_files_end_with_status_2(tmp_path: Path) -> None:
    result = lab("classify", tmp_path / "nowhere.png", "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["images"][0]["error"].startswith("nowhere.png cannot be opened")


def test_classify_for_people() -> None:
    result = lab("classify", COFFEE, CHELSEA, "--top", "1")
    assert "coffee.jpg, efficientnet_lite0, 1 crop\n" in result.stdout
    assert "espresso" in result.stdout
    assert result.stdout.count("%") == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("classify", COFFEE, "--crops", "7"), "7"),
        (("classify", COFFEE, "--top", "0"), "ask for 1 to 1000"),
        (("classify", COFFEE, "--network", "vgg"), "There are no weights called 'vgg'"),
        (("classify", COFFEE, "--network", "inception_resnet_v1"), "Nobody has published ImageNet weights"),
        (("attribute", COFFEE, "--method", "grad_cam", "--target", "1000"), "There is no class 1000"),
        (("attribute", COFFEE, "--method", "magic"), "'magic' is not one of"),
        (("attribute", COFFEE, "--method", "saliency", "--at", "bn2"), "A layer (bn2) is for grad_cam"),
        (("attribute", COFFEE, "--method", "saliency", "--target", "3", "--against", "3"), "Class 3 against itself"),
        (("attribute", COFFEE, "-o", "map.gif"), "map.gif must end in .png, .npy, .csv"),
        (("evaluate", "nowhere"), "nowhere is no folder"),
        (("fetch", "vgg"), "There are no weights called 'vgg'"),
    ],
)
def test_refusals(words: tuple[str | Path, ...], said: str) -> None:
    result = lab(*words, "--json")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert said in result.stderr


def test_attribute_writes_the_overlay_and_says_what_it_shows(tmp_path: Path) -> None:
    file = tmp_path / "cam.png"
    data = answer("attribute", COFFEE, "--method", "grad_cam", "-o", file)
    assert {"network", "method", "target", "shape", "file", "completeness_error"} <= set(data)
    assert (data["method"], data["target"], data["label"]) == ("grad_cam", 967, "espresso")
    assert (data["shape"], data["file"], data["image"]) == ([224, 224], str(file), str(COFFEE))
    assert data["completeness_error"] is None
    with Image.open(file) as overlay:
        assert overlay.size == (224, 224)


def test_attribute_writes_the_values(tmp_path: Path) -> None:
    file = tmp_path / "cam.npy"
    result = lab("attribute", COFFEE, "--method", "grad_cam", "--target", "504", "-o", file)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("coffee mug (504), ")
    values = np.load(file, allow_pickle=False)
    assert (values.shape, values.dtype) == ((224, 224), np.float32)
    assert values.max() > 0
    assert "2 of 2 images" in result.stderr
    assert "grad_cam: 2 images through the network, " in result.stderr, "the cost comes first"


def test_attribute_against_another_class(tmp_path: Path) -> None:
    """The same digits as from Python, at any layer, as text too."""
    from inception_lab.images.attribute import attribute as ask

    file = tmp_path / "map.csv"
    words = ("attribute", COFFEE, "--method", "layer_conductance", "--against", "968", "--at", "blocks/6", "-o", file)
    result = lab(*words)
    assert result.exit_code == 0, result.stderr
    assert "espresso (967), 95.4%, rather than cup (968), " in result.stdout
    assert "completeness error " in result.stdout
    found = ask(COFFEE, method="layer_conductance", against=968, at="blocks/6")
    assert np.array_equal(np.loadtxt(file, delimiter=",", dtype=np.float32), found.values)
    with_json = json.loads(json.dumps(found.to_dict()))
    assert (with_json["against"], with_json["against_label"]) == (968, "cup")
    assert with_json["layer"] == "efficientnet_lite0/blocks/6"


def test_methods_are_those_of_the_library() -> None:
    from inception_lab.images.methods import METHODS

    assert attribute.METHODS == METHODS


def test_evaluate(tmp_path: Path) -> None:
    for place, file in (("espresso", COFFEE), ("acoustic_guitar", CHELSEA)):
        (tmp_path / place).mkdir()
        shutil.copy(file, tmp_path / place)
    (tmp_path / "espresso" / "broken.jpg").write_bytes(b"x")
    result = lab("evaluate", tmp_path, "--json")
    assert result.exit_code == 0, result.stderr
    data = json.loads(result.stdout)
    assert (data["network"], data["crops"], data["images"]) == ("efficientnet_lite0", 1, 2)
    assert (data["top1_error"], data["top5_error"]) == (0.5, 0.5)
    assert data["interval"] == pytest.approx([0.0945, 0.9055], abs=1e-4)
    assert "Left out: espresso/broken.jpg" in result.stderr


def test_fetch_of_the_embedded_network() -> None:
    data = answer("fetch", "efficientnet_lite0")
    assert data["network"] == "efficientnet_lite0"
    assert Path(data["file"]).stat().st_size == data["bytes"] > 18_000_000
    assert data["licence"] == "Apache-2.0"


def test_fetch_without_the_hub_is_a_sentence(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "inception_lab", "fetch", "inception_v4", "--json"],
        cwd=ROOT,
        env={**os.environ, "HF_HOME": str(tmp_path), "HF_ENDPOINT": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "timm/inception_v4.tf_in1k are not in the cache and the hub cannot be reached" in done.stderr
    assert "Traceback" not in done.stderr


def test_counting_says_each_tenth_once(capsys: pytest.CaptureFixture[str]) -> None:
    tell = counting("MB", size=1e6)
    for done in range(0, 101):
        tell(done * 1_000_000, 100_000_000)
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "0 of 100 MB"
    assert said[-1] == "100 of 100 MB"
    assert len(said) == 11
