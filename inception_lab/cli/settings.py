"""Every field of `Settings` on the command line: as an option of its own, and as `field=value`, by the field's type."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from types import NoneType
from typing import Any, Literal, final, get_args, get_origin, get_type_hints

import click

from inception_lab.errors import SettingsError
from inception_lab.training.fields import HELP, parse, values
from inception_lab.training.settings import Fork, Settings

Command = Callable[..., Any]


@final
class Change(click.ParamType[tuple[str, Any]]):
    """A setting with its value: clip=1, clip=none, repeats=5/10/5, end_norm=true."""

    name = "field=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Any]:
        """The field and the value as the field has it."""
        if isinstance(value, tuple):
            return value[0], value[1]
        name, text = _field(value, self, param, ctx)
        return name, parse(name, text)


@final
class Values(click.ParamType[tuple[str, tuple[Any, ...]]]):
    """A setting with the values it shall take: width=0.125,0.25."""

    name = "field=values"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, tuple[Any, ...]]:
        """The field and its values; a design, which has commas of its own, is one value."""
        if isinstance(value, tuple):
            return value[0], value[1]
        name, text = _field(value, self, param, ctx)
        return name, values(name, text)


@final
class Case(click.ParamType[dict[str, Any]]):
    """Settings that change together: "optimiser=sgd,rate=0.02"."""

    name = "field=value,…"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, Any]:
        """The fields and their values; an empty text changes nothing."""
        if isinstance(value, dict):
            return value
        parts = [part for part in re.split(r"[\s,]+", value) if part]
        return dict(Change().convert(part, param, ctx) for part in parts)


set_option = click.option(
    "--set", "changes", type=Change(), multiple=True, help="Any setting, such as clip=1 or clip=none; may be repeated."
)


def settings_options(*, without: tuple[str, ...] = ()) -> Callable[[Command], Command]:
    """Give a command an option for each setting; those that were not given arrive as None."""

    def decorate(command: Command) -> Command:
        hints = get_type_hints(Settings)
        for name in reversed(HELP):
            if name not in without:
                command = click.option(_declaration(name, hints[name]), name, **_kind(name, hints[name]))(command)
        return command

    return decorate


def given(settings: dict[str, Any], changes: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """The settings that were given, as options or by --set; the latter outweighs, and can say None."""
    return {**{name: value for name, value in settings.items() if value is not None}, **dict(changes)}


def _field(
    text: str, kind: click.ParamType[Any], param: click.Parameter | None, ctx: click.Context | None
) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        kind.fail(f"{text!r} is not {kind.name}, such as width=0.25.", param, ctx)
    return name.strip().replace("-", "_"), value.strip()


@final
class _Forked(click.ParamType[Fork]):
    name = "run@step"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Fork:
        if isinstance(value, Fork):
            return value
        try:
            found = parse("fork", value)
        except SettingsError as error:
            self.fail(str(error), param, ctx)
        assert isinstance(found, Fork)
        return found


def _declaration(name: str, hint: Any) -> str:
    flag = name.replace("_", "-")
    return f"--{flag}/--no-{flag}" if hint is bool else f"--{flag}"


def _kind(name: str, hint: Any) -> dict[str, Any]:
    """What click needs to know of a field; None stays what the preset has."""
    told: dict[str, Any] = {"help": HELP[name], "default": None}
    kind = next(kind for kind in (get_args(hint) if NoneType in get_args(hint) else (hint,)) if kind is not NoneType)
    if get_origin(kind) is Literal:
        return told | {"type": click.Choice(get_args(kind))}
    if get_origin(kind) is tuple:
        return told | {"type": get_args(kind)}
    if kind is Fork:
        return told | {"type": _Forked()}
    return told if kind is bool else told | {"type": kind}
