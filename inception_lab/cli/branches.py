"""Commands on branches and residuals: credit, rho, damage."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from inception_lab.cli.asked import (
    against_option,
    as_csv,
    class_of,
    csv_option,
    embedded,
    image_argument,
    network_option,
    options,
    relative_option,
    scales_of,
    scales_option,
    target_option,
)
from inception_lab.cli.counting import counting, say_cost
from inception_lab.cli.output import json_option, save, show
from inception_lab.cli.train import Numbers

SCALES = "0,0.25,0.5,0.75,1"


@click.command()
@options(image_argument, network_option, target_option, against_option)
@click.option("--at", metavar="ADDRESS", help="Only a block, a concatenation or an add, such as B/07. Default: all.")
@options(scales_option, relative_option, csv_option, json_option)
def credit(
    image: Path,
    network: str | None,
    target: str | None,
    against: str | None,
    at: str | None,
    scales: Sequence[tuple[str, float]],
    relative: bool,
    table: Path | None,
    as_json: bool,
) -> None:
    """What each branch adds to a class of IMAGE.

    Branches, shortcuts and residuals: gradient times activation in logits, at every concatenation and add; the
    parts of each add up to its whole.
    """
    from inception_lab.images.announce import announce
    from inception_lab.images.credit import credit as ask

    tag = embedded(network)
    aim = class_of(target, tag)
    say_cost("credit", announce("credit", tag, progress=counting("MB", size=1e6)))
    found = ask(
        image,
        tag,
        target=aim,
        against=class_of(against, tag),
        at=at,
        scales=scales_of(scales),
        relative=relative,
        progress=counting("nodes"),
    )
    if table is not None:
        save(table, as_csv(found.to_rows()))
    show(found.to_dict() | {"image": str(image)}, as_json=as_json, text=found.text)


@click.command()
@options(image_argument, network_option, target_option)
@click.option("--scales", type=Numbers(float), default=SCALES, show_default=True, help="Numbers to try, one by one.")
@click.option("--at", metavar="ADDRESS", help="Only a block or a stage, such as B/07. Default: all blocks.")
@options(relative_option, json_option)
def rho(
    image: Path,
    network: str | None,
    target: str | None,
    scales: tuple[float, ...],
    at: str | None,
    relative: bool,
    as_json: bool,
) -> None:
    """What a scale of the residuals does to IMAGE.

    The best five classes at each number. 0 switches a block off: only its shortcut is left. The map at a scale is
    that of `attribute --scale`.
    """
    from inception_lab.images.announce import announce
    from inception_lab.images.residuals import rho as ask

    tag = embedded(network)
    aim = class_of(target, tag)
    say_cost("rho", announce("rho", tag, scales=len(scales), target=aim, progress=counting("MB", size=1e6)))
    found = ask(image, tag, scales=scales, at=at, relative=relative, target=aim, progress=counting("scales"))
    data = {"image": str(image), "network": tag, "scales": [one.to_dict() for one in found]}
    show(data, as_json=as_json, text=lambda: str(found))


@click.command()
@options(image_argument, network_option, target_option)
@click.option("--scale", type=float, default=0.0, show_default=True, help="What each block is set to, one at a time.")
@options(relative_option, csv_option, json_option)
def damage(
    image: Path,
    network: str | None,
    target: str | None,
    scale: float,
    relative: bool,
    table: Path | None,
    as_json: bool,
) -> None:
    """What IMAGE loses with each block off.

    Each residual block by itself is switched off, or set to --scale, and the class is asked for again.
    """
    from inception_lab.images.announce import announce
    from inception_lab.images.residuals import damage as ask

    tag = embedded(network)
    aim = class_of(target, tag)
    say_cost("damage", announce("damage", tag, progress=counting("MB", size=1e6)))
    found = ask(image, tag, scale=scale, relative=relative, target=aim, progress=counting("parts"))
    if table is not None:
        save(table, as_csv(found.to_rows()))
    show(found.to_dict() | {"image": str(image)}, as_json=as_json, text=found.text)
