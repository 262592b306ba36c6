"""Fetching a data set: resumable, checked by SHA-256, and only when a person asks for it.

A download that was cut off leaves a `.part` file and goes on from there. A file has its own name only once its checksum
was right. With $INCEPTION_LAB_MIRROR, or a `source`, the files come from a folder or a web server nearby that holds
them as `$INCEPTION_LAB_HOME/data` does: a class can so share one download.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import httpx
from filelock import FileLock, Timeout

from inception_lab.errors import DataError
from inception_lab.training.datasets import Described, File, described

Progress = Callable[[int, int], None]
"""Called with (bytes done, bytes in all); what it raises ends the download, which can be taken up again."""

PATIENCE = httpx.Timeout(30, connect=8)  # seconds without a byte, and until the server answers at all
CHUNK = 1 << 18
MIRROR = "INCEPTION_LAB_MIRROR"


class _Unreachable(Exception):
    """A server that did not give the file: the next one may."""


def fetch(
    name: str, *, home: Path | str | None = None, source: str | None = None, progress: Progress | None = None
) -> Path:
    """The folder with the files of a data set, fetched and checked where they are missing or damaged.

    `source` is a folder or an http address that is asked instead of the publisher; the same files are expected of it.
    Raises `DataError`: for a name there is not, when no server can be reached or the connection breaks, when what came
    is not the file that was published, and while another process fetches the same set.
    """
    data = described(name)
    place = data.place(home)
    if not data.files:
        return place
    try:
        place.mkdir(parents=True, exist_ok=True)
        with FileLock(place / ".lock").acquire(blocking=False):
            done = 0
            for file in data.files:
                _one(data, file, place, source or os.environ.get(MIRROR) or None, _meter(progress, done, data.download))
                done += file.bytes
    except Timeout:
        raise DataError(f"{data.title} is being fetched by another process already; wait for it to end.") from None
    except OSError as problem:
        raise DataError(
            f"{data.title} could not be written to {place} ({problem.strerror or problem}). Make room, or set "
            "INCEPTION_LAB_HOME to a folder with some."
        ) from None
    return place


def _one(data: Described, file: File, place: Path, source: str | None, tell: Callable[[int], None]) -> None:
    target, part = place / file.name, place / f"{file.name}.part"
    if target.exists():
        if _sha256(target) in file.sha256:
            tell(file.bytes)
            return
        target.unlink()
    if source is not None and not source.startswith(("http://", "https://")):
        _copied(data, file, Path(source).expanduser(), part)
    else:
        _downloaded(data, file, _addresses(data, file, source), part, tell)
    if _sha256(part) not in file.sha256:
        part.unlink()
        raise DataError(f"{file.name} is not the file that was published: its SHA-256 differs. Fetch it again.")
    part.replace(target)
    tell(file.bytes)


def _addresses(data: Described, file: File, source: str | None) -> tuple[str, ...]:
    if source is None:
        return file.urls
    base = source.rstrip("/")
    return (f"{base}/{data.name}/{file.name}", f"{base}/{file.name}")


def _copied(data: Described, file: File, source: Path, part: Path) -> None:
    """From a folder that holds the file, or a folder of the data set's name with it."""
    for there in (source / data.name / file.name, source / file.name):
        if there.is_file():
            with there.open("rb") as given, part.open("wb") as draft:
                while chunk := given.read(CHUNK):
                    draft.write(chunk)
            return
    raise DataError(f"There is no {file.name} in {source} nor in {source / data.name}.")


def _downloaded(
    data: Described, file: File, addresses: tuple[str, ...], part: Path, tell: Callable[[int], None]
) -> None:
    """`part` in full length, from the first server that gives it; what is short stays for the next time."""
    for address in addresses:
        try:
            if not part.exists() or part.stat().st_size < file.bytes:
                _stream(address, file, part, tell)
            return
        except (_Unreachable, httpx.ConnectError, httpx.ConnectTimeout, httpx.InvalidURL) as problem:
            reason = f"{httpx.URL(address).host}: {_short(problem)}"
        except httpx.HTTPError as problem:
            have = part.stat().st_size if part.exists() else 0
            raise DataError(
                f"The download of {file.name} broke off at {have / 1e6:.1f} of {file.bytes / 1e6:.1f} MB "
                f"({_short(problem)}); start it again and it goes on from there."
            ) from None
    raise DataError(
        f"{data.title} is not on this machine and cannot be fetched ({reason}): connect and try again, or train on "
        "fashion_mnist_extract or textures, which need no download."
    )


def _stream(address: str, file: File, part: Path, tell: Callable[[int], None]) -> None:
    have = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with httpx.stream("GET", address, headers=headers, timeout=PATIENCE, follow_redirects=True) as answer:
        goes_on = answer.status_code == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        if not goes_on and answer.status_code != 200:
            raise _Unreachable(f"it answered {answer.status_code}")
        with part.open("ab" if goes_on else "wb") as draft:
            tell(draft.tell())
            for chunk in answer.iter_raw():  # as they come: a chunk size would hold back the last, broken one
                draft.write(chunk)
                tell(min(draft.tell(), file.bytes))
                if draft.tell() > file.bytes:  # the checksum will say so; there is no need to fill the disk first
                    return
    if (have := part.stat().st_size) < file.bytes:
        raise httpx.ReadError(f"the server sent only {have:,} bytes")


def _meter(progress: Progress | None, before: int, whole: int) -> Callable[[int], None]:
    def tell(done: int) -> None:
        if progress is not None:
            progress(before + done, whole)

    return tell


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _short(problem: BaseException) -> str:
    lines = str(problem).strip().splitlines()
    return lines[0][:120].rstrip(".") if lines else type(problem).__name__
