"""Branching a run: another that shares its past to the last digit, and has one knob turned from a step on."""

from __future__ import annotations

from typing import Any

from inception_lab.errors import RunError, UnknownRun
from inception_lab.jobs.store import Store
from inception_lab.training import replay
from inception_lab.training.settings import Fork, Settings


def fork(store: Store, id: str, *, step: int, group: str | None = None, **changes: Any) -> str:
    """Queue a run that is run `id` up to `step`, and goes on with `changes`; returns its id.

    Step `step` is the first that the changes decide: a new scale is met by its forward pass, a new rate by its update.
    Without changes the fork gives the numbers of its parent. The parent may be running, paused, dead or a fork itself.
    The fork begins at the parent's newest checkpoint at or before the step, or else makes all steps again; each must
    equal what the parent recorded, or the fork fails and says so. Raises `SettingsError` for a setting that cannot
    change, `RunError` for a run that has not come so far, whose events are damaged, or that is no longer there.
    """
    return store.submit(settings(store, id, step=step, **changes), group=group)


def settings(store: Store, id: str, *, step: int, **changes: Any) -> Settings:
    """The settings of such a fork; `Store.submit` takes them, one by one or many."""
    try:
        run = store.run(id)
    except UnknownRun:
        raise UnknownRun(
            f"Run {id} is no longer there, so nothing can branch from it. Take another run, or make it again."
        ) from None
    if not isinstance(step, int) or step < 0:
        raise RunError(f"A run can be forked at a step from 0 on, not at {step!r}.")
    past = replay.history(run.folder, run.settings, step=step)
    return replay.forked(past, run.settings, Fork(run=id, step=step), changes)
