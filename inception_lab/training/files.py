"""What the files in a run's folder are called, and the one way to write a file whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

SETTINGS, EVENTS, RESULT = "settings.json", "events.jsonl", "result.json"
MODEL, LOG, CANCEL = "model.safetensors", "log.txt", "cancel"


def replace(file: Path, content: bytes) -> None:
    """Give `file` this content; who reads it, even after a power cut, finds the old content or all of the new."""
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    with part.open("wb") as draft:
        draft.write(content)
        draft.flush()
        os.fsync(draft.fileno())  # or the new name could reach the disk before the bytes do, and name an empty file
    part.replace(file)
