"""Networks with weights, loaded once per process and shared by its threads.

Hooks of an attribution stand on the module itself, so a second thread in the same module would be caught by them: every
use of a model holds its lock. A few models are kept, the one unused for longest goes first. They are folded
(`models.fused`), which changes no answer but by rounding, and keep their weights ordered (`models.packed`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import cache
from threading import Lock, RLock, local
from typing import Literal, final

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from inception_lab.errors import RunError, SettingsError
from inception_lab.images.trained import is_run, known, trained
from inception_lab.models.build import InceptionNet, build
from inception_lab.models.fused import fused, has_bf16, in_bf16
from inception_lab.models.hub import Progress
from inception_lab.models.memory import announced
from inception_lab.models.packed import packed
from inception_lab.models.records import WeightRecord, record
from inception_lab.models.weights import labels, pretrained, skeleton

Precision = Literal["fp32", "bf16"]
"""bf16 has 8 significant bits: on a processor with such arithmetic it takes about half the time, and close guesses may
change places. For classifying only; attributions and everything by default are fp32."""

KEPT = 3  # about 0.5 GB if all are Inception-ResNets
LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """A network in evaluation mode that takes RGB, (N, 3, H, W); `lock` is held while it runs."""

    record: WeightRecord
    model: nn.Module
    lock: RLock = field(default_factory=RLock)

    @property
    def own(self) -> InceptionNet | None:
        """The lab's module in it, whose parts have addresses; None for one that is timm's."""
        inner = self.model.network if isinstance(self.model, Grey) else self.model
        return inner if isinstance(inner, InceptionNet) else None

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of its classes, in order."""
        return self.record.labels or labels()


@final
class Grey(nn.Module):
    """A network of one channel behind an entry for RGB, so that an attribution has three channels to look at.

    The weights are those of ITU-R BT.601 luma, as Pillow's; they add up to 1, so a grey picture keeps its values.
    """

    def __init__(self, network: InceptionNet) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("luma", torch.tensor(LUMA).view(1, 3, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Logits: (N, 3, H, W) to (N, classes)."""
        logits: Tensor = self.network((x * self.get_buffer("luma")).sum(dim=1, keepdim=True))
        return logits


@final
class Models:
    """A bounded cache of loaded networks, safe to use from any thread."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._loaded: OrderedDict[str, Loaded] = OrderedDict()
        self._loading: dict[str, Lock] = {}
        self._guard = Lock()

    def get(self, network: str, *, progress: Progress | None = None, precision: Precision = "fp32") -> Loaded:
        """The network of a tag, from the cache or loaded now; of several threads that ask, one loads.

        Raises `SettingsError` for bf16 on a processor without it.
        """
        if precision == "bf16" and not has_bf16():
            raise SettingsError('This processor has no bf16 arithmetic, so bf16 would only be slower: take "fp32".')
        tag = known(network).tag
        name = tag if precision == "fp32" else f"{tag} in {precision}"
        with self._guard:
            if found := self._known(name):
                return found
            loading = self._loading.setdefault(name, Lock())
        with loading:
            with self._guard:
                if found := self._known(name):
                    return found
            fresh = _loaded(tag, progress)
            if precision == "bf16":
                fresh = Loaded(fresh.record, in_bf16(fresh.model))
            with self._guard:
                self._loaded[name] = fresh
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

    def _known(self, name: str) -> Loaded | None:
        if name in self._loaded:
            self._loaded.move_to_end(name)
        return self._loaded.get(name)


MODELS = Models()


def _loaded(tag: str, progress: Progress | None) -> Loaded:
    if not is_run(tag):
        return Loaded(record(tag), packed(fused(pretrained(tag, progress=progress))))
    found = trained(tag)
    network = packed(fused(found.network()))
    match found.net.inputs:
        case 1:
            return Loaded(found.record, Grey(network))
        case 3:
            return Loaded(found.record, network)
        case inputs:
            raise RunError(f"{tag} takes images of {inputs} channels, and a photograph has 3, or 1 made of them.")


@contextmanager
def borrowed(network: str, *, progress: Progress | None = None, precision: Precision = "fp32") -> Iterator[Loaded]:
    """The network of a tag, for this thread alone while the block runs; errors as `images.trained.pretrained`, and
    `SettingsError` for bf16 where the processor has none. In bf16 the model still takes and gives float32."""
    loaded = MODELS.get(network, progress=progress, precision=precision)
    with loaded.lock:
        yield loaded


@cache
def memory(record: WeightRecord, batch: int = 1) -> int:
    """The cap, in bytes, on what classifying `batch` squares at a time with a network in fp32 adds to the process.

    Its loading is in it; other networks that are kept are not. Errors as `images.trained.trained` for a run's.
    """
    if not is_run(record.tag):
        return announced(skeleton(record).eval(), size=record.size, batch=batch)
    with torch.device("meta"):
        model = build(trained(record.tag).net).eval()
    return announced(model, size=record.size, channels=record.channels, batch=batch)


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


def tensor(squares: list[Image.Image], record: WeightRecord, device: torch.device | None = None) -> Tensor:
    """RGB squares as the network of `record` takes them: float32, (N, 3, size, size), on `device`.

    They go there as bytes and become numbers there, a quarter of the way for a GPU.
    """
    values = torch.from_numpy(np.stack([np.asarray(square) for square in squares]))
    planes = values.to(device).permute(0, 3, 1, 2).contiguous().float().div_(255)
    mean, std = torch.tensor(record.mean, device=device), torch.tensor(record.std, device=device)
    return planes.sub_(mean.view(1, 3, 1, 1)).div_(std.view(1, 3, 1, 1))


def aimed(loaded: Loaded, target: int, against: int | None = None) -> int:
    """`target`; raises `SettingsError` for a class that is not there and for a class `against` itself."""
    for chosen in (target, target if against is None else against):
        if not 0 <= chosen < loaded.record.classes:
            named = f"{loaded.record.tag} has 0 to {loaded.record.classes - 1}"
            raise SettingsError(f"There is no class {chosen}; {named}.")
    if against == target:
        raise SettingsError(f"Class {target} against itself is always 0; choose another class to compare with.")
    return target


def shares(logits: Tensor, record: WeightRecord) -> Tensor:
    """Softmax of (N, classes); raises `RunError` for a network that puts out no numbers any more."""
    if not logits.isfinite().all():
        raise RunError(f"{record.tag} puts out nan or infinity: it diverged in training, so it has no guesses at all.")
    return logits.softmax(dim=1)
