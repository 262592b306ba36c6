"""A run as a process and a folder, which holds:

    settings.json           in: the `Settings`
    origin.json past.jsonl  in: what a fork shares with its parent, see `replay`
    cancel                  in: as soon as this file exists the run stops at its next step; so it does on SIGTERM
    control.json            in: pauses and changes in mid-run, see `control`
    events.jsonl            out: start, one line a step, end; flushed at each line, so a killed run stays readable
    result.json             out: outcome, means of the last steps, test accuracy, settings; written whole or not at all
    autopsy.html            out: what a run died of
    checkpoint-NNNNNN.pt    out: the state at the start of a step, see `checkpoint`
    model.safetensors       out: the weights that were evaluated, of a finished run

`python -m inception_lab.training FOLDER` calls `work`. torch is loaded inside it, after it can be told to stop.
"""

from __future__ import annotations

import json
import logging
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import IO, TYPE_CHECKING, Any

from inception_lab.errors import LabError, SettingsError
from inception_lab.readers.notation import notation
from inception_lab.training import events, outcomes, replay
from inception_lab.training.control import Change
from inception_lab.training.datasets import described
from inception_lab.training.events import Status, Step
from inception_lab.training.files import AUTOPSY, CANCEL, EVENTS, MODEL, RESULT, SETTINGS, replace
from inception_lab.training.replay import Past
from inception_lab.training.settings import Settings
from inception_lab.version import __version__

if TYPE_CHECKING:
    from inception_lab.training.loop import Training

EXIT: dict[Status, int] = {"finished": 0, "failed": 1, "cancelled": 3}
OUTPUTS = (RESULT, MODEL, AUTOPSY)

log = logging.getLogger(__name__)


class Cancelled(Exception):
    """The run was told to stop."""


class Stop:
    """Whether the run was told to stop, by the file `cancel` or by a signal."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / CANCEL
        self._signalled = False
        self._loading = False

    def __call__(self) -> bool:
        return self._signalled or self._file.exists()

    def check(self) -> None:
        """Raises `Cancelled` if the run was told to stop."""
        if self():
            raise Cancelled

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take SIGTERM and SIGINT as the word to stop; possible in a process's main thread only."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {name: signal.signal(name, self._hear) for name in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for name, handler in before.items():
                signal.signal(name, handler)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Inside, a signal raises `Cancelled` where it arrives: loading torch takes seconds and asks nobody."""
        self.check()
        self._loading = True
        try:
            yield
        finally:
            self._loading = False

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self._signalled = True
        if self._loading:
            raise Cancelled


def work(folder: Path) -> int:
    """Make the run in `folder` from its beginning; returns 0 finished, 3 cancelled, 1 failed.

    What an earlier try left in the folder is replaced. A failure is written to the events and the result, with its
    traceback in the log; only a folder that cannot be written raises, an `OSError`.
    """
    folder = Path(folder)
    for name in OUTPUTS:
        (folder / name).unlink(missing_ok=True)
    stop = Stop(folder)
    with stop.listening(), (folder / EVENTS).open("w", encoding="utf-8") as file:
        report = _Report(folder, file)
        status, error = _tried(report, stop)
        report.close(status, error)
    return EXIT[status]


def _tried(report: _Report, stop: Stop) -> tuple[Status, str | None]:
    try:
        report.settings = _settings(report.folder)
        replay.forget(report.folder, report.settings)
        _make(report, stop)
    except Cancelled:
        return "cancelled", None
    except LabError as refused:
        return "failed", str(refused)
    except Exception as failure:
        log.exception("The run in %s failed", report.folder)
        return "failed", f"{type(failure).__name__}: {failure}"
    return "finished", None


class _Report:
    """What a run writes, and what it knows by then."""

    def __init__(self, folder: Path, file: IO[str]) -> None:
        self.folder = folder
        self.settings: Settings | None = None
        self.steps: list[Step] = []
        self.test_accuracy: float | None = None
        self.waited = 0.0
        self._changes: list[Change] = []
        self._file = file
        self._began = time.monotonic()

    def say(self, event: Mapping[str, Any]) -> None:
        self._file.write(events.encode(event) + "\n")
        self._file.flush()

    def step(self, step: Step) -> None:
        self.steps.append(step)
        self.say(step.to_dict())

    def change(self, change: Change) -> None:
        self._changes.append(change)
        self.say(events.change(change.step, change.settings))

    def pause(self, step: int) -> None:
        self.say(events.pause(step))

    def close(self, status: Status, error: str | None) -> None:
        """The result first, the end after it: who reads the end finds the result, and the autopsy."""
        judged = outcomes.judge(self.steps) if self.steps else None
        result = {
            "run": self.folder.resolve().name,
            "status": status,
            "error": error,
            "outcome": judged.outcome if judged else None,
            "steps": len(self.steps),
            "loss": judged.loss if judged else None,
            "accuracy": judged.accuracy if judged else None,
            "zero_share": judged.zero_share if judged else None,
            "died_at": judged.died_at if judged else None,
            "window": judged.window if judged else 0,
            "seconds": round(time.monotonic() - self._began - self.waited, 3),  # without pauses
            "test_accuracy": self.test_accuracy,
            "version": __version__,
            "settings": self.settings.to_dict() if self.settings else None,
            "changes": [change.to_dict() for change in self._changes],
        }
        text = json.dumps(events.jsonable(result), allow_nan=False, indent=2)
        replace(self.folder / RESULT, text.encode())
        _autopsy(self.folder)
        self.say(events.end(status, error))


def _make(report: _Report, stop: Stop) -> None:
    settings = report.settings
    assert settings is not None
    past = Past(settings) if settings.fork is None else replay.read(report.folder, settings)
    with stop.at_once():
        from inception_lab.training.drive import Drive, begun
        from inception_lab.training.optim import without_compiler

        without_compiler()
        training = begun(report.folder, past)
    report.say(_start(training))
    for known in past.before(training.at):
        report.step(known) if isinstance(known, Step) else report.change(known)
    planned = [change for change in past.changes if change.step > training.at]
    planned += replay.own_changes(settings, past)
    drive = Drive(training, report.folder, report=report, stop=stop.check, planned=planned, free=len(past.steps))
    for step in drive.steps():
        if settings.fork is not None and step.step < settings.fork.step:
            step = past.same(step, run=settings.fork.run)
        report.step(step)
        stop.check()
    report.test_accuracy = training.test_accuracy(stop=stop)
    stop.check()
    _keep(training, settings, report.folder / MODEL)


def _autopsy(folder: Path) -> None:
    try:
        from inception_lab.training.autopsy import write

        write(folder)
    except Exception:  # whatever it is, the run itself is over and well kept
        log.exception("The run in %s has no autopsy", folder)


def _start(training: Training) -> events.Event:
    return events.start(
        addresses=training.addresses,
        version=__version__,
        threads=training.settings.threads,
        device=training.device.type,
        parameters=training.parameters,
    )


def _keep(training: Training, settings: Settings, file: Path) -> None:
    from safetensors.torch import save

    net, labels = notation(training.evaluated.net, multiline=False), described(settings.data).labels
    about = {"version": __version__, "settings": settings.to_dict(), "net": net, "labels": labels}
    # One entry: the library writes several in an order that changes, and equal runs should be equal files.
    weights = {name: value.contiguous() for name, value in training.evaluated.state_dict().items()}
    replace(file, save(weights, metadata={"inception_lab": json.dumps(about)}))


def _settings(folder: Path) -> Settings:
    try:
        values = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"There is no {SETTINGS} in {folder}. Submit the run again.") from None
    except ValueError as error:
        raise SettingsError(f"{folder / SETTINGS} is not JSON ({error}). Submit the run again.") from None
    if not isinstance(values, dict):
        raise SettingsError(f"{folder / SETTINGS} holds no settings. Submit the run again.")
    return Settings.from_dict(values)
