"""How runs get a process: on this machine (`local`, the default) or on a Ray cluster (`ray`, when RAY_ADDRESS is set).

Both call the same worker function with the run's folder, so a run does the same under both. An executor keeps nothing
that matters: a supervisor that dies takes it along, and the next one finds the same runs again by what the store and
the cluster know.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Sequence
from pathlib import Path
from threading import Thread
from typing import Any, Protocol, final

from inception_lab.errors import RunError
from inception_lab.jobs import memory, stacking
from inception_lab.jobs.cluster import RayExecutor as RayExecutor
from inception_lab.jobs.entry import run_process
from inception_lab.jobs.launch import WORK
from inception_lab.jobs.room import at_once as at_once
from inception_lab.jobs.room import cores as cores
from inception_lab.jobs.room import fits, on_gpu
from inception_lab.jobs.room import parallel as parallel
from inception_lab.jobs.store import Run
from inception_lab.training import control

HEAVY = ("inception_lab.training.loop", "torch.fx.experimental.symbolic_shapes")
"""What takes a run seconds to import: torch, and sympy, which torch loads at the first tensor on the meta device."""


class Executor(Protocol):
    """What the supervisor asks of a place where runs can run."""

    @property
    def slots(self) -> int:
        """How many processes it takes at once, at most."""

    @property
    def stacks(self) -> bool:
        """Whether it may give several runs one process."""

    def joins(self, run: Run, stack: Sequence[Run]) -> bool:
        """Whether the run may share the process of those."""

    def fits(self, run: Run, beside: Sequence[Run]) -> bool:
        """Whether there is room for the run beside those that run."""

    def ready(self) -> bool:
        """Whether a run would start at once; never waits."""

    def start(self, runs: Sequence[Run]) -> None:
        """Give the runs a process."""

    def alive(self, run: Run) -> bool:
        """Whether the run's process lives, whoever started it."""

    def end(self, run: Run, *, force: bool) -> None:
        """Ask the run's process to end; with `force`, end it."""

    def exit_status(self, run: Run) -> int | None:
        """Exit status of a process that is gone, negative for a signal; None if nobody knows any more."""

    def forget(self, run: Run) -> None:
        """The run has ended, its process goes on with others."""


@final
class LocalExecutor:
    """Runs as processes of this machine, forked from a server that has already imported what a run needs.

    The fork server imports torch but never uses it, so a fork is safe and takes about ten milliseconds. Each process
    leads its own group, writes what it prints to the run's `log.txt`, and lives on without the supervisor. Where there
    is no fork (Windows), each run starts a fresh interpreter instead.
    """

    def __init__(self, home: Path, work: str, *, slots: int | None = None) -> None:
        self._counted = slots or parallel()
        self.slots = self._counted or cores()
        self.stacks = stacking.wanted()
        self._home = home
        self._work = work
        self._forks = "forkserver" in multiprocessing.get_all_start_methods()
        self._context: Any = multiprocessing.get_context("forkserver" if self._forks else "spawn")
        self._own: dict[str, Any] = {}
        self._warming: Thread | None = None
        if self._forks:
            modules = [__name__, work.partition(":")[0], *(HEAVY if work == WORK else ())]
            self._context.set_forkserver_preload(modules)

    def joins(self, run: Run, stack: Sequence[Run]) -> bool:
        """Runs of one sweep that were told nothing, if their settings allow it (see `stacking`)."""
        return (
            run.group is not None
            and run.group == stack[0].group
            and stacking.joins(run.settings, [each.settings for each in stack])
            and not _told(run)
            and not _told(stack[0])
        )

    def fits(self, run: Run, beside: Sequence[Run]) -> bool:
        """As many as are asked for; else as the cores have threads for, and one on the GPU, which all would share."""
        if self._counted is not None:
            return True
        others = [each.settings for each in beside]
        return fits(run.settings, others, threads=cores(), gpus=1, takes_gpu=on_gpu, held=memory.available())

    def ready(self) -> bool:
        """False until the fork server has imported torch, which the first call sets off."""
        if not self._forks:
            return True
        if self._warming is None:
            self._warming = Thread(target=self._warm, daemon=True)
            self._warming.start()
        return not self._warming.is_alive()

    def start(self, runs: Sequence[Run]) -> None:
        """Fork a process for the runs; several are made by `work`'s other self, whose name ends in `_together`."""
        ids = [run.id for run in runs]
        process = self._context.Process(
            target=run_process, args=(self._home, ids, self._work), name=f"run {' '.join(ids)}"
        )
        process.start()
        self._own |= dict.fromkeys(ids, process)

    def alive(self, run: Run) -> bool:
        """By process id, so that it holds for a run of an earlier supervisor too."""
        own = self._own.get(run.id)
        if run.process is None and own is not None:
            return bool(own.is_alive())
        return run.alive

    def end(self, run: Run, *, force: bool) -> None:
        """SIGTERM or SIGKILL to the run's process group."""
        own = self._own.get(run.id)
        if run.process is not None:
            run.process.end(force=force)
        elif own is not None:
            own.kill() if force else own.terminate()

    def exit_status(self, run: Run) -> int | None:
        """Known for runs that this executor started."""
        own = self._own.pop(run.id, None)
        if own is None:
            return None
        own.join(1.0)
        return None if own.exitcode is None else int(own.exitcode)

    def forget(self, run: Run) -> None:
        """Let go of the process, which keeps a file open here."""
        self._own.pop(run.id, None)

    def _warm(self) -> None:
        first = self._context.Process(target=_nothing)
        first.start()
        first.join()


def executor(home: Path, work: str) -> Executor:
    """The executor that the environment asks for. Raises `RunError` if it cannot be had."""
    address = os.environ.get("RAY_ADDRESS")
    return RayExecutor(work, address=address) if address else LocalExecutor(home, work)


def _told(run: Run) -> bool:
    """Whether somebody paused or changed the run, which it heeds by itself only."""
    try:
        return control.read(run.folder) != control.Control()
    except RunError:
        return True


def _nothing() -> None:
    """Run once to wait for the fork server to be up."""
