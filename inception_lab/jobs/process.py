"""Which process a run has: known by its pid, when it started, and on which machine.

A pid alone comes back for another process sooner or later, after a reboot at once. With the start time and the
machine's name for this boot, a process found again is the one that was meant.
"""

from __future__ import annotations

import os
import platform
import signal
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil

_TOLERANCE = 1.5
"""Seconds; the clock's own rounding (the kernel gives the boot time in whole seconds)."""


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A process, for good: `started` in seconds (since boot on Linux, elsewhere since the epoch), on one `machine`."""

    pid: int
    started: float
    machine: str

    @property
    def here(self) -> bool:
        """Whether it ran on this machine, so that it can be looked up."""
        return self.machine == machine()

    @property
    def alive(self) -> bool:
        """Whether it still runs; a zombie does not. Says nothing about processes that are not `here`."""
        try:
            process = psutil.Process(self.pid)
            return process.status() != psutil.STATUS_ZOMBIE and abs(_started(process) - self.started) < _TOLERANCE
        except psutil.NoSuchProcess:
            return False

    def end(self, *, force: bool = False) -> None:
        """SIGTERM, or with `force` SIGKILL, to the process and its group; a process that is gone stays gone."""
        if not self.alive:
            return
        number = signal.SIGKILL if force and sys.platform != "win32" else signal.SIGTERM
        try:
            if sys.platform != "win32" and os.getpgid(self.pid) == self.pid:
                os.killpg(self.pid, number)
            else:
                os.kill(self.pid, number)
        except ProcessLookupError:
            return


def this_process() -> ProcessId:
    """The process that asks."""
    return ProcessId(os.getpid(), _started(psutil.Process()), machine())


@cache
def machine() -> str:
    """This host in this boot; two containers on one host differ, since they do not see each other's processes."""
    host = platform.node()
    if sys.platform != "linux":
        return f"{host}:{round(psutil.boot_time() / 60)}"
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{host}:{boot}:{os.stat('/proc/self/ns/pid').st_ino}"


def _started(process: psutil.Process) -> float:
    # On Linux psutil adds the boot time, which moves when the clock is set; taken off again, what is left never moves.
    created = float(process.create_time())
    return created - psutil.boot_time() if sys.platform == "linux" else created
