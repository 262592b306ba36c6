"""The command fetch."""

from __future__ import annotations

from typing import Any

import click

from inception_lab.cli.counting import counting
from inception_lab.cli.output import json_option, show


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
