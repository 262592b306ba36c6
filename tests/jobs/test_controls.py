"""Pause, one step, 25 steps, another rate, stop: through the store to a real run's process and back."""

import os
import signal
import time
from pathlib import Path

import pytest

from inception_lab.errors import RunError, SettingsError
from inception_lab.jobs import launch
from inception_lab.jobs.folder import read_result
from inception_lab.jobs.follow import Follower
from inception_lab.jobs.fork import fork
from inception_lab.jobs.store import Run, Store
from inception_lab.training import control, drive, events, files
from inception_lab.training.control import Change
from inception_lab.training.events import Step
from inception_lab.training.worker import work
from tests.jobs.conftest import Supervise
from tests.jobs.live import until
from tests.training.tiny import tiny

LOADING = 90.0  # seconds that torch may take


def steps(run: Run) -> list[Step]:
    return events.read_steps(run.folder / "events.jsonl")


def pauses_at(store: Store, id: str, step: int) -> None:
    """Wait until the run waits before `step`, having made all steps before."""
    until(lambda: store.run(id).paused == step, seconds=LOADING)
    assert [made.step for made in steps(store.run(id))] == list(range(step))


def test_a_run_does_as_it_is_told(store: Store, supervise: Supervise, home: Path) -> None:
    run = store.submit(tiny(steps=100_000))
    store.pause(run)  # a queued one waits before its first step
    launch.ensure_running(home)
    pauses_at(store, run, 0)
    store.step(run)
    pauses_at(store, run, 1)
    store.step(run)
    store.step(run)
    pauses_at(store, run, 3)
    store.change(run, rate=0.01)
    follower = Follower()
    until(lambda: follower.changes(store.folder(run)) == (Change(3, {"rate": 0.01}),))
    assert store.run(run).paused == follower.paused(store.folder(run)) == 3  # a change is no going on
    store.step(run, steps=25)
    pauses_at(store, run, 28)
    assert [step.rate for step in steps(store.run(run))] == [0.05] * 3 + [0.01] * 25
    store.go(run)
    until(lambda: len(steps(store.run(run))) > 30)
    assert store.run(run).paused is None is follower.paused(store.folder(run))
    store.pause(run)
    until(lambda: store.run(run).paused is not None)
    at = store.run(run).paused
    assert at is not None
    until(lambda: at in files.checkpoints(store.folder(run)))  # after a second
    child = fork(store, run, step=at, steps=at + 2, scale=0.1)
    until(lambda: not store.run(child).active, seconds=LOADING)
    assert (store.run(child).status, store.run(child).error) == ("finished", None)
    assert steps(store.run(child))[:at] == steps(store.run(run))
    store.cancel(run)
    assert until(lambda: store.run(run).status == "cancelled") < 2
    ended = store.run(run)
    assert ended.result is not None
    assert ended.result["changes"] == [{"step": 3, "changes": {"rate": 0.01}}]
    assert ended.result["steps"] == at
    assert ended.paused is None
    for order in (store.pause, store.step, store.go, lambda id: store.change(id, rate=0.1)):
        with pytest.raises(RunError, match=f"Run {run} is cancelled; only a queued or running one"):
            order(run)


def test_a_paused_run_that_is_killed_can_be_resumed(store: Store, supervise: Supervise, home: Path) -> None:
    launch.ensure_running(home)
    run = store.submit(tiny(steps=30))
    store.step(run, steps=8)
    pauses_at(store, run, 8)
    store.change(run, rate=0.01)
    store.step(run, steps=4)
    pauses_at(store, run, 12)
    made = (store.folder(run) / "events.jsonl").read_text()
    process = store.run(run).process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    until(lambda: not store.run(run).active)
    lost = store.run(run)
    assert (lost.status, lost.paused) == ("interrupted", None)
    assert "was ended by signal 9 after step 11" in str(lost.error)
    store.resume(run)
    until(lambda: not store.run(run).active, seconds=LOADING)
    assert store.run(run).status == "finished"
    again = (store.folder(run) / "events.jsonl").read_text().splitlines()
    first = [line for line in made.splitlines() if '"type":"pause"' not in line]
    assert again[: len(first)] == first  # with the change at the same step
    assert len(steps(store.run(run))) == 30


def test_what_cannot_be_told(store: Store) -> None:
    run = store.submit(tiny())
    with pytest.raises(SettingsError, match="scale, seed cannot change while a run goes on"):
        store.change(run, scale=0.1, seed=3)
    with pytest.raises(SettingsError, match="rate must be from 0 to 100"):
        store.change(run, rate=float("nan"))
    with pytest.raises(RunError, match="1 step or more, not 0"):
        store.step(run, steps=0)
    assert not (store.folder(run) / "control.json").exists()
    store.step(run)
    store.step(run, steps=25)
    assert control.read(store.folder(run)).pause_at == 26
    (store.folder(run) / "control.json").unlink()
    store.folder(run).joinpath("settings.json").unlink()
    store.folder(run).rmdir()
    with pytest.raises(RunError, match="is gone"):
        store.pause(run)


def test_a_paused_run_shows_life_where_its_process_cannot_be_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drive, "BEAT", 0.1)
    monkeypatch.setattr(drive, "SETTLED", 1e9)
    monkeypatch.setattr("inception_lab.training.loop.Training.test_accuracy", lambda *_, **__: 0.5)
    store = Store(tmp_path / "here", supervised=False)
    run = store.submit(tiny(steps=4))
    store.step(run, steps=2)
    file, seen = store.folder(run) / "events.jsonl", []
    sleep = time.sleep

    def watched(seconds: float) -> None:
        seen.append(file.stat().st_mtime_ns)
        if len(set(seen)) > 2:
            store.go(run)
        sleep(seconds)

    monkeypatch.setattr(drive.time, "sleep", watched)
    began = time.monotonic()
    assert work(store.folder(run)) == 0
    took = time.monotonic() - began
    result = read_result(store.folder(run))
    assert len(set(seen)) > 2
    assert result["seconds"] < took - 0.05 * (len(seen) - 1)  # waiting is not counted
