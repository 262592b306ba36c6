"""The memory a run needs and the memory this machine has: asked before a run starts, so that it is not killed later."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from inception_lab.readers.shapes import shapes
from inception_lab.training.datasets import bytes_needed
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
    return _needed(settings.with_(scale=1.0, stage_scales=None, seed=0, fork=None))


@lru_cache(maxsize=256)
def _needed(settings: Settings) -> int:
    table = shapes(settings.net())
    kept = COPIES + (settings.average is not None)
    data = bytes_needed(settings.data, settings.image_size)
    return PROCESS + data + kept * _NUMBER * table.parameters + settings.batch * table.activation_bytes


def available() -> int | None:
    """Bytes of memory of this machine, or of the container this runs in; None where nobody says."""
    known: list[int] = []
    with suppress(ValueError, OSError, AttributeError):
        known.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    with suppress(OSError):
        limit = _CGROUP.read_text().strip()
        known += [int(limit)] if limit.isdecimal() else []
    return min(known, default=None)
