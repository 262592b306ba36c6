"""Commands on runs that go on: pause, step, go, rate; and fork, which branches any run. All under `runs`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from inception_lab.cli.output import json_option, show, table
from inception_lab.cli.runs import lines, summary
from inception_lab.cli.settings import set_option

if TYPE_CHECKING:
    from inception_lab.jobs.store import Store

run_argument = click.argument("run")
runs_argument = click.argument("run", nargs=-1, required=True)


@click.command()
@runs_argument
@json_option
def pause(run: tuple[str, ...], as_json: bool) -> None:
    """Let runs wait before their next step. A paused run keeps its memory and its place: none starts instead."""
    store = _store()
    for id in run:
        store.pause(id)
    _show(store, run, as_json=as_json)


@click.command()
@run_argument
@click.option("--steps", type=click.IntRange(min=1), default=1, show_default=True, help="How many.")
@json_option
def step(run: str, steps: int, as_json: bool) -> None:
    """Let RUN make one step, or some, then wait."""
    store = _store()
    store.step(run, steps=steps)
    _show(store, [run], as_json=as_json)


@click.command()
@runs_argument
@json_option
def go(run: tuple[str, ...], as_json: bool) -> None:
    """Let paused runs go on."""
    store = _store()
    for id in run:
        store.go(id)
    _show(store, run, as_json=as_json)


@click.command()
@run_argument
@click.argument("rate", type=float)
@json_option
def rate(run: str, rate: float, as_json: bool) -> None:
    """Change the learning rate of RUN from its next step on, without a reset."""
    store = _store()
    store.change(run, rate=rate)
    _show(store, [run], as_json=as_json)


@click.command()
@run_argument
@click.option("--step", "at", type=click.IntRange(min=0), required=True, help="The first step that changes decide.")
@set_option
@json_option
def fork(run: str, at: int, changes: tuple[tuple[str, Any], ...], as_json: bool) -> None:
    """Queue a run that shares the past of RUN up to a step, and goes on with other settings.

    Its steps before that are equal to those of RUN, digit for digit; without --set so are those after it.
    """
    from inception_lab.jobs.fork import fork as branch

    store = _store()
    data = summary(store.run(branch(store, run, step=at, **dict(changes))))
    show(data, as_json=as_json, text=lambda: lines(data))


def _store() -> Store:
    from inception_lab.jobs.store import Store

    return Store()


def _show(store: Store, ids: Sequence[str], *, as_json: bool) -> None:
    """Status of the runs a moment after they were told something; `paused` is the step before which they wait."""
    found = [summary(run) | {"paused": run.paused} for run in map(store.run, ids)]
    heads = ("run", "status", "steps", "paused")
    show({"runs": found}, as_json=as_json, text=lambda: table(heads, ([one[key] for key in heads] for one in found)))
