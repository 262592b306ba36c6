"""Networks with weights, loaded once per process and shared by its threads.

Hooks of an attribution stand on the module itself, so a second thread in the same module would be caught by them: every
use of a model holds its lock. A few models are kept, the one unused for longest goes first.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from threading import Lock, RLock, local
from typing import final

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from inception_lab.images.crops import crops as cut
from inception_lab.images.load import Photo
from inception_lab.models.hub import Progress
from inception_lab.models.records import WeightRecord, record
from inception_lab.models.weights import pretrained

KEPT = 3  # about 0.5 GB if all are Inception-ResNets
BATCH = 4


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """A network in evaluation mode; `lock` is held while it runs."""

    record: WeightRecord
    model: nn.Module
    lock: RLock = field(default_factory=RLock)


@final
class Models:
    """A bounded cache of loaded networks, safe to use from any thread."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._loaded: OrderedDict[str, Loaded] = OrderedDict()
        self._loading: dict[str, Lock] = {}
        self._guard = Lock()

    def get(self, network: str, *, progress: Progress | None = None) -> Loaded:
        """The network of a tag, from the cache or loaded now; of several threads that ask, one loads."""
        tag = record(network).tag
        with self._guard:
            if found := self._known(tag):
                return found
            loading = self._loading.setdefault(tag, Lock())
        with loading:
            with self._guard:
                if found := self._known(tag):
                    return found
            fresh = Loaded(record(tag), pretrained(tag, progress=progress))
            with self._guard:
                self._loaded[tag] = fresh
                while len(self._loaded) > self._kept:
                    self._loaded.popitem(last=False)
            return fresh

    def names(self) -> tuple[str, ...]:
        """Tags of the models held now, the one unused for longest first."""
        with self._guard:
            return tuple(self._loaded)

    def clear(self) -> None:
        """Lets go of every model; calls under way finish with theirs."""
        with self._guard:
            self._loaded.clear()

    def _known(self, tag: str) -> Loaded | None:
        if tag in self._loaded:
            self._loaded.move_to_end(tag)
        return self._loaded.get(tag)


MODELS = Models()


@contextmanager
def borrowed(network: str, *, progress: Progress | None = None) -> Iterator[Loaded]:
    """The network of a tag, for this thread alone while the block runs; errors as `models.weights.pretrained`."""
    loaded = MODELS.get(network, progress=progress)
    with loaded.lock:
        yield loaded


class _Threads:
    """Torch's thread count while calls overlap. The count is the process's as much as the thread's: a thread that is
    new to torch finds what any other set last, so only the value from before all of them can be given back."""

    def __init__(self) -> None:
        self._guard = Lock()
        self._depth = 0
        self._before = 0
        self._mine = local()

    @contextmanager
    def set(self, threads: int) -> Iterator[None]:
        outer: int | None = getattr(self._mine, "count", None)
        with self._guard:
            now = torch.get_num_threads()  # asked in every thread: before its first answer, what it sets does not last
            if self._depth == 0:
                self._before = now
            self._depth += 1
            torch.set_num_threads(threads)
        self._mine.count = threads
        try:
            yield
        finally:
            self._mine.count = outer
            with self._guard:
                self._depth -= 1
                torch.set_num_threads(self._before if outer is None else outer)


_THREADS = _Threads()


@contextmanager
def threads_set(threads: int | None) -> Iterator[None]:
    """Lets torch use so many threads for this thread's work; None leaves the setting alone.

    After the last of several overlapping calls the process has the count it had before the first.
    """
    with nullcontext() if threads is None else _THREADS.set(threads):
        yield


def tensor(squares: list[Image.Image], record: WeightRecord) -> Tensor:
    """RGB squares as the network of `record` takes them: float32, (N, 3, size, size)."""
    values = torch.from_numpy(np.stack([np.asarray(square) for square in squares]))
    planes = values.permute(0, 3, 1, 2).contiguous().float().div_(255)
    mean, std = torch.tensor(record.mean), torch.tensor(record.std)
    return planes.sub_(mean.view(1, 3, 1, 1)).div_(std.view(1, 3, 1, 1))


def probabilities(loaded: Loaded, photo: Photo, crops: int = 1) -> Tensor:
    """Softmax outputs averaged over the crops of a protocol, (classes,); the caller holds the lock."""
    squares = cut(photo, loaded.record, crops)
    total = torch.zeros(loaded.record.classes)
    with torch.inference_mode():
        for start in range(0, len(squares), BATCH):
            logits = loaded.model(tensor(squares[start : start + BATCH], loaded.record))
            total += logits.softmax(dim=1).sum(dim=0)
    return total / len(squares)
