"""One output cell with real numbers: what went in, what it was multiplied by, every step to what came out.

    conv        window × kernel (+ bias) → batch norm → ReLU, as far as the address goes
    pool        the largest or the mean of a window
    add         shortcut + scale × residual (→ ReLU)
    classifier  pooled channels × weights + bias

Everything is worked out in fp64 from the fp32 numbers that entered the module, and stands beside what the module put
out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor, nn

from inception_lab.models.layers import LearnedScale, Scale

TOP = 9  # all of a 3×3 window of one channel
Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Term:
    """One product of a sum: where its value stands, the value, its weight. Rows and columns are of the grid that
    entered; `channel` counts from 0 as in the module, `name` says which of several inputs it is of."""

    name: str
    channel: int
    row: int
    column: int
    value: float
    weight: float

    @property
    def product(self) -> float:
        """What it adds to the sum."""
        return self.value * self.weight


@dataclass(frozen=True, slots=True)
class Step:
    """What was done last, in words and numbers, and the value after it."""

    words: str
    value: float


@dataclass(frozen=True, slots=True, eq=False)
class Arithmetic:
    """The value of one cell (channel, row, column) of `address`, from what entered to `value`.

    `terms` are the largest products of all `count`, `rest` is the sum of the others; of a maximum they are its window,
    the largest first. `window` and `kernel` are all the numbers, float64 (inputs, height, width), padding as 0, where
    a kernel lies over a window. `output` is what the module itself put out in fp32; `padded` counts the window's
    numbers that are padding.
    """

    address: str
    kind: str
    cell: tuple[int, int, int]
    terms: tuple[Term, ...]
    count: int
    rest: float
    steps: tuple[Step, ...]
    output: float
    padded: int = 0
    window: Array | None = None
    kernel: Array | None = None

    @property
    def value(self) -> float:
        """The end of the calculation."""
        return self.steps[-1].value

    @property
    def error(self) -> float:
        """How far the module's own fp32 result lies from it, as a share of the largest number on the way."""
        sizes = [1.0, *(abs(step.value) for step in self.steps), *(abs(term.product) for term in self.terms)]
        return abs(self.value - self.output) / max(sizes)


def term(place: Array, value: float, *, weight: float = 1.0) -> Term:
    """A term of the only input; `place` is channel, row, column."""
    channel, row, column = (int(n) for n in place)
    return Term("input", channel, row, column, value, weight)


def weighted(values: Array, weights: Array, *, places: Array) -> tuple[tuple[Term, ...], float]:
    """The largest products of two flat arrays as terms, and the sum of the others; `places` (n, 3) are channel, row
    and column."""
    products = values * weights
    order = np.argsort(-np.abs(products), kind="stable")
    top, rest = order[:TOP], order[TOP:]
    terms = tuple(term(places[i], float(values[i]), weight=float(weights[i])) for i in top)
    return terms, math.fsum(products[rest])


def convolved(
    x: Tensor, conv: nn.Conv2d, cell: tuple[int, int, int], padding: tuple[int, int]
) -> tuple[Array, Array, Array, int]:
    """Window and kernel (inputs, kh, kw) of a cell, the place of each number (inputs, kh, kw, 3), and how many of the
    numbers are padding; `padding` is that above and to the left."""
    channel, row, column = cell
    kernel = conv.weight[channel].detach().double().numpy()
    first = channel // (conv.out_channels // conv.groups) * kernel.shape[0]
    window, places, padded = window_of(
        x[0, first : first + kernel.shape[0]], (row, column), kernel.shape[1:], conv.stride, padding
    )
    places[..., 0] += first
    return window, kernel, places, padded


def window_of(
    x: Tensor, cell: tuple[int, int], sides: tuple[int, ...], stride: tuple[int, ...], padding: tuple[int, int]
) -> tuple[Array, Array, int]:
    """The numbers of (C, H, W) under a window, padding as 0, with the place of each, and how many are padding."""
    values = x.detach().double().numpy()
    spots = [
        np.arange(at * step - pad, at * step - pad + side)
        for at, side, step, pad in zip(cell, sides, stride, padding, strict=True)
    ]
    there = [(spot >= 0) & (spot < n) for spot, n in zip(spots, values.shape[1:], strict=True)]
    inside = there[0][:, None] & there[1][None, :]
    safe = [np.clip(spot, 0, n - 1) for spot, n in zip(spots, values.shape[1:], strict=True)]
    window = values[:, safe[0][:, None], safe[1][None, :]] * inside
    places = np.stack(np.meshgrid(np.arange(len(values)), *spots, indexing="ij"), axis=-1)
    return window, places, int((~inside).sum()) * len(values)


def normed(value: float, norm: nn.BatchNorm2d, channel: int) -> Step:
    """Batch norm in evaluation mode."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    mean, var = float(norm.running_mean[channel]), float(norm.running_var[channel])
    gain, shift = float(norm.weight[channel]), float(norm.bias[channel])
    less, more = ("−" if mean >= 0 else "+"), ("+" if shift >= 0 else "−")
    words = (
        f"batch norm: {gain:.4g} × ({value:.5g} {less} {abs(mean):.4g}) / √({var:.4g} + {norm.eps:.3g}) "
        f"{more} {abs(shift):.4g}"
    )
    return Step(words, gain * (value - mean) / math.sqrt(var + norm.eps) + shift)


def activated(value: float, act: nn.Module) -> Step:
    """ReLU, or ReLU6 as in EfficientNet-Lite."""
    if isinstance(act, nn.ReLU6):
        return Step(f"ReLU6: min(6, max(0, {value:.5g}))", min(6.0, max(0.0, value)))
    return Step(f"ReLU: max(0, {value:.5g})", max(0.0, value))


def factor(scale: nn.Module) -> float:
    """The number a residual is multiplied by."""
    if isinstance(scale, LearnedScale):
        return scale.factor * float(scale.gain)
    assert isinstance(scale, Scale)
    return scale.factor


def top_left(conv: nn.Module, x: Tensor, out: Tensor) -> tuple[int, int]:
    """The padding above and to the left; TensorFlow's "same", which timm keeps, depends on the grid and is uneven."""
    if type(conv).__name__ == "Conv2dSame":
        needed = (
            (n - 1) * step + side - before
            for n, step, side, before in zip(out.shape[2:], conv.stride, conv.kernel_size, x.shape[2:], strict=True)  # type: ignore[arg-type]
        )
        down, across = (max(0, need) // 2 for need in needed)
        return down, across
    given = conv.padding
    pair = (given, given) if isinstance(given, int) else given
    return int(pair[0]), int(pair[1])  # type: ignore[index]


def pair(value: Any) -> tuple[int, int]:
    """A size as PyTorch's modules keep it, one number or two, as (height, width)."""
    return (int(value), int(value)) if isinstance(value, int) else (int(value[0]), int(value[1]))
