"""Where tensors meet in a loaded network: concatenations and adds, each with a way to listen in, and the residuals'
scales with a way to set them for a while.

For the lab's own modules these are `Concat`, `Add` and `Scale` at their addresses. timm's blocks add without a module
of their own; there the block's address stands for its add, and its last step before the add is what is scaled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from numbers import Real
from typing import Any, cast

from torch import Tensor, nn

from inception_lab.errors import SettingsError, UnknownAddress
from inception_lab.images.networks import Grey, Loaded
from inception_lab.images.parts import RESIDUAL, SHORTCUT, Kind, within
from inception_lab.models.build import InceptionNet
from inception_lab.models.layers import Add, Concat, LearnedScale, ScaledResidual
from inception_lab.nets.address import blocks
from inception_lab.nets.ops import Net

Hear = Callable[[tuple[Tensor, ...], Tensor], None]
"""Called in each forward with the parts (branches in order; or shortcut, residual) and with what they make together."""


@dataclass(frozen=True, slots=True, eq=False)
class Joint:
    """A concatenation or an add: its address, its block's, its parts as (name, address), and the module it is."""

    address: str
    block: str
    kind: Kind
    parts: tuple[tuple[str, str], ...]
    module: nn.Module

    def listen(self, hear: Hear) -> list[Any]:
        """Hangs hooks on the module that call `hear`; returns the handles that take them off."""
        match self.module:
            case Concat():
                return [self.module.register_forward_hook(lambda _, args, out: hear(tuple(args[0]), out))]
            case Add():
                return [self.module.register_forward_hook(lambda _, args, out: hear((args[0], args[1]), out))]
            case _:
                return _listen(self.module, hear)


@dataclass(frozen=True, slots=True, eq=False)
class Residue:
    """A residual that can be scaled: its block's address, the scale it was built with (trained numbers included), and
    the module whose `part` (what enters it, or what leaves it) is multiplied."""

    address: str
    built: float
    module: nn.Module
    enters: bool

    def hold(self, factor: float) -> Any:
        """Makes the scale `factor` until the handle that is returned is removed; nothing in the module is written."""
        if self.enters:
            return self.module.register_forward_hook(lambda _, args, out: args[0] * factor)
        return self.module.register_forward_hook(lambda _, args, out: out * factor)


def joints(loaded: Loaded) -> tuple[Joint, ...]:
    """Every concatenation and add of a network, in the order in which it runs them."""
    own = loaded.own
    if own is not None:
        name = own.net.name
        return tuple(_own(name, path, own) for path, one in own.named_modules() if isinstance(one, Concat | Add))
    tag = loaded.record.tag
    return tuple(
        Joint(at, at, "add", ((SHORTCUT, f"{at}/{SHORTCUT}"), (RESIDUAL, f"{at}/{_last(one)[0]}")), one)
        for path, one in _skips(loaded.model)
        for at in [f"{tag}/{path.replace('.', '/')}"]
    )


def residues(loaded: Loaded) -> tuple[Residue, ...]:
    """Every residual of a network, in order; empty for one that has no residual connections."""
    own = loaded.own
    if own is not None:
        return tuple(
            Residue(f"{own.net.name}/{path.replace('.', '/')}", _built(one), one.scale, enters=True)
            for path, one in own.named_modules()
            if isinstance(one, ScaledResidual)
        )
    tag = loaded.record.tag
    return tuple(
        Residue(f"{tag}/{path.replace('.', '/')}", 1.0, _last(one)[1], enters=False)
        for path, one in _skips(loaded.model)
    )


@contextmanager
def scaled(loaded: Loaded, scales: float | Mapping[str, float], *, relative: bool = False) -> Iterator[Loaded]:
    """The network with other residual scales while the block runs: one number for all, or one per block's address.

    `{"B/07": 0.3}` leaves the other blocks alone, 0 switches a block off. With `relative` the numbers multiply the
    scale a block was built with. The lock is held throughout, so that nobody else runs the changed network, and
    nothing is written into it: at the end it is what it was. Raises `UnknownAddress` for a place without residuals and
    `SettingsError` for a network without any, or for a number that is not finite.
    """
    with loaded.lock, ExitStack() as stack:
        for residue, number in chosen(loaded, scales):
            handle = residue.hold(number * residue.built if relative else number)
            stack.callback(handle.remove)
        yield loaded


@contextmanager
def held(loaded: Loaded, scales: float | Mapping[str, float] | None, *, relative: bool = False) -> Iterator[Loaded]:
    """`scaled`, or with None the network as it was built; either way for this thread alone while the block runs."""
    if scales is None:
        with loaded.lock:
            yield loaded
    else:
        with scaled(loaded, scales, relative=relative):
            yield loaded


def chosen(loaded: Loaded, scales: float | Mapping[str, float]) -> tuple[tuple[Residue, float], ...]:
    """The residuals that `scales` names, each with its number; a stage's name means all of its blocks."""
    found = residues(loaded)
    if not found:
        raise SettingsError(
            f"{loaded.record.tag} has no residual connections, so no block of it has a scale; take an Inception-ResNet."
        )
    numbers = scales if isinstance(scales, Mapping) else {"": scales}
    if wrong := [number for number in numbers.values() if not isinstance(number, Real) or not -1e6 < number < 1e6]:
        raise SettingsError(f"A residual's scale is a finite number, not {wrong[0]!r}; the paper's are 0.1 to 0.3.")
    held: dict[str, tuple[Residue, float]] = {}
    for place, number in numbers.items():
        these = [one for one in found if one.address.endswith(f"/{place}")] or [
            one for one in found if not place or within(one.address, place)
        ]
        if not these:
            names = ", ".join(one.address.split("/", 1)[1] for one in found)
            raise UnknownAddress(f"There is no residual at {place!r} in {loaded.record.tag}; they are at {names}.")
        held |= {one.address: (one, number) for one in these}
    return tuple(held.values())


def trunk(loaded: Loaded) -> Sequence[nn.Module]:
    """Modules that, run one after the other on an image, are the network; the whole of it if its kind is unknown."""
    match loaded.model:
        case Grey():
            return (_Luma(loaded.model), *_flat(loaded.model.network))
        case InceptionNet():
            return tuple(_flat(loaded.model))
        case model if type(model).__name__ in ("EfficientNet", "ResNet"):
            return tuple(_flat(model))
        case model:
            return (model,)


class _Luma(nn.Module):
    """The entry of a network of one channel alone."""

    def __init__(self, whole: Grey) -> None:
        super().__init__()
        self.register_buffer("luma", whole.get_buffer("luma"), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return (x * self.get_buffer("luma")).sum(dim=1, keepdim=True)


def _flat(module: nn.Module) -> Iterator[nn.Module]:
    for child in module.children():
        if isinstance(child, nn.Sequential):
            yield from _flat(child)
        else:
            yield child


def _own(name: str, path: str, own: InceptionNet) -> Joint:
    place, module = f"{name}/{path.replace('.', '/')}", own.get_submodule(path)
    above = place.rsplit("/", 1)[0]
    parts: tuple[tuple[str, str], ...]
    if isinstance(module, Add):
        parts = ((SHORTCUT, _before(own.net, above)), (RESIDUAL, f"{above}/scale"))
        return Joint(place, "/".join(place.split("/")[:3]), "add", parts, module)
    branches = [
        branch for branch, _ in own.get_submodule(path.rsplit(".", 1)[0]).named_children() if branch != "concat"
    ]
    parts = tuple((branch, f"{above}/{branch}") for branch in branches)
    return Joint(place, "/".join(place.split("/")[:3]), "concat", parts, module)


def _before(net: Net, block: str) -> str:
    """The address of what enters a residual: the block before, the image, or inside a block the residual's own."""
    order = [net.name, *(address for address, _ in blocks(net))]
    return order[order.index(block) - 1] if block in order else block


def _built(module: ScaledResidual) -> float:
    """The number the residual is multiplied by, rounded as the module rounds it."""
    if isinstance(module.scale, LearnedScale):
        return (module.scale.factor * module.scale.gain).item()
    return module.scale.factor


def _skips(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """timm's blocks with an add in them: those of its EfficientNets that have a skip, and those of its ResNets."""
    for path, module in model.named_modules():
        kind = type(module).__name__
        if (kind in ("InvertedResidual", "DepthwiseSeparableConv") and module.has_skip) or _is_resnet(module):
            yield path, module


def _is_resnet(module: nn.Module) -> bool:
    return type(module).__name__ in ("BasicBlock", "Bottleneck") and hasattr(module, "downsample")


def _last(block: nn.Module) -> tuple[str, nn.Module]:
    """The last step of timm's block before its add, with its name."""
    names = ("drop_path", "se", "bn3", "bn2") if _is_resnet(block) else ("bn3", "bn2")
    return next((name, one) for name in names if isinstance(one := getattr(block, name, None), nn.Module))


def _listen(block: nn.Module, hear: Hear) -> list[Any]:
    """The same for a block of timm's; a ResNet adds in place, so its residual is copied before that happens."""
    seen: dict[str, Tensor] = {}

    def residual(_: nn.Module, __: Any, out: Tensor) -> None:
        seen[RESIDUAL] = out.clone()

    def shortcut(_: nn.Module, args: Any, out: Tensor | None = None) -> None:
        seen[SHORTCUT] = args[0] if out is None else out

    def whole(x: Tensor) -> None:
        hear((seen.pop(SHORTCUT), seen.pop(RESIDUAL)), x)

    last = _last(block)[1].register_forward_hook(residual)
    if not _is_resnet(block):
        end = block.register_forward_hook(lambda _, args, out: whole(out))
        return [block.register_forward_pre_hook(shortcut), last, end]
    down = cast("nn.Module | None", block.downsample)
    start = down.register_forward_hook(shortcut) if down is not None else block.register_forward_pre_hook(shortcut)
    act = block.get_submodule("act3" if hasattr(block, "act3") else "act2")
    return [start, last, act.register_forward_pre_hook(lambda _, args: whole(args[0]))]
