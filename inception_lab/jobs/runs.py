"""One run as the store knows it."""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inception_lab.errors import SettingsError
from inception_lab.jobs import folder as folders
from inception_lab.jobs.folder import Status
from inception_lab.jobs.process import ProcessId
from inception_lab.training.settings import Settings

SILENCE = 30.0
"""Seconds without a sign of life after which a run on another machine, or without a process yet, counts as lost."""

_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
_EPOCH = 1_767_225_600.0  # 2026-01-01: 40 bits of milliseconds last 34 years


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run as the store knows it. Times are seconds since the epoch; `result` is what `result.json` holds.

    `settings` are those it began with, or was forked with; changes in mid-run are under "changes" in its result.
    `process`, `heartbeat` and `cancel_asked` are for the supervisor.
    """

    id: str
    group: str | None
    status: Status
    settings: Settings
    created: float
    started: float | None
    ended: float | None
    error: str | None
    result: dict[str, Any] | None
    folder: Path
    process: ProcessId | None = field(default=None, repr=False)
    heartbeat: float | None = field(default=None, repr=False)
    cancel_asked: float | None = field(default=None, repr=False)

    @property
    def active(self) -> bool:
        """Whether it is queued or running."""
        return self.status in ("queued", "running")

    @property
    def pure(self) -> bool:
        """Whether it finished as the settings it began with: no fork, nothing changed on its way."""
        return (
            self.status == "finished"
            and bool(self.result)
            and not (self.result or {}).get("changes")
            and self.settings.fork is None
        )

    @property
    def paused(self) -> int | None:
        """The step before which it waits, looked up in its folder now; None unless it is running and waits."""
        return folders.paused(self.folder) if self.status == "running" else None

    @property
    def alive(self) -> bool:
        """Whether its process shows life: looked up here, by its last sign elsewhere or before it has one."""
        if self.process is not None and self.process.here:
            return self.process.alive
        sign = max(self.heartbeat or 0.0, folders.last_sign(self.folder))
        return time.time() - sign < SILENCE


def from_row(row: sqlite3.Row, folder: Path) -> Run:
    """The run in a row of the store. Raises `SettingsError` if this version of the lab cannot read it."""
    try:
        settings = Settings.from_dict(json.loads(row["settings"]))
        result = None if row["result"] is None else folders.numbers(json.loads(row["result"]))
    except (ValueError, TypeError, AttributeError) as error:
        raise SettingsError(f"What the store holds of run {row['id']} is damaged: {error}. Delete the run.") from None
    process = None
    if row["pid"] is not None:
        process = ProcessId(row["pid"], row["process_started"], row["machine"])
    return Run(
        id=row["id"],
        group=row["group"],
        status=row["status"],
        settings=settings,
        created=row["created"],
        started=row["started"],
        ended=row["ended"],
        error=row["error"],
        result=result,
        folder=folder,
        process=process,
        heartbeat=row["heartbeat"],
        cancel_asked=row["cancel_asked"],
    )


def new_id(now: float | None = None) -> str:
    """An id that sorts by time: eight letters for the milliseconds, five at random."""
    moment = round(((time.time() if now is None else now) - _EPOCH) * 1000) << 25 | secrets.randbits(25)
    return "".join(_LETTERS[moment >> shift & 31] for shift in range(60, -1, -5))
