"""One map made again on networks of random weights, several of each kind, and how like it those maps are.

How many. Of one random classifier nothing follows: Grad-CAM of a sample photograph agrees with its trained map by
anything from -0.9 to 0.96, as chance will have it. The spread (standard deviation of the size of the correlation, over
60 classifiers and the seven samples, EfficientNet-Lite0) is 0.20 to 0.30 for Grad-CAM, which has but 49 cells, and 0.05
or less for gradients, which have 50,000 pixels. Ten draws bring the error of the mean to 0.1 or less. Where a map takes
many images it is five: that is 0.02 for integrated gradients, and 0.12 for conductance, whose map has 49 cells too; ask
for more there if the mean is near `verdict.ALIKE`. With all weights random the spread is 0.15 at most and the means lie
at 0.3 and below for Grad-CAM, far from the line: three do, as each has to be built and shown the samples first.

Which way. It is the size of the correlation that counts: the same map upside down draws the same regions, so it tells
no more of the weights. A map that is the same everywhere ranks nothing: it is no map, and is left out of the mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from inception_lab.images.attribution import Attribution, blank
from inception_lab.images.explain import batch_of, explained
from inception_lab.images.joints import held
from inception_lab.images.methods import Progress, later
from inception_lab.images.networks import Loaded
from inception_lab.images.randomised import KINDS, Kind, calibration, randomised
from inception_lab.images.ranks import spearman

Array = np.ndarray[Any, np.dtype[Any]]

CHEAP = 10  # images that a map takes, up to which it is made on TOP_CHEAP networks with a random classifier
TOP_CHEAP, TOP, WHOLE = 10, 5, 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Remade:
    """The map of the same method and class on a network with random weights, float32 (H, W).

    `correlation` is Spearman's over the pixels, of the sizes of the two maps (their signs left out); None where the
    network of random weights gives no map, but zeros.
    """

    kind: Kind
    seed: int
    values: Array
    correlation: float | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values without the map itself."""
        return {"kind": self.kind, "seed": self.seed, "correlation": self.correlation}


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """All draws of one kind: the sizes of the correlations of those that gave a map, and how many gave `none`."""

    kind: Kind
    sizes: tuple[float, ...]
    none: int

    @property
    def mean(self) -> float:
        """The mean size of the correlation."""
        return float(np.mean(self.sizes))

    @property
    def deviation(self) -> float:
        """Its standard deviation over the draws; 0 for a single one."""
        return float(np.std(self.sizes, ddof=1)) if len(self.sizes) > 1 else 0.0

    @property
    def least(self) -> float:
        """The smallest of them."""
        return min(self.sizes)

    def to_dict(self) -> dict[str, Any]:
        """Plain values; None for what no draw gave."""
        numbers = {"mean": self.mean, "deviation": self.deviation, "least": self.least} if self.sizes else {}
        return {"kind": self.kind, "maps": len(self.sizes), "none": self.none} | (
            numbers or dict.fromkeys(("mean", "deviation", "least"))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """How many networks of each kind, their seeds from `seed` on."""

    counts: tuple[tuple[Kind, int], ...]
    seed: int = 0

    def images(self, passes: int) -> int:
        """How many images they take for a map of so many."""
        return sum(count * (passes + _before(kind)) for kind, count in self.counts)

    @property
    def maps(self) -> int:
        """How many maps are made."""
        return sum(count for _, count in self.counts)

    def in_words(self) -> str:
        """Their numbers, as captions say it."""
        words = {"top": "random classifier{}", "whole": "network{} of random weights"}
        parts = (f"{count} {words[kind].format('s' * (count != 1))}" for kind, count in self.counts)
        return " and ".join(parts) or "no random weights"


def draws_for(passes: int, *, kinds: Sequence[Kind] = KINDS, draws: int | None = None, seed: int = 0) -> Draws:
    """`draws` networks of each of `kinds` for a map of `passes` images, by default as many as the text above says."""
    usual: dict[Kind, int] = {"top": TOP_CHEAP if passes <= CHEAP else TOP, "whole": WHOLE}
    return Draws(counts=tuple((kind, usual[kind] if draws is None else draws) for kind in kinds), seed=seed)


def again(
    loaded: Loaded,
    result: Attribution,
    draws: Draws,
    *,
    done: int = 0,
    total: int = 0,
    progress: Progress | None = None,
) -> tuple[Remade, ...]:
    """The same question to networks of random weights, one in memory at a time; `done` images of `total` came before.

    Where the map is one of a network with changed scales, so are these. `progress` may raise to cancel.
    """
    # as many images at a time as of the network that made the map, whose memory is known already
    found, batch = [], batch_of(loaded, result.method, result.layer)
    for kind, count in draws.counts:
        for seed in range(draws.seed, draws.seed + count):
            if progress is not None:
                progress(done, total)
            with loaded.lock:
                random = randomised(loaded, kind=kind, seed=seed)
            done += _before(kind)
            values = _map(random, result, batch, later(progress, done, total))
            found.append(Remade(kind=kind, seed=seed, values=values, correlation=_alike(result.values, values)))
            done += result.passes
    return tuple(found)


def drawn(remade: Sequence[Remade]) -> tuple[Drawn, ...]:
    """The draws of each kind together."""
    by_kind: dict[Kind, list[float | None]] = {}
    for one in remade:
        by_kind.setdefault(one.kind, []).append(one.correlation)
    return tuple(
        Drawn(kind=kind, sizes=tuple(abs(one) for one in found if one is not None), none=found.count(None))
        for kind, found in by_kind.items()
    )


def _alike(trained: Array, random: Array) -> float | None:
    a, b = np.abs(trained), np.abs(random)
    return None if blank(b) else spearman(a, b)


def _before(kind: Kind) -> int:
    """Images that a network of random weights sees before it is asked."""
    return calibration() if kind == "whole" else 0


def _map(random: Loaded, result: Attribution, batch: int, progress: Progress | None) -> Array:
    with held(random, result.scales, relative=result.relative):
        found = explained(
            random,
            Image.fromarray(result.pixels),
            method=result.method,
            target=result.target,
            against=result.against,
            at=result.layer,
            batch=batch,
            progress=progress,
        )
    return found.map.values
