"""What became of a run, in words with written definitions: the only place where they are defined.

The paper calls a network dead when "the last layer before the average pooling started to produce only zeros"
(arXiv section 3.3). Here that is a number: the share of exact zeros in that tensor.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from statistics import fmean, median
from typing import Any, Literal, NamedTuple, Self

from inception_lab.errors import RunError
from inception_lab.training.events import Step, parsed

Outcome = Literal["trains", "slow", "stalls", "dies", "diverges", "nan", "short"]

WINDOW = 20
LEAST = 2 * WINDOW
DEAD_ZEROS = 0.999
SILENT_ZEROS = 0.99
"""A block is silent from the first step at which so large a share of its output, after its ReLU, is exactly zero. Less
than death asks of the last layer, since a block that lets one value in a thousand through has nothing to say either."""
CLASSES = 10
"""The number of classes for which the next three hold; `limits` says what they are for another."""
DIVERGED_LOSS = 2.6
STALLED_ACCURACY = 0.25
TRAINED_ACCURACY = 0.6

_SCALED = (
    "(for ten classes, where guessing gives 0.10; for another number, as far on the way from guessing, 1 / classes, "
    "to 1)"
)

DEFINITIONS: dict[Outcome, str] = {
    "nan": f"A loss among the last {WINDOW} steps is NaN or infinite.",
    "dies": (
        f"Over the last {WINDOW} steps at least {DEAD_ZEROS:.1%} of the values before the average pooling are exactly "
        "zero on average. The step of death is the first with such a share."
    ),
    "short": (
        f"Fewer than {LEAST} steps were made: the start still weighs on the last {WINDOW}, so nothing but NaN and "
        "death can be called."
    ),
    "diverges": (
        f"The median loss of the last {WINDOW} steps is above {DIVERGED_LOSS} for ten classes, where guessing costs "
        "2.30 (for another number, as far above the cost of guessing, ln(classes)), and above that of the first step: "
        "a loss that is high and falling has not diverged."
    ),
    "stalls": f"The mean accuracy of the last {WINDOW} batches is below {STALLED_ACCURACY} {_SCALED}.",
    "slow": (
        f"The mean accuracy of the last {WINDOW} batches is from {STALLED_ACCURACY} to below {TRAINED_ACCURACY} "
        f"{_SCALED}."
    ),
    "trains": f"The mean accuracy of the last {WINDOW} batches is at least {TRAINED_ACCURACY} {_SCALED}.",
}
"""In the order in which they are tried: the first that holds is the outcome."""


class Limits(NamedTuple):
    """Where the words change: a median loss above `diverged`, a mean accuracy below `stalled`, one from `trained`."""

    diverged: float
    stalled: float
    trained: float


def limits(classes: int = CLASSES) -> Limits:
    """The limits for data of so many classes (2 or more), as far from guessing as those for ten classes.

    The loss keeps its distance in nats above ln(classes); an accuracy its place between 1 / classes and 1. Ten classes
    give 2.6, 0.25 and 0.6 to the last digit.
    """
    left = (1 - 1 / classes) / (1 - 1 / CLASSES)  # of the way to 1 that guessing leaves
    return Limits(
        diverged=DIVERGED_LOSS + math.log(classes / CLASSES),
        stalled=1 - (1 - STALLED_ACCURACY) * left,
        trained=1 - (1 - TRAINED_ACCURACY) * left,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The outcome of a run with the numbers it rests on: means over the last `window` steps.

    `died_at` is a step, given only if the run died; `zero_share` is None if no step of the window measured it, and such
    a run cannot be said to have died.
    """

    outcome: Outcome
    died_at: int | None
    loss: float
    accuracy: float
    zero_share: float | None
    window: int

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The judgement in a run's result, where NaN and infinities are words; what else stands there is left out."""
        named = {field.name: values[field.name] for field in fields(cls)}
        return cls(**{name: value if name == "outcome" else parsed(value) for name, value in named.items()})


def judge(steps: Sequence[Step], classes: int = CLASSES) -> Judgement:
    """The outcome by `DEFINITIONS`, on data of so many classes. Raises `RunError` if there is no step to judge."""
    if not steps:
        raise RunError("A run without a single step has no outcome. Let it make at least one.")
    last = steps[-WINDOW:]
    losses = [step.loss for step in last]
    measured = [step.zero_share for step in last if step.zero_share is not None]
    accuracy = fmean(step.accuracy for step in last)
    zero_share = fmean(measured) if measured else None
    outcome = _outcome(losses, accuracy, zero_share, made=len(steps), first=steps[0].loss, at=limits(classes))
    died_at = next((s.step for s in steps if s.zero_share is not None and s.zero_share >= DEAD_ZEROS), None)
    return Judgement(
        outcome=outcome,
        died_at=died_at if outcome == "dies" else None,
        loss=fmean(losses),
        accuracy=accuracy,
        zero_share=zero_share,
        window=len(last),
    )


def silences(steps: Iterable[Step]) -> dict[int, int]:
    """The first step at which each block was silent, by the place of the block; blocks that never were are left out.

    In the order in which they fell silent, of those of one step the one nearest to the stem first.
    """
    found: dict[int, int] = {}
    for step in steps:
        for place, share in enumerate(step.zeros):
            if share >= SILENT_ZEROS:
                found.setdefault(place, step.step)
    return found


def first_silent(steps: Iterable[Step], addresses: Sequence[str]) -> str:
    """The block that was silent first, without its network's name (`B/07`); empty if none was."""
    place = next(iter(silences(steps)), None)
    return "" if place is None else addresses[place].split("/", 1)[-1]


def _outcome(
    losses: list[float], accuracy: float, zero_share: float | None, *, made: int, first: float, at: Limits
) -> Outcome:
    if not all(math.isfinite(loss) for loss in losses):
        return "nan"
    if zero_share is not None and zero_share >= DEAD_ZEROS and made >= WINDOW:
        return "dies"
    if made < LEAST:
        return "short"
    if median(losses) > max(at.diverged, first):
        return "diverges"
    if accuracy < at.stalled:
        return "stalls"
    return "slow" if accuracy < at.trained else "trains"
