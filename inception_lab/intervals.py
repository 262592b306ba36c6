"""How sure a share is: the interval that stands beside every "k of n" the lab shows."""

from __future__ import annotations

from math import sqrt

NORMAL_95 = 1.959964  # the normal quantile of a two-sided 95 % interval


def wilson(hits: int, n: int) -> tuple[float, float]:
    """95 % interval for a share of `hits` in `n` trials (Wilson 1927), within 0 and 1; (0, 1) if nothing was tried."""
    if n == 0:
        return 0.0, 1.0
    share, z2 = hits / n, NORMAL_95**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = NORMAL_95 * sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return max(0.0, centre - half), min(1.0, centre + half)
