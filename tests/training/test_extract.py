"""The shipped extract is whole, balanced, a subset of what it says, and refused when damaged."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from inception_lab.assets import asset
from inception_lab.errors import DataError
from inception_lab.training import extract


@pytest.fixture(autouse=True)
def fresh() -> None:
    extract.load.cache_clear()


def test_it_holds_what_it_says() -> None:
    found = extract.load()
    assert (found.train_images.shape, found.test_images.shape) == ((12_000, 28, 28), (2_000, 28, 28))
    assert found.train_images.dtype == np.uint8
    assert np.bincount(found.train_labels).tolist() == [1200] * 10
    assert np.bincount(found.test_labels).tolist() == [200] * 10
    assert found.classes[0] == "T-shirt/top"
    assert found.classes[9] == "Ankle boot"


def test_the_order_is_mixed() -> None:
    labels = extract.load().train_labels
    assert len(set(labels[:100].tolist())) == 10


def test_no_test_image_is_among_the_training_images() -> None:
    found = extract.load()
    train = {image.tobytes() for image in found.train_images}
    assert sum(image.tobytes() in train for image in found.test_images) == 0


def test_its_licence_is_beside_it() -> None:
    text = asset("data", "fashion_mnist_extract.LICENSE").read_text()
    assert "MIT License" in text
    assert "2017 Zalando SE" in text
    assert "zalandoresearch/fashion-mnist" in extract.load().source


def test_a_damaged_or_missing_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(asset("data"), tmp_path / "data")
    monkeypatch.setenv("INCEPTION_LAB_ASSETS", str(tmp_path))
    file = tmp_path / "data" / extract.FILE
    packed = bytearray(file.read_bytes())
    packed[3_000_000] ^= 1
    file.write_bytes(packed)
    with pytest.raises(DataError, match="is damaged"):
        extract.load()
    file.unlink()
    with pytest.raises(DataError, match="INCEPTION_LAB_ASSETS"):
        extract.load()


def test_the_card_is_strict_json() -> None:
    card = json.loads(asset("data", "fashion_mnist_extract.json").read_text(encoding="utf-8"))
    assert card["licence"].startswith("MIT")
