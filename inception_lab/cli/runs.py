"""Commands on runs that were made, wherever: list, show, export, cancel, resume, delete."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inception_lab.cli.output import json_option, save, show, table

if TYPE_CHECKING:
    from inception_lab.jobs.store import Run, Store

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
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help=".csv or .jsonl")
@json_option
def export(run: str, output: Path, as_json: bool) -> None:
    """Every step of RUN as a table (.csv) or as events (.jsonl)."""
    from inception_lab.jobs.store import Store

    suffix = output.suffix.lower()
    if suffix not in (".csv", ".jsonl"):
        raise click.BadParameter(f"{output.name} must end in .csv or .jsonl.", param_hint="-o")
    text, count = _exported(Store(supervised=False).run(run), suffix)
    save(output, text)
    data = {"run": run, "file": str(output), "format": suffix[1:], "steps": count}
    show(data, as_json=as_json, text=lambda: f"{output}: {count} steps of run {run}")


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
@json_option
def resume(run: tuple[str, ...], as_json: bool) -> None:
    """Queue interrupted, cancelled or failed runs again."""
    from inception_lab.jobs.store import Store

    store = Store()
    for id in run:
        store.resume(id)
    _show_status(store, run, as_json=as_json)


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


def _exported(run: Run, suffix: str) -> tuple[str, int]:
    """The text of an export and its number of steps."""
    from inception_lab.training import events

    found, _ = events.read(run.folder / "events.jsonl")
    steps = [events.Step.from_dict(event) for event in found if event["type"] == "step"]
    if suffix == ".jsonl":
        return "".join(f"{events.encode(event)}\n" for event in found), len(steps)
    addresses: list[str] = next((event["addresses"] for event in found if event["type"] == "start"), [])
    plain = ("step", "loss", "accuracy", "rate", "gradient_norm", "zero_share")
    lists = ("shortcut", "residual", "zeros")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*plain, *(f"{name} {address}" for name in lists for address in addresses)])
    for step in steps:
        measured = [getattr(step, name) or (None,) * len(addresses) for name in lists]
        writer.writerow([*(getattr(step, name) for name in plain), *(value for row in measured for value in row)])
    return text.getvalue(), len(steps)


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
