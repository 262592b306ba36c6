"""How runs get a process: on this machine (`local`, the default) or on a Ray cluster (`ray`, when RAY_ADDRESS is set).

Both call the same worker function with the run's folder, so a run does the same under both. An executor keeps nothing
that matters: a supervisor that dies takes it along, and the next one finds the same runs again by what the store and
the cluster know.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any, Protocol, final

from inception_lab.errors import RunError
from inception_lab.jobs import memory
from inception_lab.jobs.launch import WORK, python_path
from inception_lab.jobs.process import this_process
from inception_lab.jobs.room import at_once as at_once
from inception_lab.jobs.room import cores as cores
from inception_lab.jobs.room import fits, on_gpu
from inception_lab.jobs.room import parallel as parallel
from inception_lab.jobs.store import Run, Store
from inception_lab.training.files import LOG
from inception_lab.training.settings import Settings

HEAVY = ("inception_lab.training.loop", "torch.fx.experimental.symbolic_shapes")
"""What takes a run seconds to import: torch, and sympy, which torch loads at the first tensor on the meta device."""


class Executor(Protocol):
    """What the supervisor asks of a place where runs can run."""

    @property
    def slots(self) -> int:
        """How many runs it takes at once, at most."""

    def fits(self, run: Run, beside: Sequence[Run]) -> bool:
        """Whether there is room for the run beside those that run."""

    def ready(self) -> bool:
        """Whether a run would start at once; never waits."""

    def start(self, run: Run) -> None:
        """Give the run a process."""

    def alive(self, run: Run) -> bool:
        """Whether the run's process lives, whoever started it."""

    def end(self, run: Run, *, force: bool) -> None:
        """Ask the run's process to end; with `force`, end it."""

    def exit_status(self, run: Run) -> int | None:
        """Exit status of a process that is gone, negative for a signal; None if nobody knows any more."""


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
        self._home = home
        self._work = work
        self._forks = "forkserver" in multiprocessing.get_all_start_methods()
        self._context: Any = multiprocessing.get_context("forkserver" if self._forks else "spawn")
        self._own: dict[str, Any] = {}
        self._warming: Thread | None = None
        if self._forks:
            modules = [__name__, work.partition(":")[0], *(HEAVY if work == WORK else ())]
            self._context.set_forkserver_preload(modules)

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

    def start(self, run: Run) -> None:
        """Fork a process for the run."""
        process = self._context.Process(target=_main, args=(self._home, run.id, self._work), name=f"run {run.id}")
        process.start()
        self._own[run.id] = process

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

    def _warm(self) -> None:
        first = self._context.Process(target=_nothing)
        first.start()
        first.join()


@final
class RayExecutor:
    """Runs as detached actors of the Ray cluster at `address`, one each, found again by name.

    The cluster must see the lab's home at the same path (a shared disk) and have this version of the lab installed. A
    run asks for as many CPUs as it has threads, and for one GPU if its device is cuda. Ray has no gentle signal: a
    cancelled run ends by the file `cancel` in its folder, and is killed if that takes too long.
    """

    def __init__(self, work: str, *, address: str = "auto", slots: int | None = None) -> None:
        try:
            ray: Any = import_module("ray")
        except ImportError:
            raise RunError("Ray is not installed. Install it with pip install 'ray>=2.50,<3'.") from None
        self._ray = ray
        self._work = work
        handler = signal.getsignal(signal.SIGTERM)
        try:
            _reach(address)
            ray.init(address=address, namespace="inception-lab", log_to_driver=False, configure_logging=False)
        except (ConnectionError, ValueError, RuntimeError, OSError) as error:
            raise RunError(
                f"There is no Ray cluster at {address}: {_first_line(error)} Start one with ray start --head, or unset "
                "RAY_ADDRESS to run on this machine."
            ) from None
        signal.signal(signal.SIGTERM, handler)  # Ray has put its own in place
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

    def start(self, run: Run) -> None:
        """Make an actor for the run; Ray starts it when the cluster has room."""
        actor = self._ray.remote(_Actor).options(
            name=run.id,
            lifetime="detached",
            num_cpus=run.settings.threads,
            num_gpus=int(_gets_gpu(run.settings)),
            runtime_env={"env_vars": {"PYTHONPATH": python_path()}},
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


def executor(home: Path, work: str) -> Executor:
    """The executor that the environment asks for. Raises `RunError` if it cannot be had."""
    address = os.environ.get("RAY_ADDRESS")
    return RayExecutor(work, address=address) if address else LocalExecutor(home, work)


class _Actor:
    """A run inside a Ray worker process."""

    def work(self, folder: str, work: str) -> None:
        ray: Any = import_module("ray")
        _log_to(Path(folder))
        try:
            _function(work)(Path(folder))
        except Exception:  # whatever it was, the actor must end, or it would hold its place in the cluster for good
            traceback.print_exc()
        ray.actor.exit_actor()


def _main(home: Path, id: str, work: str) -> None:
    """A run's process, from its first moment to its last."""
    if sys.platform != "win32":
        os.setsid()
    store = Store(home, supervised=False)
    _log_to(store.folder(id))
    store.record(id, this_process())
    sys.exit(_function(work)(store.folder(id)))


def _log_to(folder: Path) -> None:
    log = os.open(folder / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)


def _function(work: str) -> Any:
    module, _, name = work.partition(":")
    return getattr(import_module(module), name)


def _gets_gpu(settings: Settings) -> bool:
    return settings.device == "cuda"


def _nothing() -> None:
    """Run once to wait for the fork server to be up."""


def _reach(address: str) -> None:
    """Raises `OSError` if nobody listens at `host:port`; Ray itself would go on trying for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdecimal():
        socket.create_connection((host, int(port)), timeout=5).close()


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
