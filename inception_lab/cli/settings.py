"""One option for each field of a run's settings, made from the fields themselves."""

from __future__ import annotations

from collections.abc import Callable
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import click

from inception_lab.training.settings import Settings

HELP = {
    "network": "Network of the catalogue.",
    "width": "Channels times this.",
    "repeats": "Blocks in the stages A, B and C.",
    "small": "The stem for small images, or the network's own.",
    "scale": "Residual scale.",
    "data": "Data set.",
    "image_size": "Side of an image, pixels.",
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
    "clip": "Largest norm of the gradient.",
    "average": "Decay of the running average of the weights.",
    "init": "How weights start.",
    "seed": "Fixes weights and order of the images.",
    "device": "Where to train.",
    "threads": "CPU threads; another number gives other results.",
    "telemetry_every": "Measure the blocks every so many steps.",
}

Command = Callable[..., Any]


def settings_options(*, without: tuple[str, ...] = ()) -> Callable[[Command], Command]:
    """Give a command an option for each setting; those that were not given arrive as None."""

    def decorate(command: Command) -> Command:
        hints = get_type_hints(Settings)
        for name in reversed(HELP):
            if name not in without:
                command = click.option(_declaration(name, hints[name]), name, **_kind(name, hints[name]))(command)
        return command

    return decorate


def _declaration(name: str, hint: Any) -> str:
    flag = name.replace("_", "-")
    return f"--{flag}/--no-{flag}" if hint is bool else f"--{flag}"


def _kind(name: str, hint: Any) -> dict[str, Any]:
    """What click needs to know of a field; None stays what the preset has."""
    told: dict[str, Any] = {"help": HELP[name], "default": None}
    kinds = [kind for kind in get_args(hint) if kind is not NoneType]
    if get_origin(hint) is Literal:
        return told | {"type": click.Choice(get_args(hint))}
    if name == "repeats":
        return told | {"type": (int, int, int)}
    if hint is bool:
        return told
    return told | {"type": kinds[0] if kinds else hint}
