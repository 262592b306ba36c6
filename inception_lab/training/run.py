"""One run, for a notebook (`run`) or as a process with a folder (`work`, or `work_together` for several)."""

from __future__ import annotations

from collections.abc import Iterator

from inception_lab.training.events import Step
from inception_lab.training.settings import Settings
from inception_lab.training.worker import work, work_together

__all__ = ["run", "work", "work_together"]


def run(settings: Settings) -> Iterator[Step]:
    """Every step of a run, made in this process as it is asked for: `for step in run(preset("micro", seed=1)): ...`

    It may be left early, and several may be taken in turns. Raises `SettingsError`, `NetworkError` or `DataError` when
    the first step is asked for.
    """
    from inception_lab.training.loop import Training

    yield from Training(settings).steps()
