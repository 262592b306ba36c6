"""A folder of labelled photographs in ImageNet's layout: which files there are, of which class, and which to leave out.

A class folder is named by WordNet id (n07920052), by index (967) or by label (espresso); for a network trained here by
index or label, with _ for a slash.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from inception_lab.errors import DataError
from inception_lab.models.records import WeightRecord
from inception_lab.models.weights import labels, wnids

SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"))
VALIDATION = 50_000  # images of ILSVRC's classification task; a blacklist counts them from 1

_NAME = re.compile(r"ILSVRC2012_val_0*(\d+)", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Files:
    """Photographs below `folder` by their relative names, each with its class; `blacklisted` counts those left out."""

    folder: Path
    names: tuple[str, ...]
    targets: tuple[int, ...]
    blacklisted: int = 0

    @property
    def digest(self) -> str:
        """Names and classes in one word: another folder has another."""
        lines = (f"{target}\t{name}\n" for name, target in zip(self.names, self.targets, strict=True))
        return sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def files(folder: Path, network: WeightRecord, *, blacklist: Path | None = None) -> Files:
    """Every picture file with its class, in the order of the names, but for those of the blacklist.

    Raises `DataError` for a folder without classes, and for a blacklist that is none or names no file of the folder.
    """
    found = [(path.relative_to(folder).as_posix(), target) for path, target in _labelled(folder, network)]
    out = frozenset(ids(blacklist)) if blacklist else frozenset[int]()
    kept = [(name, target) for name, target in found if validation_id(name) not in out]
    if blacklist and len(kept) == len(found):
        raise DataError(
            f"None of the {len(out):,} ids of {blacklist} is a file below {folder}: they stand for names like "
            "ILSVRC2012_val_00000123.JPEG. Leave the blacklist out, or keep the original names."
        )
    if not kept:
        raise DataError(f"Every one of the {len(found)} files below {folder} is on the blacklist {blacklist}.")
    names, targets = zip(*kept, strict=True)
    return Files(folder, names, targets, len(found) - len(kept))


def ids(blacklist: Path) -> tuple[int, ...]:
    """The ids of `ILSVRC2014_clsloc_validation_blacklist.txt`: one number to a line, images of the validation set
    counted from 1. Raises `DataError` for anything else."""
    try:
        lines = blacklist.expanduser().read_text(encoding="utf-8").split("\n")
    except (OSError, ValueError) as problem:
        why = problem.strerror if isinstance(problem, OSError) and problem.strerror else "it is no text"
        raise DataError(f"The blacklist {blacklist} cannot be read ({why}).") from None
    found = []
    for number, line in enumerate(map(str.strip, lines), 1):
        if not line:
            continue
        if not line.isascii() or not line.isdecimal() or not 1 <= int(line[:9]) <= VALIDATION:
            raise DataError(
                f"Line {number} of {blacklist} is {line[:40]!r}; a blacklist holds one id from 1 to {VALIDATION:,} "
                "a line."
            )
        found.append(int(line))
    return tuple(found)


def validation_id(name: str) -> int | None:
    """The id of ILSVRC's validation image that a file is by its name, else None."""
    matched = _NAME.fullmatch(Path(name).stem)
    return int(matched[1]) if matched else None


def class_index(name: str, own: Sequence[str] = ()) -> int:
    """The class a folder stands for, of ImageNet's or of a run's `own`; raises `DataError` for a name that fits none,
    or two."""
    if not own and name in wnids():
        return wnids().index(name)
    if name.isdecimal() and int(name) < len(own or wnids()):
        return int(name)
    fitting = [index for index, label in enumerate(own or labels()) if spoken(label) == spoken(name)]
    if len(fitting) == 1:
        return fitting[0]
    if own:
        raise DataError(
            f"The folder {name!r} is no class of this network: name it by index, 0 to {len(own) - 1}, or "
            f"by label: {', '.join(own[:20])}."
        )
    if fitting:
        raise DataError(f"Two classes are called {name!r}; name the folder {' or '.join(wnids()[i] for i in fitting)}.")
    raise DataError(
        f"The folder {name!r} is no class: name it by WordNet id (n07920052), index (967) or label (espresso)."
    )


def spoken(name: str) -> str:
    """A label as the name of a folder can say it: without capitals, and what no folder may hold is a space."""
    return name.replace("_", " ").replace("/", " ").casefold()


def _labelled(folder: Path, network: WeightRecord) -> Iterator[tuple[Path, int]]:
    """Every picture file with its class, in the order of the names."""
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder; give one with a folder of photographs per class.")
    found = False
    for place in sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")):
        if files := sorted(_pictures(place)):
            found, index = True, class_index(place.name, network.labels)
            yield from ((path, index) for path in files)
    if not found:
        raise DataError(
            f"{folder} has no class folders with photographs; it needs one folder per class, e.g. n07920052/."
        )


def _pictures(place: Path) -> Iterator[Path]:
    """Every picture file below a folder by its suffix, links that lead nowhere too: they count as unreadable."""
    for inside, _, names in os.walk(place, onerror=_unreadable):
        for path in (Path(inside, name) for name in names if Path(name).suffix.lower() in SUFFIXES):
            if path.is_file() or path.is_symlink():
                yield path


def _unreadable(problem: OSError) -> None:
    raise DataError(f"The folder {problem.filename} cannot be read ({problem.strerror}); give yourself the right to.")
