"""The process that starts queued runs and keeps the store true: `python -m inception_lab.jobs.supervisor HOME`.

One lives for each home (see `launch`). It remembers nothing that the store does not: each turn it looks at the runs
marked as running, whoever started them, and writes down how those ended whose process is gone. So a supervisor that is
killed loses nothing, and the next one goes on where it stopped. It never imports torch; the fork server does.
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import signal
import sys
import time
from collections import Counter
from multiprocessing.util import get_temp_dir
from pathlib import Path
from typing import Any, NoReturn, final

from filelock import Timeout

from inception_lab.errors import RunError
from inception_lab.jobs import folder as folders
from inception_lab.jobs import launch
from inception_lab.jobs.executors import Executor, executor
from inception_lab.jobs.folder import Ending
from inception_lab.jobs.launch import ensure_running as ensure_running
from inception_lab.jobs.process import ProcessId, this_process
from inception_lab.jobs.store import Run, Store
from inception_lab.training.files import replace

log = logging.getLogger(__name__)

POLL = 0.1
HEARTBEAT = 5.0
IDLE = 600.0
TERMINATE_AFTER = 1.5  # counted, like the next, from the moment a cancel was asked for
KILL_AFTER = 3.0


@final
class Supervisor:
    """Claims queued runs, watches running ones, ends cancelled ones."""

    def __init__(self, store: Store, executor: Executor) -> None:
        self._store = store
        self._executor = executor
        self._terminated: set[str] = set()
        self._mates: Counter[ProcessId | None] = Counter()  # running runs of each process, which stacks share
        self._wanted: Counter[ProcessId | None] = Counter()  # and those nobody has cancelled
        self._alive: list[Run] = []
        self._beat = 0.0

    def turn(self) -> bool:
        """Do once whatever there is to do; returns whether any run is queued or running."""
        claimed = self._store.claimed()
        self._mates = Counter(run.process for run in claimed)
        self._wanted = Counter(run.process for run in claimed if run.cancel_asked is None)
        self._alive = alive = [run for run in claimed if self._watched(run)]
        if alive and time.monotonic() - self._beat > HEARTBEAT:
            self._store.heartbeat([run.id for run in alive])
            self._beat = time.monotonic()
        waiting = self._store.queued()
        if waiting and self._executor.ready():
            self._claim(list({run.process or run.id: run for run in alive}.values()))
        return bool(alive or waiting)

    def end_all(self) -> None:
        """End the runs that were alive at the last turn: their folders are gone, and all they make is lost."""
        for force in (False, True):
            for run in self._alive:
                self._executor.end(run, force=force)
            until = time.monotonic() + TERMINATE_AFTER
            while any(map(self._executor.alive, self._alive)) and time.monotonic() < until:
                time.sleep(POLL)

    def _claim(self, beside: list[Run]) -> None:
        """Start what there is room for beside the processes of those runs."""
        stacks = self._store.claim_stacks(
            self._executor.slots - len(beside),
            fits=lambda run, taken: self._executor.fits(run, [*beside, *taken]),
            joins=self._executor.joins if self._executor.stacks else None,
        )
        for runs in stacks:
            self._alive += runs
            self._start(runs)

    def _start(self, runs: list[Run]) -> None:
        try:
            self._executor.start(runs)
        except Exception as error:  # whatever it is, it is these runs' alone
            log.exception("run %s", " ".join(run.id for run in runs))
            for run in runs:
                self._store.finish(
                    run.id, Ending("failed", f"The run could not be given a process: {error}. Try it again.")
                )

    def _watched(self, run: Run) -> bool:
        """`_watch`; what goes wrong with one run ends that run, never the supervisor of all."""
        try:
            return self._watch(run)
        except Exception as error:
            log.exception("run %s", run.id)
            self._store.finish(run.id, Ending("failed", f"Its supervisor could not watch it: {error!r}. Run it again."))
            return False

    def _watch(self, run: Run) -> bool:
        """Whether the run still runs; writes down how it ended if it does not."""
        shares = run.process is not None and self._mates[run.process] > 1
        if self._executor.alive(run):
            if shares and folders.closed(run.folder):  # the others go on
                self._executor.forget(run)
                self._finish(run, None)
                return False
            if run.cancel_asked is not None:
                self._cancel(run, time.time() - run.cancel_asked)
            return True
        self._finish(run, self._executor.exit_status(run))
        return False

    def _finish(self, run: Run, status: int | None) -> None:
        self._terminated.discard(run.id)
        cancelled = run.cancel_asked is not None
        self._store.finish(run.id, folders.ending(run.folder, cancelled=cancelled, exit_status=status))

    def _cancel(self, run: Run, waited: float) -> None:
        folders.ask_to_stop(run.folder)
        if run.process is not None and self._wanted[run.process]:
            return  # a signal would end others with it; it listens between two steps
        if waited > KILL_AFTER:
            self._executor.end(run, force=True)
        elif waited > TERMINATE_AFTER and run.id not in self._terminated:
            self._terminated.add(run.id)
            self._executor.end(run, force=False)


def serve(home: Path, *, work: str = launch.WORK, idle: float = IDLE) -> None:
    """Be the supervisor of `home` until there was nothing to do for `idle` seconds; return at once if one lives.

    A home that was deleted is not made again: its supervisor ends, with the runs it had. If somebody else made it again
    meanwhile, that one has a supervisor of its own. Raises `RunError` if there is no home, or only its store is gone.
    """
    store = Store(home, supervised=False, lasting=False)
    lock = launch.supervisor_lock(home)
    supervisor = None
    while True:
        try:
            lock.acquire(timeout=1.0, poll_interval=0.02)
        except Timeout:
            return
        try:
            me = this_process()
            replace(home / "supervisor.pid", f"{me.pid} {me.started} {me.machine}".encode())
            supervisor = supervisor or _supervisor(store, work)
            if supervisor is not None and not _until_idle(supervisor, home, idle):
                log.warning("%s is gone, and its supervisor goes too", home)
                supervisor.end_all()
                return
        finally:
            lock.release()
        # Whoever queued a run while the lock was still held took this supervisor to be alive and started none.
        if not store.queued():
            return


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m inception_lab.jobs.supervisor", description=__doc__)
    parser.add_argument(
        "home", type=launch.lab_home, nargs="?", help="folder of the runs (default: INCEPTION_LAB_HOME)"
    )
    parser.add_argument("--work", default=launch.WORK, help="what a run's process calls, as module:function")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    idle = float(os.environ.get("INCEPTION_LAB_IDLE") or IDLE)
    serve(asked.home or launch.lab_home(), work=asked.work, idle=idle)


def _supervisor(store: Store, work: str) -> Supervisor | None:
    """None if there can be no executor: then every queued run has failed for that reason, and there is nothing to do.

    Only here may one error fail them all; what is wrong with one run is that run's alone.
    """
    try:
        return Supervisor(store, executor(store.home, work))
    except RunError as error:
        _fail_queued(store, error)
        return None


def _until_idle(supervisor: Supervisor, home: Path, idle: float) -> bool:
    """Whether the home was this process's until there was nothing to do in it any more.

    The lock says nothing of that: it is held on a file that may be deleted, while another has the one in its place.
    """
    me, last = this_process(), time.monotonic()
    while time.monotonic() - last < idle:
        try:
            if launch.supervisor(home) != me:
                return False
            if supervisor.turn():
                last = time.monotonic()
        except RunError:
            if launch.supervisor(home) != me:  # since it vanished in mid-turn
                return False
            raise
        time.sleep(POLL)
    return True


def _fail_queued(store: Store, error: RunError) -> None:
    """Give every queued run the reason why none can start."""
    for run in store.claim(sys.maxsize):
        store.finish(run.id, Ending("failed", str(error)))


def _leave(*_: Any) -> NoReturn:
    # Not sys.exit: multiprocessing would wait for the runs, and they are meant to go on without the supervisor.
    shutil.rmtree(get_temp_dir(), ignore_errors=True)
    os._exit(0)


if __name__ == "__main__":
    main()
