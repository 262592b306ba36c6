"""How alike two maps are: Spearman's rank correlation over regions, which no choice of colour scale can change."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def spearman(a: Array, b: Array) -> float:
    """Spearman's rank correlation of two arrays of one size, equals sharing their mean rank.

    0 if either is the same everywhere or holds NaN: such a map ranks nothing, so nothing agrees with it.
    """
    first, second = (np.asarray(one, dtype=np.float64).ravel() for one in (a, b))
    if not (np.isfinite(first).all() and np.isfinite(second).all()) or not (np.ptp(first) and np.ptp(second)):
        return 0.0
    return float(np.corrcoef(ranked(first), ranked(second))[0, 1])


def ranked(values: Array) -> Array:
    """Ranks from 0 on; equal values have the mean of the ranks they take up."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count) - 1
    return np.asarray((last - (count - 1) / 2)[place])
