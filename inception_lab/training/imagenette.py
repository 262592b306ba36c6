"""Imagenette's archive: `imagenette2-160/train/n01440764/….JPEG` and `val/`, read in one pass and never unpacked."""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Literal

from inception_lab.errors import DataError

# Sorted, so a class's place here is its label; the names stand in `datasets`.
WNIDS = (
    "n01440764",
    "n02102040",
    "n02979186",
    "n03000684",
    "n03028079",
    "n03394916",
    "n03417042",
    "n03425413",
    "n03445777",
    "n03888257",
)
LARGEST = 20_000_000  # bytes of one photograph; the real ones have 10,000

Part = Literal["train", "val"]


def photographs(archive: Path) -> Iterator[tuple[Part, int, bytes]]:
    """Each photograph as it lies in the archive: its part, its label and the bytes of its file. Raises `DataError`."""
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                at = PurePosixPath(member.name)
                part, wnid = at.parts[-3:-1] if len(at.parts) > 2 else ("", "")
                if member.isfile() and wnid in WNIDS and part in ("train", "val") and member.size <= LARGEST:
                    content = tar.extractfile(member)
                    assert content is not None  # it is a file
                    yield ("train" if part == "train" else "val"), WNIDS.index(wnid), content.read()
    except (OSError, EOFError, tarfile.TarError, zlib.error) as problem:
        raise DataError(f"{archive} cannot be unpacked ({problem}). Delete it and fetch it again.") from None
