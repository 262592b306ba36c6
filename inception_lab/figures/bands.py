"""The mean over seeds and how far it may be trusted: the 95 % interval of the mean, by Student's t."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inception_lab.intervals import NORMAL_95

Numbers = NDArray[Any]

LEAST = 3
"""Seeds below which no interval is drawn: of two its half-width is 12.7 standard errors, which says nothing."""

_STUDENT_95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131)


@dataclass(frozen=True, slots=True)
class Band:
    """A mean at each step, with the ends of its interval; those are empty where there are fewer than `LEAST` runs.

    `least` is the smallest value of any run at the same steps.
    """

    steps: Numbers
    mean: Numbers
    low: Numbers
    high: Numbers
    least: Numbers


def band(steps: Sequence[Numbers], values: Sequence[Numbers]) -> Band:
    """The mean at the steps every run has measured; one NaN makes the mean there NaN."""
    common = _common(steps)
    rows = np.stack([v[np.searchsorted(s, common)] for s, v in zip(steps, values, strict=True)])
    with np.errstate(invalid="ignore"):
        mean, least = rows.mean(axis=0), rows.min(axis=0)
        if len(rows) < LEAST:
            return Band(common, mean, common[:0], common[:0], least)
        half = student_95(len(rows) - 1) * rows.std(axis=0, ddof=1) / sqrt(len(rows))
    return Band(common, mean, mean - half, mean + half, least)


def student_95(freedom: int) -> float:
    """The two-sided 95 % quantile of Student's t for so many degrees of freedom.

    A table to 15; above that three terms of the expansion in Abramowitz and Stegun 26.7.5, good to three digits there.
    """
    if freedom <= len(_STUDENT_95):
        return _STUDENT_95[freedom - 1]
    z = NORMAL_95
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2) + third


def _common(steps: Sequence[Numbers]) -> Numbers:
    shortest = min(steps, key=len)
    if all(np.array_equal(one[: len(shortest)], shortest) for one in steps):
        return shortest
    return reduce(np.intersect1d, steps)
