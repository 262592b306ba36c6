"""Commands that test and compare maps: trust, compare-maps, agreement."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from inception_lab.cli.asked import (
    FILE,
    METHODS,
    against_option,
    as_csv,
    csv_option,
    embedded,
    image_argument,
    layer_option,
    method_option,
    network_option,
    options,
    target_option,
)
from inception_lab.cli.counting import counting
from inception_lab.cli.output import json_option, save, show

if TYPE_CHECKING:
    from inception_lab.images.attribute import Method
    from inception_lab.images.deletion import Ground, Regions

Value = TypeVar("Value")

steps_option = click.option("--steps", type=int, default=16, show_default=True, help="Points of each curve.")
seeds_option = click.option("--seeds", type=int, default=5, show_default=True, help="Random orders to compare with.")
ground_option = click.option(
    "--ground", default="blur", show_default=True, help="What is removed becomes this: blur or grey."
)


@click.command()
@options(image_argument, network_option, method_option, target_option, against_option, layer_option)
@options(steps_option, seeds_option, ground_option)
@click.option(
    "--regions", default="squares", show_default=True, help="What is removed at a time: squares, superpixels or pixels."
)
@click.option(
    "--draws",
    type=int,
    help="Networks with random weights of each kind. Default: 10 or 5 classifiers, 3 whole networks.",
)
@options(csv_option, json_option)
def trust(
    image: Path,
    network: str | None,
    method: Method,
    target: int | None,
    against: int | None,
    at: str | None,
    steps: int,
    seeds: int,
    ground: Ground,
    regions: Regions,
    draws: int | None,
    table: Path | None,
    as_json: bool,
) -> None:
    """Whether a map of IMAGE is to be trusted.

    The map is that of `attribute`; one sentence says it. Deletion and insertion curves beside random orders, the
    same method on random weights, and completeness.
    """
    from inception_lab.images.attribute import attribute
    from inception_lab.images.caps import cap_in_words
    from inception_lab.images.trust import checked
    from inception_lab.images.trust import trust as ask

    checked(steps=steps, seeds=seeds, ground=ground, regions=regions, draws=draws)  # before the map is made
    tag = embedded(network)
    click.echo(f"trust: {cap_in_words('trust', tag, method=method)}.", err=True)
    made = attribute(image, tag, method=method, target=target, against=against, at=at, progress=counting("images"))
    found = ask(
        made, steps=steps, seeds=seeds, ground=ground, regions=regions, draws=draws, progress=counting("images")
    )
    if table is not None:
        save(table, as_csv(found.rows()))
    show(found.to_dict() | {"image": str(image)}, as_json=as_json, text=lambda: str(found))


@click.command("compare-maps")
@image_argument
@click.option("--network", metavar="TAG", multiple=True, help="Weights by tag, or run:ID. Default: the embedded one.")
@click.option("--method", type=click.Choice(METHODS), multiple=True, help=f"Default: {METHODS[0]}.")
@click.option("--target", type=int, metavar="CLASS", multiple=True, help="Class by index. Default: the first guess.")
@click.option("--against", type=int, metavar="CLASS", multiple=True, help="As for attribute.")
@click.option("--at", metavar="ADDRESS", multiple=True, help="Layer, as for attribute.")
@click.option("-o", "--output", type=FILE, help="Write the difference, first less second, as .npy.")
@json_option
def compare_maps(image: Path, output: Path | None, as_json: bool, **asked: tuple[Any, ...]) -> None:
    """Two maps of IMAGE on one scale, and how far they agree.

    Each option is given once for both maps, or twice: for the first and for the second.
    """
    if output is not None and output.suffix.lower() != ".npy":
        raise click.BadParameter(f"{output.name} must end in .npy.", param_hint="-o")
    from inception_lab.images.attribute import attribute
    from inception_lab.images.comparison import compare_maps as ask

    pairs = {name: _two(name, given) for name, given in asked.items()}
    first, second = (
        attribute(
            image,
            embedded(pairs["network"][place]),
            method=cast("Method", pairs["method"][place] or METHODS[0]),
            target=pairs["target"][place],
            against=pairs["against"][place],
            at=pairs["at"][place],
            progress=counting("images"),
        )
        for place in (0, 1)
    )
    found = ask(first, second)
    if output is not None:
        import numpy as np

        np.save(output, found.difference)
    maps = [one.to_dict() for one in (first, second)]
    data = found.to_dict() | {"image": str(image), "maps": maps, "file": None if output is None else str(output)}
    show(data, as_json=as_json, text=lambda: str(found))


@click.command()
@image_argument
@click.option("--network", metavar="TAG", multiple=True, help="Weights by tag, or run:ID; repeatable.")
@click.option(
    "--method",
    type=click.Choice(METHODS),
    multiple=True,
    help="Repeatable. Default: integrated_gradients, saliency and grad_cam.",
)
@options(target_option, against_option, steps_option, seeds_option, ground_option, csv_option, json_option)
def agreement(
    image: Path,
    network: tuple[str, ...],
    method: tuple[Method, ...],
    target: int | None,
    against: int | None,
    steps: int,
    seeds: int,
    ground: Ground,
    table: Path | None,
    as_json: bool,
) -> None:
    """How far several maps of IMAGE agree.

    Every method on every network, with the deletion test as arbiter.
    """
    from inception_lab.images.agreement import USUAL
    from inception_lab.images.agreement import agreement as ask

    found = ask(
        image,
        networks=network or (embedded(None),),
        methods=method or USUAL,
        target=target,
        against=against,
        steps=steps,
        seeds=seeds,
        ground=ground,
        progress=counting("images"),
    )
    if table is not None:
        save(table, as_csv(found.rows()))
    show(found.to_dict() | {"image": str(image)}, as_json=as_json, text=lambda: str(found))


def _two(name: str, given: tuple[Value, ...]) -> tuple[Value | None, Value | None]:
    match given:
        case ():
            return None, None
        case (one,):
            return one, one
        case (one, two):
            return one, two
        case _:
            raise click.UsageError(f"--{name} was given {len(given)} times; two maps take it once or twice.")
