"""Runs on a Ray cluster, see `executors`."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, final

from inception_lab.jobs.entry import function, log_to
from inception_lab.jobs.on_ray import connected, worker_environment
from inception_lab.jobs.room import fits, parallel
from inception_lab.jobs.store import Run
from inception_lab.training.settings import Settings


@final
class RayExecutor:
    """Runs as detached actors of the Ray cluster at `address`, one each, found again by name.

    The cluster must see the lab's home at the same path (a shared disk) and have this version of the lab installed. A
    run asks for as many CPUs as it has threads, and for one GPU if its device is cuda. Ray has no gentle signal: a
    cancelled run ends by the file `cancel` in its folder, and is killed if that takes too long.
    """

    stacks = False

    def __init__(self, work: str, *, address: str = "auto", slots: int | None = None) -> None:
        self._ray = ray = connected(address, namespace="inception-lab")
        self._work = work
        resources = ray.cluster_resources()
        self._cpus, self._gpus = max(1, int(resources.get("CPU", 1))), int(resources.get("GPU", 0))
        self._counted = slots or parallel()
        self.slots = self._counted or self._cpus

    def fits(self, run: Run, beside: Sequence[Run]) -> bool:
        """As many as are asked for, else as the cluster has CPUs and GPUs for; Ray gives `auto` no GPU."""
        if self._counted is not None:
            return True
        others = [each.settings for each in beside]
        return fits(run.settings, others, threads=self._cpus, gpus=self._gpus, takes_gpu=_gets_gpu)

    def ready(self) -> bool:
        """Once connected, always."""
        return True

    def joins(self, run: Run, stack: Sequence[Run]) -> bool:
        """Never: each run is an actor of its own."""
        return False

    def start(self, runs: Sequence[Run]) -> None:
        """Make an actor for the run; Ray starts it when the cluster has room."""
        (run,) = runs
        actor = self._ray.remote(_Actor).options(
            name=run.id,
            lifetime="detached",
            num_cpus=run.settings.threads,
            num_gpus=int(_gets_gpu(run.settings)),
            runtime_env=worker_environment(),
        )
        actor.remote().work.remote(str(run.folder), self._work)

    def alive(self, run: Run) -> bool:
        """Whether the cluster knows the run's actor."""
        try:
            self._ray.get_actor(run.id)
        except ValueError:
            return False
        return True

    def end(self, run: Run, *, force: bool) -> None:
        """Kill the actor if `force`."""
        if not force:
            return
        try:
            self._ray.kill(self._ray.get_actor(run.id))
        except ValueError:
            return  # it has just ended by itself

    def exit_status(self, run: Run) -> int | None:
        """Ray tells only the caller who is waiting, and nobody is."""
        return None

    def forget(self, run: Run) -> None:
        """Nothing is kept."""


class _Actor:
    """A run inside a Ray worker process."""

    def work(self, folder: str, work: str) -> None:
        ray: Any = import_module("ray")
        log_to(Path(folder))
        try:
            function(work)(Path(folder))
        except Exception:  # whatever it was, the actor must end, or it would hold its place in the cluster for good
            traceback.print_exc()
        ray.actor.exit_actor()


def _gets_gpu(settings: Settings) -> bool:
    return settings.device == "cuda"
