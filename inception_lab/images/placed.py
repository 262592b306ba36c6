"""Where the networks of an evaluation run: the process's own, borrowed, on the processor; copies of them on a GPU."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from PIL import Image
from torch import Tensor

from inception_lab.errors import SettingsError
from inception_lab.images import voting
from inception_lab.images.methods import BATCH
from inception_lab.images.networks import Loaded, Precision, borrowed
from inception_lab.models.fused import in_bf16

Device = Literal["auto", "cpu", "cuda"]


@dataclass(frozen=True, slots=True)
class Gpus:
    """What is asked of the GPUs: how many torch can use, and the device a number stands for. Tests have their own."""

    count: Callable[[], int] = lambda: torch.cuda.device_count() if torch.cuda.is_available() else 0
    device: Callable[[int], torch.device] = lambda number: torch.device("cuda", number)


@dataclass(frozen=True, slots=True)
class Place:
    """The device of one process, whether networks are copied to it, and how many squares run there at a time."""

    device: torch.device
    copies: bool
    batch: int


@dataclass(frozen=True, slots=True)
class Placed:
    """One network where it runs: borrowed for each batch, or a copy that stays (`copied`)."""

    tag: str
    copied: Loaded | None = None
    precision: Precision = "fp32"

    def said(self, squares: Sequence[Image.Image]) -> Tensor:
        """Softmax of each square, (N, classes), on the processor."""
        if self.copied is None:
            with borrowed(self.tag, precision=self.precision) as loaded:
                return voting.of_squares(loaded, squares)
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):  # else fp32 has 10 bits, as cuDNN likes it
            return voting.of_squares(self.copied, squares)


def place(asked: Device, gpus: Gpus | None = None) -> Place:
    """The processor, or of several GPUs the one that torchrun gives this process (LOCAL_RANK).

    Raises `SettingsError` for "cuda" without a GPU that torch can use.
    """
    gpus = gpus or Gpus()
    count = 0 if asked == "cpu" else gpus.count()
    if count:
        return Place(gpus.device(int(os.environ.get("LOCAL_RANK", "0")) % count), copies=True, batch=voting.BATCH_GPU)
    if asked == "cuda":
        raise SettingsError("This machine has no GPU that torch can use; ask for device cpu or auto.")
    return Place(torch.device("cpu"), copies=False, batch=BATCH)


def placed(tags: Sequence[str], where: Place, precision: Precision = "fp32") -> tuple[Placed, ...]:
    """The networks at `where`; the process's own stay as they are."""
    if not where.copies:
        return tuple(Placed(tag, None, precision) for tag in tags)
    return tuple(Placed(tag, _copy(tag, where.device, precision)) for tag in tags)


def _copy(tag: str, device: torch.device, precision: Precision) -> Loaded:
    with borrowed(tag) as loaded:
        model = copy.deepcopy(loaded.model).to(device)
    return Loaded(loaded.record, in_bf16(model) if precision == "bf16" else model)
