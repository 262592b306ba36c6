"""Which queued runs are taken next, and which of them share a process."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from inception_lab.jobs.runs import Run

Fits = Callable[[Run, list[Run]], bool]
Joins = Callable[[Run, list[Run]], bool]


def chosen(queued: Iterable[Run], count: int, *, fits: Fits, joins: Joins | None) -> list[list[Run]]:
    """Up to `count` stacks of runs, one process each, from runs in the order in which they were queued.

    A run that `fits` beside the first runs of the stacks so far begins one, until the first that does not: none
    overtakes another. A run that `joins` a stack needs no room of its own, so it may. Without `joins` each stack is one
    run, and nothing is read past the last that is taken.
    """
    stacks: list[list[Run]] = []
    full = count < 1
    for run in [] if full else queued:
        stack = next((stack for stack in stacks if joins is not None and joins(run, stack)), None)
        if stack is not None:
            stack.append(run)
        elif not full and fits(run, [first for first, *_ in stacks]):
            stacks.append([run])
            full = len(stacks) == count
        else:
            full = True
        if full and (joins is None or not stacks):
            break
    return stacks
