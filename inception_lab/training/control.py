"""What a run was told while it goes on: `control.json` in its folder, written whole by the store, read by the run.

    {"pause_at": 40, "changes": [{"step": 0, "changes": {"rate": 0.02}}]}

The run stops before step `pause_at` (at once if it is past that) and waits: its process, its memory and its place in
the queue stay taken. Each change holds from the first step that is not yet measured, but not before its own `step`; the
run notes in its events which step that was. So changes are only ever added to the list.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self, final

from inception_lab.errors import RunError, SettingsError
from inception_lab.training import files
from inception_lab.training.events import jsonable
from inception_lab.training.settings import Settings

LIVE = ("rate", "momentum", "clip")
"""The settings that may change while a run goes on. What it is compared by (its scale, above all) takes a fork."""

CHANGEABLE = frozenset(
    {"preset", "scale", "stage_scales", "steps", "rate", "momentum", "decay", "eps", "clip", "telemetry_every"}
    | {"schedule", "schedule_factor", "schedule_steps", "warmup_steps", "warmup_rate", "checkpoint_every", "fork"}
)
"""The settings in which a fork may differ from its run: those that leave weights, data and state as they are."""

log = logging.getLogger(__name__)


@final
@dataclass(frozen=True, slots=True)
class Change:
    """New values of settings, held from `step` on."""

    step: int
    settings: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """As `control.json` holds it."""
        return {"step": self.step, "changes": dict(self.settings)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The change in a dictionary with `step` and `changes`, such as an event."""
        changes = {
            name: tuple(value) if isinstance(value, list) else value for name, value in values["changes"].items()
        }
        return cls(int(values["step"]), changes)


@final
@dataclass(frozen=True, slots=True)
class Control:
    """All that a run was told."""

    pause_at: int | None = None
    changes: tuple[Change, ...] = ()

    def pauses(self, step: int) -> bool:
        """Whether a run that comes to `step` waits there."""
        return self.pause_at is not None and step >= self.pause_at

    def paused(self) -> Self:
        """Wait before the next step."""
        return replace(self, pause_at=0)

    def stepped(self, *, made: int, steps: int) -> Self:
        """Make `steps` more, then wait; `made` were made so far. Asked for twice, it makes both."""
        return replace(self, pause_at=max(made, self.pause_at or 0) + steps)

    def going(self) -> Self:
        """Wait no longer."""
        return replace(self, pause_at=None)

    def changed(self, settings: Settings, changes: Mapping[str, Any]) -> Self:
        """Change settings of a run that began with `settings`. Raises `SettingsError` for what cannot change."""
        if not changes:
            raise SettingsError(f"No new value was given. {', '.join(LIVE)} can change while a run goes on.")
        if fixed := sorted(set(changes) - set(LIVE)):
            raise SettingsError(
                f"{', '.join(fixed)} cannot change while a run goes on; {', '.join(LIVE)} can. Fork the run, or start "
                "another."
            )
        settings.with_(**changes)
        return replace(self, changes=(*self.changes, Change(0, dict(changes))))

    def again(self, noted: tuple[Change, ...]) -> Self:
        """For a run that starts once more: the same changes at the steps that the first try `noted`, no pause."""
        told = self.changes[len(noted) :]
        return replace(self, pause_at=None, changes=(*noted, *told))


def read(folder: Path) -> Control:
    """What the run in `folder` was told, which may be nothing. Raises `RunError` if the file is damaged."""
    try:
        values = json.loads((folder / files.CONTROL).read_text(encoding="utf-8"))
        pause_at = values["pause_at"]
        changes = tuple(Change.from_dict(each) for each in values["changes"])
        return Control(None if pause_at is None else int(pause_at), changes)
    except FileNotFoundError:
        return Control()
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise RunError(f"{folder / files.CONTROL} is damaged: {error!r}. Cancel the run and start it again.") from None


def write(folder: Path, control: Control) -> None:
    """Tell the run in `folder`."""
    values = {"pause_at": control.pause_at, "changes": [change.to_dict() for change in control.changes]}
    files.replace(folder / files.CONTROL, json.dumps(jsonable(values), allow_nan=False).encode())


@final
class Listener:
    """Reads `control.json` again only when it is another file: asked at each step, it costs one look at the folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: tuple[int, int] | None = None
        self._told = Control()

    def __call__(self) -> Control:
        """What the run was told by now; if that cannot be read, what it was told before."""
        try:
            found = (self._folder / files.CONTROL).stat()
        except OSError:
            return self._told
        seen = (found.st_ino, found.st_mtime_ns)
        if seen != self._seen:
            self._seen = seen
            try:
                self._told = read(self._folder)
            except RunError as error:
                log.warning("%s", error)
        return self._told
