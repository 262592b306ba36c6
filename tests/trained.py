"""Runs that really trained, for the tests of what is done with their networks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors import safe_open
from safetensors.torch import load_file, save_file

from inception_lab.jobs.folder import ending
from inception_lab.jobs.store import Store
from inception_lab.training.worker import work
from tests.training.tiny import tiny


def train(home: Path, **changes: object) -> str:
    """A tiny run under `home`, made in this process and finished; returns its id."""
    store = Store(home, supervised=False)
    id = store.submit(tiny(**changes))
    store.claim(1)
    assert work(store.folder(id)) == 0
    store.finish(id, ending(store.folder(id)))
    return id


def about(file: Path) -> dict[str, Any]:
    """What the head of a run's weights says."""
    with safe_open(file, framework="numpy") as opened:
        found: dict[str, Any] = json.loads(opened.metadata()["inception_lab"])
    return found


def rewrite(file: Path, about: dict[str, Any], **tensors: Any) -> None:
    """Give a run's weights another head, and other tensors where named."""
    save_file(load_file(file) | tensors, file, metadata={"inception_lab": json.dumps(about)})
