"""The way of a design as plain values: its steps, the place among them, and the Python that makes each.

A step is never told twice, once as a change and once as code: a `Call` is both, so the code cannot say anything else
than what was done.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

from inception_lab.nets.ops import Net

KEPT = 100  # steps back that a session remembers


@dataclass(frozen=True, slots=True)
class Call:
    """One method of a network with what it is given: done by calling it, and written as the line that does it."""

    method: str
    given: tuple[Any, ...] = ()
    named: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, net: Net) -> Net:
        changed: Net = getattr(net, self.method)(*self.given, **self.named)
        return changed

    @property
    def python(self) -> str:
        """The line, for a network called `net`."""
        words = [_written(value) for value in self.given]
        words += [f"{name}={_written(value)}" for name, value in self.named.items()]
        return f"\nnet = net.{self.method}({', '.join(words)})"


@dataclass(frozen=True, slots=True)
class Step:
    """A network on the way, the Python that made it, what was done in a few words, and what more is to be said of it.

    `python` continues that of the step before or, if `whole`, makes the network of nothing. `width` is what the step
    multiplied all widths by. `run` is the id of the run whose network it is.
    """

    net: Net
    python: str
    said: str = ""
    note: str = ""
    whole: bool = False
    width: float = 1.0
    run: str = ""


@dataclass(frozen=True, slots=True)
class History:
    """The steps of a design, the first of them the network it began with, and the place among them."""

    steps: tuple[Step, ...]
    place: int = 0

    @property
    def now(self) -> Step:
        """The step one is at."""
        return self.steps[self.place]

    @property
    def net(self) -> Net:
        """The design."""
        return self.now.net

    @property
    def start(self) -> Net:
        """The network the design began with."""
        return self.steps[0].net

    @property
    def last(self) -> bool:
        """Whether there is nothing to redo."""
        return self.place == len(self.steps) - 1

    @property
    def python(self) -> str:
        """The lines that make the design as `net`; what a loaded network replaced is left out."""
        return "".join(step.python for step in self._since())

    @property
    def width(self) -> float:
        """What all widths were multiplied by since `origin`."""
        return prod(step.width for step in self._since())

    @property
    def origin(self) -> str:
        """The step that `width` counts from, in words."""
        return self._since()[0].said or "the start"

    def taken(self, step: Step) -> History:
        """One step on from here; what could be redone is gone. A step to the same network is none."""
        if step.net == self.net:
            return self
        steps = (*self.steps[: self.place + 1], step)
        if len(steps) > KEPT:  # the first stays, as the network all of it is compared with
            steps = (steps[0], _joined(steps[1], steps[2]), *steps[3:])
        return History(steps, len(steps) - 1)

    def at(self, place: int) -> History:
        """The same steps, at another place; one beyond the ends is the end."""
        return replace(self, place=min(max(place, 0), len(self.steps) - 1))

    def _since(self) -> tuple[Step, ...]:
        """The steps from the last that was made of nothing to this one."""
        steps = self.steps[: self.place + 1]
        first = max((place for place, step in enumerate(steps) if step.whole), default=0)
        return steps[first:]


def _joined(one: Step, other: Step) -> Step:
    if other.whole:
        return other
    return replace(other, python=one.python + other.python, whole=one.whole, width=one.width * other.width)


def _written(value: object) -> str:
    """A value as Python, texts in the double quotes that the lab's code has."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
