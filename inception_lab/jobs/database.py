"""The SQLite file behind the store: its schema, and connections that any thread or process may open at once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from time import monotonic
from time import sleep as _wait
from typing import Literal, final

from inception_lab.errors import RunError

VERSION = 1
PATIENCE = 10.0
"""Seconds to wait for others who write."""
_POLL = 0.01
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
    """The file at `path`, made if it is not there; `RunError` if it cannot be used, or a newer lab made it.

    Should it vanish later, because somebody emptied the lab's folder, it is made again and is empty; with `lasting`
    false it is not, and a `RunError` says so: who serves a store that is gone has nothing left to serve.
    """

    def __init__(self, path: Path, *, lasting: bool = True) -> None:
        self._path = path
        self._lasting = lasting
        self._upgrade()

    @contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        """A connection of the caller's own, closed at the end."""
        if not _holds_anything(self._path):
            self._again()
        with self._connected(mode="rw") as db:  # a file that vanishes just now is not made by a mere look at it
            yield db

    @contextmanager
    def _connected(self, *, mode: Literal["rw", "rwc"]) -> Iterator[sqlite3.Connection]:
        file = f"{self._path.absolute().as_uri()}?mode={mode}"
        try:
            with closing(sqlite3.connect(file, timeout=PATIENCE, isolation_level=None, uri=True)) as db:
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
        with self.open() as db, _locked(db):
            yield db

    def _again(self) -> None:
        """Make the store that has vanished anew; a process that holds an older connection meanwhile is none of ours."""
        if not self._lasting:
            raise RunError(f"The store of runs {self._path} is gone. Start the lab again, and it makes a new one.")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(
                f"The lab's folder {self._path.parent} cannot be made: {error.strerror}. Set INCEPTION_LAB_HOME."
            ) from None
        self._upgrade()

    def _upgrade(self) -> None:
        with self._connected(mode="rwc") as db:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version == VERSION:
                return
            if version > VERSION:
                raise RunError(
                    f"{self._path} has version {version}, this lab reads {VERSION}. Update the lab, or set "
                    "INCEPTION_LAB_HOME to another folder."
                )
            _write_ahead(db)
        with self._connected(mode="rwc") as db, _locked(db):
            if db.execute("PRAGMA user_version").fetchone()[0] == 0:  # another process may have been first
                for statement in _SCHEMA.split(";"):
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {VERSION}")


def _write_ahead(db: sqlite3.Connection) -> None:
    """Switch the file to a write-ahead log, in which nobody who reads waits for who writes.

    The one statement for which SQLite does not wait by itself: it reads before it asks to write, and of two processes
    that have read, which a new home may well see, one is told at once that the file is locked.
    """
    until = monotonic() + PATIENCE
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or monotonic() > until:
                raise
        _wait(_POLL)


@contextmanager
def _locked(db: sqlite3.Connection) -> Iterator[None]:
    """A transaction that holds the write lock from the start."""
    db.execute("BEGIN IMMEDIATE")
    with db:
        yield


def _holds_anything(path: Path) -> bool:
    """Whether there is a file with something in it: a connection to one that is gone leaves an empty one."""
    try:
        return path.stat().st_size > 0
    except FileNotFoundError:
        return False
    except OSError:
        return True  # opening it will say what is wrong
