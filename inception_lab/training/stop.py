"""How a run hears that it shall stop: by the file `cancel` in its folder, or by a signal to its process."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import final

from inception_lab.training.files import CANCEL


class Cancelled(Exception):
    """The run was told to stop."""


@final
class Signals:
    """SIGTERM and SIGINT, heard as the word to stop for every run of this process."""

    def __init__(self) -> None:
        self.heard = False
        self._loading = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear signals inside; possible in a process's main thread only, elsewhere nothing is heard."""
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
        self._loading = True
        try:
            yield
        finally:
            self._loading = False

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self.heard = True
        if self._loading:
            raise Cancelled


@final
class Stop:
    """Whether the run in a folder was told to stop."""

    def __init__(self, folder: Path, signals: Signals) -> None:
        self._file = folder / CANCEL
        self._signals = signals

    def __call__(self) -> bool:
        return self._signals.heard or self._file.exists()

    def check(self) -> None:
        """Raises `Cancelled` if the run was told to stop."""
        if self():
            raise Cancelled
