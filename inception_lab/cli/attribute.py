"""The command attribute."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
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
    are scaled so.
    """
    if output is not None and output.suffix.lower() not in SUFFIXES:
        raise click.BadParameter(f"{output.name} must end in {', '.join(SUFFIXES)}.", param_hint="-o")
    from inception_lab.images.announce import announce
    from inception_lab.images.attribute import attribute as ask
    from inception_lab.images.moved import moved

    tag, held = embedded(network), scales_of(scales)
    aim, other = class_of(target, tag), class_of(against, tag)
    say_cost(method, announce("attribute", tag, method=method, image=image, at=at, progress=counting("MB", size=1e6)))
    if held is None:
        found = ask(image, tag, method=method, target=aim, against=other, at=at, progress=counting("images"))
    else:
        found = moved(
            image,
            tag,
            scales=held,
            relative=relative,
            method=method,
            target=aim,
            against=other,
            at=at,
            progress=counting("images"),
        )
    if output is not None:
        save(output, _pixels(found, output.suffix.lower()))
    data = found.to_dict() | {"image": str(image), "file": None if output is None else str(output)}
    show(data, as_json=as_json, text=lambda: f"{_text(found, output)}\n{_test(image, found, held)}")


def _text(found: Attribution, output: Path | None) -> str:
    said = f"{found.label} ({found.target}), {found.probability:.1%}"
    if found.against is not None and found.against_probability is not None:
        said += f", rather than {found.against_label} ({found.against}), {found.against_probability:.1%}"
    lines = [f"{said}: {found.network}, {found.method}, {found.setting}"]
    if found.completeness_error is not None and found.difference is not None:
        lines.append(f"completeness error {found.completeness_error:.3g} of {found.difference:.3g} logits")
    return "\n".join([*lines, *([str(output)] if output else [])])


def _test(image: Path, found: Attribution, scales: object) -> str:
    """The command that tests this very map, or why there is none."""
    if scales is not None:
        return "a map at other scales is of a changed network, which trust does not ask"
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
