"""The percentile bootstrap of a share, beside Wilson's interval.

Drawing n images again from n, of which k were wrong, gives Binomial(n, k / n) wrong ones, so nothing has to be drawn
image by image. At k = 0 or n it has no width, which is why it never stands without Wilson's.
"""

from __future__ import annotations

import numpy as np

RESAMPLES = 10_000
SEED = 0


def percentile(hits: int, n: int, *, resamples: int = RESAMPLES, seed: int = SEED) -> tuple[float, float]:
    """95 % interval for a share of `hits` in `n` (Efron's percentile method); (0, 1) if nothing was tried."""
    if n == 0:
        return 0.0, 1.0
    drawn = np.random.default_rng(seed).binomial(n, hits / n, size=resamples) / n
    low, high = np.percentile(drawn, (2.5, 97.5))
    return float(low), float(high)
