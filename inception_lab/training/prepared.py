"""A data set as arrays on disk, made once for each image size and then only mapped: thirty runs share one copy.

Decoding photographs takes a minute and unpacking an archive a second or more, so the first run that needs a data set at
a size writes what came out beside its files, under `$INCEPTION_LAB_HOME/data`, and the others wait for it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain, tee
from pathlib import Path

import numpy as np
from filelock import FileLock
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from inception_lab.errors import DataError
from inception_lab.training import cifar, extract, folder_data, idx, imagenette, pictures, textures
from inception_lab.training.datasets import FOLDER, SHIPPED, Described, bytes_needed, data_home, ready

VERSION = 1  # of how the arrays are made; another number makes them anew

Bytes = NDArray[np.uint8]
Progress = Callable[[int, int], None]
"""Called with (images done, images in all); what it raises ends the preparation."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arrays:
    """Images (N, channels, side, side) of 0 to 255 and labels (N), to train on and to test with."""

    train_images: Bytes
    train_labels: Bytes
    test_images: Bytes
    test_labels: Bytes


NAMES = ("train_images", "train_labels", "test_images", "test_labels")


def arrays(name: str, *, size: int, home: Path | str | None = None, progress: Progress | None = None) -> Arrays:
    """The whole data set for runs whose image size is `size`; mapped, so memory is taken only where it is read.

    Raises `DataError` for a set that is not on this machine or damaged, and for a disk with too little room.
    """
    data = ready(name, home=home)
    if name == SHIPPED:
        found = extract.load()
        return Arrays(
            train_images=found.train_images[:, None],
            train_labels=found.train_labels,
            test_images=found.test_images[:, None],
            test_labels=found.test_labels,
        )
    place = _place(data, size, home)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(place.parent / f".{_kind(data, place)}.lock"):
            if not place.is_dir():
                _make(data, size, place, home, progress)
            return _mapped(data, size, place)  # before another makes room for a newer state of the folder
    except OSError as problem:
        raise DataError(
            f"{data.title} could not be prepared in {place.parent} ({problem.strerror or problem}). Make room, or set "
            "INCEPTION_LAB_HOME to a folder with some."
        ) from None


def _place(data: Described, size: int, home: Path | str | None) -> Path:
    """Where its arrays lie. A folder of images has a place for each state it was found in."""
    called = f"v{VERSION}-{data.side(size)}"
    if not data.name.startswith(FOLDER):
        return data.place(home) / called
    found = folder_data.scan(Path(data.source))
    whose = sha256(data.source.encode()).hexdigest()[:16]
    return data_home(home) / "folders" / whose / f"{called}-{folder_data.state(found)}"


def _kind(data: Described, place: Path) -> str:
    """What all places have in common that take room from each other: the states of a folder at one size."""
    return place.name.rsplit("-", 1)[0] if data.name.startswith(FOLDER) else place.name


def _make(data: Described, size: int, place: Path, home: Path | str | None, progress: Progress | None) -> None:
    """Write the arrays into a draft and give it its name when it is whole."""
    need, free = bytes_needed(data.name, size), shutil.disk_usage(place.parent).free
    if need > free:
        raise DataError(
            f"{data.title} at {data.side(size)} pixels takes {need / 1e9:.1f} GB on disk and {place.parent} has "
            f"{free / 1e9:.1f} GB free. Take a smaller image size, or set INCEPTION_LAB_HOME to a larger disk."
        )
    draft = place.with_name(f".{place.name}.{os.getpid()}.part")
    for left in place.parent.glob(f".{place.name}.*.part"):  # by a process that was killed: the lock is ours
        shutil.rmtree(left, ignore_errors=True)
    draft.mkdir()
    try:
        _fill(data, _empty(data, size, draft), home, progress)
        draft.rename(place)  # nothing maps the files any more, which Windows would mind
    except BaseException:  # also Ctrl-C: half a data set is of no use to anyone
        shutil.rmtree(draft, ignore_errors=True)
        raise
    for old in place.parent.glob(f"{_kind(data, place)}-*") if data.name.startswith(FOLDER) else ():
        if old != place:
            shutil.rmtree(old, ignore_errors=True)


def _empty(data: Described, size: int, draft: Path) -> Arrays:
    side = data.side(size)
    counts = {"train": data.train, "test": data.test}
    made = {}
    for name in NAMES:
        part, kind = name.split("_")
        shape = (counts[part], data.channels, side, side) if kind == "images" else (counts[part],)
        made[name] = open_memmap(draft / f"{name}.npy", mode="w+", dtype=_dtype(data, kind), shape=shape)
    return Arrays(**made)


def _dtype(data: Described, kind: str) -> type[np.unsignedinteger]:
    return np.uint8 if kind == "images" or data.classes <= 256 else np.uint16


def _mapped(data: Described, size: int, place: Path) -> Arrays:
    made = {}
    for name in NAMES:
        try:
            # Copy on write: the pages are shared, and what a caller changes stays his own.
            made[name] = np.load(place / f"{name}.npy", mmap_mode="c", allow_pickle=False)
        except (ValueError, EOFError, FileNotFoundError) as problem:
            raise DataError(f"{place / name}.npy is damaged ({problem}). Delete {place} and start again.") from None
    return Arrays(**made)


def _fill(data: Described, into: Arrays, home: Path | str | None, progress: Progress | None) -> None:
    match data.name:
        case "fashion_mnist":
            _fill_fashion(data, into, data.place(home))
        case "cifar10":
            found = cifar.read(data.place(home) / data.files[0].name, train=data.train, test=data.test)
            for name, values in zip(NAMES, found, strict=True):
                getattr(into, name)[:] = values
        case "textures":
            into.train_images[:], into.train_labels[:] = textures.images(data.train, part=0)
            into.test_images[:], into.test_labels[:] = textures.images(data.test, part=1)
        case "imagenette":
            _fill_imagenette(data, into, data.place(home) / data.files[0].name, progress)
        case _:
            _fill_folder(data, into, progress)


def _fill_fashion(data: Described, into: Arrays, place: Path) -> None:
    for name, file in zip(NAMES, data.files, strict=True):
        wanted = getattr(into, name)
        values = idx.read(place / file.name, shape=tuple(side for side in wanted.shape if side != 1))
        wanted[:] = values.reshape(wanted.shape)


def _fill_imagenette(data: Described, into: Arrays, archive: Path, progress: Progress | None) -> None:
    told, files = tee(imagenette.photographs(archive))
    seen = {"train": 0, "val": 0}
    places = {"train": (into.train_images, into.train_labels), "val": (into.test_images, into.test_labels)}
    squares = pictures.squares((content for _, _, content in files), into.train_images.shape[-1])
    whole = data.train + data.test
    for done, (pixels, (part, label, _)) in enumerate(zip(squares, told, strict=True)):
        images, labels = places[part]
        if pixels is None or seen[part] == len(images):
            raise DataError(f"{archive} holds photographs it should not. Delete it and fetch it again.")
        images[seen[part]], labels[seen[part]] = pixels, label
        seen[part] += 1
        if progress is not None:
            progress(done + 1, whole)
    if seen != {"train": data.train, "val": data.test}:
        raise DataError(
            f"{archive} holds {seen['train']:,} and {seen['val']:,} photographs, not {data.train:,} and {data.test:,}. "
            "Delete it and fetch it again."
        )


def _fill_folder(data: Described, into: Arrays, progress: Progress | None) -> None:
    found = folder_data.scan(Path(data.source))
    files = [file for file, _ in chain(found.train, found.test)]
    into.train_labels[:] = [label for _, label in found.train]
    into.test_labels[:] = [label for _, label in found.test]
    slots: Iterator[Bytes] = chain(into.train_images, into.test_images)
    bad = []
    squares = pictures.squares(files, into.train_images.shape[-1])
    for done, (slot, file, pixels) in enumerate(zip(slots, files, squares, strict=True)):
        if pixels is None:
            bad.append(str(file.relative_to(found.path)))
        else:
            slot[:] = pixels
        if progress is not None:
            progress(done + 1, len(files))
    if bad:
        named = ", ".join(bad[:5]) + (" and so on" if len(bad) > 5 else "")
        raise DataError(
            f"{len(bad):,} of the {len(files):,} images in {found.path} cannot be read as 8-bit pictures: {named}. "
            "Remove them or save them again."
        )
