"""One op of a network changed, in one block or in all its equal copies, or some of its scales; the rest stays the same
values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from math import isfinite
from operator import rshift
from typing import Literal, TypeVar, assert_never

from inception_lab.errors import NetworkError
from inception_lab.nets.address import children, locate, written
from inception_lab.nets.ops import Chain, Concat, Conv, Net, Op, Pool, Residual, Size, rewrite

Copies = Literal["one", "all"]
N = TypeVar("N", bound=Net)

MOST_CHANNELS, LARGEST = 8192, 15  # what a change may ask for; beyond it nobody learns from the picture


def changed(
    net: N, address: str, *, channels: int | None = None, kernel: Size | None = None, copies: Copies = "one"
) -> N:
    """The network with another number of channels or another kernel (height, width) at a convolution.

    Channels can also be given at a residual's closing 1×1 (`.../linear`), where only those of its shortcut can be
    built. Raises `UnknownAddress`, and `NetworkError` for what is no convolution, for an even or too large kernel and
    for no or too many channels.
    """
    if channels is not None and not 1 <= channels <= MOST_CHANNELS:
        raise NetworkError(f"A convolution makes 1 to {MOST_CHANNELS} channels here; asked for {channels}.")
    if kernel is not None and not all(1 <= side <= LARGEST and side % 2 for side in kernel):
        raise NetworkError(f"A kernel's sides are odd and up to {LARGEST}; asked for {kernel[0]}×{kernel[1]}.")
    at = locate(net, address)
    closing = at.endswith("/linear") and isinstance(written(net, at.rpartition("/")[0]), Residual)
    place = at.rpartition("/")[0] if closing else at

    def change(op: Op) -> Op:
        match op:
            case Conv():
                same = op.kernel if kernel is None else kernel[0] if kernel[0] == kernel[1] else kernel
                return replace(op, channels=op.channels if channels is None else channels, kernel=same)
            case Residual() if closing and kernel is None:
                return replace(op, width=channels)
            case _:
                raise NetworkError(f"{at} is no convolution: only those have channels and a kernel to change.")

    return rewritten(net, place, change, copies=copies)


def scales(net: Net) -> dict[str, dict[float, tuple[int, ...]]]:
    """Every scale of each stage that has residuals, with the numbers of the blocks that have it, in order."""
    found: dict[str, dict[float, tuple[int, ...]]] = {}
    for stage in net.stages:
        for place, block in enumerate(stage.blocks, 1):
            for scale in dict.fromkeys(_scales(block)):
                here = found.setdefault(stage.name, {})
                here[scale] = (*here.get(scale, ()), place)
    return found


def rescaled(net: N, scale: float, *, stage: str = "", was: float | None = None) -> N:
    """The network with another scale at the residuals of `stage` (of every stage without one) whose scale is `was` (at
    any scale without one). Whether a scale is trained, and all else, stays as it is.

    Raises `NetworkError` for a scale that is no finite number, and where there is no such residual.
    """
    if not isinstance(scale, int | float) or not isfinite(scale):
        raise NetworkError(f"A residual's scale is a finite number, not {scale!r}.")
    known = scales(net)
    if not any(stage in ("", name) and (was is None or was in there) for name, there in known.items()):
        where = f"stage {stage}" if stage else net.name
        raise NetworkError(f"{where} has no residual{'' if was is None else f' with a scale of {was:g}'}.")

    def change(op: Op) -> Op:
        return replace(op, scale=scale) if isinstance(op, Residual) and was in (None, op.scale) else op

    stages = tuple(
        replace(one, blocks=tuple(rewrite(block, change) for block in one.blocks)) if stage in ("", one.name) else one
        for one in net.stages
    )
    return net.with_(stages=stages)


def _scales(op: Op) -> tuple[float, ...]:
    own = (float(op.scale),) if isinstance(op, Residual) else ()
    return own + tuple(scale for _, child in children(op) for scale in _scales(child))


def rewritten(net: N, address: str, change: Callable[[Op], Op], *, copies: Copies = "one") -> N:
    """The network with `change` applied to the op at a full address of the description.

    With `copies="all"` every block of the stage that equals the one at the address changes with it: repeats share one
    value, and a single copy that changes becomes a value of its own.
    """
    _, name, block, *inner = address.split("/")
    stage = next(stage for stage in net.stages if stage.name == name)
    old = stage.blocks[int(block) - 1]
    new = _rewritten(old, tuple(inner), change)
    chosen = [(copies == "all" and other == old) or place == int(block) for place, other in enumerate(stage.blocks, 1)]
    blocks = tuple(new if here else other for here, other in zip(chosen, stage.blocks, strict=True))
    stages = tuple(replace(one, blocks=blocks) if one is stage else one for one in net.stages)
    return net.with_(stages=stages)


def _rewritten(op: Op, path: tuple[str, ...], change: Callable[[Op], Op]) -> Op:
    """`op` with the one at `path` in it changed."""
    if not path:
        return change(op)
    inner = [_rewritten(child, path[1:], change) if name == path[0] else child for name, child in children(op)]
    match op:
        case Conv() | Pool():
            return op
        case Chain():
            return reduce(rshift, inner)  # which keeps chains flat
        case Concat():
            return Concat(*inner)
        case Residual():
            return replace(op, body=inner[0])
        case _:
            assert_never(op)
