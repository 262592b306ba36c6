"""What the files in a run's folder are called, and the one way to write a file whole or not at all."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

SETTINGS, EVENTS, RESULT = "settings.json", "events.jsonl", "result.json"
MODEL, LOG, CANCEL, AUTOPSY = "model.safetensors", "log.txt", "cancel", "autopsy.html"
CONTROL = "control.json"
ORIGIN, PAST = "origin.json", "past.jsonl"  # of a fork: see `replay`

_CHECKPOINT = re.compile(r"checkpoint-(\d{6,})\.pt")


def checkpoint(step: int) -> str:
    """What the checkpoint of a step is called."""
    return f"checkpoint-{step:06d}.pt"


def checkpoints(folder: Path) -> dict[int, Path]:
    """The checkpoints in a run's folder by their step, in order."""
    found = ((_CHECKPOINT.fullmatch(file.name), file) for file in folder.glob("checkpoint-*.pt"))
    return dict(sorted((int(name[1]), file) for name, file in found if name))


@contextmanager
def whole(file: Path, *, durable: bool = True) -> Iterator[BinaryIO]:
    """What is written here becomes `file` at the end, and nothing does if that is not reached.

    Who reads the file, even after a power cut if it is `durable`, finds the old content or all of the new.
    """
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as draft:
            yield draft
            if durable:
                draft.flush()
                os.fsync(draft.fileno())  # or the new name could reach the disk before the bytes: an empty file
        part.replace(file)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def replace(file: Path, content: bytes) -> None:
    """Give `file` this content, whole or not at all."""
    with whole(file) as draft:
        draft.write(content)
