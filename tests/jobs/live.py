"""Waiting for live processes, and finding them."""

import time
from collections.abc import Callable
from pathlib import Path

import psutil


def until(condition: Callable[[], object], *, seconds: float = 20.0) -> float:
    """Poll until `condition` holds; returns the seconds it took."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < seconds, f"not within {seconds} s"
        time.sleep(0.01)
    return time.monotonic() - begun


def processes(home: Path) -> list[psutil.Process]:
    """Supervisors, fork servers and runs of `home`: all of them work in its folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(home):
                found.append(process)
        except psutil.Error:
            continue
    return found
