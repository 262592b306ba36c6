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
    class_of,
    csv_option,
    embedded,
    image_argument,
    layer_option,
    method_option,
    network_option,
    options,
    target_option,
)
from inception_lab.cli.counting import counting, say_cost
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
    target: str | None,
    against: str | None,
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
    from inception_lab.images.announce import announce
    from inception_lab.images.attribute import attribute
    from inception_lab.images.trust import checked
    from inception_lab.images.trust import trust as ask

    checked(steps=steps, seeds=seeds, ground=ground, regions=regions, draws=draws)  # before the map is made
    tag = embedded(network)
    aim, other = class_of(target, tag), class_of(against, tag)
    cost = announce("attribute", tag, method=method, image=image, at=at, progress=counting("MB", size=1e6))
    say_cost("trust", cost + announce("trust", tag, method=method, at=at, steps=steps, seeds=seeds, draws=draws))
    made = attribute(image, tag, method=method, target=aim, against=other, at=at, progress=counting("images"))
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
@click.option("--target", metavar="CLASS", multiple=True, help="By name or index. Default: the first guess.")
@click.option("--against", metavar="CLASS", multiple=True, help="As for attribute.")
@click.option("--at", metavar="ADDRESS", multiple=True, help="Layer, as for attribute.")
@click.option("-o", "--output", type=FILE, help="Write the difference, first less second, as .npy.")
@json_option
def compare_maps(image: Path, output: Path | None, as_json: bool, **asked: tuple[Any, ...]) -> None:
    """Two maps of IMAGE on one scale, and how far they agree.

    Each option is given once for both maps, or twice: for the first and for the second.
    """
    if output is not None and output.suffix.lower() != ".npy":
        raise click.BadParameter(f"{output.name} must end in .npy.", param_hint="-o")
    from inception_lab.images.announce import announce
    from inception_lab.images.attribute import attribute
    from inception_lab.images.comparison import compare_maps as ask

    questions = _questions(asked)
    costs = [
        announce("attribute", tag, method=one["method"], image=image, at=one["at"], progress=counting("MB", size=1e6))
        for tag, one in questions
    ]
    say_cost("compare-maps", costs[0] + costs[1])
    first, second = (attribute(image, tag, **one, progress=counting("images")) for tag, one in questions)
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
    target: str | None,
    against: str | None,
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
    from inception_lab.images.announce import announce

    tags, methods, loading = network or (embedded(None),), method or USUAL, counting("MB", size=1e6)
    say_cost("agreement", announce("agreement", tags, method=methods, steps=steps, seeds=seeds, progress=loading))
    found = ask(
        image,
        networks=tags,
        methods=methods,
        target=class_of(target, tags[0]),
        against=class_of(against, tags[0]),
        steps=steps,
        seeds=seeds,
        ground=ground,
        progress=counting("images"),
    )
    if table is not None:
        save(table, as_csv(found.rows()))
    show(found.to_dict() | {"image": str(image)}, as_json=as_json, text=lambda: str(found))


def _questions(asked: dict[str, tuple[Any, ...]]) -> list[tuple[str, dict[str, Any]]]:
    """Network and options of the first and of the second map."""
    pairs = {name: _two(name, given) for name, given in asked.items()}
    found = []
    for place in (0, 1):
        tag = embedded(pairs["network"][place])
        classes = {name: class_of(pairs[name][place], tag) for name in ("target", "against")}
        method = cast("Method", pairs["method"][place] or METHODS[0])
        found.append((tag, {"method": method, "at": pairs["at"][place], **classes}))
    return found


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
