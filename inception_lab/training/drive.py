"""Makes the steps of a run as it is told: pauses, changes settings, keeps checkpoints, and begins a fork."""

from __future__ import annotations

import logging
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Protocol, final

from inception_lab.errors import RunError
from inception_lab.training import checkpoint, files
from inception_lab.training.control import Change, Control, Listener
from inception_lab.training.events import Step
from inception_lab.training.loop import Training
from inception_lab.training.replay import Past

SETTLED = 1.0
"""Seconds after which a pause keeps a checkpoint: a click for one more step should not wait for the disk."""
BEAT = 5.0
"""Seconds between two signs of life of a paused run, which are seen where its process cannot be looked up."""
TOGETHER = 16
"""Steps after which a run on a GPU listens, as the GPU has to be waited for then; on a CPU it listens at each step."""

log = logging.getLogger(__name__)


class Report(Protocol):
    """Where a run notes what it does."""

    waited: float

    def change(self, change: Change) -> None:
        """Settings have changed."""

    def pause(self, step: int) -> None:
        """The run waits before this step."""


def begun(folder: Path, past: Past) -> Training:
    """A fork at the newest checkpoint in its folder that can be read and is not past its step, or at step 0."""
    for step, file in reversed(files.checkpoints(folder).items()):
        if step > len(past.steps):
            continue
        try:
            state = checkpoint.load(file)
        except RunError as damaged:
            log.warning("%s", damaged)
            continue
        training = Training(past.at(step))
        training.restore(state)
        return training
    return Training(past.at(0))


@final
class Drive:
    """The steps of `training` as `control.json` in `folder` says.

    `planned` changes hold at their steps; what the run is told holds at step `free` at the earliest. `report` notes
    pauses, how long they took, and changes; `stop` is asked while the run waits, and raises to end it.
    """

    def __init__(
        self,
        training: Training,
        folder: Path,
        *,
        report: Report,
        stop: Callable[[], None],
        planned: Iterable[Change] = (),
        free: int = 0,
    ) -> None:
        self._training = training
        self._folder = folder
        self._report = report
        self._stop = stop
        self._planned = deque(planned)
        self._free = free
        self._listen = Listener(folder)
        self._obeyed = 0
        self._kept: Path | None = None  # the checkpoint of the last pause

    def steps(self) -> Iterator[Step | None]:
        """The steps from where the training is to its last; None while the run waits: ask again after a while."""
        while self._training.at < self._training.settings.steps:
            self._keep_due()
            told = self._change()
            if told.pauses(self._training.at):
                yield from self._wait()
            yield from self._training.steps(until=self._until(self._listen()))

    def _until(self, told: Control) -> int:
        """Where to look up again: training goes there without being asked anything."""
        at, every = self._training.at, self._training.settings.checkpoint_every
        stops = {at + (TOGETHER if self._training.device.type == "cuda" else 1), self._free, told.pause_at or 0}
        stops |= {change.step for change in (*self._planned, *told.changes[self._obeyed :])}
        stops |= {at - at % every + every} if every else set()
        return min(stop for stop in stops if stop > at)

    def _change(self) -> Control:
        """Let the changes hold that are due; returns what the run was told by now."""
        while self._planned and self._planned[0].step <= self._training.at:
            self._apply(self._planned.popleft())
        told = self._listen()
        if self._training.at >= self._free:
            for change in told.changes[self._obeyed :]:
                if change.step > self._training.at:
                    break
                self._apply(change)
                self._obeyed += 1
        return told

    def _apply(self, change: Change) -> None:
        self._report.change(Change(self._training.change(**change.settings), change.settings))

    def _wait(self) -> Iterator[None]:
        """None until the run may make its next step."""
        began = beat = time.monotonic()
        kept = False
        self._report.pause(self._training.at)
        while self._change().pauses(self._training.at):
            self._stop()
            now = time.monotonic()
            if not kept and now - began > SETTLED:
                self._keep_pause()
                kept = True
            if now - beat > BEAT:
                os.utime(self._folder / files.EVENTS)
                beat = now
            yield None
            self._report.waited += time.monotonic() - now

    def _keep_due(self) -> None:
        every, at = self._training.settings.checkpoint_every, self._training.at
        if every and at and at % every == 0:
            self._keep()

    def _keep_pause(self) -> None:
        """One checkpoint for the pause, in place of that of the last pause."""
        before, every = self._kept, self._training.settings.checkpoint_every
        if every and self._training.at % every == 0:
            return
        self._kept = self._keep()
        if before is not None and before != self._kept:
            before.unlink(missing_ok=True)

    def _keep(self) -> Path | None:
        """Keep a checkpoint of this step; a run that cannot goes on without, as all can be made again."""
        file = self._folder / files.checkpoint(self._training.at)
        if file.exists():
            return None
        try:
            return checkpoint.save(self._training, self._folder)
        except (OSError, RuntimeError) as error:
            log.warning("No checkpoint at step %d: %s", self._training.at, error)
            return None
