"""Runs made as one stack, each of which may leave it: by ending, or to go on by itself."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from inception_lab.training.attempt import Attempt
from inception_lab.training.drive import TOGETHER
from inception_lab.training.events import Step
from inception_lab.training.report import Report
from inception_lab.training.stacked import Stacked


def stacked(attempts: Sequence[Attempt]) -> None:
    """Make all steps of runs that were admitted; what is left of each (its evaluation, its weights) waits for
    `Attempt.advance`.

    Those that leave are advanced by one step whenever the stack has made one, or sixteen on a GPU. Their place in the
    stack is trained on unseen: taking it out would cost the others a new stack. Raises `SettingsError` for runs that
    do not stack.
    """
    stack = Stacked([attempt.report.settings for attempt in attempts if attempt.report.settings is not None])
    for attempt in attempts:
        attempt.note(partial(_start, stack=stack))
    inside, outside = dict(enumerate(attempts)), list[Attempt]()
    while stack.at < stack.settings[0].steps:
        for place, attempt in list(inside.items()):
            if attempt.heed():
                del inside[place]
            elif attempt.told():
                attempt.go_on(partial(stack.alone, place, stack.state(place)))  # the stack moves on
                outside.append(inside.pop(place))
        if not inside:
            return
        until = stack.at + (TOGETHER if stack.device.type == "cuda" else 1)
        for row in stack.steps(until=until):
            for place, attempt in inside.items():
                attempt.note(partial(_step, step=row[place]))
        for attempt in outside:
            if not attempt.heed():
                attempt.advance()
    for place, attempt in inside.items():
        attempt.go_on(partial(stack.alone, place))


def _start(report: Report, *, stack: Stacked) -> None:
    report.start(
        addresses=stack.addresses,
        threads=stack.settings[0].threads,
        device=stack.device.type,
        parameters=stack.parameters,
    )


def _step(report: Report, *, step: Step) -> None:
    report.step(step)
