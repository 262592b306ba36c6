"""Image files as small squares of bytes, decoded in parallel and in order."""

from __future__ import annotations

import os
import struct
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")

# What Pillow's decoders raise on damaged bytes.
_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    EOFError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)

Square = NDArray[np.uint8]


def square(content: bytes | Path, side: int) -> Square | None:
    """The middle square of a picture, upright, as RGB bytes (3, side, side); None for one that is damaged or has
    more than 8 bits a value.

    It is resized with the whole area of each new pixel taken into account, so that shrinking does not alias.
    """
    try:
        source = BytesIO(content) if isinstance(content, bytes) else content
        with Image.open(source, formats=FORMATS) as opened:
            opened.draft("RGB", (side, side))  # a JPEG much larger than asked for is decoded at 1/2, 1/4 or 1/8
            if opened.mode.startswith(("I", "F")):
                return None  # 16 or 32 bits a value: how they map to bytes is not said in the file
            upright = ImageOps.exif_transpose(opened)
            if upright.has_transparency_data:
                shown = upright.convert("RGBA")
                upright = Image.alpha_composite(Image.new("RGBA", shown.size, "white"), shown)
            fitted = ImageOps.fit(upright.convert("RGB"), (side, side), Image.Resampling.BILINEAR)
        return np.ascontiguousarray(np.asarray(fitted).transpose(2, 0, 1))
    except _BROKEN:
        return None


def squares(files: Iterable[bytes | Path], side: int) -> Iterator[Square | None]:
    """`square` of each, in order, on all cores; only a few files are held at once."""
    workers = os.cpu_count() or 1
    waiting: deque[Future[Square | None]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for file in files:
            waiting.append(pool.submit(square, file, side))
            if len(waiting) > 4 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
