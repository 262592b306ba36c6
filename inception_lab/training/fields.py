"""Each field of `Settings` in words, and its value read from a text: for the command line, links and forms."""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

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

TRIPLES = {"repeats": "5/10/5", "stage_scales": "0.1/0.2/0.3"}
"""The fields of three numbers, which are written with / between them, each with an example."""


def values(name: str, text: str) -> tuple[Any, ...]:
    """The values of a field in a text, separated by commas or blanks; a design, which has commas of its own, is one."""
    parts = [text] if name == "design" else [part for part in re.split(r"[\s,]+", text) if part]
    if name in TRIPLES and len(parts) > 1 and not any("/" in part for part in parts):
        raise SettingsError(_triple(name, parts))
    return tuple(parse(name, part) for part in parts)


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
        if name in TRIPLES and len(parts := re.split(r"[\s,]+", text.strip("()[] "))) > 1:
            raise SettingsError(_triple(name, parts)) from None
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
        return tuple(one(part) for one, part in zip(get_args(kind), text.split("/"), strict=True))
    return kind(text) if kind in (int, float) else text


def _triple(name: str, parts: Sequence[str]) -> str:
    """What to say to somebody who put commas where they part values."""
    meant = (
        f"Did you mean {name}={'/'.join(parts)}?"
        if len(parts) == 3
        else f"One value is such as {name}={TRIPLES[name]}."
    )
    return f"{name} is three numbers with / between them; commas part several such values. {meant}"


def _known(text: str) -> str:
    if text.lower() not in ("true", "yes", "1", "false", "no", "0"):
        raise ValueError(text)
    return text.lower()


def _described(kind: Any) -> str:
    if get_origin(kind) is tuple:
        return "three numbers with / between them, such as 5/10/5"
    words = {bool: "true or false", int: "a whole number", float: "a number", Fork: "a run and a step, as RUN@40"}
    return words.get(kind, "a name")
