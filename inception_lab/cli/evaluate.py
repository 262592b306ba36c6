"""The command evaluate."""

from __future__ import annotations

from pathlib import Path

import click

from inception_lab.cli.counting import counting
from inception_lab.cli.output import json_option, show


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--network", metavar="TAG", help="Weights by tag, see `nets`, or run:ID. Default: the embedded one.")
@click.option("--crops", type=int, default=1, show_default=True, help="1, 10, 12 or 144 views of each image.")
@json_option
def evaluate(folder: Path, network: str | None, crops: int, as_json: bool) -> None:
    """Error rates on FOLDER, which has one folder of photographs per class.

    Class folders are named by WordNet id (n07920052), index (967) or label (espresso); for a run:ID by index or label.
    Shares are 0 to 1, with 95 %
    intervals; files that cannot be read are named on stderr and left out.
    """
    from inception_lab.images.evaluate import evaluate as measure
    from inception_lab.models.records import EMBEDDED

    found = measure(folder, network=network or EMBEDDED, crops=crops, progress=counting("images"))
    for sentence in found.skipped:
        click.echo(f"Left out: {sentence}", err=True)
    show(found.to_dict() | {"folder": str(folder)}, as_json=as_json, text=lambda: str(found))
