"""What a run is a fork of: the settings and the steps that it shares with another, kept in its own folder.

    origin.json             the settings with which the first of its ancestors began
    past.jsonl              the steps before the fork, and the changes up to it, as the ancestors wrote them; first
                            the fingerprint of a folder of images
    checkpoint-NNNNNN.pt    the newest state at or before the fork, if there was one

So a fork needs its parent's folder only when it is submitted. It begins at the checkpoint, or at step 0, makes the
steps up to the fork again, and each must give the very numbers that were recorded.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

from inception_lab.errors import RunError, SettingsError
from inception_lab.training import events, files
from inception_lab.training.control import CHANGEABLE, Change
from inception_lab.training.datasets import fingerprint
from inception_lab.training.events import Step
from inception_lab.training.settings import Fork, Settings

log = logging.getLogger(__name__)

LENGTH = ("steps", "checkpoint_every")
"""Settings that decide no number: a fork has its own of them from step 0."""


@final
@dataclass(frozen=True, slots=True)
class Past:
    """The steps that a fork shares, the settings they began with, and the changes since; `data` is the fingerprint of
    the images they saw, empty where none was noted."""

    settings: Settings
    steps: tuple[Step, ...] = ()
    changes: tuple[Change, ...] = ()
    data: str = ""

    def at(self, step: int) -> Settings:
        """The settings that decide `step`."""
        settings = self.settings
        for change in self.changes:
            if change.step <= step:
                settings = settings.with_(**change.settings)
        return settings

    def until(self, step: int) -> Past:
        """The part of it that a fork at `step` shares."""
        changes = tuple(change for change in self.changes if change.step <= step)
        return replace(self, steps=self.steps[:step], changes=changes)

    def before(self, step: int) -> Iterator[Change | Step]:
        """The steps before `step` and the changes up to it, in the order in which a run notes them."""
        for made in self.steps[:step]:
            yield from (change for change in self.changes if change.step == made.step)
            yield made
        yield from (change for change in self.changes if change.step == step)

    def same(self, step: Step, *, run: str) -> Step:
        """A step that was made again, which is as it is recorded of `run`.

        Raises `RunError` if any digit differs. Only what the last update did to the weights is taken from the record
        where it was not seen again, as by the first step after a checkpoint.
        """
        recorded = self.steps[step.step]
        if not step.update:
            step = replace(step, update=recorded.update)
        if (made := events.encode(step.to_dict())) != (known := events.encode(recorded.to_dict())):
            log.warning("Step %d made again: %s; recorded: %s", step.step, made, known)
            raise RunError(
                f"Step {step.step} came out otherwise than run {run} recorded it (loss {step.loss:.7g}, then "
                f"{recorded.loss:.7g}), so the two share no past: that run was made on another machine, or by another "
                "version of the lab or of torch. Start it again here and fork that."
            )
        return step


def own_changes(settings: Settings, past: Past) -> tuple[Change, ...]:
    """What a run with these settings changes in its past at the fork; nothing if it only goes on, or is no fork."""
    if settings.fork is None:
        return ()
    step = settings.fork.step
    before, after = past.at(step).to_dict(), settings.to_dict()
    own = {name: after[name] for name in sorted(CHANGEABLE - {"fork", *LENGTH}) if after[name] != before[name]}
    return (Change.from_dict({"step": step, "changes": own}),) if own else ()


def forked(past: Past, parent: Settings, fork: Fork, changes: dict[str, Any]) -> Settings:
    """The settings of a fork: those its parent had at that step, with `changes`.

    Raises `SettingsError` for a setting that decides the past too.
    """
    _refuse(set(changes) - (CHANGEABLE - {"fork"}))
    if "scale" in changes and "stage_scales" not in changes:
        changes = {**changes, "stage_scales": None}  # which would outweigh the scale that was asked for
    length = {name: getattr(parent, name) for name in LENGTH}
    wanted = past.at(fork.step).with_(**{**length, **changes})
    if fork.step >= wanted.steps:
        raise SettingsError(
            f"A fork at step {fork.step} of a run of {wanted.steps} steps has none left to make. Give it more steps."
        )
    return wanted.with_(fork=fork)


def check(settings: Settings, past: Past) -> None:
    """Raise `SettingsError` unless a fork with these settings can have this past, `RunError` if the images are no
    longer those it saw."""
    assert settings.fork is not None
    before, after = past.at(settings.fork.step).to_dict(), settings.to_dict()
    _refuse({name for name in after if name not in CHANGEABLE and after[name] != before[name]})
    _same_data(settings, past.data)


def check_data(folder: Path, settings: Settings) -> None:
    """Raise `RunError` if the run in `folder` began with other images than its data set has now, so that made again it
    would not give the same numbers; `DataError` if they are gone. A run that noted nothing passes."""
    _same_data(settings, events.read_start(folder / files.EVENTS).get("data", ""))


def history(folder: Path, settings: Settings, *, step: int) -> Past:
    """What the run in `folder`, which was submitted with `settings`, did before `step`, and the changes up to it.

    Raises `RunError` if it has not come that far, or if a step is missing.
    """
    found = _read(folder / files.EVENTS, settings if settings.fork is None else _origin(folder))
    for place, made in enumerate(found.steps[:step]):
        if made.step != place:
            raise RunError(
                f"The events of run {folder.name} are damaged: step {place} is missing. Fork it at step {place} or "
                "earlier, or start it again."
            )
    if len(found.steps) < step:
        raise RunError(
            f"Run {folder.name} has made {len(found.steps)} steps, so it cannot be forked at step {step}. Take "
            f"{len(found.steps)} or an earlier one."
        )
    return found.until(step)


def keep(past: Past, folder: Path, *, parent: Path) -> None:
    """Write into a fork's folder what it shares with the run in the folder `parent`."""
    files.replace(folder / files.ORIGIN, json.dumps(past.settings.to_dict(), indent=1).encode())
    about = {"type": "start", "addresses": [], "data": past.data}
    lines = [about, *(events.change(change.step, change.settings) for change in past.changes)]
    lines += [step.to_dict() for step in past.steps]
    files.replace(folder / files.PAST, "".join(f"{events.encode(line)}\n" for line in lines).encode())
    states = [file for step, file in files.checkpoints(parent).items() if step <= len(past.steps)]
    for file in reversed(states):
        with suppress(FileNotFoundError):  # a paused run takes its checkpoint back when it pauses elsewhere
            _link(file, folder / file.name)
            return


def read(folder: Path, settings: Settings) -> Past:
    """What `keep` wrote for the fork with these settings. Raises `RunError` if it is missing or damaged, or if the
    images are no longer those it saw."""
    assert settings.fork is not None
    began = _origin(folder).with_(**{name: getattr(settings, name) for name in LENGTH})
    past = _read(folder / files.PAST, began)
    if [step.step for step in past.steps] != list(range(settings.fork.step)):
        raise RunError(
            f"Run {folder.name} is a fork of {settings.fork.run} at step {settings.fork.step}, but its folder holds "
            f"{len(past.steps)} steps of the past. Fork that run again."
        )
    _same_data(settings, past.data)
    return past


def noted(folder: Path, settings: Settings) -> tuple[Change, ...]:
    """The changes that a run was told while it went on and has noted: not those of its past, nor the fork's own."""
    changes = _read(folder / files.EVENTS, settings).changes
    if settings.fork is None:
        return changes
    past = read(folder, settings)
    return changes[len(past.changes) + len(own_changes(settings, past)) :]


def forget(folder: Path, settings: Settings) -> None:
    """Take away the checkpoints of an earlier try; those of a fork's past stay."""
    kept = -1 if settings.fork is None else settings.fork.step
    for step, file in files.checkpoints(folder).items():
        if step > kept:
            file.unlink(missing_ok=True)


def _read(file: Path, began: Settings) -> Past:
    found, _ = events.read(file)
    steps = tuple(Step.from_dict(event) for event in found if event["type"] == "step")
    changes = tuple(Change.from_dict(event) for event in found if event["type"] == "change")
    data = next((event.get("data", "") for event in found if event["type"] == "start"), "")
    return Past(began, steps, changes, data)


def _same_data(settings: Settings, seen: str) -> None:
    if seen and fingerprint(settings.data) != seen:
        raise RunError(
            f"The images in {settings.data.partition(':')[2]} are not those that the run began with: some were added, "
            "removed or written again. Put them back, or start a new run with those there are."
        )


def _origin(folder: Path) -> Settings:
    try:
        return Settings.from_dict(json.loads((folder / files.ORIGIN).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise RunError(f"What run {folder.name} was forked from cannot be read: {error}. Fork it again.") from None


def _refuse(names: set[str]) -> None:
    if names:
        raise SettingsError(
            f"{', '.join(sorted(names))} cannot change in a fork: the past would have been another. What can: "
            f"{', '.join(sorted(CHANGEABLE - {'fork', 'preset'}))}. For anything else start a run of its own."
        )


def _link(source: Path, target: Path) -> None:
    """The same file under another name: checkpoints are never written to, so nothing need be copied."""
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:  # not every file system has links
        shutil.copyfile(source, target)
