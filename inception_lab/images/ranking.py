"""Where the right class stands in what networks say of each image: the loop behind `evaluate`.

Threads decode and cut the pictures ahead of the network, so that it need not wait; how long it waited is measured.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from PIL import Image
from torch import Tensor

from inception_lab.errors import ImageError
from inception_lab.images import voting
from inception_lab.images.crops import Reading, crops
from inception_lab.images.ensemble import Ensemble
from inception_lab.images.labelled import Files
from inception_lab.images.load import load
from inception_lab.images.networks import Precision
from inception_lab.images.placed import Device as Device
from inception_lab.images.placed import Place, Placed, place, placed
from inception_lab.images.trained import known
from inception_lab.models.records import WeightRecord

AHEAD_BYTES = 256_000_000  # of cut pictures that wait for the network, at most, but always one
MOST_AHEAD = 256
MOST_WORKERS = 32

Squares = tuple[Image.Image, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is asked of every image: which networks, averaged how, with which crops, on which device."""

    tags: tuple[str, ...]
    together: Ensemble | None = None
    crops: int = 1
    reading: Reading = "timm"
    device: Device = "auto"
    workers: int | None = None
    precision: Precision = "fp32"

    @property
    def rows(self) -> tuple[str, ...]:
        """What has an error rate of its own: each network, then the ensemble."""
        return (*self.tags, *([self.together.name] if self.together else []))


@dataclass(frozen=True, slots=True)
class Ranked:
    """One image: for each row how many classes stand before the right one (0 is first), or the sentence why it was left
    out."""

    file: str
    ranks: tuple[int, ...] = ()
    error: str | None = None


@dataclass(slots=True)
class Clock:
    """Seconds that the loop took, and those of them in which the networks waited for pictures."""

    seconds: float = 0.0
    waited: float = 0.0
    images: int = 0
    device: str = "cpu"
    workers: int = 0

    @property
    def idle(self) -> float:
        """The share of the time, 0 to 1."""
        return self.waited / self.seconds if self.seconds else 0.0


@dataclass(slots=True)
class _Picture:
    """A picture cut for every geometry that the networks need."""

    file: str
    target: int
    squares: Mapping[object, Squares] = field(default_factory=dict)
    error: str | None = None


def ranked(files: Files, places: Sequence[int], settings: Settings, *, clock: Clock | None = None) -> Iterator[Ranked]:
    """The files at `places`, in that order, each as soon as its batch is through; errors as `classify`."""
    clock = clock or Clock()
    records = [known(tag) for tag in settings.tags]
    made = partial(decoded, files, records, settings)
    where = place(settings.device)
    networks, size = placed(settings.tags, where, settings.precision), group_size(settings, where)
    with ThreadPoolExecutor(workers(settings), "pictures") as pool:
        clock.device, clock.workers = str(where.device), workers(settings)
        start = time.perf_counter()
        try:
            for group in _grouped(_ahead(pool, made, places, deep(records, settings, size), clock), size):
                yield from _judged(group, networks, settings, size)
                clock.images += len(group)
                clock.seconds = time.perf_counter() - start
        finally:
            pool.shutdown(cancel_futures=True)  # whoever stops early does not wait for pictures nobody will see


def decoded(files: Files, records: Sequence[WeightRecord], settings: Settings, place: int) -> _Picture:
    name, target = files.names[place], files.targets[place]
    try:
        photo = load(files.folder / name, name=name, longest=None)
    except ImageError as problem:
        return _Picture(name, target, error=str(problem))
    squares: dict[object, Squares] = {}
    for record in records:
        if geometry(record) not in squares:
            squares[geometry(record)] = tuple(crops(photo, record, settings.crops, settings.reading))
    return _Picture(name, target, squares)


def _ahead(
    pool: ThreadPoolExecutor, made: Callable[[int], _Picture], places: Sequence[int], deep: int, clock: Clock
) -> Iterator[_Picture]:
    """The pictures in order, `deep` of them under way; the clock counts the seconds waited for each."""
    coming = iter(places)
    waiting: deque[Future[_Picture]] = deque(pool.submit(made, place) for place in islice(coming, deep))
    while waiting:
        start = time.perf_counter()
        picture = waiting.popleft().result()
        clock.waited += time.perf_counter() - start
        waiting.extend(pool.submit(made, place) for place in islice(coming, 1))
        yield picture


def _grouped(pictures: Iterator[_Picture], size: int) -> Iterator[list[_Picture]]:
    group: list[_Picture] = []
    for picture in pictures:
        group.append(picture)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group


def _judged(group: list[_Picture], networks: Sequence[Placed], settings: Settings, size: int) -> Iterator[Ranked]:
    readable = [picture for picture in group if picture.error is None]
    means = {network.tag: _means(network, readable, settings.crops, size) for network in networks} if readable else {}
    if readable and settings.together:
        means[settings.together.name] = voting.averaged(settings.together, means)
    rows = {id(picture): number for number, picture in enumerate(readable)}
    for picture in group:
        if picture.error is not None:
            yield Ranked(picture.file, error=picture.error)
            continue
        row = rows[id(picture)]
        yield Ranked(picture.file, tuple(rank(means[name][row], picture.target) for name in settings.rows))


def rank(probabilities: Tensor, target: int) -> int:
    """How many classes stand before `target` in (classes,); of equal ones the first in the list does."""
    own = probabilities[target]
    return int((probabilities > own).sum()) + int((probabilities[:target] == own).sum())


def _means(network: Placed, pictures: Sequence[_Picture], n: int, size: int) -> Tensor:
    """Softmax averaged over the crops of each picture, (pictures, classes).

    A group that is short is filled up to `size`: the last bits of a convolution depend on how many images it gets, and
    so an answer would on where a kill or another process cut the list.
    """
    key = geometry(known(network.tag))
    squares = [square for picture in pictures for square in picture.squares[key]]
    squares += [squares[0].copy() for _ in range((size - len(pictures)) * n)]
    return network.said(squares)[: len(pictures) * n].view(len(pictures), n, -1).mean(dim=1)


def geometry(record: WeightRecord) -> object:
    """What two networks share if they see the same squares."""
    return record.size, record.resize, record.interpolation, record.channels


def group_size(settings: Settings, where: Place) -> int:
    """How many pictures go to the networks at a time."""
    return max(1, where.batch // settings.crops)


def workers(settings: Settings) -> int:
    """Threads that decode: as many as the process has cores, as Pillow lets go of Python's lock where it decodes."""
    if settings.workers:
        return settings.workers
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(MOST_WORKERS, cores)


def deep(records: Sequence[WeightRecord], settings: Settings, size: int) -> int:
    """How many pictures may be under way: two batches and one per thread, as far as the memory allows."""
    each = sum({geometry(record): 3 * record.size**2 * settings.crops for record in records}.values())
    return max(1, min(2 * size + workers(settings), AHEAD_BYTES // each, MOST_AHEAD))


def absolute(folder: str | Path) -> Path:
    """A folder as every process of a machine finds it."""
    return Path(folder).expanduser().absolute()


def plain(settings: Settings) -> dict[str, Any]:
    """What decides the answers, and nothing that only decides how fast they come."""
    members = [] if settings.together is None else [list(member) for member in settings.together.members]
    return {
        "networks": list(settings.tags),
        "ensemble": members,
        "crops": settings.crops,
        "reading": settings.reading,
        "precision": settings.precision,
    }
