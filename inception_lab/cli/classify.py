"""The command classify."""

from __future__ import annotations

from pathlib import Path

import click

from inception_lab.cli.counting import counting
from inception_lab.cli.output import json_option, show

REFUSED = 2


@click.command()
@click.argument("image", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--network",
    multiple=True,
    help="Weights by tag, see `nets`, or run:ID of a run here; may be repeated. Default: the embedded one.",
)
@click.option("--crops", type=int, default=1, show_default=True, help="1, 10, 12 or 144 views of each image.")
@click.option("--top", type=int, default=5, show_default=True, help="So many guesses.")
@json_option
def classify(image: tuple[Path, ...], network: tuple[str, ...], crops: int, top: int, as_json: bool) -> None:
    """What networks see in each IMAGE.

    A file that is no photograph is named with the reason and the others go on; exit status 2 if none could be read.
    """
    from inception_lab.images.classify import classify as ask

    found = ask(list(image), networks=network or None, crops=crops, top=top, progress=counting("MB", size=1e6))
    data = found.to_dict()
    each = len(found) // len(image)
    for place, entry in enumerate(data["images"]):
        entry["file"] = str(image[place // each])
    for entry in found[::each]:
        if entry.error:
            click.echo(f"Error: {entry.error}", err=True)
    show(data, as_json=as_json, text=lambda: "\n\n".join(str(entry) for entry in found if not entry.error))
    if all(entry.error for entry in found):
        raise click.exceptions.Exit(REFUSED)
