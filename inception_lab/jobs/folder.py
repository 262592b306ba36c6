"""A run's folder as jobs see it: how it is laid out, and what it says about a run whose process is gone."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from inception_lab.errors import RunError
from inception_lab.training import events
from inception_lab.training.settings import Settings

Status = Literal["queued", "running", "finished", "cancelled", "failed", "interrupted"]

SETTINGS, EVENTS, RESULT, LOG, CANCEL = "settings.json", "events.jsonl", "result.json", "log.txt", "cancel"

_NUMBERS = ("loss", "accuracy", "zero_share", "test_accuracy")
_TAIL = 65_536


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended; `result` is what the run wrote about itself, if it came that far."""

    status: Status
    error: str | None = None
    result: dict[str, Any] | None = None


def prepare(folder: Path, settings: Settings) -> None:
    """Make the folder of a new run."""
    folder.mkdir(parents=True)
    write(folder / SETTINGS, json.dumps(settings.to_dict(), indent=1))


def clear(folder: Path) -> None:
    """Take away what an earlier attempt left, so that the run can start again; settings and log stay."""
    for name in (CANCEL, RESULT, EVENTS, "model.safetensors"):
        (folder / name).unlink(missing_ok=True)


def write(path: Path, text: str) -> None:
    """Write a file at once or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def last_sign(folder: Path) -> float:
    """When the run last wrote an event, in seconds since the epoch; 0 before the first."""
    try:
        return (folder / EVENTS).stat().st_mtime
    except FileNotFoundError:
        return 0.0


def has_ended(folder: Path) -> bool:
    """Whether the run itself has said how it ended."""
    return (folder / RESULT).exists() or _last_event(folder).get("type") == "end"


def ending(folder: Path, *, cancelled: bool = False, exit_status: int | None = None) -> Ending:
    """How a run ended whose process is gone.

    What the run wrote itself counts first. A run that wrote nothing was cancelled if that was asked, failed if its
    process ended with an exit status above 0, and was interrupted otherwise.
    """
    last = _last_event(folder)
    if (folder / RESULT).exists():
        result = read_result(folder)
        error = result.get("error") or (last.get("error") if last.get("type") == "end" else None)
        return Ending(result.get("status", "finished"), error, result)
    if last.get("type") == "end":
        return Ending(last["status"], last.get("error"))
    if cancelled:
        return Ending("cancelled")
    where = f"after step {last['step']}" if last.get("type") == "step" else "before its first step"
    if exit_status is not None and exit_status > 0:
        said = _last_line(folder / LOG)
        return Ending("failed", f"The run's process ended with exit status {exit_status} {where}: {said}")
    signal = f" was ended by signal {-exit_status}" if exit_status else " vanished"
    return Ending(
        "interrupted", f"The run's process{signal} {where}. Resume starts it again with the same settings and seed."
    )


def read_result(folder: Path) -> dict[str, Any]:
    """`result.json` with its NaN and infinities as floats. Raises `RunError` if it is damaged."""
    try:
        return numbers(json.loads((folder / RESULT).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise RunError(
            f"The result of run {folder.name} cannot be read: {error}. Delete the run and start it again."
        ) from None


def numbers(result: dict[str, Any]) -> dict[str, Any]:
    """`result` with the words for NaN and infinities under its numbers as floats; an outcome "nan" stays a word."""
    floats = {name: float(result[name]) for name in _NUMBERS if isinstance(result.get(name), str)}
    return {**result, **floats}


def _last_event(folder: Path) -> dict[str, Any]:
    """The last whole event, or an empty one."""
    try:
        with (folder / EVENTS).open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL))
            lines = file.read().split(b"\n")[:-1]
    except FileNotFoundError:
        return {}
    for line in reversed(lines):
        try:
            return events.decode(line)
        except RunError:
            continue
    return {}


def _last_line(path: Path) -> str:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace")[-_TAIL:].strip().splitlines()
    except FileNotFoundError:
        lines = []
    return lines[-1] if lines else "it said nothing; see log.txt in its folder."
