"""A folder of images: who is in which class and part, and what is wrong with a folder that is no data set."""

import os
from pathlib import Path

import pytest

from inception_lab.errors import DataError
from inception_lab.training.folder_data import allowed, check_allowed, scan, state
from tests.training import datafiles


def test_classes_are_sorted_and_a_sixth_of_each_is_held_back(tmp_path: Path) -> None:
    root = datafiles.folder(tmp_path, {"zebra": 13, "ant": 6, "Bee": 24})
    found = scan(root)
    assert found.labels == ("Bee", "ant", "zebra")
    assert [sum(label == n for _, label in found.train) for n in range(3)] == [20, 5, 11]
    assert [sum(label == n for _, label in found.test) for n in range(3)] == [4, 1, 2]
    assert not {file for file, _ in found.train} & {file for file, _ in found.test}
    assert all(file.parent.name == found.labels[label] for file, label in (*found.train, *found.test))


def test_the_division_follows_from_the_names_alone(tmp_path: Path) -> None:
    first = scan(datafiles.folder(tmp_path / "a", {"x": 12, "y": 12}))
    second = scan(datafiles.folder(tmp_path / "b", {"x": 12, "y": 12, "z": 12}))
    held = [[str(file.relative_to(found.path)) for file, _ in found.test] for found in (first, second)]
    assert held[0] == held[1][:4]


def test_other_files_and_hidden_ones_do_not_count(tmp_path: Path) -> None:
    root = datafiles.folder(tmp_path, {"x": 6, "y": 6})
    (root / "x" / "notes.txt").write_text("no image")
    (root / "x" / "._000.png").write_bytes(b"a Mac's shadow")
    (root / ".cache").mkdir()
    (root / "readme.png").write_bytes(b"in no class")
    assert len(scan(root).train) == 10


def test_a_change_is_seen(tmp_path: Path) -> None:
    root = datafiles.folder(tmp_path, {"x": 6, "y": 6})
    before = state(scan(root))
    assert state(scan(root)) == before
    (root / "x" / "new.JPG").write_bytes(datafiles.picture((1, 2, 3), form="JPEG"))
    assert len(scan(root).train) + len(scan(root).test) == 13
    after = state(scan(root))
    (root / "y" / "000.png").write_bytes(b"other bytes")
    assert len({before, after, state(scan(root))}) == 3


@pytest.mark.parametrize("address", ["localhost", "127.0.0.1", "::1", "[::1]", "127.8.0.1"])
def test_a_page_on_this_machine_alone_reads_any_folder(address: str, tmp_path: Path) -> None:
    assert allowed(tmp_path, address=address)


@pytest.mark.parametrize("address", [None, "", "0.0.0.0", "::", "192.168.1.4", "lab.example.org"])
def test_an_open_page_reads_what_was_named_and_nothing_else(
    address: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("INCEPTION_LAB_FOLDERS", raising=False)
    class_, other, secret = (tmp_path / name for name in ("class", "other", "class-secret"))
    for place in (class_, other, secret):
        (place / "birds").mkdir(parents=True)
    (class_ / "way-out").symlink_to(secret)
    assert not allowed(class_ / "birds", address=address)
    monkeypatch.setenv("INCEPTION_LAB_FOLDERS", os.pathsep.join(map(str, (class_, other))))
    assert allowed(class_, address=address)
    assert allowed(class_ / "birds", address=address)
    assert allowed(other / "birds", address=address)
    for path in (secret, class_ / ".." / "class-secret", class_ / "way-out" / "birds", tmp_path):
        assert not allowed(path, address=address)
        with pytest.raises(DataError, match="INCEPTION_LAB_FOLDERS"):
            check_allowed(path, address=address)


def test_what_is_wrong_with_a_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"There is no folder {tmp_path}/gone"):
        scan(tmp_path / "gone")
    with pytest.raises(DataError, match="has no sub-folders; a data set needs two classes"):
        scan(tmp_path)
    datafiles.folder(tmp_path, {"x": 6})
    with pytest.raises(DataError, match="has 1 sub-folder; a data set needs two classes"):
        scan(tmp_path)
    datafiles.folder(tmp_path, {"y": 5})
    with pytest.raises(DataError, match=f"The class y in {tmp_path} has 5 images; each class needs at least 6"):
        scan(tmp_path)
