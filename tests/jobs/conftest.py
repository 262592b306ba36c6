"""A supervisor that runs the stand-in worker, and nothing left behind."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from inception_lab.jobs import launch
from inception_lab.jobs.process import ProcessId
from inception_lab.jobs.store import Store
from tests.jobs.live import processes, until

Supervise = Callable[[], ProcessId]


@pytest.fixture
def store(home: Path) -> Store:
    """A store that starts no supervisor."""
    return Store(home, supervised=False)


@pytest.fixture
def supervise(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Supervise]:
    """Start a supervisor, again if need be, and wait until it lives; afterwards nothing does."""
    monkeypatch.setenv("INCEPTION_LAB_PARALLEL", "2")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)

    def start() -> ProcessId:
        launch.ensure_running(home, work="tests.jobs.stand_in:work")
        until(lambda: (found := launch.supervisor(home)) is not None and found.alive)
        found = launch.supervisor(home)
        assert found is not None
        return found

    yield start
    if launch.is_running(home):
        launch.stop(home)
    for process in processes(home):
        process.kill()
    until(lambda: not processes(home))
