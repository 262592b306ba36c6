"""Networks to look into: with their weights, or with random ones that are named so.

What runs an image is the folded network that Classify asks too. Folding leaves no batch norm to look at, so the network
as it was trained stands beside it, for the one convolution whose arithmetic is asked; it is loaded when it is first
needed. timm's modules have no addresses of the lab: theirs are the tag and the module's name, with / for its dots, as
in `efficientnet_lite0/blocks/1/0/conv_pw`.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import RLock
from typing import Generic, TypeVar, final

import torch
from psutil import virtual_memory
from torch import nn

from inception_lab.errors import NetworkError, UnknownAddress
from inception_lab.images.networks import Grey, Loaded, borrowed
from inception_lab.images.trained import is_run, known, pretrained
from inception_lab.models.build import build
from inception_lab.models.hub import Progress
from inception_lab.models.layers import LearnedScale
from inception_lab.models.packed import packed
from inception_lab.models.records import WeightRecord
from inception_lab.nets.address import blocks, locate, steps, written
from inception_lab.nets.ops import Chain, Concat, Net, Residual
from inception_lab.readers.cost import cost
from inception_lab.readers.shapes import FLOAT_BYTES

Value = TypeVar("Value")

SHARE = 0.6  # of the free memory that a network of random weights may take
KEPT = 2  # unfolded networks, and as many with random weights: about 0.25 GB each at most


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """A network while it is looked into; `plain` gives its module with every batch norm still in it."""

    loaded: Loaded
    weights: str
    plain: Callable[[], nn.Module]

    @property
    def net(self) -> Net | None:
        """The description; None for a network that is timm's."""
        return self.loaded.own.net if self.loaded.own else None

    @property
    def body(self) -> nn.Module:
        """The module whose parts have addresses."""
        return self.loaded.own or self.loaded.model

    def locate(self, at: str) -> str:
        """The full address; raises `UnknownAddress` with names that would have worked."""
        tag = self.loaded.record.tag
        if self.net:
            full = ended(self.net, locate(self.net, at))
            if "/" not in full:
                raise UnknownAddress(
                    f"{full} is the whole network; name a stage, a block or an op of it, such as stem."
                )
            return full
        path = at.strip("/").removeprefix(f"{tag}/").replace(".", "/")
        names = parts(self.loaded.model)
        if path not in names:
            near = [name for name in names if name.startswith(path.split("/")[0])] or list(names)
            raise UnknownAddress(
                f"There is no {path!r} in {tag}, whose parts are timm's; it has {', '.join(near[:12])}."
            )
        return f"{tag}/{path}"

    def block(self, address: str) -> tuple[str, ...]:
        """Addresses of all ops in the block of a full address; for what is in no block, itself."""
        for at, op in blocks(self.net) if self.net else ():
            if f"{address}/".startswith(f"{at}/"):
                return tuple(steps(at, op))
        return (address,)

    def module(self, address: str) -> nn.Module:
        """The folded module at a full address."""
        return self.body.get_submodule(_path(address))


def ended(net: Net, address: str) -> str:
    """The op whose output is that of the stage, block or part at a full address; steps and joints are their own."""
    _, *inside = address.split("/")
    if len(inside) == 1 and inside[0] != "head":
        last = len(next(stage for stage in net.stages if stage.name == inside[0]).blocks)
        return ended(net, f"{address}/{last:02d}")
    if inside == ["head"]:
        return f"{address}/classifier"
    op = written(net, address)
    return list(steps(address, op))[-1] if isinstance(op, Chain | Concat | Residual) else address


def parts(model: nn.Module) -> tuple[str, ...]:
    """Names of what timm's module is made of, with / for dots; what only hands on is left out.

    A folded batch norm stands there with its activation, or with nothing behind it.
    """
    return tuple(
        name.replace(".", "/")
        for name, module in model.named_modules()
        if name and (not isinstance(module, nn.Identity) or name.rsplit(".", 1)[-1].startswith("bn"))
    )


@contextmanager
def opened(network: str | Net, *, seed: int = 0, progress: Progress | None = None) -> Iterator[Opened]:
    """The network of a tag with its weights, or that of a description with random ones, for this thread alone.

    Random weights are normal with variance 2 / fan-in (He et al. 2015), biases and running means 0, running variances
    1. Errors as `images.networks.borrowed`, and `NetworkError` for a description of other than 1 or 3 channels.
    """
    if isinstance(network, Net):
        loaded = _RANDOM.get((network, seed), lambda: _random(network, seed))
        with loaded.lock:
            yield Opened(loaded, named(seed), lambda: _plain_of(loaded))
        return
    with borrowed(network, progress=progress) as loaded:
        tag = loaded.record.tag
        origin = tag if is_run(tag) else f"weights {tag}"
        yield Opened(loaded, origin, lambda: _PLAIN.get(tag, lambda: pretrained(tag)))


def record_of(network: str | Net, *, seed: int = 0) -> WeightRecord:
    """What is known of the network of `opened`; nothing is loaded."""
    if isinstance(network, str):
        return known(network)
    return WeightRecord(
        tag=network.name,
        network=network.name,
        origin=named(seed),
        top1=math.nan,
        top5=None,
        accuracy_source="nobody trained it",
        megabytes=0,
        size=network.size,
        channels=network.inputs,
        classes=network.classes,
        labels=tuple(f"class {place}" for place in range(network.classes)),
    )


def named(seed: int) -> str:
    """How random weights are called, everywhere."""
    return f"random weights, seed {seed}"


@final
class _Kept(Generic[Value]):
    """A few values by name, the one unused for longest goes first; of threads that ask for one, one makes it."""

    def __init__(self) -> None:
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._guard = RLock()

    def get(self, name: Hashable, make: Callable[[], Value]) -> Value:
        with self._guard:
            if name not in self._values:
                self._values[name] = make()
                while len(self._values) > KEPT:
                    self._values.popitem(last=False)
            self._values.move_to_end(name)
            return self._values[name]


_PLAIN: _Kept[nn.Module] = _Kept()
_RANDOM: _Kept[Loaded] = _Kept()


def _random(net: Net, seed: int) -> Loaded:
    if net.inputs not in (1, 3):
        raise NetworkError(
            f"{net.name} takes images of {net.inputs} channels, and a photograph has 3, or 1 made of them."
        )
    with torch.device("meta"):
        model = build(net)
    _room(net)
    model.to_empty(device="cpu")
    generator = torch.Generator().manual_seed(seed)  # of its own: the process's is shared by all threads
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.normal_(module.weight, std=math.sqrt(2 / module.weight[0].numel()), generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d | LearnedScale):
            module.reset_parameters()
    ready = packed(model.eval().requires_grad_(False).to(memory_format=torch.channels_last))
    return Loaded(record_of(net, seed=seed), Grey(ready) if net.inputs == 1 else ready)


def _room(net: Net) -> None:
    """Raises `NetworkError` where weights, with the copy in the processor's order, and maps would not fit in memory."""
    whole = cost(net).total
    needed, free = 2 * FLOAT_BYTES * whole.parameters + whole.live_bytes, virtual_memory().available
    if needed > SHARE * free:
        raise NetworkError(
            f"{net.name} needs {needed / 1e9:,.1f} GB for its weights and maps, and {free / 1e9:,.1f} GB are free. "
            "Take fewer channels or a smaller image."
        )


def _plain_of(loaded: Loaded) -> nn.Module:
    """Random weights were never folded."""
    return loaded.own or loaded.model


def _path(address: str) -> str:
    return address.split("/", 1)[1].replace("/", ".")
