"""Reading runs that are still being written: each file is read once, from where the last read ended."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

from inception_lab.training import events
from inception_lab.training.control import Change
from inception_lab.training.events import Step
from inception_lab.training.files import EVENTS
from inception_lab.training.outcomes import CLASSES


@dataclass(slots=True)
class _Tail:
    file: tuple[int, int] | None = None
    offset: int = 0
    addresses: tuple[str, ...] = ()
    classes: int = CLASSES
    steps: list[Step] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    paused: int | None = None


@final
class Follower:
    """Keeps the steps of the last `most` runs asked for; safe to share between threads."""

    def __init__(self, *, most: int = 256) -> None:
        self._most = most
        self._tails: OrderedDict[Path, _Tail] = OrderedDict()
        self._lock = threading.Lock()

    def steps(self, folder: Path) -> tuple[Step, ...]:
        """Every step the run in `folder` has written so far."""
        with self._lock:
            return tuple(self._read(folder).steps)

    def addresses(self, folder: Path) -> tuple[str, ...]:
        """The residual blocks that the lists of a step follow; empty before the run has started."""
        with self._lock:
            return self._read(folder).addresses

    def classes(self, folder: Path) -> int:
        """How many classes its data have, for `outcomes.judge`; ten before it says so, and for one of an older version,
        which was judged by that."""
        with self._lock:
            return self._read(folder).classes

    def changes(self, folder: Path) -> tuple[Change, ...]:
        """The changes of settings so far, a fork's own among them; each holds from its step on."""
        with self._lock:
            return tuple(self._read(folder).changes)

    def paused(self, folder: Path) -> int | None:
        """The step before which the run waits; None if it goes on, or went on until its process was lost."""
        with self._lock:
            return self._read(folder).paused

    def _read(self, folder: Path) -> _Tail:
        tail = self._tails.setdefault(folder, _Tail())
        self._tails.move_to_end(folder)
        while len(self._tails) > self._most:
            self._tails.popitem(last=False)
        file = _identity(folder / EVENTS)
        if file != tail.file:
            tail.file, tail.offset = file, 0  # started again, in a new file
            _forget(tail)
        found, offset = events.read(folder / EVENTS, tail.offset)
        if offset < tail.offset or any(event["type"] == "start" for event in found):
            _forget(tail)  # started again, in the same file
        tail.offset = offset
        for event in found:
            match event["type"]:
                case "start":
                    tail.addresses = tuple(event["addresses"])
                    tail.classes = event.get("classes", CLASSES)
                case "step":
                    tail.steps.append(Step.from_dict(event))
                    tail.paused = None
                case "change":
                    tail.changes.append(Change.from_dict(event))
                case "pause":
                    tail.paused = event["step"]
                case "end":
                    tail.paused = None
        return tail


def _forget(tail: _Tail) -> None:
    tail.steps.clear()
    tail.changes.clear()
    tail.paused = None


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
