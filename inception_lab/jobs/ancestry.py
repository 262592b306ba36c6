"""What a fork shares with its parent in the store, and whether it can."""

from __future__ import annotations

from inception_lab.errors import RunError
from inception_lab.jobs.runs import Run
from inception_lab.training import events, replay
from inception_lab.training.files import EVENTS, checkpoints
from inception_lab.training.replay import Past
from inception_lab.training.settings import Settings


def shared(parent: Run, settings: Settings) -> Past:
    """The past of a run with these `settings`, a fork of `parent`. Raises `RunError` if there is none to share, and
    `SettingsError` if these settings would have had another."""
    assert settings.fork is not None
    past = replay.history(parent.folder, parent.settings, step=settings.fork.step)
    replay.check(settings, past)
    _check_alone(parent, settings.fork.step)
    return past


def _check_alone(parent: Run, step: int) -> None:
    """A stack takes sums in another order, so no run by itself comes to the same digits. A run that left its stack kept
    checkpoints only after that."""
    start = events.read_start(parent.folder / EVENTS)
    if start.get("together", 1) > 1 and not any(kept <= step for kept in checkpoints(parent.folder)):
        raise RunError(
            f"Run {parent.id} was trained in one stack with {start['together'] - 1} others, which a fork cannot make "
            "again to the last digit. Start its settings as a run by itself and fork that."
        )
