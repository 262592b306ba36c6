"""Where the right class stands in what networks say of each image: the loop behind `evaluate`.

Threads decode and cut the pictures ahead of the network, so that it need not wait; how long it waited is measured.
"""

from __future__ import annotations

import copy
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import torch
from PIL import Image
from torch import Tensor

from inception_lab.errors import ImageError, SettingsError
from inception_lab.images import voting
from inception_lab.images.crops import Reading, crops
from inception_lab.images.ensemble import Ensemble
from inception_lab.images.labelled import Files
from inception_lab.images.load import load
from inception_lab.images.methods import BATCH
from inception_lab.images.networks import Loaded, Precision, borrowed
from inception_lab.images.trained import known
from inception_lab.models.fused import in_bf16
from inception_lab.models.records import WeightRecord

Device = Literal["auto", "cpu", "cuda"]
AHEAD_BYTES = 256_000_000  # of cut pictures that wait for the network, at most, but always one
MOST_AHEAD = 256

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
    made = partial(_picture, files, records, settings)
    with _loaded(settings) as networks, ThreadPoolExecutor(_workers(settings), "pictures") as pool:
        clock.device, clock.workers = str(_device(settings)), _workers(settings)
        size = max(1, _batch(settings) // settings.crops)
        start = time.perf_counter()
        try:
            for group in _grouped(_ahead(pool, made, places, _deep(records, settings, size), clock), size):
                yield from _judged(group, networks, settings, size)
                clock.images += len(group)
                clock.seconds = time.perf_counter() - start
        finally:
            pool.shutdown(cancel_futures=True)  # whoever stops early does not wait for pictures nobody will see


def _picture(files: Files, records: Sequence[WeightRecord], settings: Settings, place: int) -> _Picture:
    name, target = files.names[place], files.targets[place]
    try:
        photo = load(files.folder / name, name=name, longest=None)
    except ImageError as problem:
        return _Picture(name, target, error=str(problem))
    squares: dict[object, Squares] = {}
    for record in records:
        if _geometry(record) not in squares:
            squares[_geometry(record)] = tuple(crops(photo, record, settings.crops, settings.reading))
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


def _judged(group: list[_Picture], networks: Sequence[_Network], settings: Settings, size: int) -> Iterator[Ranked]:
    readable = [picture for picture in group if picture.error is None]
    means = {network.tag: network.means(readable, settings.crops, size) for network in networks} if readable else {}
    if readable and settings.together:
        means[settings.together.name] = voting.averaged(settings.together, means)
    place = {id(picture): number for number, picture in enumerate(readable)}
    for picture in group:
        if picture.error is not None:
            yield Ranked(picture.file, error=picture.error)
            continue
        row = place[id(picture)]
        yield Ranked(picture.file, tuple(rank(means[name][row], picture.target) for name in settings.rows))


def rank(probabilities: Tensor, target: int) -> int:
    """How many classes stand before `target` in (classes,); of equal ones the first in the list does."""
    own = probabilities[target]
    return int((probabilities > own).sum()) + int((probabilities[:target] == own).sum())


@dataclass(frozen=True, slots=True)
class _Network:
    """One network where it runs: borrowed for each batch on the processor, a copy of its own on a GPU."""

    tag: str
    copied: Loaded | None
    precision: Precision = "fp32"

    def means(self, pictures: Sequence[_Picture], n: int, size: int) -> Tensor:
        """Softmax averaged over the crops of each picture, (pictures, classes).

        A group that is short is filled up to `size`: the last bits of a convolution depend on how many images it gets,
        and so an answer would on where a kill or another process cut the list.
        """
        key = _geometry(known(self.tag))
        squares = [square for picture in pictures for square in picture.squares[key]]
        squares += [squares[0].copy() for _ in range((size - len(pictures)) * n)]
        if self.copied is not None:
            with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):  # else fp32 has 10 bits, as cuDNN likes it
                rows = voting.of_squares(self.copied, squares)
        else:
            with borrowed(self.tag, precision=self.precision) as loaded:
                rows = voting.of_squares(loaded, squares)
        return rows[: len(pictures) * n].view(len(pictures), n, -1).mean(dim=1)


@contextmanager
def _loaded(settings: Settings) -> Iterator[tuple[_Network, ...]]:
    device = _device(settings)
    if device.type == "cpu":
        yield tuple(_Network(tag, None, settings.precision) for tag in settings.tags)
        return
    found = []
    for tag in settings.tags:
        with borrowed(tag) as loaded:
            model = copy.deepcopy(loaded.model).to(device)
            found.append(
                _Network(tag, Loaded(loaded.record, in_bf16(model) if settings.precision == "bf16" else model))
            )
    yield tuple(found)


def _device(settings: Settings) -> torch.device:
    """Where the networks run; of several GPUs the one that torchrun gives this process."""
    if settings.device == "cpu" or (settings.device == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise SettingsError("This machine has no GPU that torch can use; ask for device cpu or auto.")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())


def _geometry(record: WeightRecord) -> object:
    """What two networks share if they see the same squares."""
    return record.size, record.resize, record.interpolation, record.channels


def _batch(settings: Settings) -> int:
    return BATCH if _device(settings).type == "cpu" else voting.BATCH_GPU


def _workers(settings: Settings) -> int:
    return settings.workers or min(8, os.cpu_count() or 1)


def _deep(records: Sequence[WeightRecord], settings: Settings, size: int) -> int:
    """How many pictures may be under way: two batches and one per thread, as far as the memory allows."""
    each = sum({_geometry(record): 3 * record.size**2 * settings.crops for record in records}.values())
    return max(1, min(2 * size + _workers(settings), AHEAD_BYTES // each, MOST_AHEAD))


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
