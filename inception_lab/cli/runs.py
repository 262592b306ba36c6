"""Commands on runs that were made, wherever: list, show, export, cancel, resume, delete."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inception_lab.cli.output import json_option, show, table

if TYPE_CHECKING:
    from inception_lab.jobs.export import Format
    from inception_lab.jobs.store import Run, Store

FORMATS = ("csv", "parquet", "jsonl", "tensorboard")
RESULT = ("outcome", "steps", "loss", "accuracy", "zero_share", "died_at", "seconds")


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def runs(ctx: click.Context, as_json: bool) -> None:
    """List, show, export, cancel, resume or delete runs."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_runs, as_json=as_json, limit=None, sweep=None)


@runs.command("list")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many, the newest.")
@click.option("--sweep", metavar="ID", help="Only the runs of a sweep.")
@json_option
def list_runs(limit: int | None, sweep: str | None, as_json: bool) -> None:
    """Every run, newest first."""
    from inception_lab.jobs.store import Store

    found = [summary(run) for run in Store(supervised=False).runs(group=sweep, limit=limit)]
    heads = ("run", "preset", "scale", "seed", "status", "outcome", "steps", "accuracy", "zeros", "died at", "seconds")

    def text() -> str:
        rows = [
            (
                one["run"],
                *(one["settings"][key] for key in ("preset", "scale", "seed")),
                *(one[key] for key in ("status", "outcome", "steps", "accuracy", "zero_share", "died_at", "seconds")),
            )
            for one in found
        ]
        return table(heads, rows) if rows else "No runs yet. Start one: python -m inception_lab train micro"

    show({"runs": found}, as_json=as_json, text=text)


@runs.command("show")
@click.argument("run")
@json_option
def show_run(run: str, as_json: bool) -> None:
    """Result and settings of RUN."""
    from inception_lab.jobs.store import Store

    data = summary(Store(supervised=False).run(run))
    show(
        {**data, "runs": [data]},
        as_json=as_json,
        text=lambda: f"{lines(data)}\n\n{lines(data['settings'])}",
    )


@runs.command()
@click.argument("run")
@click.option("--format", type=click.Choice(FORMATS), help="Default: what the ending of the file says.")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="File, or folder for TensorBoard.")
@json_option
def export(run: str, format: Format | None, output: Path, as_json: bool) -> None:
    """Every step of RUN, or of all runs of a sweep, as a table (csv, parquet), events (jsonl) or for TensorBoard.

    A table has a row for each step. Settings, n and version are written beside a csv file, into the others.
    """
    from inception_lab.jobs.export import export as write
    from inception_lab.jobs.store import Store

    done = write(_named(Store(supervised=False), run), output, format=format)
    data = {
        "run": run,
        "file": str(output),
        "format": done.format,
        "steps": done.steps,
        "runs": done.runs,
        "files": [str(file) for file in done.files],
    }
    more = "".join(f", settings in {file.name}" for file in done.files[1:])
    words = f"{done.steps} steps of {'run' if done.runs == 1 else f'{done.runs} runs of'} {run}{more}"
    show(data, as_json=as_json, text=lambda: f"{output}: {words}")


@runs.command()
@click.argument("run", nargs=-1, required=True)
@json_option
def cancel(run: tuple[str, ...], as_json: bool) -> None:
    """Stop runs that are queued or running."""
    from inception_lab.jobs.store import Store
    from inception_lab.notebook import cancel as end

    store = Store()
    for id in run:
        store.run(id)  # an unknown one is refused before any is cancelled
    end(store, run)
    _show_status(store, run, as_json=as_json)


@runs.command()
@click.argument("run", nargs=-1, required=True)
@click.option("--wait", is_flag=True, help="Wait until all have ended. For a sweep: print its table and verdict.")
@json_option
def resume(run: tuple[str, ...], wait: bool, as_json: bool) -> None:
    """Queue runs again that were interrupted, cancelled or failed; of a sweep, those interrupted or cancelled."""
    from inception_lab.cli.train import report
    from inception_lab.cli.train import wait as follow
    from inception_lab.jobs.store import Store
    from inception_lab.jobs.sweep import resume_sweep

    store = Store()
    found = {id: [one.id for one in store.runs(group=id)][::-1] for id in run}
    for id, members in found.items():
        if members:
            resume_sweep(store, id)
        else:
            store.resume(id)
    if wait and len(run) == 1 and found[run[0]]:
        first = store.run(found[run[0]][0])
        report(store, run[0], found[run[0]], preset=first.settings.preset, detach=False, as_json=as_json)
        return
    ids = [one for id, members in found.items() for one in members or [id]]
    interrupted = wait and follow(store, ids)
    _show_status(store, ids, as_json=as_json)
    if interrupted:
        raise click.exceptions.Exit(130)


@runs.command()
@click.argument("run", nargs=-1, required=True)
@json_option
def delete(run: tuple[str, ...], as_json: bool) -> None:
    """Remove runs and their folders for good."""
    from inception_lab.jobs.store import Store

    store = Store(supervised=False)
    for id in run:
        store.delete(id)
    show({"deleted": list(run)}, as_json=as_json, text=lambda: f"Deleted {', '.join(run)}.")


def summary(run: Run) -> dict[str, Any]:
    """A run as plain data; what it has no result for yet is None, its steps are counted."""
    from inception_lab.training.events import read_steps

    result = run.result or {}
    data = {"run": run.id, "status": run.status, **{key: result.get(key) for key in RESULT}}
    if not run.result:
        data["steps"] = len(read_steps(run.folder / "events.jsonl"))
    return data | {
        "test_accuracy": result.get("test_accuracy"),
        "error": run.error,
        "sweep": run.group,
        "created": run.created,
        "started": run.started,
        "ended": run.ended,
        "version": result.get("version"),
        "folder": str(run.folder),
        "settings": run.settings.to_dict(),
    }


def _show_status(store: Store, ids: Sequence[str], *, as_json: bool) -> None:
    found = [summary(store.run(id)) for id in ids]
    show(
        {"runs": found},
        as_json=as_json,
        text=lambda: table(("run", "status"), ((r["run"], r["status"]) for r in found)),
    )


def _named(store: Store, id: str) -> list[Run]:
    """The runs of the sweep `id` as they were queued, else the run called so."""
    return store.runs(group=id)[::-1] or [store.run(id)]


def lines(data: dict[str, Any]) -> str:
    """One line for each entry that is not itself a record."""
    plain = {key: value for key, value in data.items() if not isinstance(value, dict)}
    width = max(map(len, plain))
    return "\n".join(f"{key:<{width}}  {_shown(value)}" for key, value in plain.items())


def _shown(value: Any) -> str:
    match value:
        case None:
            return "–"
        case float():
            return f"{value:.6g}"
        case list() | tuple():
            return json.dumps(value)
        case _:
            return str(value)
