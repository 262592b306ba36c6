"""The language the networks are written in: five frozen kinds of op, and `Net` to stack them.

A description holds numbers, words and tuples only. Out-channels are written once; in-channels and the closing 1x1 of a
residual follow from what comes before, so a width cannot contradict itself. `a >> b` means "a, then b". Padding is
"same" unless marked "valid", as the paper marks only V (Szegedy et al. 2017, section 3).

Everything else in the lab (modules, tables, drawings, notation) reads these values with `match`; nothing here knows who
reads it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any, Literal, Self, assert_never

from inception_lab.errors import NetworkError

WIDEST = 16
MOST_BLOCKS = 1000  # bounds that stop a slip of the hand before it fills the memory

Pad = Literal["same", "valid"]
Gain = Literal["fixed", "learned", "zero"]
Size = tuple[int, int]


class _Then:
    """Gives an op the operator `>>`."""

    __slots__ = ()

    def __rshift__(self: Op, after: Op) -> Chain:  # type: ignore[misc]
        return Chain((*_links(self), *_links(after)))


@dataclass(frozen=True, slots=True)
class Conv(_Then):
    """Convolution without bias, batch norm, ReLU; `kernel` is a side or (height, width), as in 1x7 = (1, 7)."""

    channels: int
    kernel: int | Size = 3
    stride: int = 1
    pad: Pad = "same"

    @property
    def window(self) -> Size:
        """Kernel as (height, width)."""
        return self.kernel if isinstance(self.kernel, tuple) else (self.kernel, self.kernel)


@dataclass(frozen=True, slots=True)
class Pool(_Then):
    """Pooling; `count_border` says whether an average divides by the padded cells too (v3 does, v4 does not)."""

    kind: Literal["max", "avg"]
    kernel: int = 3
    stride: int = 1
    pad: Pad = "same"
    count_border: bool = False

    @property
    def window(self) -> Size:
        """Kernel as (height, width)."""
        return (self.kernel, self.kernel)


@dataclass(frozen=True, slots=True)
class Chain(_Then):
    """Ops one after the other; made by `>>`, never nested."""

    ops: tuple[Op, ...]


@dataclass(frozen=True, slots=True, init=False)
class Concat(_Then):
    """Branches on the same input, joined along the channels in the order given."""

    branches: tuple[Op, ...]

    def __init__(self, *branches: Op) -> None:
        object.__setattr__(self, "branches", branches)


@dataclass(frozen=True, slots=True)
class Residual(_Then):
    """x + scale * linear(body(x)), then ReLU if `relu` (paper, Figs 16, 17, 19 and 20).

    The linear 1x1 has a bias and neither batch norm nor activation. Its width is that of x; `width` is set only to
    write down a printed number that cannot be built. `gain` says whether the scale is trained: "fixed" as in the
    paper, "learned" from `scale` on, "zero" times a learned number that starts at 0 (neither is in the paper).
    """

    body: Op
    scale: float = 1.0
    relu: bool = True
    width: int | None = None
    gain: Gain = "fixed"


Op = Conv | Pool | Chain | Concat | Residual


@dataclass(frozen=True, slots=True)
class Stage:
    """Blocks in a row that share a name; equal blocks may be one object: `10 * (BLOCK,)`.

    `source` says where the block stands: a figure of the paper (arXiv numbering), or its name in the released code.
    """

    name: str
    blocks: tuple[Op, ...]
    source: str = ""


@dataclass(frozen=True, slots=True)
class Net:
    """A network: stages, then global average pooling, dropout and a fully connected layer.

    `inputs` counts the image's channels, `size` is the side of the square input it was made for, `dropout` the share
    dropped (the paper keeps 0.8), `classes` the width of the classifier. `end_norm` puts batch norm and ReLU before the
    pooling, which the paper tried against dying networks (section 3.3).
    """

    name: str
    source: str
    stages: tuple[Stage, ...]
    inputs: int = 3
    size: int = 299
    dropout: float = 0.2
    classes: int = 1000
    end_norm: bool = False

    def with_(self, **changes: Any) -> Self:
        """The same network with fields replaced, for example `net.with_(classes=10)`."""
        return replace(self, **changes)

    def scaled(self, scale: float | tuple[float, float, float], *, gain: Gain = "fixed") -> Self:
        """Every residual scaled by `scale`, or those of the stages A, B and C each by its own, and the scale trained
        or not (see `Residual`); a network without residuals comes back unchanged."""
        each = scale if isinstance(scale, tuple) else (scale, scale, scale)
        if len(each) != 3 or not all(isinstance(one, int | float) and isfinite(one) for one in each):
            raise NetworkError(f"A residual's scale is a finite number, or three for A, B and C, not {scale!r}.")
        own = dict(zip("ABC", each, strict=True))
        rest = None if isinstance(scale, tuple) else scale
        return replace(self, stages=tuple(_scaled(s, own.get(s.name, rest), gain) for s in self.stages))

    def thin(self, width: float) -> Self:
        """Every convolution's channels times `width`, rounded, at least one; the classifier keeps its classes."""
        if not isinstance(width, int | float) or not 0 < width <= WIDEST:
            raise NetworkError(f"A width is a number above 0 and up to {WIDEST}, not {width!r}.")
        return self._rewritten(lambda op: _thinned(op, width))

    def repeats(self, a: int, b: int, c: int) -> Self:
        """Stages A, B and C with so many blocks: the last block stays last, the one before it is repeated."""
        if any(not isinstance(count, int) or not 1 <= count <= MOST_BLOCKS for count in (a, b, c)):
            raise NetworkError(f"A stage has 1 to {MOST_BLOCKS} blocks; asked for {a!r}, {b!r}, {c!r}.")
        wanted = {"A": a, "B": b, "C": c}
        stages = (replace(s, blocks=_repeated(s.blocks, wanted.get(s.name, len(s.blocks)))) for s in self.stages)
        return replace(self, stages=tuple(stages))

    def small(self) -> Self:
        """The network for images of about 32 pixels: another stem, and reductions that pad.

        The stem becomes 3x3/2 (32), 3x3/2 (64), 3x3 (as wide as the old stem's end), all "same". Padding the reductions
        keeps grids of 7, 4 and 2 for 28 pixels, where valid ones would leave 7, 3 and 1.
        """
        stem, *rest = self.stages
        blocks = (Conv(32, 3, stride=2) >> Conv(64, 3, stride=2) >> Conv(stage_channels(stem, self.inputs), 3),)
        padded = replace(self, stages=tuple(rest))._rewritten(_padded)
        return replace(padded, stages=(Stage(stem.name, blocks, "small stem"), *padded.stages), size=32)

    def factorised(self, address: str, *, copies: Literal["one", "all"] = "one") -> Self:
        """The n×n convolution at `address` as 1×n → n×1, in one block or in all its copies (see `nets.factorise`)."""
        from inception_lab.nets.factorise import factorised  # it reads addresses, which read this module

        return factorised(self, address, copies=copies)

    def changed(
        self,
        address: str,
        *,
        channels: int | None = None,
        kernel: Size | None = None,
        copies: Literal["one", "all"] = "one",
    ) -> Self:
        """Another number of channels or another kernel at one convolution (see `nets.rewriting.changed`)."""
        from inception_lab.nets.rewriting import changed  # it reads addresses, which read this module

        return changed(self, address, channels=channels, kernel=kernel, copies=copies)

    def rescaled(self, scale: float, *, stage: str = "", was: float | None = None) -> Self:
        """Another scale for the residuals of one stage or of all, of those at one scale or at any; what else they are
        stays (see `nets.rewriting.rescaled`)."""
        from inception_lab.nets.rewriting import rescaled  # it reads addresses, which read this module

        return rescaled(self, scale, stage=stage, was=was)

    def _rewritten(self, change: Callable[[Op], Op]) -> Self:
        stages = (replace(s, blocks=tuple(rewrite(block, change) for block in s.blocks)) for s in self.stages)
        return replace(self, stages=tuple(stages))


def channels(op: Op, inputs: int) -> int:
    """Channels that leave `op` when `inputs` enter it; a residual keeps what entered."""
    match op:
        case Conv():
            return op.channels
        case Pool() | Residual():
            return inputs
        case Chain():
            for link in op.ops:
                inputs = channels(link, inputs)
            return inputs
        case Concat():
            return sum(channels(branch, inputs) for branch in op.branches)
        case _:
            assert_never(op)


def stage_channels(stage: Stage, inputs: int) -> int:
    """Channels that leave a stage when `inputs` enter it."""
    for block in stage.blocks:
        inputs = channels(block, inputs)
    return inputs


def padding(window: Size, pad: Pad) -> Size:
    """Cells added on each side (height, width); "same" needs odd kernels, the only ones these networks have."""
    return ((window[0] - 1) // 2, (window[1] - 1) // 2) if pad == "same" else (0, 0)


def _scaled(stage: Stage, scale: float | None, gain: Gain) -> Stage:
    """The stage with its residuals scaled; as it is where there is no scale for it."""
    if scale is None:
        return stage

    def change(op: Op) -> Op:
        return replace(op, scale=scale, gain=gain) if isinstance(op, Residual) else op

    return replace(stage, blocks=tuple(rewrite(block, change) for block in stage.blocks))


def _links(op: Op) -> tuple[Op, ...]:
    return op.ops if isinstance(op, Chain) else (op,)


def rewrite(op: Op, change: Callable[[Op], Op]) -> Op:
    """`op` with `change` applied to every op in it, innermost first."""
    match op:
        case Conv() | Pool():
            return change(op)
        case Chain():
            return change(Chain(tuple(rewrite(link, change) for link in op.ops)))
        case Concat():
            return change(Concat(*(rewrite(branch, change) for branch in op.branches)))
        case Residual():
            return change(replace(op, body=rewrite(op.body, change)))
        case _:
            assert_never(op)


def _thinned(op: Op, width: float) -> Op:
    match op:
        case Conv():
            return replace(op, channels=max(1, round(op.channels * width)))
        case Residual(width=int(printed)):
            return replace(op, width=max(1, round(printed * width)))
        case _:
            return op


def _padded(op: Op) -> Op:
    return replace(op, pad="same") if isinstance(op, Conv | Pool) else op


def _repeated(blocks: tuple[Op, ...], count: int) -> tuple[Op, ...]:
    *first, last = blocks
    filler = first[-1] if first else last
    return (*first[: count - 1], *((count - 1 - len(first)) * (filler,)), last)
