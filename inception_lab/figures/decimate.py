"""Fewer points for a line that is longer than the screen is wide: the smallest and the largest of every few steps.

Nothing is averaged and nothing chosen at random, so a spike of one step stays as high as it was. NaN and infinities are
kept one by one, as are the steps asked for. Buckets begin at multiples of a power of two, so that a line that grows
keeps its older points as they were.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

BUDGET = 2000
"""Points of one line that are drawn as they are; about two for each pixel of a wide screen."""

Numbers = NDArray[Any]


def bucket(count: int, *, budget: int = BUDGET) -> int:
    """How many of `count` points share one smallest and one largest; 1 says that all are drawn."""
    size = 1
    while count > budget and 2 * count > size * budget:
        size *= 2
    return size


def decimate(
    steps: Numbers, values: Numbers, *, keep: Collection[int] = (), budget: int = BUDGET
) -> tuple[Numbers, Numbers]:
    """The points to draw, in their order: all if there are no more than `budget`, else two of each bucket.

    `keep` names steps that stay whatever their value; so does every value that is not finite.
    """
    size = bucket(len(values), budget=budget)
    if size == 1:
        return steps, values
    short = -len(values) % size
    finite = np.isfinite(values)
    low = np.pad(np.where(finite, values, np.inf), (0, short), constant_values=np.inf).reshape(-1, size)
    high = np.pad(np.where(finite, values, -np.inf), (0, short), constant_values=-np.inf).reshape(-1, size)
    first = np.arange(0, len(values), size)
    chosen = ~finite
    for place in (first + low.argmin(axis=1), first + high.argmax(axis=1)):
        chosen[place] = True
    chosen |= np.isin(steps, list(keep))
    return steps[chosen], values[chosen]
