"""The death meter: how near the last values before the pooling are to nothing but zeros, one bar for each arm.

The bar counts nines: 0.9 of zeros fill a quarter of it, 0.99 half, 0.999, the threshold, three quarters.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from statistics import fmean

from inception_lab.figures.colours import of_scale
from inception_lab.training.outcomes import DEAD_ZEROS, WINDOW

NINES = 4  # the bar's end, beyond which all looks alike

DEFINITION = (
    "Zeros before the pooling: the share of exact zeros in the tensor before the average pooling, at the newest step. "
    f"A run dies if on average at least {DEAD_ZEROS:g} of it are zeros over its last {WINDOW} steps; its step of death "
    "is the first that reaches this. The bar counts nines, the dashed line is the threshold."
)


@dataclass(frozen=True, slots=True)
class Level:
    """An arm's newest shares of zeros, one for each of its runs, and how many of the runs are judged dead."""

    label: str
    scale: float
    shares: tuple[float, ...]
    dead: int = 0

    @property
    def share(self) -> float:
        """The mean over the runs."""
        return fmean(self.shares)

    @property
    def filled(self) -> float:
        """How much of the bar is filled, from 0 to 1."""
        return nines(self.share) / NINES

    @property
    def words(self) -> str:
        """What stands under the number."""
        above = sum(one >= DEAD_ZEROS for one in self.shares)
        count = len(self.shares)
        return f"{above} of {count} at {DEAD_ZEROS:g} or above now, {self.dead} dead"


def nines(share: float) -> float:
    """How many nines a share begins with, as a smooth number: 0.9 has one, 0.999 three, 1 all that are counted."""
    if not math.isfinite(share) or share >= 1:
        return NINES
    return min(NINES, -math.log10(1 - max(0.0, share)))


def number(share: float) -> str:
    """Four decimals, never rounded up to 1."""
    return "1" if share >= 1 else f"{math.floor(share * 1e4) / 1e4:.4f}"


def meter(levels: Sequence[Level]) -> str:
    """The meter as HTML; labels are escaped, colours are those of the scales."""
    return f'<div style="display:flex;flex-wrap:wrap;gap:1.2rem">{"".join(map(_bar, levels))}</div>'


def _bar(level: Level) -> str:
    label, at = escape(level.label), 100 * nines(DEAD_ZEROS) / NINES
    frame = "position:relative;height:.9rem;border:1px solid currentColor;border-radius:.2rem;overflow:hidden"
    fill = f"height:100%;width:{100 * level.filled:.1f}%;background:{of_scale(level.scale)}"
    line = f"position:absolute;top:0;bottom:0;left:{at:.1f}%;border-left:2px dashed currentColor"
    told = f"{level.label}: {number(level.share)} zeros, {level.words}"
    return (
        f'<div style="flex:1 1 9rem;max-width:16rem"><div>{label}, n = {len(level.shares)}</div>'
        f'<div style="font-size:2rem;line-height:1.2;font-variant-numeric:tabular-nums">{number(level.share)}</div>'
        f'<div role="meter" aria-valuemin="0" aria-valuemax="1" aria-valuenow="{level.share:.5f}" '
        f'aria-label="{escape(told)}" style="{frame}"><div style="{fill}"></div><div style="{line}"></div></div>'
        f'<div style="font-size:.85rem">{escape(level.words)}</div></div>'
    )
