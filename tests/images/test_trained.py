"""A network trained here is asked like any other: its own classes, size and channels, and sentences where it cannot."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

import inception_lab as lab
from inception_lab.cli.main import main
from inception_lab.errors import (
    DataError,
    LabError,
    RunError,
    SettingsError,
    UnknownRun,
    WeightsMismatch,
    WeightsUnavailable,
)
from inception_lab.images.crops import pixels
from inception_lab.images.evaluate import class_index, evaluate
from inception_lab.images.evaluation import Evaluation, row
from inception_lab.images.load import load
from inception_lab.images.networks import MODELS, borrowed, tensor
from inception_lab.images.trained import known, trained
from inception_lab.models.build import InceptionNet
from inception_lab.training import data, extract
from tests.images.files import noise, scene
from tests.trained import about, rewrite, train

CLOTHES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A run of twelve steps, trained once for all tests here: its home and id."""
    home = tmp_path_factory.mktemp("trained")
    return home, train(home, steps=12, batch=32, scale=0.3)


@pytest.fixture
def run(made: tuple[Path, str], home: Path) -> Iterator[str]:
    """The run's tag; each test has a copy of its home to spoil."""
    shutil.copytree(made[0], home)
    yield f"run:{made[1]}"
    MODELS.clear()


def place(run: str, home: Path, name: str = "model.safetensors") -> Path:
    return home / "runs" / run.removeprefix("run:") / name


def test_its_record_says_what_it_is(run: str, home: Path) -> None:
    record = known(run)
    result = json.loads(place(run, home, "result.json").read_text())
    assert (record.tag, record.size, record.resize, record.classes) == (run, 28, 28, 10)
    assert record.labels == CLOTHES
    assert record.top1 == 100 * result["test_accuracy"]
    assert record.network == "inception_resnet_v2_paper"
    assert trained(place(run, home).parent).record == trained(run.removeprefix("run:")).record == record


def test_what_is_known_of_it_needs_no_torch(run: str, home: Path) -> None:
    code = (
        "import sys; from inception_lab.images.trained import known; "
        f"known({run!r}); print(sorted({{'torch', 'timm'}} & set(sys.modules)))"
    )
    environment = os.environ | {"INCEPTION_LAB_HOME": str(home)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "[]"


def test_it_gets_as_many_test_images_right_as_the_run_said(run: str) -> None:
    """The strictest comparison there is: pictures through the whole of Classify, against the run's own evaluation."""
    cut = extract.load()
    with borrowed(run) as loaded:
        right = 0
        for first in range(0, 2000, 250):
            pictures = [Image.fromarray(image).convert("RGB") for image in cut.test_images[first : first + 250]]
            squares = [pixels(load(picture), loaded.record) for picture in pictures]
            with torch.inference_mode():
                guesses = loaded.model(tensor(squares, loaded.record)).argmax(dim=1).numpy()
            right += int((guesses == cut.test_labels[first : first + 250]).sum())
    assert 100 * right / 2000 == pytest.approx(known(run).top1, abs=0.1)  # two of 2,000 may fall by rounding
    assert known(run).top1 > 20, "it has learned something, so equal numbers are no accident of guessing"


def test_the_network_is_the_trained_one_to_the_last_bit(run: str) -> None:
    model = lab.pretrained(run)
    assert isinstance(model, InceptionNet)
    assert (model.training, model.net.inputs, model.net.classes) == (False, 1, 10)
    assert not any(weight.requires_grad for weight in model.parameters())
    batch, _ = data.load("fashion_mnist_extract", size=28, device=torch.device("cpu"))[1].batch(slice(0, 50))
    pictures = [Image.fromarray(image).convert("RGB") for image in extract.load().test_images[:50]]
    with borrowed(run) as loaded, torch.inference_mode():
        found = loaded.model(tensor(pictures, loaded.record))
        torch.testing.assert_close(found, model(batch), rtol=0, atol=1e-4)


def test_a_colour_photograph_becomes_as_grey_as_pillow_makes_it(run: str) -> None:
    colour = scene(28, 28)
    grey = colour.convert("L").convert("RGB")
    with borrowed(run) as loaded, torch.inference_mode():
        assert np.array_equal(pixels(load(colour), loaded.record), grey)
        one, other = loaded.model(tensor([colour, grey], loaded.record))
    torch.testing.assert_close(one, other, rtol=0, atol=0.05)  # Pillow rounds to whole numbers, the network does not


def test_classify_names_its_own_classes_beside_imagenets(run: str) -> None:
    own, imagenet = lab.classify(noise(60, 40), networks=[run, "efficientnet_lite0"], top=20)
    assert own.network == run
    assert sorted(guess.label for guess in own.predictions) == sorted(CLOTHES)
    assert [CLOTHES[guess.index] for guess in own.predictions] == [guess.label for guess in own.predictions]
    assert sum(guess.probability for guess in own.predictions) == pytest.approx(1)
    assert len(imagenet.predictions) == 20


def test_no_rate_of_the_papers_stands_beside_it(run: str) -> None:
    """It has the name of the paper's network, and was trained on other pictures and classes."""
    assert known(run).network == "inception_resnet_v2_paper"
    for name in (run, "inception_resnet_v2.tf_in1k"):
        found = Evaluation(rows=(row(name, [0, 1, 2]),), crops=1)
        assert (found.beside_paper()[0]["paper"] is None) == (name == run)
        assert ("the paper prints" in str(found)) == (name != run)


@pytest.mark.parametrize("crops", [10, 12, 144])
def test_every_protocol_of_crops(run: str, crops: int) -> None:
    [entry] = lab.classify(noise(60, 40), networks=run, crops=crops)
    assert (entry.crops, len(entry.predictions)) == (crops, 5)


def test_attributions_look_at_the_pixels_it_saw(run: str) -> None:
    for method in ("integrated_gradients", "grad_cam", "occlusion"):
        found = lab.attribute(noise(60, 40), run, method=method)  # type: ignore[arg-type]
        assert found.values.shape == (28, 28)
        assert found.label == CLOTHES[found.target]
    gradients = lab.attribute(noise(60, 40), run, method="integrated_gradients", target=8)
    assert gradients.completeness_error is not None
    assert gradients.values.sum() == pytest.approx(gradients.difference, abs=gradients.completeness_error + 1e-3)


def test_grad_cam_has_the_addresses_of_its_network(run: str) -> None:
    assert lab.attribute(noise(40, 40), run, method="grad_cam").layer == "inception_resnet_v2_paper/C"
    assert lab.attribute(noise(40, 40), run, method="grad_cam", at="B/01/add").layer.endswith("/B/01/add")  # type: ignore[union-attr]
    with pytest.raises(LabError, match="There is no 'D' in inception_resnet_v2_paper"):
        lab.attribute(noise(40, 40), run, method="grad_cam", at="D")
    with pytest.raises(SettingsError, match=r"no class 10; .* has 0 to 9"):
        lab.attribute(noise(40, 40), run, target=10)


def test_evaluate_reads_folders_by_its_labels(run: str, tmp_path: Path) -> None:
    cut = extract.load()
    for name, label in (("T-shirt_top", 0), ("ankle_boot", 9), ("7", 7)):
        (tmp_path / "set" / name).mkdir(parents=True)
        for number in np.flatnonzero(cut.test_labels == label)[:4]:
            Image.fromarray(cut.test_images[number]).save(tmp_path / "set" / name / f"{number}.png")
    found = evaluate(tmp_path / "set", network=run)
    assert (found.network, found.images) == (run, 12)
    assert 0 <= found.top5_error <= found.top1_error <= 1
    (tmp_path / "set" / "espresso").mkdir()
    noise(8, 8).save(tmp_path / "set" / "espresso" / "cup.png")
    with pytest.raises(DataError, match="'espresso' is no class of this network: name it by index, 0 to 9"):
        evaluate(tmp_path / "set", network=run)
    assert class_index("ankle_boot", CLOTHES) == class_index("9", CLOTHES) == 9


def test_the_command_line_takes_the_tag(run: str, tmp_path: Path) -> None:
    noise(40, 40).save(tmp_path / "photo.png")
    done = CliRunner().invoke(main, ["classify", str(tmp_path / "photo.png"), "--network", run, "--json"])
    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout)
    assert answer["network"] == run
    assert {guess["label"] for guess in answer["images"][0]["predictions"]} < set(CLOTHES)
    fetched = json.loads(CliRunner().invoke(main, ["fetch", run, "--json"]).stdout)
    assert fetched["network"] == run
    assert fetched["file"].endswith("model.safetensors")
    refused = CliRunner().invoke(main, ["classify", str(tmp_path / "photo.png"), "--network", "run:nothing"])
    assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)
    assert "There is no run 'nothing'" in refused.stderr


def test_a_larger_image_size_and_colour(home: Path) -> None:
    tag = f"run:{train(home, data='textures', image_size=40, steps=2)}"
    try:
        record = known(tag)
        assert (record.size, record.labels[0], trained(tag).net.inputs) == (40, "lying stripes", 3)
        [entry] = lab.classify(noise(90, 60), networks=tag, top=10)
        assert len(entry.predictions) == 8
    finally:
        MODELS.clear()


def test_a_network_that_diverged_says_so(run: str, home: Path) -> None:
    file = place(run, home)
    rewrite(file, about(file), **{"head.classifier.bias": torch.full((10,), torch.nan)})
    for ask in (lambda: lab.classify(noise(40, 40), networks=run), lambda: lab.attribute(noise(40, 40), run)):
        with pytest.raises(RunError, match="puts out nan or infinity: it diverged"):
            ask()


@pytest.mark.parametrize("tag", ["run:", "run:nothing", "run:../../etc", "run:a/b", "run:" + 300 * "x"])
def test_an_unknown_run(run: str, tag: str) -> None:
    with pytest.raises(UnknownRun, match="There is no run '"):
        lab.classify(noise(40, 40), networks=tag)
    with pytest.raises(UnknownRun):
        lab.pretrained(tag)


def test_a_run_that_has_not_finished(run: str, home: Path) -> None:
    result = place(run, home, "result.json")
    said = json.loads(result.read_text())
    result.write_text(json.dumps(said | {"status": "cancelled"}))
    with pytest.raises(RunError, match=r"is cancelled: only a run that finishes keeps its weights\. Start it again"):
        known(run)
    result.write_text("{")
    with pytest.raises(RunError, match="cannot be read"):
        known(run)
    result.unlink()
    with pytest.raises(RunError, match="has not finished; its weights are kept at its end"):
        known(run)


def test_weights_that_are_gone_or_old(run: str, home: Path) -> None:
    file = place(run, home)
    old = about(file)
    del old["net"]
    rewrite(file, old)
    with pytest.raises(WeightsMismatch, match=r"noted no network with it\. Train it again"):
        known(run)
    file.unlink()
    with pytest.raises(WeightsUnavailable, match=r"are gone: there is no .*model\.safetensors"):
        known(run)


@pytest.mark.parametrize(
    "change",
    [
        {"net": "Net("},
        {"net": "Conv(3)"},
        {"net": 7},
        {"labels": ["one"]},
        {"labels": "ten"},
        {"settings": None},
    ],
)
def test_a_damaged_head(run: str, home: Path, change: dict[str, object]) -> None:
    file = place(run, home)
    rewrite(file, about(file) | change)
    with pytest.raises(WeightsMismatch, match="is damaged: "):
        known(run)


def test_a_damaged_file(run: str, home: Path) -> None:
    file = place(run, home)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(WeightsMismatch, match="is damaged: "):
        lab.pretrained(run)
    file.write_bytes(b"no safetensors")
    with pytest.raises(WeightsMismatch, match="is damaged: "):
        known(run)
    file.write_bytes(whole)
    rewrite(file, about(file), **{"head.classifier.bias": torch.zeros(11)})
    with pytest.raises(WeightsMismatch, match=r"is damaged: .*bias"):
        lab.pretrained(run)
