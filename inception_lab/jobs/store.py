"""The store of runs: SQLite for the queue and the index, one folder a run for everything else.

`$INCEPTION_LAB_HOME/runs.sqlite` and `$INCEPTION_LAB_HOME/runs/<id>/`. Any number of threads and processes may use it
at once, and whoever changes a run's status does so in one transaction.
"""

from __future__ import annotations

import json
import logging
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, final

from inception_lab.errors import RunError, SettingsError, UnknownRun
from inception_lab.jobs import ancestry, launch
from inception_lab.jobs import folder as folders
from inception_lab.jobs.claims import Fits, Joins, chosen
from inception_lab.jobs.database import Database
from inception_lab.jobs.folder import Ending
from inception_lab.jobs.process import ProcessId
from inception_lab.jobs.runs import SILENCE as SILENCE
from inception_lab.jobs.runs import Run as Run
from inception_lab.jobs.runs import from_row
from inception_lab.jobs.runs import new_id as new_id
from inception_lab.training import control, runnable
from inception_lab.training.control import Control
from inception_lab.training.events import jsonable
from inception_lab.training.replay import Past
from inception_lab.training.settings import Settings

log = logging.getLogger(__name__)


@final
class Store:
    """The runs under `home` (default: $INCEPTION_LAB_HOME, else ~/.inception-lab).

    Whatever gives the supervisor something to do also makes sure that one lives, unless `supervised` is false. With
    `lasting` false the home must be there, and should it vanish it is not made again: see `Database`.
    Raises `UnknownRun` for an id that is not there.
    """

    def __init__(self, home: Path | str | None = None, *, supervised: bool = True, lasting: bool = True) -> None:
        self.home = launch.lab_home(home)
        self._supervised = supervised
        try:
            (self.home / "runs").mkdir(parents=lasting, exist_ok=True)
        except OSError as error:
            raise RunError(
                f"The lab's folder {self.home} cannot be made: {error.strerror}. Set INCEPTION_LAB_HOME."
            ) from None
        self._database = Database(self.home / "runs.sqlite", lasting=lasting)

    def submit(self, settings: Settings, *, group: str | None = None) -> str:
        """Queue one run; returns its id."""
        return self.submit_many([settings], group=group)[0]

    def submit_many(self, settings: Sequence[Settings], *, group: str | None = None) -> list[str]:
        """Queue runs in the order given, all or none; returns their ids. Raises `LabError` for what cannot be run.

        Settings with a `fork` branch from that run: see `jobs.fork`.
        """
        for each in settings:
            runnable.check(each)
        pasts = [self._past(each) for each in settings]
        now = time.time()
        ids = [new_id(now + place / 1000) for place in range(len(settings))]
        rows = [
            (run, group, "queued", json.dumps(each.to_dict()), now) for run, each in zip(ids, settings, strict=True)
        ]
        try:
            for run, each, past in zip(ids, settings, pasts, strict=True):
                parent = self.folder(each.fork.run) if each.fork else None
                folders.prepare(self.folder(run), each, past=past, parent=parent)
            with self._database.change() as db:
                db.executemany('INSERT INTO runs (id, "group", status, settings, created) VALUES (?, ?, ?, ?, ?)', rows)
        except BaseException:  # also Ctrl-C: no folder may stay that no row knows
            for run in ids:
                shutil.rmtree(self.folder(run), ignore_errors=True)
            raise
        self._wake()
        return ids

    def run(self, id: str) -> Run:
        """The run called `id`."""
        with self._database.open() as db:
            return self._true(self._read(self._row(db, id)))

    def runs(self, *, group: str | None = None, limit: int | None = None) -> list[Run]:
        """Runs, newest first: those of `group`, at most `limit`.

        A run whose settings this version of the lab cannot read is left out; `run` says why.
        """
        where = 'WHERE "group" = ?' if group is not None else "WHERE ? IS NULL"
        with self._database.open() as db:
            found = db.execute(
                f"SELECT * FROM runs {where} ORDER BY number DESC LIMIT ?", (group, -1 if limit is None else limit)
            ).fetchall()
        return [self._true(run) for run in self._readable(found)]

    def cancel(self, id: str) -> None:
        """End a run: at once if it is queued, within two seconds if it runs; nothing happens to one that has ended."""
        now = time.time()
        with self._database.change() as db:
            run = self._true(self._read(self._row(db, id)))
            match run.status:
                case "queued":
                    db.execute("UPDATE runs SET status = 'cancelled', ended = ? WHERE id = ?", (now, id))
                case "running":
                    db.execute("UPDATE runs SET cancel_asked = coalesce(cancel_asked, ?) WHERE id = ?", (now, id))
        if run.status == "running":
            folders.ask_to_stop(run.folder)
            self._wake()

    def pause(self, id: str) -> None:
        """Let a run wait before its next step, or a queued one before its first; `Run.paused` says when it does.

        A paused run keeps its process, its memory and its place: no queued run starts instead. Raises `RunError` for a
        run that has ended, as the next three do.
        """
        self._tell(id, lambda run, told: told.paused())

    def step(self, id: str, *, steps: int = 1) -> None:
        """Let a run make `steps` more steps, then wait."""
        if not isinstance(steps, int) or steps < 1:
            raise RunError(f"A run can make 1 step or more, not {steps!r}.")
        self._tell(id, lambda run, told: told.stepped(made=folders.made(run.folder), steps=steps))

    def go(self, id: str) -> None:
        """Let a paused run go on."""
        self._tell(id, lambda run, told: told.going())

    def change(self, id: str, **changes: Any) -> None:
        """Change the rate, momentum or clip of a run from its next step on, without a reset.

        The run notes the step as an event "change", so that it can be replayed. Raises `SettingsError` for anything
        else, and for values that cannot be.
        """
        self._tell(id, lambda run, told: told.changed(run.settings, changes))

    def resume(self, id: str) -> None:
        """Queue a run that was interrupted, cancelled or failed again.

        It starts from its first step, with the same settings and seed and the same changes at the same steps, so it
        gives the numbers it would have given; a pause is forgotten. Raises `RunError` for a run that is queued, running
        or finished.
        """
        with self._database.change() as db:
            run = self._true(self._read(self._row(db, id)))
            if run.active or run.status == "finished":
                raise RunError(
                    f"Run {id} is {run.status}; only an interrupted, cancelled or failed run can start again."
                )
            folders.clear(run.folder, run.settings)
            db.execute(
                "UPDATE runs SET status = 'queued', started = NULL, ended = NULL, cancel_asked = NULL,"
                " heartbeat = NULL, pid = NULL, process_started = NULL, machine = NULL, error = NULL, result = NULL"
                " WHERE id = ?",
                (id,),
            )
        self._wake()

    def delete(self, id: str) -> None:
        """Remove a run and its folder for good. Raises `RunError` while it runs."""
        with self._database.change() as db:
            row = self._row(db, id)
            if any(self._true(run).status == "running" for run in self._readable([row])):
                raise RunError(f"Run {id} is running. Cancel it before deleting it.")
            db.execute("DELETE FROM runs WHERE id = ?", (id,))
        shutil.rmtree(self.folder(id), ignore_errors=True)

    def folder(self, id: str) -> Path:
        """Where a run keeps its files."""
        return self.home / "runs" / id

    # What follows is for the supervisor and the runs' processes.

    def claim(self, count: int, *, fits: Fits = lambda run, taken: True) -> list[Run]:
        """Take up to `count` queued runs, oldest first, and mark them running; no two callers get the same.

        The first that does not fit beside those `taken` by then ends it: none overtakes another.
        """
        return [run for run, *_ in self.claim_stacks(count, fits=fits)]

    def claim_stacks(self, count: int, *, fits: Fits, joins: Joins | None = None) -> list[list[Run]]:
        """As `claim`, with runs that share a process as one: see `claims.chosen`."""
        now = time.time()
        with self._database.change() as db:
            rows = db.execute("SELECT * FROM runs WHERE status = 'queued' ORDER BY number")
            damaged: list[str] = []
            stacks = chosen(self._each_readable(rows, damaged), count, fits=fits, joins=joins)
            words = [("failed", id) for id in damaged] + [("running", run.id) for stack in stacks for run in stack]
            db.executemany(
                "UPDATE runs SET status = ?, started = ?, heartbeat = ? WHERE id = ?",
                [(word, now, now, id) for word, id in words],
            )
        return [[replace(run, status="running", started=now, heartbeat=now) for run in stack] for stack in stacks]

    def record(self, id: str, process: ProcessId) -> None:
        """Note the process of a running run."""
        with self._database.change() as db:
            db.execute(
                "UPDATE runs SET pid = ?, process_started = ?, machine = ? WHERE id = ? AND status = 'running'",
                (process.pid, process.started, process.machine, id),
            )

    def heartbeat(self, ids: Sequence[str]) -> None:
        """Note that these runs were seen alive now."""
        now = time.time()
        with self._database.change() as db:
            db.executemany(
                "UPDATE runs SET heartbeat = ? WHERE id = ? AND status = 'running'", [(now, id) for id in ids]
            )

    def finish(self, id: str, ending: Ending) -> None:
        """Write down how a running run ended; a run that no longer counts as running keeps what it has."""
        result = None if ending.result is None else json.dumps(jsonable(ending.result))
        with self._database.change() as db:
            db.execute(
                "UPDATE runs SET status = ?, ended = ?, error = ?, result = ? WHERE id = ? AND status = 'running'",
                (ending.status, time.time(), ending.error, result, id),
            )

    def claimed(self) -> list[Run]:
        """The runs marked as running, whether or not their process still lives."""
        with self._database.open() as db:
            rows = db.execute("SELECT * FROM runs WHERE status = 'running' ORDER BY number").fetchall()
        return self._readable(rows)

    def queued(self) -> int:
        """How many runs wait."""
        with self._database.open() as db:
            return int(db.execute("SELECT count(*) FROM runs WHERE status = 'queued'").fetchone()[0])

    def _tell(self, id: str, what: Callable[[Run, Control], Control]) -> None:
        # Inside a transaction, so that of two who tell a run something at once neither is lost.
        with self._database.change() as db:
            run = self._true(self._read(self._row(db, id)))
            if not run.active:
                raise RunError(f"Run {id} is {run.status}; only a queued or running one can be told anything.")
            try:
                control.write(run.folder, what(run, control.read(run.folder)))
            except FileNotFoundError:
                raise RunError(f"The folder of run {id} is gone. Delete the run.") from None

    def _past(self, settings: Settings) -> Past | None:
        return None if settings.fork is None else ancestry.shared(self.run(settings.fork.run), settings)

    def _true(self, run: Run) -> Run:
        """`run`, but a running one that has lost its process is what its folder says.

        While a supervisor lives, what only looks interrupted is left to it: it knows more (an exit status) in a moment.
        """
        if run.status != "running" or run.alive:
            return run
        if not folders.has_ended(run.folder) and launch.is_running(self.home):
            return run
        end = folders.ending(run.folder, cancelled=run.cancel_asked is not None)
        ended = folders.last_sign(run.folder) or run.started
        return replace(run, status=end.status, error=end.error, result=end.result, ended=ended)

    def _row(self, db: sqlite3.Connection, id: str) -> sqlite3.Row:
        row = db.execute("SELECT * FROM runs WHERE id = ?", (id,)).fetchone()
        if row is None:
            raise UnknownRun(f"There is no run {id!r} under {self.home}. List the runs to see their ids.")
        assert isinstance(row, sqlite3.Row)
        return row

    def _each_readable(self, rows: Iterable[sqlite3.Row], damaged: list[str]) -> Iterator[Run]:
        """The runs in rows as they are asked for; ids of those that cannot be read go to `damaged`."""
        for row in rows:
            found = self._readable([row])
            yield from found
            damaged += [] if found else [row["id"]]

    def _readable(self, rows: Iterable[sqlite3.Row]) -> list[Run]:
        runs = []
        for row in rows:
            try:
                runs.append(self._read(row))
            except SettingsError as error:
                log.warning("Run %s is left out: %s", row["id"], error)
        return runs

    def _read(self, row: sqlite3.Row) -> Run:
        return from_row(row, self.folder(row["id"]))

    def _wake(self) -> None:
        if self._supervised:
            launch.ensure_running(self.home)
