"""What every command shares: one JSON object or a readable table on stdout, everything else on stderr."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, final

import click

from inception_lab.errors import LabError
from inception_lab.readers.columns import as_text as table
from inception_lab.training.events import jsonable

__all__ = [
    "INTERRUPTED",
    "SIZE",
    "Group",
    "Refusal",
    "Size",
    "json_option",
    "save",
    "shorten",
    "show",
    "stopped",
    "table",
]

INTERRUPTED = 130

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object for machines.")


@final
class Group(click.Group):
    """Commands in the order they were added, whose errors are one sentence on stderr and exit status 2."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The order of the file, which goes from looking to training to classifying."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error of the lab's own, or of a file, becomes a sentence."""
        try:
            return super().invoke(ctx)
        except LabError as error:
            raise Refusal(str(error)) from None
        except BrokenPipeError:
            raise
        except OSError as error:
            raise Refusal(_file_trouble(error)) from None


@final
class Refusal(click.ClickException):
    """An error that ends the command with status 2."""

    exit_code = 2


@final
class Size(click.ParamType[tuple[int, int]]):
    """An image's size: a side (299), or height x width (400x600)."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """The size as (height, width)."""
        if isinstance(value, tuple):
            return value
        found = re.fullmatch(r"(\d{1,5})(?:[x×](\d{1,5}))?", value.strip().lower())
        if found is None or not all(int(side) for side in found.groups() if side):
            self.fail(f"{value!r} is neither a side like 299 nor height x width like 400x600.", param, ctx)
        height, width = found.groups()
        return int(height), int(width or height)


SIZE = Size()


def show(data: Mapping[str, Any], *, as_json: bool, text: Callable[[], str]) -> None:
    """Print `data` as one JSON object, or `text()` for people."""
    click.echo(json.dumps(jsonable(data), allow_nan=False) if as_json else text())


@contextmanager
def stopped(sentence: str) -> Iterator[None]:
    """Ctrl-C inside the block ends the command with a sentence and the status that shells expect."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo(f"Stopped. {sentence}", err=True)
        raise click.exceptions.Exit(INTERRUPTED) from None


def shorten(value: Any, width: int = 60) -> Any:
    """A long text cut for a table."""
    return f"{value[: width - 1]}…" if isinstance(value, str) and len(value) > width else value


def save(path: Path, content: str | bytes) -> None:
    """Write a file that was asked for with -o."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def _file_trouble(error: OSError) -> str:
    where = f"{os.fspath(error.filename)}: " if error.filename else ""
    return f"{where}{error.strerror or error}. Check the path and try again."
