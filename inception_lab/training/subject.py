"""A run as plain data, whichever way it was kept: what its autopsy and its recipe are made from."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, final

from inception_lab.training import events, files
from inception_lab.training.events import Step
from inception_lab.training.outcomes import CLASSES, SILENT_ZEROS, Judgement, judge
from inception_lab.training.recipe import Changes
from inception_lab.training.reference import ReferenceRun
from inception_lab.training.settings import Settings


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A run as plain data. `begun` are the settings its first step had, `changes` what was changed since, both with the
    past that a fork shares; `classes` counts those of its data, `made` says where and with what it was made."""

    name: str
    settings: Settings
    begun: Settings
    changes: Changes
    steps: Sequence[Step]
    addresses: Sequence[str]
    judgement: Judgement
    made: str
    classes: int = CLASSES

    @classmethod
    def of_folder(cls, folder: Path) -> Self | None:
        """The run in a folder, None if it never made a step."""
        found, _ = events.read(folder / files.EVENTS)
        steps = [Step.from_dict(event) for event in found if event["type"] == "step"]
        if not steps:
            return None
        settings = Settings.from_dict(_json(folder / files.SETTINGS))
        start: dict[str, Any] = next((event for event in found if event["type"] == "start"), {})
        classes = start.get("classes", CLASSES)  # as which runs of older versions were judged
        return cls(
            name=folder.resolve().name,
            settings=settings,
            begun=_begun(folder, settings),
            changes=[(event["step"], _tuples(event["changes"])) for event in found if event["type"] == "change"],
            steps=steps,
            addresses=start.get("addresses") or _nameless(steps),
            judgement=judge(steps, classes),
            made=_made(start.get("version"), start.get("device"), settings.threads, start.get("libraries")),
            classes=classes,
        )

    @classmethod
    def of_reference(cls, run: ReferenceRun) -> Self:
        """A run that ships with the lab."""
        return cls(
            name=run.name,
            settings=run.settings,
            begun=run.settings,
            changes=(),
            steps=run.steps,
            addresses=run.addresses,
            judgement=run.judgement,
            made=_made(run.version, "cpu", run.settings.threads, run.libraries),
        )

    @property
    def place(self) -> int:
        """Where in `steps` it happened: death; else the first loss that is no number; else the first step with 99 % of
        zeros; else the highest loss."""
        said = self.judgement
        for number, step in enumerate(self.steps):
            match said.outcome:
                case "dies" if step.step == said.died_at:
                    return number
                case "nan" if not math.isfinite(step.loss):
                    return number
                case "stalls" if (step.zero_share or 0) >= SILENT_ZEROS:
                    return number
        return max(range(len(self.steps)), key=lambda n: _height(self.steps[n].loss))


def _nameless(steps: Sequence[Step]) -> list[str]:
    """Names for blocks of a run whose first event was damaged."""
    return [f"block/{place + 1:02}" for place in range(max(len(step.zeros) for step in steps))]


def _begun(folder: Path, settings: Settings) -> Settings:
    """What the run's first step was made with; a fork's first step is that of its first ancestor."""
    if settings.fork is None:
        return settings
    first = Settings.from_dict(_json(folder / files.ORIGIN))
    return first.with_(fork=None, steps=settings.steps, checkpoint_every=settings.checkpoint_every)


def _json(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def _tuples(changes: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in changes.items()}


def _made(lab: str | None, device: str | None, threads: int, libraries: dict[str, str] | None) -> str:
    """Versions are those of the run, which may be older than what is installed now."""
    known = ", ".join(f"{name} {number}" for name, number in (libraries or {}).items())
    with_ = known or "libraries whose versions were not recorded"
    return f"by lab {lab or '?'} with {with_}; on {device or '?'}, {threads} thread{'s' * (threads != 1)}"


def _height(loss: float) -> float:
    return loss if math.isfinite(loss) else -math.inf
