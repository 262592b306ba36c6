"""The store outlives its file: a folder that was emptied while the lab runs is filled again."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from inception_lab.errors import RunError
from inception_lab.jobs import database as databases
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


def test_who_serves_a_store_makes_no_home_for_it(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="cannot be made"):
        Store(tmp_path / "lab", supervised=False, lasting=False)
    assert list(tmp_path.iterdir()) == []
    Store(tmp_path, supervised=False, lasting=False)  # a home without a store: its first run is not there yet
    assert (tmp_path / "runs.sqlite").exists()


@pytest.fixture
def making(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Another process, in the middle of making the store in `tmp_path`."""
    with closing(sqlite3.connect(tmp_path / "runs.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other


def test_a_store_that_another_process_is_just_making_is_waited_for(
    tmp_path: Path, making: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            making.execute("ROLLBACK")

    monkeypatch.setattr(databases, "_wait", wait)
    with Database(tmp_path / "runs.sqlite").open() as db:
        assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert db.execute("SELECT count(*) FROM runs").fetchone()[0] == 0
    assert len(waits) == 3


def test_it_is_not_waited_for_without_end(
    tmp_path: Path, making: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "PATIENCE", 0.1)
    with pytest.raises(RunError, match="database is locked"):
        Database(tmp_path / "runs.sqlite")


def test_a_file_that_is_no_store_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "runs.sqlite"
    database = Database(file)
    for other in tmp_path.glob("runs.sqlite-*"):
        other.unlink()
    file.write_bytes(b"no database at all" * 100)
    with pytest.raises(RunError, match="cannot be used"), database.change():
        pass
    assert file.read_bytes().startswith(b"no database")
