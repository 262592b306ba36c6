"""Synthetic textures: eight kinds of pattern in two random colours, with random period, place and noise.

They follow from a seed through whole numbers, sums, products and square roots alone, which every processor rounds
alike; sines are left out because libraries disagree in their last digit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inception_lab.training.datasets import DATASETS, TEXTURES

SEED = 20160223
SIDE = DATASETS["textures"].size
_AT_ONCE = 500

Bytes = NDArray[np.uint8]
Reals = NDArray[np.float64]


def images(count: int, *, part: int) -> tuple[Bytes, Bytes]:
    """`count` images (N, 3, 32, 32) and their labels (N), classes in turn; another `part` has other images."""
    labels = np.arange(count, dtype=np.uint8) % len(TEXTURES)
    out = np.empty((count, 3, SIDE, SIDE), np.uint8)
    chance = np.random.Generator(np.random.PCG64([SEED, part]))
    for first in range(0, count, _AT_ONCE):
        some = slice(first, first + _AT_ONCE)
        out[some] = _coloured(_patterns(labels[some], chance), chance)
    return out, labels


def _patterns(labels: Bytes, chance: np.random.Generator) -> Reals:
    """A pattern from 0 to 1 for each label: (n, 32, 32)."""
    n = len(labels)
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(float)
    period, down, right, far = (
        values[:, None, None] for values in (chance.uniform(5, 11, n), *chance.uniform(0, 1, (3, n)))
    )
    slant = np.where(chance.random(n) < 0.5, 1.0, -1.0)[:, None, None]
    lying, standing = _wave(y / period + down), _wave(x / period + right)
    distance = np.sqrt((y - SIDE * down) ** 2 + (x - SIDE * right) ** 2)
    kinds = (
        lying + 0 * standing,
        standing + 0 * lying,
        _wave((y + slant * x) / (1.4 * period) + far),
        ((lying > 0.5) ^ (standing > 0.5)).astype(float),
        np.minimum(1, 1.6 * lying * standing),
        _wave(distance / period + far),
        chance.random((n, SIDE, SIDE)),
        _blotches(n, chance),
    )
    return np.stack(kinds)[labels, np.arange(n)]


def _wave(at: Reals) -> Reals:
    """A triangle wave of period 1, from 0 to 1."""
    return np.abs(at % 1 - 0.5) * 2


def _blotches(n: int, chance: np.random.Generator) -> Reals:
    """Coarse noise: cells of 4 pixels, softened by the mean of their neighbours."""
    cells = chance.random((n, SIDE // 4 + 1, SIDE // 4 + 1)).repeat(4, axis=1).repeat(4, axis=2)
    soft = cells[:, :SIDE, :SIDE] + cells[:, 4:, 4:] + cells[:, 2 : SIDE + 2, 2 : SIDE + 2]
    return np.clip(soft - 1, 0, 1)


def _coloured(patterns: Reals, chance: np.random.Generator) -> Bytes:
    """Each pattern between two colours that differ clearly, with noise: bytes (n, 3, 32, 32)."""
    n = len(patterns)
    one = chance.uniform(0, 255, (n, 3, 1, 1))
    step = chance.uniform(80, 140, (n, 3, 1, 1)) * np.where(one > 127.5, -1, 1)
    noise = chance.uniform(-1, 1, (n, 3, SIDE, SIDE)) * chance.uniform(5, 40, (n, 1, 1, 1))
    return np.clip(np.rint(one + step * patterns[:, None] + noise), 0, 255).astype(np.uint8)
