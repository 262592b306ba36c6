"""Commands that train: train, sweep. The runs are those of the Train page and the notebook."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, final

import click

from inception_lab.cli.output import json_option, show, table
from inception_lab.cli.runs import lines, summary
from inception_lab.cli.settings import settings_options

if TYPE_CHECKING:
    from inception_lab.jobs.store import Run, Store

INTERRUPTED = 130


@final
class Numbers(click.ParamType[tuple[float, ...]]):
    """Numbers with commas between them."""

    name = "numbers"

    def __init__(self, kind: type[int] | type[float]) -> None:
        self._kind = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        """The numbers, in order."""
        if isinstance(value, tuple):
            return value
        try:
            return tuple(self._kind(part) for part in re.split(r"[\s,]+", value.strip(" ,")))
        except ValueError:
            self.fail(f"{value!r} is not numbers with commas between them.", param, ctx)


detach_option = click.option("--detach", is_flag=True, help="Queue and return at once; see `runs`.")


@click.command()
@click.argument("preset")
@settings_options()
@detach_option
@json_option
def train(preset: str, detach: bool, as_json: bool, **settings: Any) -> None:
    """Train one network with the settings of PRESET.

    The run is a process of its own and stays under `runs`. Progress goes to stderr; Ctrl-C cancels the run.
    """
    from inception_lab.jobs.store import Store
    from inception_lab.notebook import chosen

    store = Store()
    id = store.submit(chosen(preset, settings))
    interrupted = not detach and _wait(store, [id])
    data = summary(store.run(id))
    _report_failures([store.run(id)])
    show(data, as_json=as_json, text=lambda: lines(data))
    if interrupted:
        raise click.exceptions.Exit(INTERRUPTED)


@click.command()
@click.argument("preset")
@click.option("--scales", type=Numbers(float), default="1.0,0.3,0.1", show_default=True, help="Residual scales.")
@click.option("--seeds", type=Numbers(int), default="3", show_default=True, help="How many, or which: 0,1,4.")
@settings_options(without=("scale", "seed"))
@detach_option
@json_option
def sweep(
    preset: str, scales: tuple[float, ...], seeds: tuple[int, ...], detach: bool, as_json: bool, **settings: Any
) -> None:
    """Train PRESET at several scales and seeds.

    All runs wait in one queue. The verdict says whether they support the paper's claim that scaling the residuals down
    makes training stable.
    """
    from inception_lab.jobs.store import Store
    from inception_lab.jobs.sweep import group_table, submit_sweep, verdict
    from inception_lab.notebook import chosen

    store = Store()
    wanted = seeds[0] if len(seeds) == 1 else seeds
    group = submit_sweep(store, chosen(preset, settings), scales=scales, seeds=wanted)
    ids = [run.id for run in reversed(store.runs(group=group))]
    interrupted = not detach and _wait(store, ids)
    found = [store.run(id) for id in ids]
    said = verdict(found)
    data = {"sweep": group, "preset": preset, "runs": [summary(run) for run in found], "verdict": asdict(said)}

    def text() -> str:
        heads = ("run", "scale", "seed", "status", "outcome", "died at", "accuracy", "zeros", "seconds")
        keys = ("run", "scale", "seed", "status", "outcome", "died_at", "accuracy", "zero_share", "seconds")
        rows = [asdict(row) for row in group_table(found)]
        outcomes = table(heads, ([row[key] for key in keys] for row in rows))
        differs = "\n".join(f"  {line}" for line in said.shrunk)
        return f"{outcomes}\n\n{said.word}: {said.sentence}\nAgainst the paper:\n{differs}"

    show(data, as_json=as_json, text=text)
    if interrupted:
        raise click.exceptions.Exit(INTERRUPTED)


def _wait(store: Store, ids: Sequence[str]) -> bool:
    """Follow runs on stderr until all have ended; returns whether Ctrl-C ended them."""
    from inception_lab.notebook import Progress, watch
    from inception_lab.notebook import cancel as end

    line = Progress()
    try:
        for state in watch(store, ids):
            line.show(state)
    except KeyboardInterrupt:
        line.close()
        click.echo("Cancelling.", err=True)
        end(store, ids)
        return True
    line.close()
    return False


def _report_failures(found: Sequence[Run]) -> None:
    """Raises `RunError` with what a failed or interrupted run said."""
    from inception_lab.errors import RunError

    for run in found:
        if run.status in ("failed", "interrupted"):
            raise RunError(run.error or f"Run {run.id} {run.status}; see log.txt in {run.folder}.")
