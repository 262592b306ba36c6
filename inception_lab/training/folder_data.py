"""A folder of images as a data set: one sub-folder for each class, the images directly in it.

Classes are sorted by name. A sixth of each class, at least one image, is kept for the test; which ones follows from
their names alone, so the division is the same on every machine, whatever else lies in the folder.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path

from inception_lab.errors import DataError

SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"))
FOLDERS = "INCEPTION_LAB_FOLDERS"
"""The variable that names the directories whose folders of images an open page may read."""

LEAST = 6
"""Images a class must have: five to train on and one to test with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What lies in a folder: `train` and `test` are pairs of a file and the place of its class in `labels`."""

    path: Path
    labels: tuple[str, ...]
    train: tuple[tuple[Path, int], ...]
    test: tuple[tuple[Path, int], ...]


def scan(path: Path) -> Scan:
    """The classes and images in a folder; no image is opened.

    Raises `DataError` for a folder that is missing or unreadable, has fewer than two classes, or a class with fewer
    than six images.
    """
    try:
        if not path.is_dir():
            raise DataError(f"There is no folder {path}. Give one that has a sub-folder of images for each class.")
        places = sorted(place for place in path.iterdir() if place.is_dir() and not place.name.startswith("."))
        changed = tuple((place, place.stat().st_mtime_ns) for place in places)
        return _scan(path, changed)
    except OSError as problem:
        raise DataError(f"{problem.filename or path} cannot be read ({problem.strerror}). Check its rights.") from None


def state(found: Scan) -> str:
    """A short name that changes whenever an image of the folder is added, removed, renamed or written again."""
    digest = hashlib.sha256()
    for file, label in (*found.train, *found.test):
        try:
            told = file.stat()
        except OSError as problem:
            raise DataError(f"{file} cannot be read ({problem.strerror}). Put it back, or start a new run.") from None
        digest.update(f"{file.relative_to(found.path)}\0{label}\0{told.st_size}\0{told.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]


def allowed(path: Path, *, address: str | None) -> bool:
    """Whether a page that listens on `address` may read the folder at `path`, which anybody may name in a link.

    On this machine's own address, whoever opens the page may read its files anyway. A page that others reach (None:
    on every address) reads only what lies in a directory named by INCEPTION_LAB_FOLDERS, several of them separated as
    in PATH; links are followed first. Nothing is opened, so that a refusal does not tell what there is.
    """
    if address is not None and _loopback(address):
        return True
    real = Path(os.path.realpath(path))
    named = filter(None, os.environ.get(FOLDERS, "").split(os.pathsep))
    return any(real.is_relative_to(os.path.realpath(place)) for place in named)


def check_allowed(path: Path, *, address: str | None) -> None:
    """Raise `DataError` unless `allowed`."""
    if not allowed(path, address=address):
        raise DataError(
            f"This page is open to others, so it reads no folder named in a link. Whoever runs it can name directories "
            f"to read in {FOLDERS}, or serve the page on localhost alone."
        )


def _loopback(address: str) -> bool:
    try:
        return ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return address.lower() == "localhost"


@lru_cache(maxsize=16)
def _scan(path: Path, changed: tuple[tuple[Path, int], ...]) -> Scan:
    """Kept until a class folder changes: a page asks for the same description many times a second."""
    classes = {place.name: _images(place) for place, _ in changed}
    if len(classes) < 2:
        raise DataError(
            f"{path} has {len(classes) or 'no'} sub-folder{'s' if len(classes) != 1 else ''}; a data set needs two "
            "classes or more, each a sub-folder of images."
        )
    for name, files in classes.items():
        if len(files) < LEAST:
            raise DataError(
                f"The class {name} in {path} has {len(files)} images; each class needs at least {LEAST}, directly in "
                "its folder, as JPEG, PNG, WebP, GIF, BMP or TIFF."
            )
    train: list[tuple[Path, int]] = []
    test: list[tuple[Path, int]] = []
    for label, (name, files) in enumerate(classes.items()):
        drawn = sorted(files, key=lambda file: hashlib.sha256(f"{name}/{file.name}".encode()).digest())
        held = set(drawn[: max(1, len(files) // LEAST)])
        for file in files:
            (test if file in held else train).append((file, label))
    return Scan(path=path, labels=tuple(classes), train=tuple(train), test=tuple(test))


def _images(place: Path) -> list[Path]:
    with os.scandir(place) as entries:
        names = sorted(entry.name for entry in entries if not entry.name.startswith(".") and entry.is_file())
    return [place / name for name in names if Path(name).suffix.lower() in SUFFIXES]
