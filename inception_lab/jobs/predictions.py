"""What people said would become of runs, before it did.

`$INCEPTION_LAB_HOME/predictions.sqlite`: a line for each group, arm and person; the first word stays, so nobody changes
his mind after peeking. Any number of processes may use it at once.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from inception_lab.errors import RunError
from inception_lab.home import lab_home
from inception_lab.training.settings import Settings

Word = Literal["trains", "slow", "stalls", "dies", "diverges"]
WORDS: tuple[Word, ...] = get_args(Word)
LONGEST_NAME = 40

_SCHEMA = """
CREATE TABLE IF NOT EXISTS predictions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    "group" TEXT NOT NULL,
    arm TEXT NOT NULL,
    who TEXT NOT NULL,
    word TEXT,
    probability REAL NOT NULL,
    made REAL NOT NULL,
    UNIQUE ("group", arm, who)
)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """`who` expects this word of the runs of an `arm` with this `probability`; the rest is spread over the other words.

    A `word` of None says that the person chose not to predict. `arm` is `arm_key` of the runs' settings; `made` is in
    seconds since the epoch. Raises `RunError` for a word, probability or name that cannot be.
    """

    group: str
    arm: str
    who: str
    word: Word | None
    probability: float = 1.0
    made: float = field(default_factory=time.time)

    def __post_init__(self) -> None:
        if self.word is not None and self.word not in WORDS:
            raise RunError(f"{self.word!r} cannot be predicted; it is one of {', '.join(WORDS)}.")
        if not 1 / len(WORDS) <= self.probability <= 1:
            raise RunError(
                f"A probability of {self.probability:g} for the chosen word is not from {1 / len(WORDS):g} to 1: below "
                "that another word would be the likelier one."
            )
        if not self.who.strip() or len(self.who) > LONGEST_NAME:
            raise RunError(f"A name has 1 to {LONGEST_NAME} characters, not {len(self.who.strip())}.")


def arm_key(settings: Settings) -> str:
    """A short name for settings whatever the seed: equal for runs of one arm, and still equal when settings are added
    to the lab that these runs did not use."""
    differs = settings.with_(seed=0).differences()
    return hashlib.sha256(json.dumps(differs, sort_keys=True).encode()).hexdigest()[:16]


def record(predictions: Sequence[Prediction], *, home: Path | str | None = None) -> int:
    """Keep predictions, all in one transaction; returns how many were new. Who has spoken of an arm has spoken."""
    rows = [(one.group, one.arm, one.who.strip(), one.word, one.probability, one.made) for one in predictions]
    with _database(home) as db, db:
        before = db.total_changes
        db.executemany(
            'INSERT OR IGNORE INTO predictions ("group", arm, who, word, probability, made) VALUES (?, ?, ?, ?, ?, ?)',
            rows,
        )
        return db.total_changes - before


def of_group(group: str, *, home: Path | str | None = None) -> list[Prediction]:
    """Every prediction for the runs of a group, in the order in which they were made; none if nobody spoke."""
    if not _file(home).exists():
        return []
    with _database(home) as db:
        found = db.execute(
            'SELECT "group", arm, who, word, probability, made FROM predictions WHERE "group" = ? ORDER BY number',
            (group,),
        ).fetchall()
    return [
        Prediction(group=row[0], arm=row[1], who=row[2], word=row[3], probability=row[4], made=row[5]) for row in found
    ]


def _file(home: Path | str | None) -> Path:
    return lab_home(home) / "predictions.sqlite"


@contextmanager
def _database(home: Path | str | None) -> Iterator[sqlite3.Connection]:
    """A connection of the caller's own to a file that has its table, closed at the end."""
    file = _file(home)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(file, timeout=10)) as db:
            db.execute(_SCHEMA)
            yield db
    except (OSError, sqlite3.DatabaseError) as error:
        raise RunError(
            f"The predictions {file} cannot be used: {error}. Make the folder writable, move the file away, or set "
            "INCEPTION_LAB_HOME to another folder."
        ) from error
