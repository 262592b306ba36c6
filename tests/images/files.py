"""Picture files made in memory, the well-behaved and the awkward."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image


def scene(width: int = 60, height: int = 40) -> Image.Image:
    """A picture whose four corners differ: red, green, blue, yellow quarters."""
    pixels = np.zeros((height, width, 3), np.uint8)
    half, middle = height // 2, width // 2
    pixels[:half, :middle] = (200, 20, 20)
    pixels[:half, middle:] = (20, 200, 20)
    pixels[half:, :middle] = (20, 20, 200)
    pixels[half:, middle:] = (200, 200, 20)
    return Image.fromarray(pixels)


def noise(width: int, height: int, seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8))


def encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    out = BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def bomb(width: int = 12_000, height: int = 12_000) -> bytes:
    """A PNG of a few kilobytes that unpacks to width x height black bits; made row by row, so it costs no memory."""
    rows = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    data = b"".join(rows.compress(row) for _ in range(height)) + rows.flush()
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
