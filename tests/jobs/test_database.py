"""The store outlives its file: a folder that was emptied while the lab runs is filled again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from inception_lab.errors import RunError
from inception_lab.jobs.database import Database
from inception_lab.jobs.store import Store
from tests.training.tiny import tiny


@pytest.mark.parametrize("gone", ["home", "file", "contents"])
def test_an_emptied_home_is_a_new_store(home: Path, gone: str) -> None:
    store = Store(home, supervised=False)
    store.submit(tiny())
    match gone:
        case "home":
            shutil.rmtree(home)
        case "file":
            for file in home.glob("runs.sqlite*"):
                file.unlink()
        case _:
            for file in home.glob("runs.sqlite-*"):
                file.unlink()
            (home / "runs.sqlite").write_bytes(b"")
    assert store.runs() == []
    id = store.submit(tiny(seed=1))
    assert [run.id for run in store.runs()] == [id]


def test_who_serves_a_store_that_is_gone_is_told_so(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    folder.mkdir()
    database = Database(folder / "runs.sqlite", lasting=False)
    shutil.rmtree(folder)
    with pytest.raises(RunError, match="is gone"), database.open():
        pass
    assert not folder.exists()


def test_a_file_that_is_no_store_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "runs.sqlite"
    database = Database(file)
    for other in tmp_path.glob("runs.sqlite-*"):
        other.unlink()
    file.write_bytes(b"no database at all" * 100)
    with pytest.raises(RunError, match="cannot be used"), database.change():
        pass
    assert file.read_bytes().startswith(b"no database")
