"""The SQLite file behind the store: its schema, and connections that any thread or process may open at once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import final

from inception_lab.errors import RunError

VERSION = 1
_SCHEMA = """
CREATE TABLE runs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    "group" TEXT,
    status TEXT NOT NULL,
    settings TEXT NOT NULL,
    created REAL NOT NULL,
    started REAL,
    ended REAL,
    cancel_asked REAL,
    heartbeat REAL,
    pid INTEGER,
    process_started REAL,
    machine TEXT,
    error TEXT,
    result TEXT
);
CREATE INDEX runs_status ON runs (status, number);
CREATE INDEX runs_group ON runs ("group", number);
"""


@final
class Database:
    """The file at `path`, made if it is not there; `RunError` if it cannot be used, or a newer lab made it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._upgrade()

    @contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        """A connection of the caller's own, closed at the end."""
        try:
            with closing(sqlite3.connect(self._path, timeout=10, isolation_level=None)) as db:
                db.row_factory = sqlite3.Row
                yield db
        except sqlite3.DatabaseError as error:
            raise RunError(
                f"The store of runs {self._path} cannot be used: {error}. Make its folder writable, move the file "
                "away, or set INCEPTION_LAB_HOME to another folder."
            ) from error

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """A connection inside a transaction that holds the write lock from the start: what it reads stays true."""
        with self.open() as db:
            db.execute("BEGIN IMMEDIATE")
            with db:
                yield db

    def _upgrade(self) -> None:
        with self.open() as db:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version == VERSION:
                return
            if version > VERSION:
                raise RunError(
                    f"{self._path} has version {version}, this lab reads {VERSION}. Update the lab, or set "
                    "INCEPTION_LAB_HOME to another folder."
                )
            db.execute("PRAGMA journal_mode = WAL")
        with self.change() as db:
            if db.execute("PRAGMA user_version").fetchone()[0] == 0:  # another process may have been first
                for statement in _SCHEMA.split(";"):
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {VERSION}")
