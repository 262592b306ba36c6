"""The command classify."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from inception_lab.cli.asked import embedded
from inception_lab.cli.counting import counting, say_closeness, say_cost
from inception_lab.cli.output import json_option, save, show

if TYPE_CHECKING:
    from inception_lab.images.crops import Reading
    from inception_lab.images.networks import Precision

REFUSED = 2
QUIET = 12  # crops in all that are run without a word


@click.command()
@click.argument("image", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--network",
    multiple=True,
    help="Weights by tag, see `nets`, run:ID of a run here, or paper-ensemble; may be repeated. Default: the embedded.",
)
@click.option("--crops", type=int, default=1, show_default=True, help="1, 10, 12 or 144 views of each image.")
@click.option("--reading", default="timm", show_default=True, help="Whose single crop: timm or slim.")
@click.option("--ensemble", is_flag=True, help="The average of the networks too.")
@click.option("--each", is_flag=True, help="What every crop said too, as `votes` in the JSON.")
@click.option("--top", type=int, default=5, show_default=True, help="So many guesses.")
@click.option(
    "--precision",
    type=click.Choice(["fp32", "bf16"]),
    default="fp32",
    show_default=True,
    help="bf16 is quicker where the processor has it; close guesses may change places.",
)
@click.option("--csv", "table", type=click.Path(dir_okay=False, path_type=Path), help="Write every guess to a file.")
@json_option
def classify(
    image: tuple[Path, ...],
    network: tuple[str, ...],
    crops: int,
    reading: str,
    ensemble: bool,
    each: bool,
    top: int,
    precision: Precision,
    table: Path | None,
    as_json: bool,
) -> None:
    """What networks see in each IMAGE.

    A file that is no photograph is named with the reason and the others go on; exit status 2 if none could be read.
    """
    from inception_lab.images.announce import announce
    from inception_lab.images.classify import classify as ask

    read = cast("Reading", reading)
    asked = {"crops": crops, "reading": read, "precision": precision, "progress": counting("MB", size=1e6)}
    say_cost("classify", announce("classify", network or (embedded(None),), images=len(image), **asked))  # type: ignore[arg-type]
    if precision == "bf16":
        say_closeness(network or (embedded(None),))
    found = ask(
        list(image),
        networks=network or None,
        crops=crops,
        reading=cast("Reading", reading),
        ensemble=ensemble,
        each=each,
        top=top,
        precision=precision,
        progress=counting("MB", size=1e6),
        forwards=counting("crops") if len(image) * crops > QUIET else None,
    )
    for entry in found[:: len(found) // len(image)]:
        if entry.error:
            click.echo(f"Error: {entry.error}", err=True)
    if table is not None:
        save(table, found.to_csv())
    show(found.to_dict(), as_json=as_json, text=lambda: "\n\n".join(str(entry) for entry in found if not entry.error))
    if all(entry.error for entry in found):
        raise click.exceptions.Exit(REFUSED)
