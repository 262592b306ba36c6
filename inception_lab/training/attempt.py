"""One try at the run in a folder, made piece by piece, so that a process may have several of them in turns."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self, final

from inception_lab.errors import LabError
from inception_lab.training import replay
from inception_lab.training.control import Change, Control, Listener
from inception_lab.training.events import Status, Step
from inception_lab.training.files import AUTOPSY, EVENTS, MODEL, RESULT
from inception_lab.training.replay import Past
from inception_lab.training.report import Report, keep, settings_in
from inception_lab.training.settings import Settings
from inception_lab.training.stop import Cancelled, Signals, Stop

if TYPE_CHECKING:
    from inception_lab.training.loop import Training

OUTPUTS = (RESULT, MODEL, AUTOPSY)

log = logging.getLogger(__name__)


@final
class Attempt:
    """`with Attempt(folder, signals) as attempt:`, then `attempt.advance()` until `attempt.status` says how it ended.

    What an earlier try left in the folder is replaced. Whatever happens to the run is written down and ends this run
    alone; `unwritten` is the error of a folder that could not be written in the end.
    """

    def __init__(self, folder: Path, signals: Signals) -> None:
        self.folder = folder
        self.stop = Stop(folder, signals)
        self.status: Status | None = None
        self.unwritten: OSError | None = None
        self._signals = signals
        self._listen = Listener(folder)
        for name in OUTPUTS:
            (folder / name).unlink(missing_ok=True)
        self._file = (folder / EVENTS).open("w", encoding="utf-8")
        self.report = Report(folder, self._file)
        self._life: Iterator[bool] = self._from_its_beginning()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def advance(self) -> bool:
        """Make a piece of the run, a step at most; returns whether there was anything to make: a paused run waits."""
        with self._guarded():
            for made in self._life:
                return made
            self._close("finished", None)
        return False

    def heed(self) -> bool:
        """End the run if it was told to stop; returns whether it has ended."""
        if self.status is None:
            with self._guarded():
                self.stop.check()
        return self.status is not None

    def admit(self, *, count: int) -> Settings | None:
        """The settings with which the run can be made as one of `count`, or None: then it has ended."""
        with self._guarded():
            self.stop.check()
            self.report.together = count
            self.report.settings = settings = settings_in(self.folder)
            replay.forget(self.folder, settings)
            return settings
        return None

    def note(self, write: Callable[[Report], None]) -> None:
        """Write into the report what another made for this run."""
        if self.status is None:
            with self._guarded():
                write(self.report)

    def told(self) -> bool:
        """Whether the run was told anything (a pause, a change), as only one that is made alone can be."""
        return self._listen() != Control()

    def go_on(self, begin: Callable[[], Training]) -> None:
        """From now on be made by `advance` as the training that `begin` gives, whose steps so far are reported."""
        self._life = self._continued(begin)

    def again(self) -> None:
        """Forget what was made, and be made from the beginning by `advance`."""
        self._file.seek(0)
        self._file.truncate()
        self.report = Report(self.folder, self._file)
        self._life = self._from_its_beginning()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """What is raised inside ends this run and is written down."""
        try:
            yield
        except Cancelled:
            self._close("cancelled", None)
        except LabError as refused:
            self._close("failed", str(refused))
        except Exception as failure:
            log.exception("The run in %s failed", self.folder)
            self._close("failed", f"{type(failure).__name__}: {failure}")

    def _close(self, status: Status, error: str | None) -> None:
        self.status = status
        self._life = iter(())  # with the network it holds
        if self.report.settings is None:
            with suppress(LabError, OSError):
                self.report.settings = settings_in(self.folder)
        try:
            self.report.close(status, error)
        except OSError as unwritten:
            log.exception("How the run in %s ended could not be written", self.folder)
            self.status, self.unwritten = "failed", unwritten

    def _from_its_beginning(self) -> Iterator[bool]:
        self.report.settings = settings = settings_in(self.folder)
        replay.forget(self.folder, settings)
        past = Past(settings) if settings.fork is None else replay.read(self.folder, settings)
        self.stop.check()
        with self._signals.at_once():
            from inception_lab.training.drive import begun
            from inception_lab.training.optim import without_compiler

            without_compiler()
            training = begun(self.folder, past)
        self.report.start(
            addresses=training.addresses,
            threads=training.settings.threads,
            device=training.device.type,
            parameters=training.parameters,
        )
        for known in past.before(training.at):
            self.report.step(known) if isinstance(known, Step) else self.report.change(known)
        yield from self._driven(training, settings, past)

    def _continued(self, begin: Callable[[], Training]) -> Iterator[bool]:
        settings = self.report.settings
        assert settings is not None
        self.stop.check()
        yield from self._driven(begin(), settings, Past(settings))

    def _driven(self, training: Training, settings: Settings, past: Past) -> Iterator[bool]:
        """From where the training is to the end: True after each step, False each time it is asked and waits."""
        from inception_lab.training.drive import Drive

        planned: list[Change] = [change for change in past.changes if change.step > training.at]
        planned += replay.own_changes(settings, past)
        drive = Drive(
            training, self.folder, report=self.report, stop=self.stop.check, planned=planned, free=len(past.steps)
        )
        for step in drive.steps():
            if step is None:
                yield False
                continue
            if settings.fork is not None and step.step < settings.fork.step:
                step = past.same(step, run=settings.fork.run)
            self.report.step(step)
            self.stop.check()
            yield True
        self.report.test_accuracy = training.test_accuracy(stop=self.stop)
        self.stop.check()
        keep(training, settings, self.folder)
