"""How long an evaluation takes for one photograph on this machine, and what the photographs take in memory."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from itertools import islice

from PIL import Image

from inception_lab.images import estimate
from inception_lab.images.labelled import Files
from inception_lab.images.networks import MODELS
from inception_lab.images.placed import Place, placed
from inception_lab.images.ranking import Settings, decoded, deep, geometry, group_size, workers
from inception_lab.images.trained import known

TRIED = 4  # photographs that are decoded to see how long that takes, spread over the folder; the first does not count
LOOKED = 64  # files whose heads are read for their pixels
COPIES = 9  # bytes for a pixel while it is decoded: three for the picture, and three each for it turned and resized


def seconds(files: Files, settings: Settings, where: Place) -> float:
    """Of one photograph. On the processor decoding and networks share the cores, on a GPU the slower one counts."""
    decoding = _decoding(files, settings) / min(workers(settings), os.cpu_count() or 1)
    if where.copies:
        return max(decoding, _on_gpu(files, settings, where))
    passing = sum(estimate.passing(MODELS.get(tag, precision=settings.precision)) for tag in settings.tags)
    return decoding + settings.crops * passing


def ahead(files: Files, settings: Settings, where: Place) -> int:
    """Bytes of the photographs that are being decoded and of those that wait, cut, for the networks."""
    records = [known(tag) for tag in settings.tags]
    cut = sum({geometry(one): 3 * one.size**2 * settings.crops for one in records}.values())
    waiting = deep(records, settings, group_size(settings, where)) * cut
    pixels = max((_pixels(files, number) for number in _spread(files, LOOKED)), default=0)
    return waiting + workers(settings) * COPIES * pixels


def _decoding(files: Files, settings: Settings) -> float:
    """Seconds that one thread takes to decode and cut a photograph."""
    records, taken = [known(tag) for tag in settings.tags], []
    for number in _spread(files, TRIED):
        start = time.perf_counter()
        decoded(files, records, settings, number)
        taken.append(time.perf_counter() - start)
    counted = taken[1:] or taken
    return sum(counted) / len(counted)


def _on_gpu(files: Files, settings: Settings, where: Place) -> float:
    """Seconds of a full group over its photographs, after one to warm up."""
    records = [known(tag) for tag in settings.tags]
    group = group_size(settings, where)
    total = 0.0
    for record, network in zip(records, placed(settings.tags, where, settings.precision), strict=True):
        blank = [Image.new("RGB", (record.size, record.size)) for _ in range(group * settings.crops)]
        network.said(blank)
        start = time.perf_counter()
        network.said(blank)
        total += time.perf_counter() - start
    return total / group


def _spread(files: Files, most: int) -> Iterable[int]:
    """At most so many places of the list, evenly."""
    return islice(range(0, len(files.names), max(1, len(files.names) // most)), most)


def _pixels(files: Files, number: int) -> int:
    """Width times height as the file's head says; 0 for what is no picture."""
    try:
        with Image.open(files.folder / files.names[number]) as opened:
            return opened.width * opened.height
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return 0
