"""Thousands of broken files: each becomes a picture or one sentence, whatever was done to its bytes."""

from __future__ import annotations

import random
import resource
import sys
import warnings
from functools import cache
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from inception_lab.errors import ImageError
from inception_lab.images.load import LONGEST, Photo, load, quiet
from tests.images.files import bomb, encoded, noise, scene

SEED = 20_170_204
ROOM = 600_000_000  # bytes that this process may grow by: one picture of 25 million pixels and its copies


@cache
def originals() -> tuple[bytes, ...]:
    """One small file of each kind that is read, and of the awkward ones."""
    picture, grey = scene(), noise(64, 48).convert("L")
    frames = [noise(32, 32, seed) for seed in range(3)]
    exif = Image.Exif()
    exif[0x0112] = 6
    return (
        encoded(picture, "JPEG"),
        encoded(picture, "JPEG", progressive=True, exif=exif),
        encoded(picture.convert("CMYK"), "JPEG"),
        encoded(picture, "PNG"),
        encoded(picture.convert("RGBA"), "PNG"),
        encoded(picture.convert("P"), "PNG", transparency=0),
        encoded(Image.fromarray(np.arange(48 * 64, dtype=np.uint16).reshape(48, 64) * 21), "PNG"),
        encoded(picture, "WEBP"),
        encoded(picture, "WEBP", lossless=True),
        encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]),
        encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:]),
        encoded(picture, "BMP"),
        encoded(picture.convert("1"), "BMP"),
        encoded(picture, "TIFF"),
        encoded(grey, "TIFF", compression="tiff_lzw"),
        encoded(picture, "TIFF", compression="tiff_adobe_deflate"),
        encoded(grey, "TIFF", compression="packbits"),
        bomb(),
    )


def mutated(number: int) -> bytes:
    """The file of a number, always the same: an original with flipped, cut, repeated, inserted or swapped bytes."""
    rng = random.Random(SEED + number)
    content = bytearray(rng.choice(originals()))
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        place = rng.randrange(len(content)) if content else 0
        match rng.randrange(8):
            case 0:
                content[place : place + 1] = bytes([rng.randrange(256)])
            case 1 if content:
                content[place] ^= 1 << rng.randrange(8)
            case 2:
                del content[place:]
            case 3:
                del content[place : place + rng.randrange(1, 64)]
            case 4:
                content[place:place] = content[place : place + rng.randrange(1, 256)]
            case 5:
                content[place : place + 4] = rng.choice((b"\xff" * 4, b"\x00" * 4, b"\x7f\xff\xff\xff", b"\x80\0\0\0"))
            case 6:  # the head, where sizes and lengths are
                head = rng.randrange(min(64, len(content) or 1))
                content[head : head + 2] = rng.randbytes(2)
            case _:
                other = rng.choice(originals())
                content[place:] = other[place:]
    return bytes(content)


def check(number: int) -> bool:
    """Whether the file of a number could be read; fails for anything but a picture or a sentence."""
    name = f"file{number}.jpg"
    try:
        found = load(mutated(number), name=name)
    except ImageError as problem:
        said = str(problem)
        assert name in said or said.startswith("The"), said
        assert len(said) < 400, said
        assert said.isprintable(), said
        return False
    assert isinstance(found, Photo)
    assert found.image.mode == "RGB"
    assert 1 <= min(found.image.size) <= max(found.image.size) <= LONGEST
    found.image.tobytes()
    return True


def run(count: int) -> int:
    """How many of the first `count` files could be read; nothing may warn, and memory stays bounded."""
    originals()
    before = _peak()
    with warnings.catch_warnings(record=True) as leaked:
        warnings.simplefilter("always")
        quiet()  # as at the import of the module, which pytest's own filters stand before
        read = sum(check(number) for number in range(count))
    assert [str(warning.message) for warning in leaked] == []
    assert _peak() - before < ROOM
    return read


def _peak() -> int:
    """Bytes; Linux counts in units of 1024, macOS in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def test_the_originals_are_read_but_for_the_bomb() -> None:
    for content in originals()[:-1]:
        assert load(BytesIO(content)).image.mode == "RGB"
    with pytest.raises(ImageError, match="million pixels"):
        load(originals()[-1])


def test_three_hundred_broken_files() -> None:
    assert 30 < run(300) < 200, "some are still pictures, some are not"


@pytest.mark.heavy
def test_ten_thousand_broken_files() -> None:
    assert 1_500 < run(10_000) < 5_000
