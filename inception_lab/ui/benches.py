"""The runs of an experiment that stand on screen: those that ship with the lab, and this lab's own of equal budget."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import streamlit as st

from inception_lab.errors import LabError
from inception_lab.jobs.grid import told
from inception_lab.jobs.store import Run
from inception_lab.training import reference
from inception_lab.training.experiments import Experiment
from inception_lab.training.reference import ReferenceRun
from inception_lab.training.settings import Settings
from inception_lab.ui import cache, runs
from inception_lab.ui.widgets import linked_segments, plain

COUNTED = {"both": "Shipped and own", "shipped": "Shipped", "own": "Own"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What is counted: shipped runs, finished runs made here that share one budget, and those still under way."""

    shipped: Sequence[ReferenceRun]
    own: Sequence[Run]
    active: Sequence[Run]


def shipped(name: str) -> list[ReferenceRun]:
    """The shipped runs of an experiment; none, and a sentence on why, if this checkout has none. What was read stays
    in memory, what was missing is looked for again."""
    try:
        return reference.load(name)
    except LabError as error:
        st.warning(plain(error), icon=":material/inventory_2:")
        return []


def own(bench: Experiment) -> list[Run]:
    """This lab's newest runs that are arms of the experiment: finished as they were started, or under way."""
    found = cache.store().runs(limit=runs.LISTED)
    return [
        run
        for run in found
        if bench.arm_of(run.settings) and (run.pure or (run.active and not cache.follower().changes(run.folder)))
    ]


def live(bench: Experiment) -> bool:
    """Whether any of them is under way."""
    return any(run.active for run in own(bench))


def counted(bench: Experiment) -> Counted:
    """The box of what to count, and, where own runs had several budgets, the box of the budget."""
    word = linked_segments("Runs counted", COUNTED, key=f"counted-{bench.name}")
    known, here = shipped(bench.name), own(bench)
    budgets = _budgets(bench, here)
    if word == "shipped" or not budgets:
        chosen: Sequence[Run] = []
    elif len(budgets) == 1:
        (chosen,) = budgets.values()
    else:
        chosen = budgets[st.selectbox("Own runs with", list(budgets), key=f"budget-{bench.name}")]
    _under_way(bench, chosen if word != "shipped" else here)
    return Counted(
        shipped=[] if word == "own" else known,
        own=[run for run in chosen if not run.active],
        active=[run for run in chosen if run.status == "running"],
    )


def origin(bench: Experiment, settings: Iterable[Settings], *, where: str) -> str:
    """n, seeds and settings, as every result carries them; `where` says who made the runs."""
    known = list(settings)
    if not known:
        return ""
    seeds, one = sorted({each.seed for each in known}), known[0]
    return (
        f"{where}: n = {len(known)} runs, seeds {', '.join(map(str, seeds))}; {one.steps} steps, batch {one.batch}, "
        f"{told(one.data)}, {one.init} weights; else {_apart(bench, one) or 'as in the experiment'}."
    )


def newest(found: Iterable[Run]) -> list[Run]:
    """One run of equal settings, the newest, oldest first."""
    return list({run.settings: run for run in sorted(found, key=lambda run: run.id)}.values())


def _budgets(bench: Experiment, found: Sequence[Run]) -> dict[str, list[Run]]:
    """Own runs by what they share, in words: the shipped budget first, then that with the most arms."""
    groups: dict[str, list[Run]] = {}
    for run in found:
        groups.setdefault(_apart(bench, run.settings) or "the settings of the shipped runs", []).append(run)

    def rank(words: str) -> tuple[bool, int, str]:
        arms = {arm.key for run in groups[words] if (arm := bench.arm_of(run.settings))}
        return words.startswith("the settings"), len(arms), groups[words][0].id

    return {words: groups[words] for words in sorted(groups, key=rank, reverse=True)}


def _apart(bench: Experiment, one: Settings) -> str:
    """The shared settings in which a run is not as the experiment has it, in words."""
    mine, usual = bench.common(one), bench.common(bench.arms[0].settings)
    return ", ".join(f"{name.replace('_', ' ')} {told(mine[name])}" for name in mine if mine[name] != usual[name])


def _under_way(bench: Experiment, found: Sequence[Run]) -> None:
    running, waiting = (sum(run.status == word for run in found) for word in ("running", "queued"))
    if running or waiting:
        st.caption(f"{running} running, {waiting} waiting; each counts when it has ended.")
    elif not found:
        name = plain(bench.title.lower().removeprefix("the "))
        st.caption(f"No finished run of the {name} was made here yet. Choose the experiment above and start one.")
