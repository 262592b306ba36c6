"""A run's folder as jobs see it: how it is laid out, and what it says about a run whose process is gone."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from inception_lab.errors import RunError
from inception_lab.training import control, events, replay
from inception_lab.training.files import AUTOPSY, LOG, MODEL, RESULT, SETTINGS, replace
from inception_lab.training.files import CANCEL as CANCEL
from inception_lab.training.files import EVENTS as EVENTS
from inception_lab.training.replay import Past
from inception_lab.training.settings import Settings

Status = Literal["queued", "running", "finished", "cancelled", "failed", "interrupted"]

_NUMBERS = ("loss", "accuracy", "zero_share", "test_accuracy")
_ENDINGS = get_args(events.Status)
_TAIL = 65_536


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended; `result` is what the run wrote about itself, if it came that far."""

    status: Status
    error: str | None = None
    result: dict[str, Any] | None = None


def prepare(folder: Path, settings: Settings, *, past: Past | None = None, parent: Path | None = None) -> None:
    """Make the folder of a new run; of a fork with the `past` that it shares with the run in the folder `parent`."""
    folder.mkdir(parents=True)
    replace(folder / SETTINGS, json.dumps(settings.to_dict(), indent=1).encode())
    if past is not None and parent is not None:
        replay.keep(past, folder, parent=parent)


def clear(folder: Path, settings: Settings) -> None:
    """Take away what an earlier attempt left, so that the run can start again; settings, past and log stay.

    A run that was changed in mid-run will change again at the same steps, so that it gives the same numbers. Raises
    `RunError`, and leaves all as it is, if its folder of images is no longer what it was.
    """
    replay.check_data(folder, settings)
    try:
        told = control.read(folder)
    except RunError:
        told = control.Control()
    if told != control.Control():
        told = told.again(replay.noted(folder, settings))
        control.write(folder, told)
    replay.forget(folder, settings)
    for name in (CANCEL, RESULT, EVENTS, MODEL, AUTOPSY):
        (folder / name).unlink(missing_ok=True)


def ask_to_stop(folder: Path) -> None:
    """Leave word for the run to stop at its next step; without its folder only a signal can reach it."""
    with suppress(FileNotFoundError):
        (folder / CANCEL).touch()


def last_sign(folder: Path) -> float:
    """When the run last wrote an event, in seconds since the epoch; 0 before the first."""
    try:
        return (folder / EVENTS).stat().st_mtime
    except FileNotFoundError:
        return 0.0


def paused(folder: Path) -> int | None:
    """The step before which the run waits; None if it goes on. A change may be noted after the pause it falls into."""
    last = _last_event(folder, of=("pause", "step", "start", "end"))
    return int(last["step"]) if last.get("type") == "pause" else None


def made(folder: Path) -> int:
    """How many steps the run has made."""
    return int(_last_event(folder, of=("step",)).get("step", -1)) + 1


def has_ended(folder: Path) -> bool:
    """Whether the run itself has said how it ended."""
    return (folder / RESULT).exists() or _last_event(folder).get("type") == "end"


def closed(folder: Path) -> bool:
    """Whether the run has written all it will: its end comes after its result and its autopsy."""
    return _last_event(folder).get("type") == "end"


def ending(folder: Path, *, cancelled: bool = False, exit_status: int | None = None) -> Ending:
    """How a run ended whose process is gone; never raises, whatever its files hold.

    What the run wrote itself counts first; a result that cannot be read is a failure. A run that wrote nothing was
    cancelled if that was asked, failed if its process ended with an exit status above 0, and was interrupted otherwise.
    """
    last = _last_event(folder)
    said = last.get("type") == "end" and last.get("status") in _ENDINGS
    if (folder / RESULT).exists():
        try:
            result = read_result(folder)
        except RunError as damaged:
            return Ending("failed", str(damaged))
        return Ending(result["status"], result.get("error") or (last.get("error") if said else None), result)
    if said:
        return Ending(last["status"], last.get("error"))
    if cancelled:
        return Ending("cancelled")
    steps = made(folder)
    where = f"after step {steps - 1}" if steps else "before its first step"
    if exit_status is not None and exit_status > 0:
        line = _last_line(folder / LOG)
        return Ending("failed", f"The run's process ended with exit status {exit_status} {where}: {line}")
    signal = f" was ended by signal {-exit_status}" if exit_status else " vanished"
    return Ending(
        "interrupted", f"The run's process{signal} {where}. Resume starts it again with the same settings and seed."
    )


def read_result(folder: Path) -> dict[str, Any]:
    """`result.json` with its NaN and infinities as floats. Raises `RunError` if it is damaged."""
    try:
        result = json.loads((folder / RESULT).read_text(encoding="utf-8"))
        if not isinstance(result, dict) or result.setdefault("status", "finished") not in _ENDINGS:
            raise ValueError("it does not say how the run ended")
        return numbers(result)
    except (OSError, ValueError) as error:
        raise RunError(
            f"The result of run {folder.name} cannot be read: {error}. Run it again, it gives the same numbers."
        ) from None


def numbers(result: dict[str, Any]) -> dict[str, Any]:
    """`result` with the words for NaN and infinities under its numbers as floats; an outcome "nan" stays a word."""
    if not isinstance(result, dict):
        raise ValueError(f"a result is an object, not {result!r}")
    floats = {name: float(result[name]) for name in _NUMBERS if isinstance(result.get(name), str)}
    return {**result, **floats}


def _last_event(folder: Path, *, of: tuple[str, ...] = ()) -> dict[str, Any]:
    """The last whole event, or the last `of` these types, or an empty one; looked for in the file's end only."""
    try:
        with (folder / EVENTS).open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL))
            lines = file.read().split(b"\n")[:-1]
    except OSError:
        return {}
    for line in reversed(lines):
        try:
            event = events.decode(line)
        except RunError:
            continue
        if not of or event["type"] in of:
            return event
    return {}


def _last_line(path: Path) -> str:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace")[-_TAIL:].strip().splitlines()
    except OSError:
        lines = []
    return lines[-1] if lines else "it said nothing; see log.txt in its folder."
