"""The error rates of networks on a folder of labelled photographs, in ImageNet's layout: one folder per class.

Every pixel of a file is used, as for the published numbers; the paper's own single-crop numbers leave out some 1,700
images with poor boxes, which `blacklist` leaves out here. One call is one process, or one of those of `torchrun`
(RANK and WORLD_SIZE); `evaluate_shard` and `merge` are the same in two parts, for a cluster.

The numbers of one kind of processor do not depend on threads, workers, processes, parts or kills, to the last bit.
Another kind, or a GPU, rounds otherwise and may change a guess whose rivals are as good as equal.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO, get_args

from inception_lab.errors import DataError, SettingsError
from inception_lab.images import journal
from inception_lab.images.crops import Reading, protocol
from inception_lab.images.ensemble import asked
from inception_lab.images.evaluation import Evaluation, Row, row
from inception_lab.images.labelled import Files, class_index, files
from inception_lab.images.networks import Precision, threads_set
from inception_lab.images.ranking import Clock, Device, Ranked, Settings, absolute, plain, ranked
from inception_lab.images.trained import known
from inception_lab.models.records import EMBEDDED

__all__ = ["Evaluation", "Row", "Shard", "class_index", "evaluate", "evaluate_shard", "merge", "settings"]

PATIENCE = timedelta(days=7)  # for the slowest of several processes

Progress = Callable[[int, int], None]
"""Called with (images done, images in all) of this process; what it raises ends the evaluation."""


@dataclass(frozen=True, slots=True)
class Shard:
    """What one of several processes found, with the clock of its loop; `resumed` answers were there before."""

    answers: tuple[Ranked, ...]
    clock: Clock
    resumed: int = 0


def evaluate(
    folder: str | Path,
    *,
    network: str | Sequence[str] = EMBEDDED,
    ensemble: bool = False,
    crops: int = 1,
    reading: Reading = "timm",
    blacklist: str | Path | None = None,
    resume: str | Path | None = None,
    device: Device = "auto",
    workers: int | None = None,
    precision: Precision = "fp32",
    threads: int | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Error rates of one or more networks, or "paper-ensemble", on all photographs below `folder`.

    Unreadable files are skipped and named. `ensemble` adds the networks' average, `blacklist` is a file of
    validation ids to leave out, `resume` a file that keeps every answer and that a later call goes on from.
    `workers` threads decode ahead of the network. `precision` "bf16" is quicker and near (`images.precision`).
    Under `torchrun` every process gets the whole result. Raises `DataError` for a folder without classes or
    readable images, and as `classify` for networks and crops.
    """
    start = time.perf_counter()
    wanted = settings(
        network, ensemble=ensemble, crops=crops, reading=reading, device=device, workers=workers, precision=precision
    )
    world = int(os.environ.get("WORLD_SIZE", "1"))
    rank = int(os.environ.get("RANK", "0")) if world > 1 else 0
    found = listed(folder, wanted, blacklist)
    with threads_set(threads):
        shard = _shard(found, wanted, rank, world, resume, progress)
    shards = [shard] if world == 1 else _gathered(shard, world)
    return _merged(found, wanted, shards, time.perf_counter() - start)


def settings(
    network: str | Sequence[str] = EMBEDDED,
    *,
    ensemble: bool = False,
    crops: int = 1,
    reading: Reading = "timm",
    device: Device = "auto",
    workers: int | None = None,
    precision: Precision = "fp32",
) -> Settings:
    """The question as plain data, checked. Raises `SettingsError` and as `images.trained.known`."""
    protocol(crops, reading)
    if precision not in get_args(Precision):
        raise SettingsError(f"There is no precision {precision!r}; there are {' and '.join(get_args(Precision))}.")
    if device not in get_args(Device):
        raise SettingsError(f"There is no device {device!r}; there are {', '.join(get_args(Device))}.")
    if workers is not None and workers < 1:
        raise SettingsError(f"Pictures cannot be decoded by {workers} threads; give 1 or more.")
    tags, together = asked(network, EMBEDDED, together=ensemble)
    return Settings(
        tags=tuple(tags),
        together=together,
        crops=crops,
        reading=reading,
        device=device,
        workers=workers,
        precision=precision,
    )


def evaluate_shard(
    folder: str | Path,
    settings: Settings,
    *,
    rank: int,
    world: int,
    blacklist: str | Path | None = None,
    resume: str | Path | None = None,
    progress: Progress | None = None,
) -> Shard:
    """Every `world`-th file from the `rank`-th on: what one process of several does, wherever it runs."""
    if not 0 <= rank < world:
        raise SettingsError(f"There is no part {rank} of {world}; parts count from 0 to {world - 1}.")
    return _shard(listed(folder, settings, blacklist), settings, rank, world, resume, progress)


def merge(
    folder: str | Path, settings: Settings, shards: Sequence[Shard], *, blacklist: str | Path | None = None
) -> Evaluation:
    """The error rates from all parts. Raises `DataError` if one is missing."""
    seconds = max((shard.clock.seconds for shard in shards), default=0.0)
    return _merged(listed(folder, settings, blacklist), settings, shards, seconds)


def listed(folder: str | Path, settings: Settings, blacklist: str | Path | None = None) -> Files:
    """The photographs below `folder` with their classes, for all networks of the question; errors as `evaluate`."""
    records = [known(tag) for tag in settings.tags]
    place, out = absolute(folder), Path(blacklist) if blacklist else None
    found = files(place, records[0], blacklist=out)
    for record in records[1:]:
        if record.labels != records[0].labels and files(place, record, blacklist=out).targets != found.targets:
            raise SettingsError(
                f"{records[0].tag} and {record.tag} number the classes of {place} differently; evaluate them apart."
            )
    return found


def _shard(
    files: Files, settings: Settings, rank: int, world: int, resume: str | Path | None, progress: Progress | None
) -> Shard:
    mine = range(rank, len(files.names), world)
    clock = Clock()
    if resume is None:
        answers = _answers(files, list(mine), settings, clock, 0, len(mine), progress)
        return Shard(tuple(answers), clock)
    path = absolute(resume)
    question = _question(files, settings)
    before = journal.done(path, question)
    known_answers = [before[files.names[place]] for place in mine if files.names[place] in before]
    left = [place for place in mine if files.names[place] not in before]
    with journal.written(path, question, rank=rank, world=world) as file:
        fresh = _answers(files, left, settings, clock, len(known_answers), len(mine), progress, file)
    return Shard((*known_answers, *fresh), clock, len(known_answers))


def _answers(
    files: Files,
    places: list[int],
    settings: Settings,
    clock: Clock,
    before: int,
    total: int,
    progress: Progress | None,
    file: BinaryIO | None = None,
) -> list[Ranked]:
    found: list[Ranked] = []
    if progress is not None:
        progress(before, total)
    for one in ranked(files, places, settings, clock=clock):
        found.append(one)
        if file is not None:
            journal.add(file, [one])
        if progress is not None:
            progress(before + len(found), total)
    return found


def _question(files: Files, settings: Settings) -> dict[str, Any]:
    return {**plain(settings), "folder": str(files.folder), "files": files.digest}


def _gathered(shard: Shard, world: int) -> list[Shard]:
    """The shards of all processes, in every one of them, over the network that torchrun has set up."""
    from torch import distributed

    own = not distributed.is_initialized()
    if own:
        distributed.init_process_group("gloo", timeout=PATIENCE)
    try:
        found: list[Any] = [None] * world
        distributed.all_gather_object(found, shard)
    finally:
        if own:
            distributed.destroy_process_group()
    return found


def _merged(files: Files, settings: Settings, shards: Sequence[Shard], seconds: float) -> Evaluation:
    answers = {one.file: one for shard in shards for one in shard.answers}
    if missing := [name for name in files.names if name not in answers]:
        raise DataError(f"{len(missing)} of {len(files.names)} files have no answer, {missing[0]} first.")
    told = [answers[name] for name in files.names]
    skipped = tuple(one.error for one in told if one.error)
    good = [one.ranks for one in told if not one.error]
    if not good:
        raise DataError(
            f"None of the {len(told)} files below {files.folder} is a photograph the lab can read: {skipped[0]}"
        )
    members = settings.together.members if settings.together else ()
    rows = [row(tag, [ranks[place] for ranks in good]) for place, tag in enumerate(settings.tags)]
    if settings.together:
        rows.append(row(settings.together.name, [ranks[-1] for ranks in good], members=members))
    clocks = [shard.clock for shard in shards if shard.clock.images]
    return Evaluation(
        rows=tuple(rows),
        crops=settings.crops,
        reading=settings.reading,
        precision=settings.precision,
        skipped=skipped,
        blacklisted=files.blacklisted,
        resumed=sum(shard.resumed for shard in shards),
        seconds=seconds,
        idle=max((clock.idle for clock in clocks), default=math.nan),
        device=clocks[0].device if clocks else "none",
        processes=len(shards),
    )
