"""CIFAR-10's binary version: records of one label and 3 × 32 × 32 bytes, colour planes in turn; no pickle is read."""

from __future__ import annotations

import tarfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inception_lab.errors import DataError

FOLDER = "cifar-10-batches-bin"
TRAIN = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
TEST = ("test_batch.bin",)
RECORD = 1 + 3 * 32 * 32

Bytes = NDArray[np.uint8]


def read(archive: Path, *, train: int, test: int) -> tuple[Bytes, Bytes, Bytes, Bytes]:
    """Training images (N, 3, 32, 32) and labels (N), then those of the test, straight out of the archive.

    Nothing is unpacked to disk. Raises `DataError` if a part is missing or the counts are not those asked for.
    """
    try:
        with tarfile.open(archive, "r:gz") as tar:
            parts = {}
            for member in tar:  # in one pass: going back in a gzip means unpacking it again
                folder, _, name = member.name.removeprefix("./").rpartition("/")
                if folder == FOLDER and name in TRAIN + TEST and member.isfile():
                    content = tar.extractfile(member)
                    assert content is not None  # it is a file
                    parts[name] = content.read((train + test) * RECORD)
    except (OSError, EOFError, tarfile.TarError, zlib.error) as problem:
        raise DataError(f"{archive} cannot be unpacked ({problem}). Delete it and fetch it again.") from None
    return *_joined(archive, parts, TRAIN, train), *_joined(archive, parts, TEST, test)


def _joined(archive: Path, parts: dict[str, bytes], names: tuple[str, ...], count: int) -> tuple[Bytes, Bytes]:
    content = b"".join(parts.get(name, b"") for name in names)
    if len(content) != count * RECORD:
        raise DataError(
            f"{archive} holds {len(content) / RECORD:,.6g} images in {', '.join(names)}, not {count:,}. Delete it and "
            "fetch it again."
        )
    records = np.frombuffer(content, np.uint8).reshape(count, RECORD)
    return records[:, 1:].reshape(count, 3, 32, 32), records[:, 0]
