"""Commands that train: train, sweep. The runs are those of the Train page and the notebook."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, final

import click

from inception_lab.cli.output import INTERRUPTED, json_option, show, table
from inception_lab.cli.runs import lines, summary
from inception_lab.cli.settings import Case, Values, given, set_option, settings_options

if TYPE_CHECKING:
    from inception_lab.jobs.store import Run, Store
    from inception_lab.jobs.sweep import Verdict
    from inception_lab.training.settings import Settings

SCALES = (1.0, 0.3, 0.1)


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
@set_option
@detach_option
@json_option
def train(preset: str, changes: Sequence[tuple[str, Any]], detach: bool, as_json: bool, **settings: Any) -> None:
    """Train one network with the settings of PRESET.

    The run is a process of its own and stays under `runs`. Progress goes to stderr; Ctrl-C cancels the run.
    """
    from inception_lab.jobs import cost
    from inception_lab.jobs.store import Store
    from inception_lab.training.presets import preset as named

    chosen = named(preset, **given(settings, changes))
    cost.check(chosen)
    store = Store()
    id = store.submit(chosen)
    interrupted = not detach and wait(store, [id])
    data = summary(store.run(id))
    _report_failures([store.run(id)])
    show(data, as_json=as_json, text=lambda: lines(data))
    if interrupted:
        raise click.exceptions.Exit(INTERRUPTED)


@click.command()
@click.argument("preset")
@click.option("--scales", type=Numbers(float), help="Residual scales. Default: 1.0,0.3,0.1 if nothing else varies.")
@click.option("--seeds", type=Numbers(int), default="3", show_default=True, help="How many, or which: 0,1,4.")
@click.option("--over", type=Values(), multiple=True, help="A setting and its values: width=0.125,0.25; repeatable.")
@click.option("--case", "cases", type=Case(), multiple=True, help="Changes for one arm: optimiser=sgd,rate=0.02.")
@settings_options(without=("scale", "seed"))
@set_option
@detach_option
@json_option
def sweep(
    preset: str,
    scales: tuple[float, ...] | None,
    seeds: tuple[int, ...],
    over: Sequence[tuple[str, tuple[Any, ...]]],
    cases: Sequence[Mapping[str, Any]],
    changes: Sequence[tuple[str, Any]],
    detach: bool,
    as_json: bool,
    **settings: Any,
) -> None:
    """Train PRESET with many settings.

    Every combination of scales and other settings (--over), or a list of arms (--case), with every seed; remedies, map
    and race bring their own arms.

    All runs wait in one queue. The verdict says whether they support the paper's claim that scaling the residuals down
    makes training stable, for each group of other settings.
    """
    from inception_lab.jobs.store import Store
    from inception_lab.jobs.sweep import BENCHES, submit_bench, submit_sweep
    from inception_lab.training.presets import preset as named

    wanted: dict[str, Any] = {"scales": scales, "over": dict(over) or None, "cases": list(cases) or None}
    store, chosen_seeds = Store(), seeds[0] if len(seeds) == 1 else seeds
    if preset in BENCHES:
        if any(wanted.values()):
            raise click.UsageError(f"{preset} brings its own arms; leave out --scales, --over and --case.")
        group = submit_bench(store, preset, seeds=chosen_seeds, **given(settings, changes))
    else:
        if not any(wanted.values()):
            wanted["scales"] = SCALES
        group = submit_sweep(store, named(preset, **given(settings, changes)), seeds=chosen_seeds, **wanted)
    ids = [run.id for run in reversed(store.runs(group=group))]
    _say_cost(store, [store.run(id).settings for id in ids])
    report(store, group, ids, preset=preset, detach=detach, as_json=as_json)


def report(store: Store, group: str, ids: Sequence[str], *, preset: str, detach: bool, as_json: bool) -> None:
    """Follow the runs of a sweep unless `detach`, then print its table and verdicts."""
    from inception_lab.jobs.sweep import verdicts

    interrupted = not detach and wait(store, ids)
    found = [store.run(id) for id in ids]
    said = verdicts(found)
    data = {
        "sweep": group,
        "preset": preset,
        "runs": [summary(run) for run in found],
        "verdict": asdict(said[0]) if len(said) == 1 else None,
        "verdicts": [asdict(one) for one in said],
    }
    show(data, as_json=as_json, text=lambda: _sweep_text(found, said))
    if interrupted:
        raise click.exceptions.Exit(INTERRUPTED)


def wait(store: Store, ids: Sequence[str]) -> bool:
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


def _say_cost(store: Store, settings: Sequence[Settings]) -> None:
    from inception_lab.jobs.cost import finished, sweep_cost

    count = len(settings)
    click.echo(f"{count} run{'s' * (count != 1)}: {sweep_cost(settings, finished(store))}.", err=True)


def _sweep_text(found: Sequence[Run], said: Sequence[Verdict]) -> str:
    from inception_lab.jobs.grid import described, told
    from inception_lab.jobs.sweep import group_table

    rows = group_table(found)
    changing = tuple(rows[0].changes)
    keys = ("scale", "seed", "status", "outcome", "died_at", "accuracy", "zero_share", "seconds")
    heads = ("run", *changing, "scale", "seed", "status", "outcome", "died at", "accuracy", "zeros", "seconds")
    cells = ((row.run, *map(told, row.changes.values()), *(getattr(row, key) for key in keys)) for row in rows)
    groups = []
    for one in said:
        where = f"{described(one.group)}: " if one.group else ""
        differs = "\n".join(f"  {line}" for line in one.shrunk)
        groups.append(f"{where}{one.word}: {one.sentence}\nAgainst the paper:\n{differs}")
    return "\n\n".join((table(heads, cells), *groups))


def _report_failures(found: Sequence[Run]) -> None:
    """Raises `RunError` with what a failed or interrupted run said."""
    from inception_lab.errors import RunError

    for run in found:
        if run.status in ("failed", "interrupted"):
            raise RunError(run.error or f"Run {run.id} {run.status}; see log.txt in {run.folder}.")
