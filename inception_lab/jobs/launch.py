"""Making sure that one supervisor lives: a detached process that outlives the server or notebook that asked for it.

A lock file says whether one lives. The kernel frees it with the process, however that ended.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from threading import Thread

from filelock import FileLock, Timeout

from inception_lab.errors import RunError
from inception_lab.home import lab_home as lab_home
from inception_lab.jobs.process import ProcessId, machine

WORK = "inception_lab.training.run:work"
"""What a run's process calls with the run's folder, as `module:function`."""

_started: dict[Path, subprocess.Popen[bytes]] = {}  # to know a supervisor that is only starting


def ensure_running(home: Path | str | None = None, *, work: str = WORK) -> None:
    """Start the supervisor of `home` unless one lives, and return at once; calling it often costs nothing.

    The supervisor runs on when this process is killed and ends by itself after ten idle minutes (INCEPTION_LAB_IDLE, in
    seconds). Raises `RunError` if RAY_ADDRESS is set and Ray is not installed, or if the home cannot be written.
    """
    place = lab_home(home)
    if os.environ.get("RAY_ADDRESS") and find_spec("ray") is None:
        raise RunError(
            "RAY_ADDRESS is set but Ray is not installed. Install it with pip install 'ray>=2.50,<3', or unset "
            "RAY_ADDRESS to run on this machine."
        )
    if _is_starting(place) or is_running(place):
        return
    with (place / "supervisor.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "inception_lab.jobs.supervisor", str(place), "--work", work],
            cwd=place,
            env={**os.environ, "PYTHONPATH": python_path()},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            creationflags=_detached(),
        )
    _started[place] = process
    Thread(target=process.wait, daemon=True).start()  # reaps it, should it end before this process


def _is_starting(place: Path) -> bool:
    """Whether a supervisor that this process started has not had the lock yet; one that had it may be leaving."""
    process = _started.get(place)
    if process is None or process.poll() is not None:
        return False
    last = supervisor(place)
    return last is None or last.pid != process.pid


def is_running(home: Path | str | None = None) -> bool:
    """Whether a supervisor of `home` lives."""
    try:
        with supervisor_lock(lab_home(home)).acquire(blocking=False):
            return False
    except Timeout:
        return True


def stop(home: Path | str | None = None, *, seconds: float = 5.0) -> None:
    """End the supervisor of `home` and wait for it; its runs go on, and the next supervisor takes them over.

    Raises `RunError` if it has not ended after `seconds`.
    """
    place = lab_home(home)
    until = time.monotonic() + seconds
    while is_running(place):
        if time.monotonic() > until:
            raise RunError(f"The supervisor of {place} did not end within {seconds:g} s: {supervisor(place)}.")
        if found := supervisor(place):
            found.end()
        time.sleep(0.02)


def supervisor(home: Path | str | None = None) -> ProcessId | None:
    """The process that was last the supervisor of `home`, alive or not; None if there was none on this machine."""
    try:
        pid, started, place = (lab_home(home) / "supervisor.pid").read_text().split()
    except FileNotFoundError:
        return None
    return ProcessId(int(pid), float(started), place) if place == machine() else None


def python_path() -> str:
    """PYTHONPATH for a new process, in which this very code is found, installed or not."""
    return os.pathsep.join(filter(None, (str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH"))))


def supervisor_lock(home: Path) -> FileLock:
    """The lock that the supervisor of `home` holds while it lives."""
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"The lab's folder {home} cannot be made: {error.strerror}. Set INCEPTION_LAB_HOME.") from None
    return FileLock(home / "supervisor.lock", thread_local=False)


def _detached() -> int:
    """Windows' way of saying `start_new_session`."""
    if sys.platform == "win32":
        return subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS
    return 0
