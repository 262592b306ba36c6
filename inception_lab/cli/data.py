"""Commands on data sets: list what there is, fetch what is not here yet."""

from __future__ import annotations

from typing import Any

import click

from inception_lab.cli.counting import counting
from inception_lab.cli.output import json_option, show, table
from inception_lab.training.datasets import DATASETS, Described, described


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def data(ctx: click.Context, as_json: bool) -> None:
    """List the data sets a run can take, or fetch one.

    A folder of images with a sub-folder for each class is a data set too: --data folder:/path/to/images.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_data, as_json=as_json)


@data.command("list")
@json_option
def list_data(as_json: bool) -> None:
    """Every data set by name, and whether it is on this machine."""
    found = [summary(one) for one in DATASETS.values()]
    heads = ("name", "here", "MB to fetch", "training", "test", "classes", "channels", "pixels", "licence")
    keys = ("name", "present", "download_bytes", "train", "test", "classes", "channels", "size", "licence")

    def text() -> str:
        rows = [[one[key] for key in keys] for one in found]
        for row in rows:
            row[2] = round(row[2] / 1e6)
        return f"{table(heads, rows)}\n\nFetch one: python -m inception_lab data fetch NAME"

    show({"data": found}, as_json=as_json, text=text)


@data.command()
@click.argument("name")
@click.option(
    "--from",
    "source",
    metavar="PLACE",
    help="A folder or http address that holds the files, in place of the publisher.",
)
@json_option
def fetch(name: str, source: str | None, as_json: bool) -> None:
    """Bring the data set NAME to this machine and check it.

    What was cut off goes on where it stopped. Progress goes to stderr.
    """
    from inception_lab.training.download import fetch as bring

    known = described(name)
    place = bring(name, source=source, progress=counting("MB", size=1e6))
    found = summary(known) | {"folder": str(place), "files": [str(place / file.name) for file in known.files]}

    def text() -> str:
        if not known.files:
            return f"{known.title} needs no download."
        return (
            f"{known.title}: {place} ({known.download / 1e6:.0f} MB). Source: {known.source}. Licence: {known.licence}."
        )

    show(found, as_json=as_json, text=text)


def summary(one: Described) -> dict[str, Any]:
    """A data set as plain data."""
    names = ("name", "title", "channels", "classes", "size", "labels", "train", "test", "source", "licence")
    return {key: getattr(one, key) for key in names} | {"present": one.present(), "download_bytes": one.download}
