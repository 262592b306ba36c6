"""What happened in a run, told in three sentences from its own numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

from inception_lab.training.events import Step
from inception_lab.training.outcomes import CLASSES, DEAD_ZEROS, SILENT_ZEROS, judge, silences


def story(steps: Sequence[Step], addresses: Sequence[str], *, classes: int = CLASSES) -> str:
    """The rise of the loss, the first block to fall silent, and what the end means; empty before the first step.

    `addresses` name the blocks that the lists of a step follow, `classes` counts those of the data.
    """
    if not steps:
        return ""
    return " ".join(part for part in (_loss(steps), _silence(steps, addresses), _end(steps, classes)) if part)


def _loss(steps: Sequence[Step]) -> str:
    finite = [step for step in steps if math.isfinite(step.loss)]
    if not finite:
        return "The loss was never a number."
    peak = max(finite, key=lambda step: step.loss)
    if peak.loss < 2 * steps[0].loss or peak is steps[0]:
        return f"The loss started at {steps[0].loss:.3g} and never rose far above it."
    return f"The loss rose from {steps[0].loss:.3g} to {peak.loss:.3g} at step {peak.step}."


def _silence(steps: Sequence[Step], addresses: Sequence[str]) -> str:
    if not any(step.zeros for step in steps):
        return ""
    silent = silences(steps)
    if not silent:
        return f"No block ever put out {SILENT_ZEROS:.0%} zeros."
    at = min(silent.values())
    quiet = [place for place, step in silent.items() if step == at]
    names = ", ".join(addresses[place].split("/", 1)[1] for place in quiet[-3:])
    first = f"The first block, {names}," if len(quiet) == 1 else f"The first blocks, {names} among them,"
    return f"{first} put out {SILENT_ZEROS:.0%} zeros at step {at}."


def _end(steps: Sequence[Step], classes: int) -> str:
    said = judge(steps, classes)
    if said.outcome == "dies":
        return (
            f"Before the pooling, zeros passed {DEAD_ZEROS:.1%} at step {said.died_at}. A zero behind a ReLU passes no "
            "gradient back, so what is silent for every image stays silent, and nothing below the classifier learns."
        )
    if said.outcome == "nan":
        first = next(step for step in steps if not math.isfinite(step.loss))
        return f"At step {first.step} the loss was {first.loss}; such a number spreads to every weight it updates."
    zeros = said.zero_share or 0
    near = f", with {zeros:.2%} zeros before the pooling" if zeros >= SILENT_ZEROS else ""
    return f"Over the last {said.window} steps the accuracy is {said.accuracy:.2f}{near}."
