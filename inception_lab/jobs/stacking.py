"""Which queued runs train together in one process, as one stack of networks (`training.stacked`).

On a GPU, where it was made to pay, those of one sweep do; on a processor core never by themselves, as stacks were
measured to be slower there than their runs one after another. INCEPTION_LAB_STACK outweighs that: `always` makes stacks
on any device, `never` none.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Literal, cast, get_args

from inception_lab.errors import RunError
from inception_lab.jobs.room import on_gpu
from inception_lab.readers.shapes import shapes
from inception_lab.training.datasets import bytes_needed
from inception_lab.training.settings import Settings
from inception_lab.training.together import compatible

Word = Literal["auto", "always", "never"]

MOST = 32
"""Networks in one stack; a class's sweep of six scales and five seeds has 30."""
SMALL = 2e9
"""Multiply-adds of a forward pass over the batch up to which a network counts as small (micro 0.8e9, wide 12e9): one
that fills a GPU by itself gains little by company. On an H200 thirty micro networks together were 14 times as fast as
one after another, three wide ones 1.2 times."""
SHARE = 0.5
"""Of the accelerator's memory that a stack may take by the estimate below, which is generous: for thirty micro networks
it says 6.0 GB, and an H200 allocated 2.5 beside CUDA's own."""
CONTEXT = 1_000_000_000
"""Bytes that CUDA, its libraries and their work space take before there is a network."""
COPIES = 7
"""Numbers kept for each parameter of a stack: the weight, its gradient as it comes and in a row, RMSProp's two, the
update, and one for what is made on the way."""

_NUMBER = 4  # bytes


def word() -> Word:
    """INCEPTION_LAB_STACK, `auto` if it is not set. Raises `RunError` if it is no such word."""
    asked = os.environ.get("INCEPTION_LAB_STACK") or "auto"
    if asked not in get_args(Word):
        raise RunError(f"INCEPTION_LAB_STACK is {asked!r}; it must be {', '.join(get_args(Word))}.")
    return cast(Word, asked)


def wanted() -> bool:
    """Whether there can be stacks here at all. Raises `RunError` as `word`."""
    asked = word()
    return asked == "always" or (asked == "auto" and on_gpu(Settings()) and gpu_memory() is not None)


def joins(run: Settings, stack: Sequence[Settings]) -> bool:
    """Whether a run may train together with those of `stack`, which do already: it differs from them only in what a
    stack holds apart, and there is room for one more."""
    asked = word()
    if asked == "never" or len(stack) >= MOST or not compatible(stack[0], run):
        return False
    if not on_gpu(run):
        return asked == "always"
    if asked == "auto" and not small(run):
        return False
    have = gpu_memory()
    return have is not None and needed(run, len(stack) + 1) <= SHARE * have


def small(settings: Settings) -> bool:
    """Whether one network leaves a GPU idle."""
    return settings.batch * shapes(_plain(settings).net()).multiply_adds <= SMALL


def needed(settings: Settings, count: int) -> int:
    """Bytes of the accelerator's memory that `count` networks of these settings take in one stack: the data once, for
    each network its parameters and, forward and backward, the activations of a batch."""
    return CONTEXT + bytes_needed(settings.data, settings.image_size) + count * _each(_plain(settings))


@cache
def gpu_memory() -> int | None:
    """Bytes of memory of the smallest GPU here, as NVIDIA's tool tells; None if it does not."""
    asked = ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    try:
        told = subprocess.run(asked, capture_output=True, text=True, timeout=10, check=True).stdout.split()
    except (OSError, subprocess.SubprocessError):
        return None
    return min((int(size) << 20 for size in told if size.isdecimal()), default=None)


def _plain(settings: Settings) -> Settings:
    """Without what changes no size, so that alike runs are reckoned once."""
    return settings.with_(scale=1.0, stage_scales=None, seed=0, fork=None)


@lru_cache(maxsize=256)
def _each(settings: Settings) -> int:
    table = shapes(settings.net())
    kept = COPIES + (settings.average is not None)
    return kept * _NUMBER * table.parameters + 2 * settings.batch * table.activation_bytes
