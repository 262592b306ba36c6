"""What an attribution will take on this machine: images, seconds and memory, from one pass that is measured."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from threading import Lock
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from inception_lab.images.methods import BATCH, REGIONS, Method, Passes, entering_short, passes, recording
from inception_lab.images.networks import Loaded

CAP = 1 << 30  # bytes that one attribution may take beside the network; a single image may need more all the same
HELD = 1.5  # peak over what is kept for the way back: gradients and the convolutions' own working memory
LIVE = 5.0  # peak of a pass without gradients over its largest map: input, output, branches, working memory
SHORT: tuple[Method, ...] = ("grad_cam",)
"""Methods whose way back ends at the layer they look at. Captum takes that of conductance to the image."""
EXTRA: dict[Method, float] = {"layer_conductance": 2.0, "deeplift": 1.8}
"""Captum holds on to the first batch of conductance, and to what goes in and out of each activation of DeepLift."""
FIXED = 48 << 20  # bytes that torch and Captum take once, whatever the network


@dataclass(frozen=True, slots=True)
class Measured:
    """One image through a network: seconds without and with the way back, bytes of its memory in both."""

    forward: float
    gradient: float
    live: int
    held: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an attribution takes: images through the network, about so many seconds, at most about so many bytes.

    `batch` images go through at a time, as many as the cap on memory allows. The bytes are those beside the weights.
    """

    images: int
    seconds: float
    bytes: int
    batch: int
    cap: int = CAP

    def __str__(self) -> str:
        over = "" if self.bytes <= self.cap else f", more than the cap of {self.cap / 1e6:.0f} MB, for a single image"
        memory = f"at most about {self.bytes / 1e6:.0f} MB of memory, {self.batch} at a time{over}"
        return f"{self.images} images through the network, {long(self.seconds)} on this machine, {memory}"


_KNOWN: WeakKeyDictionary[nn.Module, dict[int, Measured]] = WeakKeyDictionary()
_BEHIND: WeakKeyDictionary[nn.Module, dict[int, Measured]] = WeakKeyDictionary()
_PASSING: WeakKeyDictionary[nn.Module, dict[int, float]] = WeakKeyDictionary()
_GUARD = Lock()


def measured(loaded: Loaded) -> Measured:
    """One pass without and one with gradients, each after one to warm up; kept for each network and count of threads.

    Only the first time it takes the network's lock: a page asks again while another one works.
    """
    found = _remembered(loaded.model)
    if found is not None:
        return found
    with loaded.lock:
        found = _remembered(loaded.model)  # another thread may have been first
        if found is None:
            found = _measure(loaded.model, _blank(loaded))
            with _GUARD:
                _KNOWN.setdefault(loaded.model, {})[torch.get_num_threads()] = found
    return found


def passing(loaded: Loaded) -> float:
    """Seconds of one image through a network without a way back, after one to warm up; kept as `measured` keeps it."""
    if (found := _remembered(loaded.model)) is not None:
        return found.forward
    threads = torch.get_num_threads()
    with loaded.lock:
        with _GUARD:
            seconds = _PASSING.get(loaded.model, {}).get(threads)
        if seconds is None:
            seconds = _forward(loaded.model, _blank(loaded))
            with _GUARD:
                _PASSING.setdefault(loaded.model, {})[threads] = seconds
    return seconds


def reach(method: Method, loaded: Loaded, module: nn.Module | None) -> Measured:
    """What is measured for `method`: the whole way back, or for what looks at the layer `module` the way to there."""
    return measured(loaded) if module is None or method not in SHORT else _behind(loaded, module)


def _behind(loaded: Loaded, module: nn.Module) -> Measured:
    """As `measured`, with a way back that ends at a layer; a layer that no pass runs counts as the image."""
    threads = torch.get_num_threads()
    with loaded.lock:
        with _GUARD:
            found = _BEHIND.get(module, {}).get(threads)
        if found is None:
            found = _measure(loaded.model, _blank(loaded), module)
            with _GUARD:
                _BEHIND.setdefault(module, {})[threads] = found
    return found


def batch_of(method: Method, found: Measured, cap: int = CAP) -> int:
    """How many images at a time: as many as the cap allows, and no more than are fast."""
    most = int((cap - FIXED) // max(_each(method, found), 1))
    return max(2 if method == "layer_conductance" else 1, min(BATCH, most))


def estimate(method: Method, found: Measured, *, size: int, regions: int = REGIONS, cap: int = CAP) -> Estimate:
    """The cost of `method` on an image of `size` x `size`, the pass for the prediction included; `found` as `reach`
    gives it."""
    batch = batch_of(method, found, cap)
    needed: Passes = passes(method, size, batch=batch, regions=regions)
    wide: dict[Method, int] = {"deeplift": 2, "guided_grad_cam": 1}
    width = wide.get(method, min(batch, max(needed.gradient, needed.forward)))
    seconds = needed.gradient * found.gradient + (needed.forward + 1) * found.forward
    return Estimate(needed.images + 1, seconds, int(FIXED + width * _each(method, found)), width, cap)


def _each(method: Method, found: Measured) -> float:
    """Bytes for each image of a batch."""
    if not passes(method, 1).gradient:
        return LIVE * found.live
    return max(LIVE * found.live, HELD * found.held * EXTRA.get(method, 1.0))


def _remembered(model: nn.Module) -> Measured | None:
    with _GUARD:
        return _KNOWN.get(model, {}).get(torch.get_num_threads())


def _measure(model: nn.Module, image: Tensor, module: nn.Module | None = None) -> Measured:
    """Each kind of pass once to warm up and once for the clock; back to the image, or to the output of `module`."""
    own = {t.untyped_storage().data_ptr() for t in (*model.parameters(), *model.buffers())}
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with _largest(model) as largest:
        forward = _forward(model, image)
    if module is not None and module not in largest.ran:
        module = None
    with _ahead(module, image) as (x, ends):
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            torch.autograd.grad(model(x)[:, 0].sum(), ends[-1])
        start = time.perf_counter()
        torch.autograd.grad(model(x)[:, 0].sum(), ends[-1])
        gradient = time.perf_counter() - start
    live = max(largest.bytes, max(kept.values(), default=0), image.nbytes)
    return Measured(forward, gradient, live, sum(kept.values()) or image.nbytes)


@dataclass(slots=True)
class _Largest:
    """Bytes of the largest map of a pass, and the modules that put out one."""

    bytes: int = 0
    ran: set[nn.Module] = field(default_factory=set)


@contextmanager
def _largest(model: nn.Module) -> Iterator[_Largest]:
    found = _Largest()

    def hear(module: nn.Module, _: object, made: object) -> None:
        if isinstance(made, Tensor):
            found.ran.add(module)
            found.bytes = max(found.bytes, made.nbytes)

    with ExitStack() as stack:
        for module in model.modules():
            stack.callback(module.register_forward_hook(hear).remove)
        yield found


@contextmanager
def _ahead(module: nn.Module | None, image: Tensor) -> Iterator[tuple[Tensor, list[Tensor]]]:
    """What enters the network, and a list whose last tensor is where the way back ends: the image, or each output of
    `module` as it is made."""
    if module is None:
        with recording(image) as x:
            yield x, [x]
        return
    ends: list[Tensor] = []

    def start(_: nn.Module, __: object, made: Tensor) -> Tensor:
        ends.append(made.detach().requires_grad_())
        return ends[-1].clone()  # what follows may work in place, which autograd forbids on what it starts from

    handle = module.register_forward_hook(start)
    try:
        with entering_short(image) as x:
            yield x, ends
    finally:
        handle.remove()


def _forward(model: nn.Module, image: Tensor) -> float:
    with torch.inference_mode():
        model(image)
        start = time.perf_counter()
        model(image)
        return time.perf_counter() - start


def _blank(loaded: Loaded) -> Tensor:
    side = loaded.record.size
    return torch.zeros(1, 3, side, side).contiguous(memory_format=torch.channels_last)


def long(seconds: float) -> str:
    """Seconds in words: `less than a second`, `about 12 s`, `about 3 min`."""
    if seconds < 1:
        return "less than a second"
    return f"about {seconds:.0f} s" if seconds < 100 else f"about {seconds / 60:.0f} min"
