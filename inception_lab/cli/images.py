"""Commands on photographs and weights: classify, attribute, evaluate, fetch."""

from __future__ import annotations

import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inception_lab.cli.output import json_option, save, show

if TYPE_CHECKING:
    from inception_lab.images.attribute import Attribution, Method

METHODS = ("integrated_gradients", "grad_cam", "occlusion")
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


@click.command()
@click.argument("network")
@json_option
def fetch(network: str, as_json: bool) -> None:
    """Bring the weights of NETWORK to this machine and check them; those of a run:ID are here already."""
    from inception_lab.images.trained import is_run, trained
    from inception_lab.models.records import record
    from inception_lab.models.weights import fetch as bring

    if is_run(network):
        own = trained(network)
        known, path = own.record, own.file
    else:
        known = record(network)
        path = bring(known.tag, progress=counting("MB", size=1e6))
    data: dict[str, Any] = {
        "network": known.tag,
        "file": str(path),
        "bytes": path.stat().st_size,
        "origin": known.origin,
        "licence": known.licence,
        "notes": known.notes,
    }
    show(
        data,
        as_json=as_json,
        text=lambda: f"{known.tag}: {path} ({data['bytes'] / 1e6:.0f} MB, {known.licence}). {known.notes}",
    )


def _pixels(found: Attribution, suffix: str) -> bytes:
    """The overlay as PNG, or the map as a NumPy file."""
    import numpy as np

    out = BytesIO()
    if suffix == ".png":
        found.overlay().save(out, "PNG")
    else:
        np.save(out, found.values)
    return out.getvalue()


def counting(unit: str, *, size: float = 1) -> Callable[[int, int], None]:
    """A line on stderr that follows a download (unit MB, size 1e6) or the images run."""
    said = -1

    def tell(done: int, whole: int) -> None:
        nonlocal said
        tenth = 10 * done // max(whole, 1)
        line = f"{done / size:.0f} of {whole / size:.0f} {unit}"
        if sys.stderr.isatty():
            click.echo(f"\r{line}", nl=done >= whole, err=True)
        elif tenth > said:
            click.echo(line, err=True)
        said = tenth

    return tell
