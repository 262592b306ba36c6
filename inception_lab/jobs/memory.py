"""The memory a run needs and the memory this machine has: asked before a run starts, so that it is not killed later."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from inception_lab.readers.shapes import shapes
from inception_lab.training.datasets import bytes_needed, described
from inception_lab.training.settings import Settings

PROCESS = 600_000_000
"""Bytes of a process that has loaded torch and the extract of the data, before it has a network. Measured with torch
2.15 (541 MB and some working memory); with it the estimate was 1 % below to 20 % above the measured peak of three runs
(micro, batch 32 and 128; full width, batch 128)."""
COPIES = 4
"""Numbers kept for each parameter: the weight, its gradient, and two states of RMSProp with momentum or Adam."""

_NUMBER = 4  # bytes
_CGROUP = Path("/sys/fs/cgroup/memory.max")


def needed(settings: Settings) -> int:
    """Bytes a run of these settings takes at its peak: the process, the data, each parameter with its gradient and
    states, and the activations of a batch that wait for the backward pass, each op's output once.
    """
    parameters, activations = _network(_alike(settings), described(settings.data).classes)
    kept = COPIES + (settings.average is not None)
    data = bytes_needed(settings.data, settings.image_size)  # of a folder: as it is now
    return PROCESS + data + kept * _NUMBER * parameters + settings.batch * activations


def _alike(settings: Settings) -> Settings:
    """Equal for all settings whose networks take equal memory: a sweep asks for each arm and every one is the same."""
    decides = ("network", "design", "width", "repeats", "small", "end_norm", "data", "image_size")
    return Settings(**{name: getattr(settings, name) for name in decides})


@lru_cache(maxsize=256)
def _network(settings: Settings, classes: int) -> tuple[int, int]:
    """Parameters, and bytes of activations an image; `classes` only tells two states of a folder apart."""
    table = shapes(settings.net())
    return table.parameters, table.activation_bytes


def available() -> int | None:
    """Bytes of memory of this machine, or of the container this runs in; None where nobody says."""
    known: list[int] = []
    with suppress(ValueError, OSError, AttributeError):
        known.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    with suppress(OSError):
        limit = _CGROUP.read_text().strip()
        known += [int(limit)] if limit.isdecimal() else []
    return min(known, default=None)
