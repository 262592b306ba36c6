"""A sweep: many runs queued as one group, and its table. What they say of the paper's claim stands in `verdicts`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from inception_lab.errors import RunError, UnknownRun
from inception_lab.jobs import cost
from inception_lab.jobs.folder import Status
from inception_lab.jobs.grid import MOST as MOST
from inception_lab.jobs.grid import Seeds, check_count, differing, grid, listed
from inception_lab.jobs.store import Run, Store, new_id
from inception_lab.jobs.verdicts import CLAIMED as CLAIMED
from inception_lab.jobs.verdicts import FAILED as FAILED
from inception_lab.jobs.verdicts import LEAST as LEAST
from inception_lab.jobs.verdicts import Case as Case
from inception_lab.jobs.verdicts import Share as Share
from inception_lab.jobs.verdicts import Verdict as Verdict
from inception_lab.jobs.verdicts import weigh as weigh
from inception_lab.jobs.verdicts import weigh_groups as weigh_groups
from inception_lab.training.experiments import EXPERIMENTS
from inception_lab.training.outcomes import Outcome
from inception_lab.training.presets import PRESETS
from inception_lab.training.settings import Settings

BENCHES = {name: each for name, each in EXPERIMENTS.items() if name not in PRESETS}
"""The shipped experiments that are no preset: their arms differ in more than the scale."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One run of a sweep; `n` counts the finished runs of its arm, `changes` are the settings other than scale and seed
    in which the runs differ. Numbers are None until the run has finished.
    """

    run: str
    changes: dict[str, Any]
    scale: float
    seed: int
    status: Status
    outcome: Outcome | None
    died_at: int | None
    accuracy: float | None
    zero_share: float | None
    seconds: float | None
    n: int

    def flat(self) -> dict[str, Any]:
        """The row with each change as a column of its own, after the run."""
        plain = {name: getattr(self, name) for name in self.__slots__ if name not in ("run", "changes")}
        return {"run": self.run, **self.changes, **plain}


def submit_sweep(
    store: Store,
    settings: Settings,
    *,
    scales: Sequence[float] | None = None,
    seeds: Seeds,
    over: Mapping[str, Sequence[Any]] | None = None,
    cases: Sequence[Mapping[str, Any]] | None = None,
) -> str:
    """Queue a run for each combination of `over` (and of `scales`, short for one more), or for each of `cases`, and
    each seed (a number of seeds means 0 and up); returns the id of the group.

    All arms of one seed come before the next seed, so that they can be compared early. Raises `SettingsError` for
    a combination that cannot be run or does not fit into memory, `RunError` if there is none: then nothing is queued.
    """
    runs = planned(settings, scales=scales, seeds=seeds, over=over, cases=cases)
    group = new_id()
    store.submit_many(runs, group=group)
    return group


def submit_bench(store: Store, name: str, *, seeds: Seeds | None = None, **changes: Any) -> str:
    """Queue an experiment the lab ships, its arms with every seed (None: as many as the shipped runs have), `changes`
    made to all of them; returns the id of the group. Errors as `submit_sweep`."""
    runs = BENCHES[name].runs(seeds=seeds, **changes)
    check_count(len(runs))
    _check_cost(runs)
    group = new_id()
    store.submit_many(runs, group=group)
    return group


def planned(
    settings: Settings,
    *,
    scales: Sequence[float] | None = None,
    seeds: Seeds,
    over: Mapping[str, Sequence[Any]] | None = None,
    cases: Sequence[Mapping[str, Any]] | None = None,
) -> list[Settings]:
    """The runs that `submit_sweep` would queue, in that order."""
    if cases is not None:
        if scales is not None or over is not None:
            raise RunError("A sweep takes either cases, or scales and over. Write the scales into the cases.")
        runs = listed(settings, cases, seeds)
    else:
        if scales is not None and over is not None and "scale" in over:
            raise RunError("The scales are given twice. Leave out either scales or the scale in over.")
        if scales is None and over is None:
            raise RunError("A sweep needs to know what to vary. Give scales, over or cases.")
        runs = grid(settings, over={**(over or {}), **({} if scales is None else {"scale": scales})}, seeds=seeds)
    _check_cost(runs)
    return runs


def _check_cost(runs: Iterable[Settings]) -> None:
    for one in dict.fromkeys(run.with_(seed=0) for run in runs):
        cost.check(one)


def resume_sweep(store: Store, group: str) -> list[str]:
    """Queue the runs of a sweep that were interrupted or cancelled again, in their first order; returns their ids.

    A run that failed would fail again and is left. Raises `UnknownRun` if the store has no such sweep.
    """
    found = store.runs(group=group)[::-1]
    if not found:
        raise UnknownRun(f"There is no sweep {group!r} under {store.home}. List the runs to see the sweeps' ids.")
    again = [run.id for run in found if run.status in ("interrupted", "cancelled")]
    for id in again:
        store.resume(id)
    return again


def group_table(runs: Iterable[Run]) -> list[Row]:
    """One row a run: group by group as they were queued, in each the largest scale first, then by seed."""
    found = sorted(runs, key=lambda run: run.id)
    changing = [name for name in differing([run.settings for run in found]) if name not in ("scale", "seed")]
    arms = [run.settings.with_(seed=0) for run in found if run.status == "finished"]
    places = {group: place for place, group in enumerate(dict.fromkeys(map(_group, found)))}
    found.sort(key=lambda run: (places[_group(run)], -run.settings.scale, run.settings.seed, run.id))
    return [_row(run, changing, arms.count(run.settings.with_(seed=0))) for run in found]


def verdict(runs: Iterable[Run]) -> Verdict:
    """Judge the paper's claim on runs of the store, as `weigh` does; of runs with equal settings the newest counts."""
    return weigh(cases_of(runs))


def verdicts(runs: Iterable[Run]) -> tuple[Verdict, ...]:
    """Judge it for each group that differs in more than scale and seed, as `weigh_groups` does."""
    return weigh_groups(cases_of(runs))


def cases_of(runs: Iterable[Run]) -> list[Case]:
    """Runs of the store as verdicts see them, oldest first; a fork is no arm of any settings."""
    ordered = sorted(runs, key=lambda run: run.id)
    return [Case(run.settings, _outcome(run)) for run in ordered if run.settings.fork is None]


def _group(run: Run) -> Settings:
    return run.settings.with_(scale=1.0, seed=0)


def _row(run: Run, changing: Sequence[str], n: int) -> Row:
    result = run.result or {}
    return Row(
        run=run.id,
        changes={name: getattr(run.settings, name) for name in changing},
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
    """None until it has finished, and for a run that was changed on its way: it is no longer what its settings say."""
    result = run.result or {}
    return result.get("outcome") if run.status == "finished" and not result.get("changes") else None
