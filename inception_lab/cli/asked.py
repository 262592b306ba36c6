"""What the commands that question one photograph share: options, and rows as a file."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from functools import reduce
from io import StringIO
from pathlib import Path
from typing import Any, final

import click

METHODS = (  # images.methods.METHODS, which would take torch to read
    "integrated_gradients",
    "saliency",
    "input_x_gradient",
    "smoothgrad",
    "guided_backprop",
    "deeplift",
    "grad_cam",
    "guided_grad_cam",
    "layer_conductance",
    "occlusion",
    "feature_ablation",
)
FILE = click.Path(dir_okay=False, path_type=Path)

Command = Callable[..., Any]


@final
class Scale(click.ParamType[tuple[str, float]]):
    """A residual scale for all blocks (0.3), or for one block or stage (B/07=0.3)."""

    name = "[block=]number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, float]:
        """The block, empty for all of them, and its number."""
        if isinstance(value, tuple):
            return value[0], value[1]
        place, _, number = value.rpartition("=")
        try:
            return place.strip(), float(number)
        except ValueError:
            self.fail(f"{value!r} is neither a number nor one for a block, such as B/07=0.3.", param, ctx)


image_argument = click.argument("image", type=click.Path(path_type=Path))
network_option = click.option(
    "--network", metavar="TAG", help="Weights by tag, see `nets`, or run:ID. Default: the embedded one."
)
target_option = click.option(
    "--target", metavar="CLASS", help="Class by name or index: 'tiger cat' or 282. Default: the first guess."
)
against_option = click.option(
    "--against", metavar="CLASS", help="Explain the target's logit less that of this class, by name or index."
)
method_option = click.option("--method", type=click.Choice(METHODS), default=METHODS[0], show_default=True)
layer_option = click.option(
    "--at",
    metavar="ADDRESS",
    help="Layer of grad_cam, guided_grad_cam, layer_conductance. Default: the end of the last stage.",
)
scales_option = click.option(
    "--scale", "scales", type=Scale(), multiple=True, help="Residual scale of all blocks, or of one; repeatable."
)
relative_option = click.option("--relative", is_flag=True, help="Scales multiply those the network was built with.")
csv_option = click.option("--csv", "table", type=FILE, help="Write the rows to a file.")


def options(*chosen: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Several options at once, in this order."""
    return lambda command: reduce(lambda made, option: option(made), reversed(chosen), command)


def scales_of(given: Sequence[tuple[str, float]]) -> float | dict[str, float] | None:
    """The scales as the library takes them; None if there are none. Raises `click.UsageError` for all and one at
    once."""
    if not given:
        return None
    named = dict(given)
    if "" in named and len(given) > 1:
        raise click.UsageError("--scale takes one number for all blocks, or blocks with a number each, not both.")
    return named[""] if "" in named else named


def embedded(network: str | None) -> str:
    """The tag that was asked for, else that of the embedded network."""
    from inception_lab.models.records import EMBEDDED

    return network or EMBEDDED


def class_of(name: str | None, network: str) -> int | None:
    """The class that was asked for by name or index; None for none. Raises `SettingsError` for a name no class has."""
    from inception_lab.images.naming import class_of as of

    return None if name is None else of(name, network)


def as_csv(rows: Sequence[dict[str, Any]]) -> str:
    """Rows as comma-separated values with a head."""
    out = StringIO()
    writer = csv.DictWriter(out, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()
