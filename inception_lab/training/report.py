"""What a run writes into its folder while it runs and when it ends: events, result, autopsy, weights."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, final

from inception_lab.errors import SettingsError
from inception_lab.readers.notation import notation
from inception_lab.training import events, outcomes
from inception_lab.training.control import Change
from inception_lab.training.datasets import described, fingerprint
from inception_lab.training.events import Status, Step
from inception_lab.training.files import MODEL, RESULT, SETTINGS, replace
from inception_lab.training.settings import Settings
from inception_lab.version import __version__

if TYPE_CHECKING:
    from inception_lab.training.loop import Training

log = logging.getLogger(__name__)


@final
class Report:
    """What a run writes, and what it knows by then; `together` is how many runs its process began with as a stack."""

    def __init__(self, folder: Path, file: IO[str], *, together: int = 1) -> None:
        self.folder = folder
        self.settings: Settings | None = None
        self.steps: list[Step] = []
        self.test_accuracy: float | None = None
        self.waited = 0.0
        self.together = together
        self._changes: list[Change] = []
        self._classes = outcomes.CLASSES  # asked of the data once: a folder may be gone by the end
        self._file = file
        self._began = time.monotonic()

    def say(self, event: Mapping[str, Any]) -> None:
        """Write one event, so that whoever reads finds it now."""
        self._file.write(events.encode(event) + "\n")
        self._file.flush()

    def start(self, *, addresses: tuple[str, ...], threads: int, device: str, parameters: int) -> None:
        """The first event."""
        about: dict[str, Any] = {"threads": threads, "device": device, "parameters": parameters, "data": ""}
        if self.settings is not None:
            self._classes = described(self.settings.data).classes
            about["data"] = fingerprint(self.settings.data)
        about["classes"] = self._classes
        first = events.start(addresses=addresses, version=__version__, **about)
        self.say({**first, "together": self.together})

    def step(self, step: Step) -> None:
        """A step was made."""
        self.steps.append(step)
        self.say(step.to_dict())

    def change(self, change: Change) -> None:
        """Settings have changed."""
        self._changes.append(change)
        self.say(events.change(change.step, change.settings))

    def pause(self, step: int) -> None:
        """The run waits before this step."""
        self.say(events.pause(step))

    def close(self, status: Status, error: str | None) -> None:
        """The result first, the end after it: who reads the end finds the result, and the autopsy."""
        judged = outcomes.judge(self.steps, self._classes) if self.steps else None
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
            "together": self.together,
            "test_accuracy": self.test_accuracy,
            "version": __version__,
            "settings": self.settings.to_dict() if self.settings else None,
            "changes": [change.to_dict() for change in self._changes],
        }
        text = json.dumps(events.jsonable(result), allow_nan=False, indent=2)
        replace(self.folder / RESULT, text.encode())
        _autopsy(self.folder)
        self.say(events.end(status, error))


def settings_in(folder: Path) -> Settings:
    """The settings of the run in a folder. Raises `SettingsError` if there are none, or they are damaged."""
    try:
        values = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"There is no {SETTINGS} in {folder}. Submit the run again.") from None
    except ValueError as error:
        raise SettingsError(f"{folder / SETTINGS} is not JSON ({error}). Submit the run again.") from None
    if not isinstance(values, dict):
        raise SettingsError(f"{folder / SETTINGS} holds no settings. Submit the run again.")
    return Settings.from_dict(values)


def keep(training: Training, settings: Settings, folder: Path) -> None:
    """Keep the weights that were evaluated."""
    from safetensors.torch import save

    net, labels = notation(training.evaluated.net, multiline=False), described(settings.data).labels
    about = {"version": __version__, "settings": settings.to_dict(), "net": net, "labels": labels}
    # One entry: the library writes several in an order that changes, and equal runs should be equal files.
    weights = {name: value.contiguous() for name, value in training.evaluated.state_dict().items()}
    replace(folder / MODEL, save(weights, metadata={"inception_lab": json.dumps(about)}))


def _autopsy(folder: Path) -> None:
    try:
        from inception_lab.training.autopsy import write

        write(folder)
    except Exception:  # whatever it is, the run itself is over and well kept
        log.exception("The run in %s has no autopsy", folder)
