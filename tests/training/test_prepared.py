"""Every data set out of files in its real layout, as arrays that are made once and then mapped."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock, Timeout

from inception_lab.errors import DataError
from inception_lab.training import cifar, datasets, extract, imagenette, pictures, prepared, textures
from inception_lab.training.datasets import DATASETS, Described
from inception_lab.training.prepared import Arrays, arrays
from tests.training import datafiles

FASHION = tuple(file.name for file in DATASETS["fashion_mnist"].files)


def fashion(monkeypatch: pytest.MonkeyPatch, **files: bytes) -> dict[str, datafiles.Bytes]:
    """Fashion-MNIST with 12 and 5 images, as files under the home."""
    made = {
        FASHION[0]: datafiles.noise(12, 28, 28),
        FASHION[1]: datafiles.noise(12, below=10),
        FASHION[2]: datafiles.noise(5, 28, 28, seed=1),
        FASHION[3]: datafiles.noise(5, below=10, seed=1),
    }
    contents = {name: datafiles.idx(values) for name, values in made.items()} | files
    datafiles.put(datafiles.described_as(monkeypatch, "fashion_mnist", contents, train=12, test=5), contents)
    return made


def test_the_extract_is_as_shipped() -> None:
    found = arrays(datasets.SHIPPED, size=28)
    assert found.train_images.shape == (12_000, 1, 28, 28)
    assert np.array_equal(found.test_images[:, 0], extract.load().test_images)


def test_fashion_mnist_comes_out_of_its_files(monkeypatch: pytest.MonkeyPatch) -> None:
    made = list(fashion(monkeypatch).values())
    found = arrays("fashion_mnist", size=96)
    assert found.train_images.shape == (12, 1, 28, 28)
    assert np.array_equal(found.train_images[:, 0], made[0])
    assert np.array_equal(found.train_labels, made[1])
    assert np.array_equal(found.test_images[:, 0], made[2])
    assert np.array_equal(found.test_labels, made[3])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no gzip", "cannot be unpacked"),
        (datafiles.idx(datafiles.noise(12, 28, 28))[:2_000], "cannot be unpacked"),
        (datafiles.idx(datafiles.noise(11, 28, 28)), r"does not hold bytes of shape \[12, 28, 28\]"),
        (datafiles.idx(datafiles.noise(13, 28, 28)), r"does not hold bytes of shape \[12, 28, 28\]"),
        (datafiles.idx(datafiles.noise(12, 784)), r"does not hold bytes of shape \[12, 28, 28\]"),
    ],
)
def test_a_damaged_idx_file_is_refused(monkeypatch: pytest.MonkeyPatch, content: bytes, said: str) -> None:
    fashion(monkeypatch, **{FASHION[0]: content})
    with pytest.raises(DataError, match=f"train-images-idx3-ubyte.gz {said}"):
        arrays("fashion_mnist", size=28)
    assert not list((datasets.data_home() / "fashion_mnist").glob(".*.part"))


def cifar_files(monkeypatch: pytest.MonkeyPatch, *, train: int = 10) -> tuple[datafiles.Bytes, ...]:
    made = (
        datafiles.noise(10, 3, 32, 32),
        datafiles.noise(10, below=10),
        datafiles.noise(4, 3, 32, 32, seed=1),
        datafiles.noise(4, below=10, seed=1),
    )
    contents = {"cifar-10-binary.tar.gz": datafiles.cifar(*made)}
    datafiles.put(datafiles.described_as(monkeypatch, "cifar10", contents, train=train, test=4), contents)
    return made


def test_cifar_comes_out_of_its_archive(monkeypatch: pytest.MonkeyPatch) -> None:
    made = cifar_files(monkeypatch)
    found = arrays("cifar10", size=28)
    for name, values in zip(prepared.NAMES, made, strict=True):
        assert np.array_equal(getattr(found, name), values), name


def test_a_cifar_archive_with_another_count_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    cifar_files(monkeypatch, train=15)
    with pytest.raises(DataError, match=r"holds 10 images in data_batch_1\.bin, .*, not 15"):
        arrays("cifar10", size=28)


def test_the_version_of_cifar_with_pickles_is_no_cifar(tmp_path: Path) -> None:
    pickled = tmp_path / "cifar-10-python.tar.gz"
    pickled.write_bytes(datafiles.archive({"cifar-10-batches-py/data_batch_1": b"\x80\x02}q\x01."}))
    with pytest.raises(DataError, match="holds 0 images"):
        cifar.read(pickled, train=50, test=10)


def nette(monkeypatch: pytest.MonkeyPatch, **more: bytes) -> None:
    """Imagenette with one photograph per class to train on, 40 wide and 30 high, and two to test with."""
    contents = {}
    for place, wnid in enumerate(reversed(imagenette.WNIDS)):
        label = 9 - place
        contents[f"imagenette2-160/train/{wnid}/{wnid}_{place}.JPEG"] = datafiles.picture(
            (20 * label, 100, 200), form="JPEG"
        )
    for label in (7, 2):
        wnid = imagenette.WNIDS[label]
        contents[f"imagenette2-160/val/{wnid}/ILSVRC2012_val_{label}.JPEG"] = datafiles.picture(
            (20 * label, 0, 0), (400, 300), form="JPEG"
        )
    files = {"imagenette2-160.tgz": datafiles.archive({"imagenette2-160/noisy.csv": b"path\n"} | contents | more)}
    datafiles.put(datafiles.described_as(monkeypatch, "imagenette", files, train=10, test=2), files)


def test_imagenette_comes_out_of_its_archive_at_the_size_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    nette(monkeypatch)
    told: list[tuple[int, int]] = []
    found = arrays("imagenette", size=24, progress=lambda done, whole: told.append((done, whole)))
    assert (found.train_images.shape, found.test_images.shape) == ((10, 3, 24, 24), (2, 3, 24, 24))
    assert found.train_labels.tolist() == list(range(9, -1, -1))
    assert found.test_labels.tolist() == [7, 2]
    red = found.train_images[:, 0].astype(int)
    assert np.abs(red - 20 * found.train_labels[:, None, None].astype(int)).max() <= 3  # JPEG rounds
    assert told == [(n, 12) for n in range(1, 13)]
    assert arrays("imagenette", size=299).train_images.shape == (10, 3, 160, 160)


def test_an_imagenette_with_too_many_or_broken_photographs_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    wnid = imagenette.WNIDS[0]
    nette(monkeypatch, **{f"imagenette2-160/val/{wnid}/extra.JPEG": datafiles.picture((1, 1, 1))})
    with pytest.raises(DataError, match="holds photographs it should not"):
        arrays("imagenette", size=24)
    nette(monkeypatch, **{f"imagenette2-160/train/{wnid}/{wnid}_9.JPEG": b"broken"})
    with pytest.raises(DataError, match="holds photographs it should not"):
        arrays("imagenette", size=24)


def test_a_folder_is_read_at_the_size_of_the_run(tmp_path: Path) -> None:
    root = datafiles.folder(tmp_path / "grey", {"dark": 6, "light": 7}, side=50)
    found = arrays(f"folder:{root}", size=20)
    assert (found.train_images.shape, found.test_images.shape) == ((11, 3, 20, 20), (2, 3, 20, 20))
    assert found.train_labels.tolist() == [0] * 5 + [1] * 6
    assert found.train_images[:, 1, 3, 3].tolist() == [10] * 5 + [20] * 6
    assert arrays(f"folder:{root}", size=64).train_images.shape == (11, 3, 64, 64)


def test_a_folder_that_changed_is_read_again(tmp_path: Path) -> None:
    root = datafiles.folder(tmp_path / "grey", {"dark": 6, "light": 6})
    name = f"folder:{root}"
    assert 99 not in arrays(name, size=20).train_images
    for file in (root / "dark").iterdir():
        file.write_bytes(datafiles.picture((99, 99, 99)))
    assert (arrays(name, size=20).train_images[:5] == 99).all()
    arrays(name, size=32)
    kept = [place.name.split("-")[1] for place in (datasets.data_home() / "folders").glob("*/v*")]
    assert sorted(kept) == ["20", "32"]


def test_unreadable_images_are_counted_and_named(tmp_path: Path) -> None:
    root = datafiles.folder(tmp_path / "grey", {"dark": 6, "light": 6})
    (root / "dark" / "002.png").write_bytes(b"not an image")
    cut = (root / "light" / "004.png").read_bytes()[:60]
    (root / "light" / "004.png").write_bytes(cut)
    with pytest.raises(DataError) as refused:
        arrays(f"folder:{root}", size=20)
    sentence = str(refused.value)
    assert sentence.startswith(f"2 of the 12 images in {root} cannot be read as 8-bit pictures: ")
    assert "dark/002.png" in sentence
    assert "light/004.png" in sentence
    for number in range(6):
        (root / "dark" / f"{number:03}.png").write_bytes(b"not an image")
    with pytest.raises(DataError, match=r"^7 of the 12 images .* and so on\. Remove them"):
        arrays(f"folder:{root}", size=20)


def test_textures_are_the_same_everywhere() -> None:
    found = arrays("textures", size=28)
    assert (found.train_images.shape, found.test_images.shape) == ((8_000, 3, 32, 32), (2_000, 3, 32, 32))
    assert np.bincount(found.train_labels).tolist() == [1_000] * 8
    again, labels = textures.images(16, part=1)
    assert np.array_equal(labels, found.test_labels[:16])
    assert not np.array_equal(again, found.train_images[:16])


def test_arrays_are_made_once_and_mapped(monkeypatch: pytest.MonkeyPatch) -> None:
    nette(monkeypatch)
    first = arrays("imagenette", size=24)
    monkeypatch.setattr(pictures, "squares", lambda *_: pytest.fail("decoded twice"))
    second = arrays("imagenette", size=24)
    assert isinstance(second.train_images, np.memmap)
    second.train_images[:] = 0  # stays this caller's own
    assert np.array_equal(arrays("imagenette", size=24).train_images, first.train_images)


def test_processes_that_start_together_make_them_once(tmp_path: Path) -> None:
    root = datafiles.folder(tmp_path / "grey", {"dark": 100, "light": 100}, side=200)
    code = f"from inception_lab.training.prepared import arrays; print(arrays('folder:{root}', size=64, " + (
        "progress=lambda done, whole: print('made') if done == whole else None).train_images.sum())"
    )
    runs = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=dict(os.environ))
        for _ in range(3)
    ]
    said = [run.communicate(timeout=60)[0].split() for run in runs]
    assert sum(words.count("made") for words in said) == 1
    assert len({words[-1] for words in said}) == 1


def test_no_other_process_can_make_room_while_arrays_are_mapped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = datafiles.folder(tmp_path / "photos", {"x": 6, "y": 6})
    mapped, locks = prepared._mapped, []

    def watched(data: Described, size: int, place: Path) -> Arrays:
        (lock,) = place.parent.glob(".*.lock")
        with pytest.raises(Timeout):
            FileLock(lock).acquire(timeout=0)
        locks.append(lock)
        return mapped(data, size, place)

    monkeypatch.setattr(prepared, "_mapped", watched)
    prepared.arrays(f"folder:{root}", size=20)
    (root / "x" / "new.png").write_bytes(datafiles.picture((1, 2, 3), (20, 20)))
    prepared.arrays(f"folder:{root}", size=20)
    assert len(locks) == 2  # two states of the folder, which take room from each other, and one lock
    assert len(set(locks)) == 1


def test_arrays_cut_short_on_disk_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    fashion(monkeypatch)
    arrays("fashion_mnist", size=28)
    file = datasets.data_home() / "fashion_mnist" / "v1-28" / "train_images.npy"
    os.truncate(file, 500)
    with pytest.raises(DataError, match=r"train_images\.npy is damaged .*Delete .*v1-28 and start again"):
        arrays("fashion_mnist", size=28)


def test_a_disk_without_room_is_said_before_anything_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    nette(monkeypatch)
    monkeypatch.setattr(prepared.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 9_000})())
    with pytest.raises(DataError, match=r"at 24 pixels takes 0\.0 GB on disk .* has 0\.0 GB free"):
        arrays("imagenette", size=24)


def test_a_set_that_is_not_there_is_refused() -> None:
    with pytest.raises(DataError, match="data fetch imagenette"):
        arrays("imagenette", size=24)
