"""Which runs may train together, as one stack of networks in one process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from inception_lab.training.settings import Settings

VARYING = frozenset(
    {"preset", "scale", "stage_scales", "closing", "init", "seed", "rate", "momentum", "decay", "eps", "clip"}
    | {"schedule", "schedule_factor", "schedule_steps", "warmup_steps", "warmup_rate"}
)
"""The settings in which networks of a stack may differ: those that change neither a shape nor an operation."""

_FIXED = tuple(field.name for field in fields(Settings) if field.name not in VARYING)


def stackable(settings: Settings) -> bool:
    """Whether a run may be in a stack at all.

    Not with Adam, dropout or half precision with loss scaling, whose state or chance is one run's own; and not a run
    that keeps checkpoints or begins at one.
    """
    return (
        settings.optimiser != "adam"
        and settings.precision != "fp16"
        and not settings.dropout
        and not settings.checkpoint_every
        and settings.fork is None
    )


def compatible(a: Settings, b: Settings) -> bool:
    """Whether two runs may be in the same stack: equal but for `VARYING`."""
    return stackable(a) and stackable(b) and all(getattr(a, name) == getattr(b, name) for name in _FIXED)


def stacks(settings: Sequence[Settings], *, most: int) -> list[list[int]]:
    """Places in `settings`, grouped into stacks of at most `most`, in the order of their first members; a run that
    stacks with no other is a group of its own."""
    groups: list[list[int]] = []
    for place, each in enumerate(settings):
        for group in groups:
            if len(group) < most and compatible(settings[group[0]], each):
                group.append(place)
                break
        else:
            groups.append([place])
    return groups
