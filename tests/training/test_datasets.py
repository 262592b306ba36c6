"""What is said of the data sets holds together, and one that cannot be used is refused with the way out."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import torchvision.datasets as published

from inception_lab.errors import DataError
from inception_lab.training import bounds, datasets
from inception_lab.training.datasets import DATASETS, bytes_needed, check_name, described, ready
from tests.training import datafiles


@pytest.mark.parametrize("name", DATASETS)
def test_each_is_described_whole(name: str) -> None:
    found = described(name)
    assert found.name == name
    assert len(found.labels) == len(set(found.labels)) == found.classes
    assert found.licence
    assert found.source
    for file in found.files:
        assert file.bytes > 0
        assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in file.sha256)
        assert all(url.endswith("/" + file.name) for url in file.urls)


def test_labels_are_those_that_were_published() -> None:
    assert list(described("fashion_mnist").labels) == published.FashionMNIST.classes
    nette = published.Imagenette._WNID_TO_CLASS
    assert described("imagenette").labels == tuple(nette[wnid][0] for wnid in sorted(nette))
    assert described("fashion_mnist").files[0].urls[1].startswith(published.FashionMNIST.mirrors[0])
    assert described("imagenette").files[0].urls == (published.Imagenette._ARCHIVES["160px"][0],)


def test_the_downloads_are_of_known_size() -> None:
    sizes = {name: found.download for name, found in DATASETS.items()}
    assert sizes == {
        "fashion_mnist_extract": 0,
        "textures": 0,
        "fashion_mnist": 30_878_645,
        "cifar10": 170_052_171,
        "imagenette": 99_003_388,
    }


def test_only_what_needs_no_download_is_there_at_first() -> None:
    assert [name for name, found in DATASETS.items() if found.present()] == ["fashion_mnist_extract", "textures"]


def test_a_set_that_is_not_there_is_refused_with_command_and_button() -> None:
    with pytest.raises(DataError) as refused:
        ready("cifar10")
    assert str(refused.value) == (
        "CIFAR-10 is not on this machine: fetch its 170 MB with `python -m inception_lab data fetch cifar10`, or with "
        "the button Fetch beside the data set on the Train page."
    )


def test_a_set_is_there_once_all_its_files_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = datafiles.described_as(monkeypatch, "fashion_mnist", {"a.gz": b"1", "b.gz": b"2"})
    datafiles.put(found, {"a.gz": b"1"})
    assert not found.present()
    datafiles.put(found, {"b.gz": b"2"})
    assert found.present()
    assert ready("fashion_mnist") == found
    assert not found.present(tmp_path / "elsewhere")


def test_a_batch_larger_than_the_set_is_refused(tmp_path: Path) -> None:
    name = f"folder:{datafiles.folder(tmp_path / 'pets', {'cat': 6, 'dog': 12})}"
    assert ready(name, batch=15).train == 15
    with pytest.raises(DataError, match="A batch of 16 is more than the 15 training images of pets"):
        ready(name, batch=16)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(DataError, match=r"no data set 'cifar'. There are fashion_mnist_extract.*folder:/path"):
        described("cifar")
    with pytest.raises(DataError, match="must give the whole path"):
        described("folder:photos")


def test_a_name_can_be_checked_when_its_folder_has_gone(tmp_path: Path) -> None:
    name = f"folder:{tmp_path / 'gone'}"
    check_name(name)
    with pytest.raises(DataError, match="There is no folder"):
        described(name)


def test_a_folder_is_described(tmp_path: Path) -> None:
    root = datafiles.folder(tmp_path / "pets", {"dog": 12, "cat": 6})
    found = described(f"folder:{root}")
    assert (found.title, found.labels, found.classes, found.channels) == ("pets", ("cat", "dog"), 2, 3)
    assert (found.train, found.test, found.download) == (15, 3, 0)
    assert found.present()
    assert found.place() == root


def test_bytes_count_pixels_at_the_side_kept_and_labels() -> None:
    assert bytes_needed("fashion_mnist", 28) == bytes_needed("fashion_mnist", 56) == 70_000 * (28 * 28 + 8)
    assert bytes_needed("imagenette", 32) == 13_394 * (3 * 32 * 32 + 8)
    assert bytes_needed("imagenette", 299) == bytes_needed("imagenette", 160) == 13_394 * (3 * 160 * 160 + 8)


def test_the_largest_side_is_that_of_the_settings() -> None:
    assert bounds.WHOLE["image_size"][1] == datasets.LARGEST


def test_what_describes_and_fetches_costs_no_torch() -> None:
    modules = "datasets download folder_data idx cifar imagenette pictures textures prepared".split()
    lines = "; ".join(f"import inception_lab.training.{name}" for name in modules)
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; {lines}; print('torch' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "False"
