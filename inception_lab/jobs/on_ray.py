"""A Ray cluster: finding it, what its workers need, and one function in many parts on it.

`jobs.cluster` gives training runs their actors with it, `python -m inception_lab evaluate --ray N` its parts.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from inception_lab.errors import LabError, RunError
from inception_lab.jobs.entry import function
from inception_lab.jobs.launch import python_path

PATIENCE = 5.0  # seconds for the head to answer; Ray itself would go on asking for minutes

Part = tuple[tuple[Any, ...], dict[str, Any]]
"""Arguments by place and by name; all of it travels as a pickle between processes of one version of the lab."""


def connected(address: str | None = None, *, namespace: str | None = None) -> Any:
    """Ray, connected to the cluster at `address` (RAY_ADDRESS, or the one that runs here).

    Raises `RunError` if Ray is not installed or nobody answers. The handler of SIGTERM stays the caller's.
    """
    try:
        ray: Any = import_module("ray")
    except ImportError:
        raise RunError("Ray is not installed. Install it with pip install 'ray>=2.50,<3'.") from None
    place, handler = address or os.environ.get("RAY_ADDRESS", "auto"), signal.getsignal(signal.SIGTERM)
    try:
        reach(place)
        ray.init(address=place, namespace=namespace, log_to_driver=False, configure_logging=False)
    except (ConnectionError, ValueError, RuntimeError, OSError) as error:
        raise RunError(
            f"There is no Ray cluster at {place}: {_first_line(error)} Start one with ray start --head, or unset "
            "RAY_ADDRESS to run on this machine."
        ) from None
    signal.signal(signal.SIGTERM, handler)  # Ray has put its own in place
    return ray


def worker_environment() -> dict[str, Any]:
    """What Ray gives a worker so that it finds the lab where this process has it."""
    return {"env_vars": {"PYTHONPATH": python_path()}}


def reach(address: str) -> None:
    """Raises `OSError` if nobody listens at `host:port` (an IPv6 host in brackets); other addresses are Ray's."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), timeout=PATIENCE).close()


def gpus(ray: Any) -> int:
    """How many the cluster has."""
    return int(ray.cluster_resources().get("GPU", 0))


def in_parts(
    ray: Any, work: str, parts: Sequence[Part], *, gpu: bool = False, done: Callable[[int, int], None] | None = None
) -> list[Any]:
    """`work` ("module:function") of each part as a task of the cluster, answers in the order of the parts.

    Each task asks for one CPU, and one GPU if `gpu`. `done` is called with (parts done, parts in all) and what it
    raises cancels the rest. What a task refuses is raised as the same `LabError`, any other failure as `RunError`.
    """
    task = ray.remote(_call).options(num_cpus=1, num_gpus=int(gpu), runtime_env=worker_environment())
    waiting = tasks = [task.remote(work, *part) for part in parts]
    try:
        while waiting:
            if done is not None:
                done(len(tasks) - len(waiting), len(tasks))
            ready, waiting = ray.wait(waiting, num_returns=1)
            ray.get(ready)  # a part that failed ends the rest at once
        if done is not None:
            done(len(tasks), len(tasks))
        return list(ray.get(tasks))
    except ray.exceptions.RayError as problem:
        cause = getattr(problem, "cause", None)
        raise (
            cause if isinstance(cause, LabError) else RunError(f"A part failed on the cluster: {_first_line(problem)}")
        ) from None
    finally:
        for one in waiting:
            ray.cancel(one)


def _call(work: str, words: tuple[Any, ...], named: dict[str, Any]) -> Any:
    return function(work)(*words, **named)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
