"""The command attribute."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inception_lab.cli.counting import counting
from inception_lab.cli.output import json_option, save, show

if TYPE_CHECKING:
    from inception_lab.images.attribute import Attribution, Method

METHODS = ("integrated_gradients", "grad_cam", "occlusion")


@click.command()
@click.argument("image", type=click.Path(path_type=Path))
@click.option("--network", metavar="TAG", help="Weights by tag, see `nets`, or run:ID. Default: the embedded one.")
@click.option("--method", type=click.Choice(METHODS), default=METHODS[0], show_default=True)
@click.option(
    "--target", type=int, metavar="CLASS", help="Class by index, ImageNet's 0 to 999. Default: the first guess."
)
@click.option("--at", metavar="ADDRESS", help="Layer for grad_cam. Default: the end of the last stage.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help=".png overlay or .npy values.")
@json_option
def attribute(
    image: Path,
    network: str | None,
    method: Method,
    target: int | None,
    at: str | None,
    output: Path | None,
    as_json: bool,
) -> None:
    """Which pixels of IMAGE speak for a class.

    The overlay lies on the pixels that entered the network: purple for, orange against. `file` is what was written.
    """
    if output is not None and output.suffix.lower() not in (".png", ".npy"):
        raise click.BadParameter(f"{output.name} must end in .png or .npy.", param_hint="-o")
    from inception_lab.images.attribute import attribute as ask
    from inception_lab.models.records import EMBEDDED

    found = ask(image, network or EMBEDDED, method=method, target=target, at=at, progress=counting("images"))
    if output is not None:
        save(output, _pixels(found, output.suffix.lower()))
    data = found.to_dict() | {"image": str(image), "file": None if output is None else str(output)}

    def text() -> str:
        head = (
            f"{found.label} ({found.target}), {found.probability:.1%}: {found.network}, {found.method}, {found.setting}"
        )
        error = (
            "" if found.completeness_error is None else f"\ncompleteness error {found.completeness_error:.3g} logits"
        )
        return f"{head}{error}" + (f"\n{output}" if output else "")

    show(data, as_json=as_json, text=text)


def _pixels(found: Attribution, suffix: str) -> bytes:
    """The overlay as PNG, or the map as a NumPy file."""
    import numpy as np

    out = BytesIO()
    if suffix == ".png":
        found.overlay().save(out, "PNG")
    else:
        np.save(out, found.values)
    return out.getvalue()
