"""A line on stderr that follows long work."""

from __future__ import annotations

import sys
from collections.abc import Callable

import click


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
