"""What finished runs say: failures per arm with their intervals, and the verdict on the paper's claim.

The claim (arXiv section 3.3): with more than 1000 filters the residual networks "died" early in training, and scaling
the residuals down by 0.1 to 0.3 before the addition stabilised it. A verdict counts which runs failed with and without
scaling. It speaks of the settings that ran, so it carries what they shrink or exaggerate against the paper's.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from inception_lab.errors import RunError
from inception_lab.intervals import wilson
from inception_lab.jobs.grid import differing, told
from inception_lab.jobs.paired import Paired, paired
from inception_lab.training.bounds import has_residuals
from inception_lab.training.deviations import deviations
from inception_lab.training.outcomes import LEAST as FEWEST_STEPS
from inception_lab.training.outcomes import Outcome
from inception_lab.training.settings import Settings

Word = Literal["supported", "not supported", "undecided"]

FAILED: frozenset[Outcome] = frozenset({"dies", "stalls", "diverges", "nan"})
CLAIMED = (0.1, 0.3)
LEAST = 3
"""Runs of each arm without which there is no verdict."""


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


class Effect(NamedTuple):
    """By how much scaling lowers the share of failures (unscaled less scaled), with its 95 % interval.

    The difference is NaN and the interval -1 to 1 where an arm has no run.
    """

    difference: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the runs say about the claim. `n` runs with these `seeds` were counted; `shrunk` says what differs from the
    paper; `unscaled` and `scaled` are the shares of failures at scale 1.0 and at 0.1 to 0.3. `group` holds the settings
    that set these runs apart from others judged beside them, and is empty where there are no others.

    The arms share their seeds, so the intervals of the shares and of `effect` are narrower than they say; `pairs`
    compares the runs of each seed. `short` counts the finished runs at these scales that were too short to judge.
    """

    word: Word
    sentence: str
    n: int
    seeds: tuple[int, ...]
    shrunk: tuple[str, ...]
    unscaled: Share
    scaled: Share
    effect: Effect
    pairs: Paired
    short: int
    group: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmRow:
    """Runs that differ in nothing but the seed: `failed` of the `n` that were long enough to judge, with the 95 %
    Wilson interval of that share. `changes` are the settings in which the arms differ; `outcomes` counts the words of
    all that finished, "short" too.
    """

    changes: dict[str, Any]
    n: int
    failed: int
    low: float
    high: float
    outcomes: Counter[Outcome]


def arms(cases: Iterable[Case]) -> list[ArmRow]:
    """One row for each combination of settings but the seed, in the order they come.

    Of cases with equal settings the last finished one counts, since equal settings give equal numbers.
    """
    known = list(cases)
    changing = [name for name in differing([case.settings for case in known]) if name != "seed"]
    found: dict[Settings, dict[Settings, Outcome | None]] = {}
    for case in known:
        arm = found.setdefault(case.settings.with_(seed=0), {})
        arm[case.settings] = case.outcome or arm.get(case.settings)
    rows = []
    for settings, ended in found.items():
        counted = Counter(outcome for outcome in ended.values() if outcome is not None)
        share = share_failed(counted.elements())
        rows.append(
            ArmRow(
                changes={name: getattr(settings, name) for name in changing},
                n=share.n,
                failed=share.failed,
                low=share.low,
                high=share.high,
                outcomes=counted,
            )
        )
    return rows


def weigh(cases: Iterable[Case]) -> Verdict:
    """Judge the claim that residuals scaled by 0.1 to 0.3 train where unscaled ones fail.

    Only finished runs that were long enough to judge count, and one of each scale and seed, since equal settings give
    equal numbers; a network without residuals has no scale and counts for nothing. The verdict stays undecided unless
    both arms have three runs and their intervals are apart: with one scale in each arm that takes four seeds, even if
    all unscaled runs fail and no scaled one does.

    The intervals take all runs for independent. They are not: the arms share their seeds, and so do several scales in
    the scaled arm, so the intervals are narrower than they say. The sentence says that, and adds an exact test within
    the seeds (see `paired`); the word does not depend on it.

    Raises `RunError` if runs differ in more than scale and seed (see `weigh_groups`), or if there is no run to judge.
    """
    known = _residual(cases)
    _same_experiment(known)
    return _weigh(known, {})


def weigh_groups(cases: Iterable[Case]) -> tuple[Verdict, ...]:
    """A verdict for each group of cases that differ in nothing but scale and seed, in the order the groups come; none
    for networks without residuals.

    Raises `RunError` if there is no run at all.
    """
    groups: dict[Settings, list[Case]] = {}
    known = list(cases)
    for case in _residual(known):
        groups.setdefault(_experiment(case.settings), []).append(case)
    if not known:
        _same_experiment(())
    changing = differing(list(groups))
    return tuple(_weigh(found, {name: getattr(one, name) for name in changing}) for one, found in groups.items())


def _weigh(known: Sequence[Case], group: dict[str, Any]) -> Verdict:
    ended = {(case.settings.scale, case.settings.seed): case for case in known if _claimed(case)}
    claimed = [case for case in ended.values() if case.outcome != "short"]
    words = {
        full: Counter(case.outcome for case in claimed if case.outcome and (case.settings.scale == 1.0) is full)
        for full in (True, False)
    }
    unscaled, scaled = share_failed(words[True].elements()), share_failed(words[False].elements())
    short = len(ended) - len(claimed)
    word, sentence = _judge(unscaled, scaled, _words(words[False]), short=short)
    effect, pairs = newcombe(unscaled, scaled), _paired(claimed)
    return Verdict(
        word=word,
        sentence=sentence + _effect(unscaled, scaled, effect, pairs),
        n=len(claimed),
        seeds=tuple(sorted({case.settings.seed for case in claimed})),
        shrunk=deviations(known[0].settings),
        unscaled=unscaled,
        scaled=scaled,
        effect=effect,
        pairs=pairs,
        short=short,
        group=group,
    )


def _residual(cases: Iterable[Case]) -> list[Case]:
    return [case for case in cases if has_residuals(case.settings)]


def _claimed(case: Case) -> bool:
    """Whether a run has ended at a scale of the claim; with scales of the stages `scale` is not what ran."""
    settings = case.settings
    named = settings.scale == 1.0 or CLAIMED[0] <= settings.scale <= CLAIMED[1]
    return case.outcome is not None and settings.stage_scales is None and named


def _paired(cases: Sequence[Case]) -> Paired:
    scaled = defaultdict[int, list[bool]](list)
    unscaled: dict[int, bool] = {}
    for case in cases:
        failed, seed = case.outcome in FAILED, case.settings.seed
        if case.settings.scale == 1.0:
            unscaled[seed] = failed
        else:
            scaled[seed].append(failed)
    return paired(unscaled, scaled)


def newcombe(unscaled: Share, scaled: Share) -> Effect:
    """The difference of two shares with the 95 % interval made of their Wilson intervals.

    Newcombe 1998, "Interval estimation for the difference between independent proportions", method 10.
    """
    if not unscaled.n or not scaled.n:
        return Effect(math.nan, -1.0, 1.0)
    p, q = unscaled.failed / unscaled.n, scaled.failed / scaled.n
    below = math.hypot(p - unscaled.low, scaled.high - q)
    above = math.hypot(unscaled.high - p, q - scaled.low)
    return Effect(p - q, p - q - below, p - q + above)


def _experiment(settings: Settings) -> Settings:
    return settings.with_(scale=1.0, seed=0)


def share_failed(outcomes: Iterable[Outcome]) -> Share:
    """How many of these runs failed; those that were too short to judge are left out."""
    judged = [outcome for outcome in outcomes if outcome != "short"]
    failed = sum(outcome in FAILED for outcome in judged)
    return Share(failed, len(judged), *wilson(failed, len(judged)))


def _words(ended: Counter[Outcome]) -> str:
    """What became of the scaled runs, as "not failing" is not yet "training"."""
    return f" (of those {ended.total()}: " + ", ".join(f"{word} {n}" for word, n in ended.most_common()) + ")"


def _same_experiment(cases: Sequence[Case]) -> None:
    if not cases:
        raise RunError("There is no run to judge. Start a sweep with scale 1.0 and a scale from 0.1 to 0.3.")
    kinds = {_experiment(case.settings) for case in cases}
    if len(kinds) > 1:
        first, second = sorted(kinds, key=repr)[:2]
        a, b = first.to_dict(), second.to_dict()
        differ = ", ".join(f"{name} {told(a[name])} and {told(b[name])}" for name in a if a[name] != b[name])
        raise RunError(f"The runs differ in more than scale and seed ({differ}). Judge each setting by itself.")


def _judge(unscaled: Share, scaled: Share, words: str, *, short: int) -> tuple[Word, str]:
    counts = f"{unscaled} runs failed at scale 1.0, {scaled} at scales 0.1 to 0.3"
    if min(unscaled.n, scaled.n) < LEAST:
        return "undecided", f"{counts}: too few to tell, each needs at least {LEAST} finished runs{_of_length(short)}."
    if unscaled.low > scaled.high:
        return "supported", f"{counts}{words}. Far fewer runs fail when the residuals are scaled down."
    if scaled.low > unscaled.high:
        return "not supported", f"{counts}: here the scaled networks fail more often than the unscaled."
    if not unscaled.failed:
        return "undecided", f"{counts}: nothing failed without scaling, so there was nothing to stabilise."
    if scaled.failed == scaled.n and unscaled.failed == unscaled.n:
        return "undecided", f"{counts}: under these settings everything fails, scaled or not."
    return "undecided", f"{counts}: the 95 % intervals overlap, more seeds are needed."


def _shared(pairs: Paired) -> str:
    if not pairs.pairs:
        return ""
    return f" The arms share seeds, which makes intervals narrower than they say. {pairs}"


def _of_length(short: int) -> str:
    """What else a run needs to count, where some that finished did not have it."""
    if not short:
        return ""
    lacked = "1 that finished was" if short == 1 else f"{short} that finished were"
    return f" of {FEWEST_STEPS} steps or more, and {lacked} too short to judge"


def _effect(unscaled: Share, scaled: Share, effect: Effect, pairs: Paired) -> str:
    """The effect in sentences of its own, where there is enough to judge."""
    if min(unscaled.n, scaled.n) < LEAST:
        return ""
    size, low, high = (100 * value for value in effect)
    verb = "raises" if size < 0 else "lowers"
    if size < 0:
        size, low, high = -size, -high, -low
    return (
        f" Scaling {verb} the share of failures by {size:.0f} points (95 % interval {low:.0f} to {high:.0f})."
        f"{_shared(pairs)}"
    )
