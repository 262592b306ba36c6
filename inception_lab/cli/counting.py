"""What long work says on stderr: its cost before it starts, and a line that follows it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from inception_lab.images.announce import Cost


def say_cost(what: str, cost: Cost) -> None:
    """What `images.announce` says of a command or a method, before it starts."""
    click.echo(f"{what}: {cost}.", err=True)


def say_closeness(networks: Sequence[str]) -> None:
    """How near each network in bf16 stays to itself in fp32, before it is asked in bf16."""
    from inception_lab.images.ensemble import asked
    from inception_lab.images.precision import closeness
    from inception_lab.models.records import EMBEDDED

    for tag in asked(networks, EMBEDDED, together=False)[0]:
        click.echo(str(closeness(tag)), err=True)


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
