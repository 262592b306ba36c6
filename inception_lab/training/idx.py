"""The format of Fashion-MNIST: a magic number that counts the dimensions, the dimensions, then the bytes."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inception_lab.errors import DataError

BYTES = 0x08  # the format's code for unsigned bytes, the only kind these data sets use


def read(file: Path, *, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """The array of a gzipped file, which must have this shape. Raises `DataError`."""
    size = 4 + 4 * len(shape) + int(np.prod(shape))
    try:
        with gzip.open(file) as packed:
            content = packed.read(size + 1)  # never more than is due, however much a file unpacks to
    except (OSError, EOFError, zlib.error) as problem:
        raise DataError(f"{file} cannot be unpacked ({problem}). Delete it and fetch it again.") from None
    head = struct.pack(f">HBB{len(shape)}I", 0, BYTES, len(shape), *shape)
    if len(content) != size or not content.startswith(head):
        raise DataError(f"{file} does not hold bytes of shape {list(shape)}. Delete it and fetch it again.")
    return np.frombuffer(content, np.uint8, offset=len(head)).reshape(shape)
