"""Forecasts for a program that must not load torch: one process makes them, files keep them.

Under `$INCEPTION_LAB_HOME/forecasts/` lies one small file for each start a network was asked about. Its name comes from
what can be seen at step 0, so another rate or another number of steps asks nobody.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from inception_lab.errors import DataError, RunError, SettingsError
from inception_lab.home import lab_home
from inception_lab.jobs import launch
from inception_lab.training import foretold
from inception_lab.training.files import replace
from inception_lab.training.foretold import Forecast, initial
from inception_lab.training.settings import Settings
from inception_lab.version import __version__

MODULE = "inception_lab.training.forecast"
LOADING, EACH = 60.0, 20.0
"""Seconds the process may take to load torch, and for one forecast: some fifty times what an idle machine takes."""
MOST = 200

_one_at_a_time = threading.Lock()


def forecasts(
    settings: Sequence[Settings], *, home: Path | str | None = None, timeout: float | None = None
) -> list[Forecast]:
    """A forecast for each of the settings, in order: shipped, kept, or made now by one process for all that lack one.

    Only one such process runs at a time for a server, however many people ask. `timeout` in seconds, by default enough
    for a busy machine. Raises `SettingsError` with the reason for settings that cannot be run, `RunError` if the
    process fails or takes too long.
    """
    if len(settings) > MOST:
        raise RunError(f"{len(settings)} forecasts at once are too many; ask for at most {MOST}.")
    if any(known(each, home=home) is None for each in settings):
        with _one_at_a_time:
            _make(settings, home, timeout)
    return [_there(each, home) for each in settings]


def known(settings: Settings, *, home: Path | str | None = None) -> Forecast | None:
    """The forecast of these settings if it ships with the lab or was made before; None if it would have to be made."""
    if (shipped := foretold.load().at(settings)) is not None:
        return shipped
    file = lab_home(home) / "forecasts" / _name(settings)
    try:
        return Forecast.from_dict(json.loads(file.read_bytes()), settings)
    except (OSError, ValueError, DataError):  # never made, or damaged: then it is made again
        return None


def _make(settings: Sequence[Settings], home: Path | str | None, timeout: float | None) -> None:
    """Forecast what is still lacking, each start once, and keep it."""
    lacking = list({initial(each): each for each in settings if known(each, home=home) is None}.values())
    if not lacking:
        return  # whoever had the lock before made the same
    folder = lab_home(home) / "forecasts"
    limit = LOADING + EACH * len(lacking) if timeout is None else timeout
    for each, line in zip(lacking, _asked(lacking, limit), strict=True):
        _keep(folder, _read(line, each))


def _name(settings: Settings) -> str:
    """Made of what differs from the defaults, so that a new setting leaves the names as they were."""
    text = json.dumps([__version__, initial(settings).differences()], sort_keys=True)
    return f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.json"


def _asked(settings: Sequence[Settings], limit: float) -> list[str]:
    """The answers of a process, a line each."""
    lines = "".join(json.dumps(each.to_dict()) + "\n" for each in settings)
    try:
        done = subprocess.run(
            [sys.executable, "-m", MODULE],
            env={**os.environ, "PYTHONPATH": launch.python_path()},
            input=lines,
            capture_output=True,
            text=True,
            timeout=limit,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise RunError(
            f"No forecast of {len(settings)} settings within {limit:.0f} seconds. The machine is busy: try again, or "
            "ask for fewer."
        ) from None
    answers = done.stdout.splitlines()
    if done.returncode or len(answers) != len(settings):
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise RunError(f"The process that forecasts ended with status {done.returncode}: {said[:300]}. Try again.")
    return answers


def _read(line: str, settings: Settings) -> Forecast:
    values = json.loads(line)
    if "error" in values:
        raise SettingsError(values["error"])
    return Forecast.from_dict(values, settings)


def _keep(folder: Path, made: Forecast) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        replace(folder / _name(made.settings), json.dumps(made.to_dict(), allow_nan=False).encode())
    except OSError as error:
        raise RunError(f"{folder} cannot be written: {error.strerror}. Set INCEPTION_LAB_HOME.") from None


def _there(settings: Settings, home: Path | str | None) -> Forecast:
    found = known(settings, home=home)
    if found is None:
        raise RunError("A forecast that was just made is gone: its folder is being emptied. Try again.")
    return found
