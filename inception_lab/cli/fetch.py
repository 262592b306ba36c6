"""The command fetch."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inception_lab.cli.counting import counting
from inception_lab.cli.output import json_option, show, stopped
from inception_lab.errors import HubUnreachable, LabError, WeightsUnavailable

if TYPE_CHECKING:
    from inception_lab.models.records import WeightRecord

Entry = dict[str, Any]


@click.command()
@click.argument("networks", nargs=-1, metavar="NETWORK...")
@click.option("--all", "everything", is_flag=True, help="All public weights, for a classroom without a network.")
@json_option
def fetch(networks: tuple[str, ...], everything: bool, as_json: bool) -> None:
    """Bring weights to this machine.

    What is here, a run:ID always, is checked and not fetched again; what was cut off goes on from there. Without
    room on the disk for all of it nothing is begun. The JSON of one network is its entry, of several {"networks":
    [...], "failed": {}}.
    """
    from inception_lab.images.trained import known
    from inception_lab.models.records import RECORDS

    if everything == bool(networks):
        raise click.UsageError("name the networks to fetch, or say --all")
    records = list(dict.fromkeys(known(name) for name in (RECORDS if everything else networks)))
    _announce(records)
    found: list[Entry] = []
    failed: dict[str, str] = {}
    silent: str | None = None  # what the hub's silence was called, once it did not answer
    for record in records:
        if silent and not _is_here(record):
            failed[record.tag] = silent
            continue
        try:
            with stopped("What came is kept: the same command goes on from there."):
                found.append(_bring(record))
        except LabError as error:
            if len(records) == 1:
                raise
            failed[record.tag] = str(error)
            click.echo(f"{record.tag}: {error}", err=True)
            silent = "Not asked for: the hub cannot be reached." if isinstance(error, HubUnreachable) else silent
    _say_silence(failed, silent)
    data: Entry = found[0] if len(records) == 1 else {"networks": found, "failed": failed}
    show(data, as_json=as_json, text=lambda: "\n".join(map(_line, found)))
    if failed:
        raise SystemExit(2)


def _is_here(record: WeightRecord) -> bool:
    """Whether it needs no hub: embedded, a run's, or in the cache."""
    from inception_lab.models import hub

    return not record.repository or hub.cached(record.repository) is not None


def _say_silence(failed: dict[str, str], silent: str | None) -> None:
    """One line for all that was not asked for, instead of a sentence each."""
    rest = [tag for tag, why in failed.items() if why == silent]
    if rest:
        click.echo(f"Not asked for either, as the hub cannot be reached: {', '.join(rest)}.", err=True)


def _announce(records: list[WeightRecord]) -> None:
    """Says what is here, what will come and what room there is. Raises `WeightsUnavailable` without room."""
    from inception_lab.models import hub

    wanted = [one for one in records if not _is_here(one)]
    here = [one.tag for one in records if one not in wanted]
    if here:
        click.echo(f"Here already: {', '.join(here)}.", err=True)
    if not wanted:
        return
    folder = hub.cache_folder()
    needed = sum(one.megabytes * 10**6 - hub.unfinished(one.repository) for one in wanted)
    free = _free(folder)
    click.echo(f"To fetch: {len(wanted)} files, {needed / 1e6:.0f} MB; {free / 1e6:.0f} MB are free.", err=True)
    if needed > free:
        raise WeightsUnavailable(
            f"There is no room for {needed / 1e6:.0f} MB in {folder}, where {free / 1e6:.0f} MB are free: make room, "
            "or set HF_HOME to a folder on a larger disk."
        )


def _bring(record: WeightRecord) -> Entry:
    from inception_lab.images.trained import is_run, trained
    from inception_lab.models import hub
    from inception_lab.models.weights import fetch as bring

    fetched = bool(record.repository) and hub.cached(record.repository) is None
    if fetched:
        click.echo(f"{record.tag} …", err=True)
    path = trained(record.tag).file if is_run(record.tag) else bring(record.tag, progress=counting("MB", size=1e6))
    return {
        "network": record.tag,
        "file": str(path),
        "bytes": path.stat().st_size,
        "fetched": fetched,
        "origin": record.origin,
        "licence": record.licence,
        "accuracy": record.accuracy,
        "notes": record.notes,
    }


def _line(entry: Entry) -> str:
    size = f"{entry['bytes'] / 1e6:.0f} MB"
    return f"{entry['network']}: {entry['file']} ({size}, {entry['licence']}). {entry['notes']}"


def _free(folder: Path) -> int:
    """Bytes free on the disk of a folder that need not exist yet."""
    there = next(place for place in (folder, *folder.parents) if place.exists())
    return shutil.disk_usage(there).free
