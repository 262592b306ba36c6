"""What each remedy did, beside what the paper says of it: the rows of the remedies bench.

A remedy is judged against the runs without any, with the same budget and seeds. A run has failed if it died, stalled,
diverged or broke (`verdicts.FAILED`); one that is merely slow has not.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Literal, Protocol

from inception_lab.jobs.store import Run
from inception_lab.jobs.verdicts import LEAST, Effect, Share, newcombe, share_failed
from inception_lab.training.experiments import NONE, REMEDIES, Arm, Claim
from inception_lab.training.outcomes import Judgement, Outcome
from inception_lab.training.settings import Settings

Word = Literal["prevents", "does not", "undecided"]

OFTEN = 0.25

WORDS: dict[Word, str] = {
    "prevents": (
        "With the remedy fewer runs fail than without: the 95 % Wilson intervals of the two shares are apart, which "
        "takes four seeds."
    ),
    "does not": (
        f"Runs with the remedy fail all the same: the 95 % Wilson interval of their share lies above {OFTEN:.0%}."
    ),
    "undecided": f"Neither can be said, or an arm has fewer than {LEAST} runs that were long enough to judge.",
}


class Tried(Protocol):
    """A run as the bench sees it; a shipped run and an arm of the page are such."""

    @property
    def settings(self) -> Settings:
        """What was asked for."""

    @property
    def judgement(self) -> Judgement | None:
        """What became of it, None as long as nothing can be said."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A finished run."""

    settings: Settings
    judgement: Judgement


@dataclass(frozen=True, slots=True, kw_only=True)
class RemedyRow:
    """One remedy: `failed` of the `n` runs long enough to judge, with the Wilson interval of that share.

    `accuracy` is the mean over those runs of their last training batches, `worst` and `best` its range, `zero_share`
    the mean share of zeros before the pooling; all are NaN without a run (`zero_share` too if none measured it).
    `died_at` is the median step of death, None if no run died. `effect` is the fall of the share of failures against
    the runs without remedy, and `word` what follows from it by `WORDS`; the runs without remedy have "undecided".
    """

    key: str
    label: str
    paper: str
    claim: Claim
    n: int
    seeds: tuple[int, ...]
    outcomes: Counter[Outcome]
    failed: int
    low: float
    high: float
    accuracy: float
    worst: float
    best: float
    zero_share: float
    died_at: float | None
    effect: Effect
    word: Word


def ended(runs: Iterable[Run]) -> list[Ended]:
    """The finished runs of the store with what became of them, as `remedies_table` takes them."""
    finished = sorted((run for run in runs if run.pure), key=lambda run: run.id)
    return [Ended(run.settings, Judgement.from_dict(run.result or {})) for run in finished]


def remedies_table(cases: Iterable[Tried]) -> list[RemedyRow]:
    """A row for each arm of the experiment `remedies` that has a run, in the experiment's order.

    Runs that belong to no arm are left out; of runs with equal settings the last counts. Raises `RunError` if the runs
    differ in more than their remedies and seeds, as they then had no equal budget.
    """
    found: dict[str, dict[int, tuple[Settings, Judgement]]] = {}
    for case in cases:
        arm = REMEDIES.arm_of(case.settings)
        if arm is not None and case.judgement is not None:
            found.setdefault(arm.key, {})[case.settings.seed] = case.settings, case.judgement
    REMEDIES.check_budget(settings for runs in found.values() for settings, _ in runs.values())
    judged = {key: {seed: said for seed, (_, said) in runs.items()} for key, runs in found.items()}
    untreated = share_failed(said.outcome for said in judged.get(NONE, {}).values())
    return [_row(arm, judged[arm.key], untreated) for arm in REMEDIES.arms if arm.key in judged]


def against_paper(rows: Sequence[RemedyRow]) -> str:
    """Where these runs part from the paper and where they agree, in sentences made from the rows alone."""
    tried = [row for row in rows if row.claim == "fails" and row.key != NONE]
    helps = [row for row in tried if row.word == "prevents"]
    fails = [row for row in tried if row.word == "does not"]
    open_ = [row for row in tried if row.word == "undecided"]
    said = []
    if helps:
        said.append(
            f"Of what failed in the paper, {_listed(helps)} {'helps' if len(helps) == 1 else 'help'} at this horizon."
        )
    if fails:
        said.append(f"As in the paper, {_listed(fails)} {'does' if len(fails) == 1 else 'do'} not help.")
    said += [_unlearned(row) for row in fails if not row.outcomes["dies"]]
    if open_:
        said.append(f"Undecided: {_listed(open_)}.")
    scales = [row for row in rows if row.claim == "helps"]
    for word, verb in (("prevents", "prevents failure"), ("does not", "does not"), ("undecided", "is undecided")):
        if those := [row for row in scales if row.word == word]:
            said.append(f"What the paper recommends {verb} here: {_listed(those)}.")
    return " ".join(said)


def _row(arm: Arm, runs: dict[int, Judgement], untreated: Share) -> RemedyRow:
    whole = [said for said in runs.values() if said.outcome != "short"]
    share, accuracies = share_failed(said.outcome for said in whole), [said.accuracy for said in whole]
    zeros = [said.zero_share for said in whole if said.zero_share is not None]
    deaths = [said.died_at for said in whole if said.died_at is not None]
    effect = newcombe(untreated, share)
    return RemedyRow(
        key=arm.key,
        label=arm.label,
        paper=arm.paper,
        claim=arm.claim,
        n=share.n,
        seeds=tuple(sorted(runs)),
        outcomes=Counter(said.outcome for said in runs.values()),
        failed=share.failed,
        low=share.low,
        high=share.high,
        accuracy=fmean(accuracies) if whole else math.nan,
        worst=min(accuracies, default=math.nan),
        best=max(accuracies, default=math.nan),
        zero_share=fmean(zeros) if zeros else math.nan,
        died_at=median(deaths) if deaths else None,
        effect=effect,
        word="undecided" if arm.key == NONE else _word(untreated, share),
    )


def _word(untreated: Share, share: Share) -> Word:
    if min(untreated.n, share.n) < LEAST or not untreated.failed:
        return "undecided"
    if untreated.low > share.high:
        return "prevents"
    return "does not" if share.low > OFTEN else "undecided"


def _listed(rows: Sequence[RemedyRow]) -> str:
    return ", ".join(f"{row.label} ({row.failed} of {row.n} failed)" for row in rows)


def _unlearned(row: RemedyRow) -> str:
    """A remedy against death that leaves nothing alive: it failed without a death."""
    return f"With {row.label} no run died, but none learned either: mean accuracy {row.accuracy:.2f}."
