"""What a run's process does before and after the run."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from inception_lab.jobs.process import this_process
from inception_lab.jobs.store import Store
from inception_lab.training.files import LOG


def run_process(home: Path, ids: Sequence[str], work: str) -> None:
    """The process of a run, or of several, from its first moment to its last."""
    if sys.platform != "win32":
        os.setsid()
    store, me = Store(home, supervised=False, lasting=False), this_process()
    first, *others = [store.folder(id) for id in ids]
    log_to(first)
    for folder in others:
        with (folder / LOG).open("a", encoding="utf-8") as log:
            log.write(f"Trained in one process with run {first.name}, whose log.txt has what the process said.\n")
    for id in ids:
        store.record(id, me)
    sys.exit(function(f"{work}_together")([first, *others]) if others else function(work)(first))


def log_to(folder: Path) -> None:
    """Let what the process prints be added to the run's log."""
    log = os.open(folder / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)


def function(work: str) -> Any:
    """The function called `module:function`."""
    module, _, name = work.partition(":")
    return getattr(import_module(module), name)
