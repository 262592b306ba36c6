"""Error rates on a folder, with the embedded network and with answers made up."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from inception_lab.errors import DataError
from inception_lab.images import evaluate as module
from inception_lab.images.evaluate import class_index, evaluate
from inception_lab.images.samples import samples
from inception_lab.intervals import wilson
from inception_lab.models.weights import wnids


def sample(name: str) -> Path:
    return next(entry.path for entry in samples() if entry.file == name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three photographs the network gets right, second and not at all, and a file that is none."""
    for place, name in [("n07920052", "coffee.jpg"), ("285", "chelsea.jpg"), ("acoustic_guitar", "rocket.jpg")]:
        (tmp_path / "set" / place).mkdir(parents=True)
        shutil.copy(sample(name), tmp_path / "set" / place / name)
    (tmp_path / "set" / "285" / "broken.jpg").write_bytes(b"x")
    (tmp_path / "set" / "285" / "notes.txt").write_text("no picture")
    (tmp_path / "set" / ".cache").mkdir()
    return tmp_path / "set"


def test_error_rates(folder: Path) -> None:
    seen: list[tuple[int, int]] = []
    found = evaluate(folder, threads=1, progress=lambda done, total: seen.append((done, total)))
    assert (found.images, found.top1_error, found.top5_error) == (3, pytest.approx(2 / 3), pytest.approx(1 / 3))
    assert (found.interval, found.top5_interval) == (wilson(2, 3), wilson(1, 3))
    assert [sentence.split()[0] for sentence in found.skipped] == ["broken.jpg"]
    assert seen == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
    assert str(found).startswith(
        "efficientnet_lite0, 3 images, 1 crop: top-1 error 66.7% (20.8% to 93.9%), top-5 error 33.3%"
    )
    shape = json.loads(json.dumps(found.to_dict()))
    assert {"network", "crops", "images", "top1_error", "top5_error", "interval"} <= set(shape)
    assert len(shape["interval"]) == 2


def test_all_pixels_are_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def noted(path: Path, *, longest: int | None) -> object:
        asked.append(longest)
        return path

    monkeypatch.setattr(module, "load", noted)
    monkeypatch.setattr(module, "probabilities", lambda *_: torch.arange(1000.0))
    assert evaluate(folder).images == 4
    assert asked == [None] * 4


def test_class_names() -> None:
    assert class_index("n07920052") == class_index("967") == class_index("espresso") == class_index("Espresso") == 967
    assert class_index("coffee_mug") == 504
    assert [class_index(wnid) for wnid in wnids()] == list(range(1000))
    with pytest.raises(DataError, match=r"Two classes are called 'crane'; name the folder n02012849 or n03126707\."):
        class_index("crane")
    with pytest.raises(DataError, match="The folder 'val' is no class"):
        class_index("val")
    with pytest.raises(DataError, match="The folder '1000' is no class"):
        class_index("1000")


def test_folders_that_cannot_be_evaluated(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is no folder"):
        evaluate(tmp_path / "nothing")
    with pytest.raises(DataError, match="has no class folders with photographs"):
        evaluate(tmp_path)
    (tmp_path / "967").mkdir()
    (tmp_path / "967" / "a.jpg").write_bytes(b"")
    with pytest.raises(DataError, match=r"None of the 1 files below .*: a\.jpg is empty"):
        evaluate(tmp_path)
