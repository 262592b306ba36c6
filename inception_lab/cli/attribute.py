"""The command attribute."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inception_lab.cli.asked import (
    METHODS,
    against_option,
    class_of,
    embedded,
    image_argument,
    layer_option,
    method_option,
    network_option,
    options,
    relative_option,
    scales_of,
    scales_option,
    target_option,
)
from inception_lab.cli.counting import counting, say_cost
from inception_lab.cli.output import json_option, save, show

if TYPE_CHECKING:
    from inception_lab.images.attribute import Attribution, Method

__all__ = ["METHODS", "attribute"]

SUFFIXES = (".png", ".npy", ".csv")


@click.command()
@options(image_argument, network_option, method_option, target_option, against_option, layer_option)
@options(scales_option, relative_option)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help=".png overlay, .npy or .csv values."
)
@json_option
def attribute(
    image: Path,
    network: str | None,
    method: Method,
    target: str | None,
    against: str | None,
    at: str | None,
    scales: Sequence[tuple[str, float]],
    relative: bool,
    output: Path | None,
    as_json: bool,
) -> None:
    """Which pixels of IMAGE speak for a class.

    The overlay lies on the pixels that entered the network: purple for, orange against; methods that know no sign are
    drawn from dark to bright. `file` is what was written. With --scale the residuals of the network
    are scaled so, and the first guess is still that of the network as it was built.
    """
    if output is not None and output.suffix.lower() not in SUFFIXES:
        raise click.BadParameter(f"{output.name} must end in {', '.join(SUFFIXES)}.", param_hint="-o")
    tag, held = embedded(network), scales_of(scales)
    found = _made(image, tag, method, class_of(target, tag), class_of(against, tag), at, held, relative)
    if output is not None:
        save(output, _pixels(found, output.suffix.lower()))
    data = found.to_dict() | {"image": str(image), "file": None if output is None else str(output)}
    lines = (str(found), *([str(output)] if output else []), _test(image, found))
    show(data, as_json=as_json, text=lambda: "\n".join(lines))


def _made(
    image: Path,
    tag: str,
    method: Method,
    target: int | None,
    against: int | None,
    at: str | None,
    scales: float | dict[str, float] | None,
    relative: bool,
) -> Attribution:
    """The map, its cost said first; with scales there is a pass more, as the first guess is that of the network as it
    was built."""
    from inception_lab.images.announce import announce
    from inception_lab.images.attribute import Ask, asked

    cost = announce("attribute", tag, method=method, image=image, at=at, progress=counting("MB", size=1e6))
    more = scales is not None and target is None
    say_cost(method, replace(cost, images=cost.images + more))
    ask = Ask(
        method=method,
        target=target,
        against=against,
        at=at,
        progress=counting("images"),
        scales=scales,
        relative=relative,
    )
    return asked(image, tag, ask, threads=None)


def _test(image: Path, found: Attribution) -> str:
    """The command that tests this very map, or why there is none."""
    if found.scales is not None:
        return "a map at other scales: lab.trust(lab.moved(...)) tests it in a notebook"
    words = ["trust", str(image), "--network", found.network, "--method", found.method, "--target", str(found.target)]
    words += ["--against", str(found.against)] if found.against is not None else []
    words += ["--at", found.layer] if found.layer is not None else []
    return f"test this map: python -m inception_lab {shlex.join(words)}"


def _pixels(found: Attribution, suffix: str) -> bytes:
    """The overlay as PNG, or the map as a NumPy file or as text, a line for each row."""
    import numpy as np

    out = BytesIO()
    match suffix:
        case ".png":
            found.overlay().save(out, "PNG")
        case ".npy":
            np.save(out, found.values)
        case _:
            np.savetxt(out, found.values, delimiter=",", fmt="%.9g")
    return out.getvalue()
