"""The answers of a long evaluation, one line of JSON per image: what was killed goes on where it stopped.

The first line says what was asked; a file that was asked something else is refused. Of several processes each writes a
file of its own beside it (`results.jsonl.1of4`) and reads them all, so the number of processes may change in between.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from inception_lab.errors import DataError
from inception_lab.images.ranking import Ranked

KIND = "inception-lab evaluation"
VERSION = 2


def done(path: Path, asked: Mapping[str, Any]) -> dict[str, Ranked]:
    """What all files of an evaluation hold, by the image's name; a last line cut off by a kill is left out.

    Raises `DataError` for a file that answers another question or is no such file.
    """
    found: dict[str, Ranked] = {}
    for part in [path, *sorted(path.parent.glob(f"{_escaped(path.name)}.*of*"))]:
        if part.is_file():
            found |= {one.file: one for one in _read(part, asked)}
    return found


@contextmanager
def written(path: Path, asked: Mapping[str, Any], *, rank: int = 0, world: int = 1) -> Iterator[BinaryIO]:
    """The file of one process, open to be added to; its head is written if it is new, a torn last line is cut off."""
    own = path if world == 1 else path.with_name(f"{path.name}.{rank}of{world}")
    try:
        own.parent.mkdir(parents=True, exist_ok=True)
        file = own.open("ab+")
    except OSError as problem:
        raise DataError(f"{own} cannot be written ({problem.strerror or problem}); give another file.") from None
    with file:
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)
        if not own.stat().st_size:
            _line(file, {"kind": KIND, "version": VERSION, **asked})
        yield file


def add(file: BinaryIO, some: Iterable[Ranked]) -> None:
    """Answers, handed to the system at once: they outlive a kill of this process."""
    for one in some:
        _line(file, {"file": one.file, "error": one.error} if one.error else {"file": one.file, "ranks": one.ranks})


def _line(file: BinaryIO, value: Mapping[str, Any]) -> None:
    file.write(json.dumps(value).encode() + b"\n")
    file.flush()


def _read(path: Path, asked: Mapping[str, Any]) -> Iterator[Ranked]:
    try:
        lines = path.read_bytes().split(b"\n")[:-1]
        rows = [json.loads(line) for line in lines]
    except (OSError, ValueError) as problem:
        raise DataError(f"{path} is not a file of an evaluation ({problem}); give another name.") from None
    if not rows:
        return
    head = rows[0] if isinstance(rows[0], dict) else {}
    if (head.get("kind"), head.get("version")) != (KIND, VERSION):
        raise DataError(f"{path} is not a file of an evaluation by this version of the lab; give another name.")
    for key, value in asked.items():
        if head.get(key) != value:
            raise DataError(
                f"{path} holds answers for another {key} ({_short(head.get(key))}, not {_short(value)}); "
                "give another name."
            )
    for row in rows[1:]:
        try:
            yield Ranked(str(row["file"]), tuple(map(int, row.get("ranks", ()))), row.get("error"))
        except (KeyError, TypeError, ValueError, AttributeError):
            raise DataError(f"{path} is damaged: {_short(row)} is no answer. Give another name.") from None


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


def _escaped(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)
