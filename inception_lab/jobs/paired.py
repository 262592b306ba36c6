"""Two arms that share their seeds, compared seed by seed.

Runs of one seed start from the same weights and see the same images in the same order, so they are not independent,
and an interval that counts every run as a trial of its own is narrower than it says. A comparison inside each seed
needs no independence between the runs of a seed, only between seeds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """`pairs` of an unscaled and a scaled run with the same seed, over `seeds` seeds that have both.

    In `saved` of them only the unscaled run failed, in `harmed` only the scaled one: the two discordant kinds. `p` is
    the two-sided p-value of `exact`, 1 where no seed tells the arms apart.
    """

    seeds: int
    pairs: int
    saved: int
    harmed: int
    p: float

    def __str__(self) -> str:
        """A sentence, empty if no seed is in both arms."""
        if not self.pairs:
            return ""
        return (
            f"Paired by seed, in {self.saved} of {self.pairs} pairs only the unscaled run failed and in {self.harmed} "
            f"only the scaled one (exact test within {self.seeds} seed{'s' * (self.seeds != 1)}, p = {_shown(self.p)})."
        )


def paired(unscaled: Mapping[int, bool], scaled: Mapping[int, Sequence[bool]]) -> Paired:
    """Compare whether runs failed, by seed: one unscaled run and the scaled ones, of which there may be several."""
    seeds = sorted(unscaled.keys() & scaled.keys())
    pairs = [(unscaled[seed], failed) for seed in seeds for failed in scaled[seed]]
    return Paired(
        seeds=len(seeds),
        pairs=len(pairs),
        saved=sum(full and not other for full, other in pairs),
        harmed=sum(other and not full for full, other in pairs),
        p=exact([(unscaled[seed], scaled[seed]) for seed in seeds]),
    )


def exact(strata: Sequence[tuple[bool, Sequence[bool]]]) -> float:
    """The two-sided exact p-value for whether the first run of a stratum fails as often as the others in it.

    If it does, each run of a stratum with k failures in m runs is the failing one with chance k/m. So the number of
    failures among the first runs is a sum of independent draws with these chances, whose distribution is worked out;
    the smaller tail counts twice. With two runs in each stratum this is McNemar's exact test: the discordant pairs
    against a fair coin. (Mantel and Haenszel 1959, in its exact form.)
    """
    chances = [(first + sum(others)) / (1 + len(others)) for first, others in strata]
    distribution = [1.0]
    for chance in chances:
        lower, upper = [*distribution, 0.0], [0.0, *distribution]
        distribution = [(1 - chance) * a + chance * b for a, b in zip(lower, upper, strict=True)]
    seen = sum(first for first, _ in strata)
    return min(1.0, 2 * min(sum(distribution[: seen + 1]), sum(distribution[seen:])))


def _shown(p: float) -> str:
    return "below 0.001" if p < 0.001 else f"{p:.2g}"
