"""Reading photographs that strangers send: every file becomes a small RGB picture or one sentence that says why not.

The size is read from the file's head before anything is decoded, so a small file that unpacks to gigabytes costs
nothing. Turned (EXIF), transparent, animated, palette, CMYK and 16-bit pictures are brought to plain RGB; a note says
what was changed.
"""

from __future__ import annotations

import struct
import warnings
import zlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from inception_lab.errors import ImageError

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
MAX_BYTES = 50_000_000
MAX_PIXELS = 25_000_000
MAX_RATIO = 20
LONGEST = 1024

# What Pillow's decoders raise on hostile bytes; all of it means "this file is broken".
_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    RuntimeError,
    EOFError,
    Warning,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)


def quiet() -> None:
    """Keeps Pillow's own warnings of broken entries and large sizes from standard error: `load` says what matters.

    For the process and for good: taking filters back is not safe beside other threads (Python's documentation).
    """
    for category in (UserWarning, Image.DecompressionBombWarning):
        warnings.filterwarnings("ignore", category=category, module=r"PIL\.")


quiet()

Source = bytes | str | Path | BinaryIO | Image.Image


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """An RGB picture, upright; `note` says in plain words what was changed on the way in, or is None.

    `original` is the width and height that the file had, before it was turned or made smaller; None if nobody knows.
    """

    image: Image.Image
    name: str
    note: str | None = None
    original: tuple[int, int] | None = None


def load(source: Source | Photo, *, name: str | None = None, longest: int | None = LONGEST) -> Photo:
    """The picture in a file, its bytes, an upload or a PIL image, at most `longest` pixels on its longer side.

    `name` stands for the file in notes and errors. `longest=None` keeps every pixel. Raises `ImageError`.
    """
    if isinstance(source, Photo):
        return source
    called = _called(source, name)
    if isinstance(source, Image.Image):
        return _prepared(source, called, longest)
    content = _content(source, called)
    if not content:
        raise ImageError(f"{called} is empty (0 bytes); choose a JPEG or PNG photograph.")
    try:
        opened = Image.open(BytesIO(content), formats=FORMATS)
    except UnidentifiedImageError:
        raise ImageError(_unreadable(content, called)) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ImageError(f"{called} unpacks to more than {_mega(MAX_PIXELS)}; save it smaller.") from None
    except _BROKEN as problem:
        raise ImageError(_damaged(called, problem)) from None
    with opened:
        return _prepared(opened, called, longest)


def _prepared(opened: Image.Image, called: str, longest: int | None) -> Photo:
    _check_size(opened, called)
    original, notes = opened.size, list[str]()
    try:
        if longest is not None:
            opened.draft("RGB", (longest, longest))  # a JPEG is then decoded at 1/2, 1/4 or 1/8 already
        if getattr(opened, "n_frames", 1) > 1:
            opened.seek(0)
            notes.append(f"first of {opened.n_frames} frames")  # type: ignore[attr-defined]
        opened.load()
        image = _rgb(_upright(opened, notes), notes)
        if longest is not None:
            image.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    except ImageError:
        raise
    except _BROKEN as problem:
        raise ImageError(_damaged(called, problem)) from None
    except MemoryError:
        raise ImageError(f"{called} needs more memory than there is; save it smaller.") from None
    return Photo(image, called, "; ".join(notes) or None, original)


def _check_size(opened: Image.Image, called: str) -> None:
    width, height = opened.size
    if width * height > MAX_PIXELS:
        raise ImageError(
            f"{called} has {width:,} x {height:,} pixels; the lab reads up to {_mega(MAX_PIXELS)}, so save it smaller."
        )
    if min(width, height) < 1 or max(width, height) > MAX_RATIO * min(width, height):
        raise ImageError(
            f"{called} is {width:,} x {height:,} pixels, too long and thin to cut a square from; crop it to at most "
            f"{MAX_RATIO} : 1."
        )


def _upright(image: Image.Image, notes: list[str]) -> Image.Image:
    """The picture turned as its EXIF entry says; an entry that cannot be read leaves it as it lies."""
    try:
        if image.getexif().get(ExifTags.Base.Orientation, 1) not in range(2, 9):
            return image
        turned = ImageOps.exif_transpose(image)
    except _BROKEN:
        notes.append("its orientation entry is unreadable")
        return image
    notes.append("turned upright by its EXIF entry")
    return turned


def _rgb(image: Image.Image, notes: list[str]) -> Image.Image:
    if image.mode == "RGB" and "transparency" not in image.info:
        return image.copy()
    if image.mode.startswith("I"):
        return _from_integers(image, notes).convert("RGB")
    if image.mode == "F":
        raise ValueError("its values are floating-point numbers without a known range")
    if image.mode == "CMYK":
        notes.append("converted from CMYK without its colour profile")
        return image.convert("RGB")
    if image.has_transparency_data:
        return _on_white(image.convert("RGBA"), notes)
    return image.convert("RGB")


def _from_integers(image: Image.Image, notes: list[str]) -> Image.Image:
    """Integers of 16 or 32 bits as bytes; of 32 bits, which no camera fills, a byte's numbers are taken for bytes."""
    import numpy as np

    values = np.asarray(image).astype(np.int64)
    if values.min() < 0 or values.max() > 65_535:
        raise ValueError("its values do not fit 16 bits")
    if image.mode == "I" and values.max() <= 255:
        notes.append("32 bits per value, used as 8: none is above 255")
        return Image.fromarray(values.astype(np.uint8))
    notes.append("16 bits per value reduced to 8")
    return Image.fromarray((values // 257).astype(np.uint8))


def _on_white(image: Image.Image, notes: list[str]) -> Image.Image:
    lowest = image.getchannel("A").getextrema()[0]
    if isinstance(lowest, int) and lowest < 255:
        notes.append("transparent parts laid on white")
    ground = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(ground, image).convert("RGB")


def _content(source: bytes | str | Path | BinaryIO, called: str) -> bytes:
    if isinstance(source, bytes | bytearray | memoryview):
        content = bytes(source)
    elif isinstance(source, str | Path):
        try:
            with Path(source).expanduser().open("rb") as file:
                content = file.read(MAX_BYTES + 1)
        except (OSError, ValueError) as problem:
            why = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)
            raise ImageError(f"{called} cannot be opened ({why}); check its name and place.") from None
    else:
        source.seek(0)
        content = source.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ImageError(f"{called} is larger than {MAX_BYTES // 10**6} MB; save it smaller.")
    return content


def _called(source: object, name: str | None) -> str:
    """What to call the picture: the given name, the file's, or "the image"; printable and of bearable length."""
    own = (
        source if isinstance(source, str | Path) else getattr(source, "name", None) or getattr(source, "filename", None)
    )
    raw = name or (Path(own).name if isinstance(own, str | Path) else "") or "the image"
    printable = "".join(letter if letter.isprintable() else "?" for letter in raw)
    return printable if len(printable) <= 80 else f"{printable[:60]}…{printable[-16:]}"


def _unreadable(content: bytes, called: str) -> str:
    head = content[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith(b"<svg") or (head.startswith(b"<?xml") and b"<svg" in content[:4096].lower()):
        return f"{called} is an SVG drawing, not a photograph; save it as PNG."
    if content[4:8] == b"ftyp":
        return f"{called} is a HEIC or AVIF picture or a film, which the lab does not read; save it as JPEG."
    if head.startswith(b"%pdf"):
        return f"{called} is a PDF; save the picture in it as JPEG or PNG."
    return f"{called} is not a picture the lab can read; it takes JPEG, PNG, WebP, GIF, BMP and TIFF."


def _damaged(called: str, problem: BaseException) -> str:
    text = " ".join(str(problem).split())[:120].rstrip(".")
    if "truncated" in text.lower():
        return f"{called} ends before the picture is complete; fetch or save it again."
    why = text or type(problem).__name__
    return f"{called} is damaged or in a form the lab cannot read ({why}); save it as JPEG or PNG."


def _mega(pixels: int) -> str:
    return f"{pixels // 10**6} million pixels"
