"""Every field of `Settings` on the command line: as an option of its own, and as `field=value`, by the field's type."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from types import NoneType, UnionType
from typing import Any, Literal, Union, final, get_args, get_origin, get_type_hints

import click

from inception_lab.errors import SettingsError
from inception_lab.training.settings import FIELDS, Fork, Settings

HELP = {
    "network": "Network of the catalogue.",
    "design": "A whole network in the notation of Explore, in place of the catalogue's.",
    "width": "Channels times this.",
    "repeats": "Blocks in the stages A, B and C.",
    "small": "The stem for small images, or the network's own.",
    "scale": "Residual scale.",
    "stage_scales": "Residual scales of the stages A, B and C, in place of one.",
    "gain": "Whether the residual scale is fixed, learned, or learned from zero.",
    "closing": "Factor of the first weights of each residual's closing 1x1.",
    "end_norm": "Batch norm and ReLU before the pooling.",
    "dropout": "Share dropped after the pooling.",
    "data": "Data set.",
    "image_size": "Side of an image, pixels.",
    "augment": "Flip and shift the training images.",
    "batch": "Images in a step.",
    "steps": "Number of steps.",
    "optimiser": "How weights are updated.",
    "rate": "Learning rate.",
    "momentum": "Momentum.",
    "decay": "Decay of RMSProp's mean square.",
    "eps": "RMSProp's epsilon.",
    "schedule": "How the rate changes.",
    "schedule_factor": "Factor of the exponential schedule.",
    "schedule_steps": "Steps between two of its factors.",
    "warmup_steps": "Steps of the warm-up or the ramp.",
    "warmup_rate": "Learning rate of the warm-up.",
    "clip": "Largest norm of the gradient.",
    "average": "Decay of the running average of the weights.",
    "init": "How weights start.",
    "precision": "Numbers of the forward pass.",
    "seed": "Fixes weights and order of the images.",
    "device": "Where to train.",
    "threads": "CPU threads; another number gives other results.",
    "telemetry_every": "Measure the blocks every so many steps.",
    "checkpoint_every": "Keep what a fork needs every so many steps.",
    "fork": "Branch off a run at a step, as RUN@STEP.",
}

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
        parts = [text] if name == "design" else [part for part in re.split(r"[\s,]+", text) if part]
        return name, tuple(parse(name, part) for part in parts)


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


def parse(name: str, text: str) -> Any:
    """The value of the field `name` that `text` stands for, by the field's type; what `jobs.grid.told` writes.

    Raises `SettingsError` for a field there is not and a text that is no such value. Whether the value can be run is
    for `Settings` to say.
    """
    if name not in FIELDS:
        Settings().with_(**{name: text})  # says which names come near
    hint = get_type_hints(Settings)[name]
    kinds = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    if text.lower() == "none" and NoneType in kinds:
        return None
    kind = next(kind for kind in kinds if kind is not NoneType)
    try:
        return _read(kind, text)
    except ValueError:
        instead = ", or none" * (NoneType in kinds)
        raise SettingsError(f"{name} cannot be {text!r}; it is {_described(kind)}{instead}.") from None


def _read(kind: Any, text: str) -> Any:
    """Raises `ValueError` for a text that is nothing of the kind."""
    if kind is bool:
        return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[_known(text)]
    if kind is Fork:
        run, at, step = text.rpartition("@")
        if not (run and at):
            raise ValueError(text)
        return Fork(run=run, step=int(step))
    if get_origin(kind) is tuple:
        return tuple(get_args(kind)[0](part) for part in text.split("/"))
    return kind(text) if kind in (int, float) else text


def _known(text: str) -> str:
    if text.lower() not in ("true", "yes", "1", "false", "no", "0"):
        raise ValueError(text)
    return text.lower()


def _described(kind: Any) -> str:
    if get_origin(kind) is tuple:
        return "three numbers with / between them, such as 5/10/5"
    words = {bool: "true or false", int: "a whole number", float: "a number", Fork: "a run and a step, as RUN@40"}
    return words.get(kind, "a name")


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
