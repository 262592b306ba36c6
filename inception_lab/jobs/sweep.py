"""A sweep over residual scales and seeds, its table, and its verdict on the paper's claim.

The claim (arXiv section 3.3): with more than 1000 filters the residual networks "died" early in training, and scaling
the residuals down by 0.1 to 0.3 before the addition stabilised it. A verdict counts which runs failed with and without
scaling. It speaks of the settings that ran, so it carries what they shrink or exaggerate against the paper's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from inception_lab.errors import RunError
from inception_lab.intervals import wilson
from inception_lab.jobs.folder import Status
from inception_lab.jobs.store import Run, Store, new_id
from inception_lab.training.deviations import deviations
from inception_lab.training.outcomes import Outcome
from inception_lab.training.settings import Settings

Word = Literal["supported", "not supported", "undecided"]

FAILED: frozenset[Outcome] = frozenset({"dies", "stalls", "diverges", "nan"})
CLAIMED = (0.1, 0.3)
MOST = 1000
LEAST = 3
"""Runs of each arm without which there is no verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One run of a sweep; `n` counts the finished runs of its scale. Numbers are None until the run has finished."""

    run: str
    scale: float
    seed: int
    status: Status
    outcome: Outcome | None
    died_at: int | None
    accuracy: float | None
    zero_share: float | None
    seconds: float | None
    n: int


@dataclass(frozen=True, slots=True)
class Case:
    """One experiment as the verdict sees it; the outcome is None until the run has finished."""

    settings: Settings
    outcome: Outcome | None


@dataclass(frozen=True, slots=True)
class Share:
    """`failed` of `n` runs, with its 95 % Wilson interval."""

    failed: int
    n: int
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.failed} of {self.n}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the runs say about the claim. `n` runs with these `seeds` were counted; `shrunk` says what differs from the
    paper; `unscaled` and `scaled` are the shares of failures at scale 1.0 and at 0.1 to 0.3.
    """

    word: Word
    sentence: str
    n: int
    seeds: tuple[int, ...]
    shrunk: tuple[str, ...]
    unscaled: Share
    scaled: Share


def submit_sweep(store: Store, settings: Settings, *, scales: Sequence[float], seeds: int | Sequence[int]) -> str:
    """Queue a run for each scale and seed (a number of seeds means 0 and up); returns the id of the group.

    All scales of one seed come before the next seed, so that scales can be compared early. Raises `SettingsError` for a
    scale or seed that cannot be run, `RunError` if there is none.
    """
    chosen = range(seeds) if isinstance(seeds, int) else tuple(dict.fromkeys(seeds))
    count = len(chosen) * len(dict.fromkeys(scales))
    if count > MOST:
        raise RunError(
            f"A sweep of {count:,} runs is more than the {MOST:,} this lab queues at once. Take fewer seeds."
        )
    runs = [settings.with_(scale=scale, seed=seed) for seed in chosen for scale in dict.fromkeys(scales)]
    if not runs:
        raise RunError("A sweep needs at least one scale and one seed.")
    group = new_id()
    store.submit_many(runs, group=group)
    return group


def group_table(runs: Iterable[Run]) -> list[Row]:
    """One row a run, largest scale first, then by seed."""
    found = sorted(runs, key=lambda run: (-run.settings.scale, run.settings.seed, run.id))
    scales = [run.settings.scale for run in found if run.status == "finished"]
    return [_row(run, scales.count(run.settings.scale)) for run in found]


def verdict(runs: Iterable[Run]) -> Verdict:
    """Judge the paper's claim on runs of the store, as `weigh` does; of runs with equal settings the newest counts."""
    return weigh(Case(run.settings, _outcome(run)) for run in sorted(runs, key=lambda run: run.id))


def weigh(cases: Iterable[Case]) -> Verdict:
    """Judge the claim that residuals scaled by 0.1 to 0.3 train where unscaled ones fail.

    Only finished runs that were long enough to judge count, and one of each scale and seed, since equal settings give
    equal numbers. The verdict stays undecided unless both arms have three runs and their intervals are apart: with one
    scale in each arm that takes four seeds, even if all unscaled runs fail and no scaled one does. Raises `RunError` if
    runs differ in more than scale and seed, or if there is no run at all.
    """
    known = list(cases)
    _same_experiment(known)
    counted = {(case.settings.scale, case.settings.seed): case for case in known if case.outcome not in (None, "short")}
    arms = [case for (scale, _), case in counted.items() if scale == 1.0 or _small(scale)]
    unscaled = _share([case for case in arms if case.settings.scale == 1.0])
    scaled = _share([case for case in arms if case.settings.scale != 1.0])
    word, sentence = _judge(unscaled, scaled, _words([case for case in arms if case.settings.scale != 1.0]))
    return Verdict(
        word=word,
        sentence=sentence,
        n=len(arms),
        seeds=tuple(sorted({case.settings.seed for case in arms})),
        shrunk=deviations(known[0].settings),
        unscaled=unscaled,
        scaled=scaled,
    )


def _row(run: Run, n: int) -> Row:
    result = run.result or {}
    return Row(
        run=run.id,
        scale=run.settings.scale,
        seed=run.settings.seed,
        status=run.status,
        outcome=result.get("outcome"),
        died_at=result.get("died_at"),
        accuracy=result.get("accuracy"),
        zero_share=result.get("zero_share"),
        seconds=result.get("seconds"),
        n=n,
    )


def _outcome(run: Run) -> Outcome | None:
    return run.result.get("outcome") if run.status == "finished" and run.result else None


def _small(scale: float) -> bool:
    return CLAIMED[0] <= scale <= CLAIMED[1]


def _words(cases: Sequence[Case]) -> str:
    """What became of the scaled runs, as "not failing" is not yet "training"."""
    counted = Counter(case.outcome for case in cases if case.outcome)
    return f" (of those {len(cases)}: " + ", ".join(f"{word} {n}" for word, n in counted.most_common()) + ")"


def _share(cases: Sequence[Case]) -> Share:
    failed = sum(case.outcome in FAILED for case in cases)
    return Share(failed, len(cases), *wilson(failed, len(cases)))


def _same_experiment(cases: Sequence[Case]) -> None:
    if not cases:
        raise RunError("There is no run to judge. Start a sweep with scale 1.0 and a scale from 0.1 to 0.3.")
    kinds = {case.settings.with_(scale=1.0, seed=0) for case in cases}
    if len(kinds) > 1:
        first, second = sorted(kinds, key=repr)[:2]
        a, b = first.to_dict(), second.to_dict()
        differ = ", ".join(f"{name} {a[name]} and {b[name]}" for name in a if a[name] != b[name])
        raise RunError(f"The runs differ in more than scale and seed ({differ}). Judge each setting by itself.")


def _judge(unscaled: Share, scaled: Share, words: str) -> tuple[Word, str]:
    counts = f"{unscaled} runs failed at scale 1.0, {scaled} at scales 0.1 to 0.3"
    if min(unscaled.n, scaled.n) < LEAST:
        return "undecided", f"{counts}: too few to tell, each needs at least {LEAST} finished runs."
    if unscaled.low > scaled.high:
        return "supported", f"{counts}{words}. Far fewer runs fail when the residuals are scaled down."
    if scaled.low > unscaled.high:
        return "not supported", f"{counts}: here the scaled networks fail more often than the unscaled."
    if not unscaled.failed:
        return "undecided", f"{counts}: nothing failed without scaling, so there was nothing to stabilise."
    if scaled.failed == scaled.n and unscaled.failed == unscaled.n:
        return "undecided", f"{counts}: under these settings everything fails, scaled or not."
    return "undecided", f"{counts}: the 95 % intervals overlap, more seeds are needed."
