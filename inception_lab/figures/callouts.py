"""One update in slow motion: what a block received, added, lost, was told and changed, in five steps with numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from inception_lab.training.events import Step
from inception_lab.training.outcomes import SILENT_ZEROS

MISSING = "not measured in this run"
LATER = "not known before the next step"


@dataclass(frozen=True, slots=True)
class Callout:
    """One of the five: a title, numbers with their names, and a sentence on what they say."""

    title: str
    numbers: tuple[tuple[str, str], ...]
    sentence: str


def five(steps: Sequence[Step], *, at: int, block: int, scale: float, classes: int) -> tuple[Callout, ...]:
    """The update of step `at` as it went through the block at place `block`; empty if that step was never made.

    What the update did to the weights is measured one step later, so the last number comes from step `at` + 1.
    """
    found = {step.step: step for step in steps}
    if at not in found:
        return ()
    now, after = found[at], found.get(at + 1)
    shortcut, residual = _at(now.shortcut, block), _at(now.residual, block)
    ratio = _at(now.ratio, block)
    gradient, zeros = _at(now.gradient, block), _at(now.zeros, block)
    update = _at(after.update, block) if after else None
    return (
        Callout(
            "Forward",
            (("shortcut ‖x‖, RMS", number(shortcut)), (f"residual ‖{scale:g} · F(x)‖, RMS", number(residual))),
            "The batch reaches the block as x; its branches make F(x), which is multiplied by the residual scale.",
        ),
        Callout(
            "Add",
            (
                ("residual / shortcut", number(ratio)),
                ("cosine between them", number(_at(now.cosine, block))),
                ("zeros after the ReLU", share(zeros)),
            ),
            _add(ratio, zeros),
        ),
        Callout(
            "Loss",
            (("loss of the batch", number(now.loss)), ("accuracy of the batch", share(now.accuracy))),
            _loss(now.loss, classes),
        ),
        Callout(
            "Gradient at the add",
            (
                ("gradient, RMS", number(gradient)),
                ("norm over the whole network", number(now.gradient_norm)),
            ),
            _gradient(gradient),
        ),
        Callout(
            "Update",
            (
                ("learning rate", number(now.rate)),
                ("update / weights, norms", number(update) if after else LATER),
            ),
            _update(update),
        ),
    )


def number(value: float | None) -> str:
    """Three significant digits; NaN and infinity by name."""
    return MISSING if value is None else f"{value:.3g}"


def share(value: float | None) -> str:
    """A share with four decimals, of which none is rounded up to 1."""
    if value is None:
        return MISSING
    return f"{math.floor(value * 1e4) / 1e4:.4f}" if value < 1 else f"{value:g}"


def _at(values: tuple[float, ...], block: int) -> float | None:
    return values[block] if values else None


def _add(ratio: float | None, zeros: float | None) -> str:
    if ratio is None or not math.isfinite(ratio):
        return "There is no finite ratio: at this step one side of the add has no size to compare with."
    how = (
        f"The residual is {ratio:.3g} times as large as the shortcut, so the block overwrites what it was given."
        if ratio > 1
        else "The shortcut is the larger side, so the block corrects what it was given."
    )
    return how + (" The ReLU then lets almost nothing through." if zeros is not None and zeros >= SILENT_ZEROS else "")


def _loss(loss: float, classes: int) -> str:
    guess = math.log(classes)
    if not math.isfinite(loss):
        return "The loss is no finite number any more."
    side = "above" if loss > guess else "below"
    return f"Guessing among {classes} classes costs {guess:.3g}; this batch is {side} that."


def _gradient(gradient: float | None) -> str:
    match gradient:
        case None:
            return "This is what comes back to the add; runs of an older lab did not measure it."
        case 0:
            return "Nothing comes back: zeros behind a ReLU pass no gradient, so this batch teaches the block nothing."
        case _:
            return (
                "This is what comes back: it flows on through the shortcut as it is, into the branches times the scale."
            )


def _update(update: float | None) -> str:
    if update is None:
        return "Gradient, momentum and rate together move the block's weights."
    if not math.isfinite(update):
        return "The update was no finite number, and neither are the weights after it."
    return f"Gradient, momentum and rate together moved the block's weights by {update:.2%} of their norm."
