import os
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from inception_lab.errors import RunError
from inception_lab.jobs import launch
from inception_lab.jobs.process import ProcessId, this_process
from inception_lab.jobs.store import Store
from inception_lab.training.events import read_steps
from inception_lab.training.settings import Settings
from tests.jobs.live import processes, until

Supervise = Callable[[], ProcessId]
SHORT = Settings(steps=5)
LONG = Settings(steps=100_000)


def started(store: Store, run: str) -> int:
    """Wait until a run makes steps; returns its pid."""
    until(lambda: len(read_steps(store.folder(run) / "events.jsonl")) > 2)
    process = store.run(run).process
    assert process is not None
    return process.pid


def ends(store: Store, run: str) -> str:
    """Wait until a run has ended; returns how."""
    until(lambda: not store.run(run).active)
    return store.run(run).status


def test_two_runs_finish_each_in_its_own_process_and_folder(store: Store, supervise: Supervise) -> None:
    supervise()
    runs = store.submit_many([SHORT.with_(seed=1), SHORT.with_(seed=2)])
    assert [ends(store, run) for run in runs] == ["finished", "finished"]
    for run, seed in zip(runs, (1, 2), strict=True):
        assert [step.loss for step in read_steps(store.folder(run) / "events.jsonl")] == [
            seed + 1 / n for n in range(1, 6)
        ]
        assert (store.folder(run) / "log.txt").read_text() == "working\n"
    first, second = (store.run(run) for run in runs)
    assert first.process != second.process
    assert first.result is not None
    assert (first.result["run"], first.result["steps"]) == (runs[0], 5)
    assert first.created <= (first.started or 0) <= (first.ended or 0)


def test_no_more_at_once_than_asked_for_and_oldest_first(store: Store, supervise: Supervise) -> None:
    supervise()
    runs = store.submit_many([LONG, LONG, SHORT])
    until(lambda: [run.status for run in store.runs()] == ["queued", "running", "running"])
    store.cancel(runs[0])
    assert ends(store, runs[2]) == "finished"
    assert store.run(runs[1]).status == "running"


def test_running_run_is_cancelled_within_two_seconds(store: Store, supervise: Supervise) -> None:
    supervise()
    run = store.submit(LONG)
    pid = started(store, run)
    store.cancel(run)
    assert until(lambda: store.run(run).status == "cancelled") < 2
    assert not psutil.pid_exists(pid)
    result = store.run(run).result
    assert result is not None
    assert result["status"] == "cancelled"


@pytest.mark.parametrize(("preset", "least", "most"), [("deaf", 1.4, 2.9), ("stubborn", 2.9, 8.0)])
def test_run_that_does_not_listen_is_ended(
    store: Store, supervise: Supervise, home: Path, preset: str, least: float, most: float
) -> None:
    supervise()
    run = store.submit(LONG.with_(preset=preset))
    started(store, run)
    before = len(processes(home))
    store.cancel(run)
    assert least < until(lambda: store.run(run).status == "cancelled") < most
    until(lambda: len(processes(home)) == before - (2 if preset == "stubborn" else 1))  # with the child it had
    assert store.run(run).error is None


def test_killed_run_is_interrupted_and_resumes_with_the_same_numbers(store: Store, supervise: Supervise) -> None:
    supervise()
    run = store.submit(SHORT.with_(steps=200))
    os.kill(started(store, run), signal.SIGKILL)
    assert ends(store, run) == "interrupted"
    assert "was ended by signal 9 after step" in str(store.run(run).error)
    store.resume(run)
    assert ends(store, run) == "finished"
    assert [step.step for step in read_steps(store.folder(run) / "events.jsonl")] == list(range(200))


def test_broken_run_fails_with_its_last_words(store: Store, supervise: Supervise) -> None:
    supervise()
    run = store.submit(SHORT.with_(preset="broken"))
    assert ends(store, run) == "failed"
    assert str(store.run(run).error).endswith("exit status 1 before its first step: ValueError: no such luck")
    assert "Traceback" in (store.folder(run) / "log.txt").read_text()


def test_run_survives_its_supervisor_and_is_adopted_by_the_next(store: Store, supervise: Supervise) -> None:
    first = supervise()
    long, short = store.submit_many([LONG, SHORT.with_(steps=150)])
    pid = started(store, long)
    started(store, short)
    os.kill(first.pid, signal.SIGKILL)
    until(lambda: not first.alive)
    assert store.run(long).status == "running"
    until(lambda: store.run(short).status == "finished")  # told by its folder, with no supervisor at all
    assert store.claimed()[-1].id == short

    second = supervise()
    assert second != first
    until(lambda: [run.id for run in store.claimed()] == [long])
    made = len(read_steps(store.folder(long) / "events.jsonl"))
    until(lambda: len(read_steps(store.folder(long) / "events.jsonl")) > made)
    assert psutil.pid_exists(pid)
    store.cancel(long)
    assert until(lambda: store.run(long).status == "cancelled") < 2


def test_run_that_died_with_its_supervisor_is_told_truly(store: Store, supervise: Supervise) -> None:
    first = supervise()
    run = store.submit(LONG)
    pid = started(store, run)
    os.kill(first.pid, signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    until(lambda: not first.alive)
    assert ends(store, run) == "interrupted"
    assert store.claimed() != []
    supervise()
    until(lambda: store.claimed() == [])
    assert store.run(run).status == "interrupted"


def test_stopping_the_supervisor_leaves_its_runs(store: Store, supervise: Supervise, home: Path) -> None:
    supervise()
    run = store.submit(LONG)
    pid = started(store, run)
    launch.stop(home)
    assert not launch.is_running(home)
    assert psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    assert store.run(run).status == "running"


def test_supervisor_never_loads_torch(store: Store, supervise: Supervise) -> None:
    maps = Path(f"/proc/{supervise().pid}/maps")
    if not maps.exists():
        pytest.skip("needs /proc")
    ends(store, store.submit(SHORT))
    assert "libtorch" not in maps.read_text()


def test_runs_that_can_never_start_say_why(store: Store, supervise: Supervise, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INCEPTION_LAB_PARALLEL", "many")
    run = store.submit(SHORT)
    launch.ensure_running(store.home)
    assert ends(store, run) == "failed"
    assert store.run(run).error == "INCEPTION_LAB_PARALLEL is 'many'; it must be a whole number of at least 1."


def test_idle_supervisor_leaves_and_comes_back(
    store: Store, supervise: Supervise, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INCEPTION_LAB_IDLE", "0.5")
    first = supervise()
    until(lambda: not launch.is_running(home), seconds=5)
    until(lambda: not first.alive)
    run = store.submit(SHORT)
    assert supervise() != first
    assert ends(store, run) == "finished"


def test_nothing_queued_is_lost_when_a_supervisor_leaves(
    store: Store, supervise: Supervise, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INCEPTION_LAB_IDLE", "0.05")
    runs = []
    for _ in range(8):
        runs.append(store.submit(Settings(steps=1)))
        launch.ensure_running(home, work="tests.jobs.stand_in:work")
        time.sleep(0.15)  # so that submissions fall on all moments of a supervisor's leaving
    assert [ends(store, run) for run in runs] == ["finished"] * 8


def test_only_one_supervisor_lives(store: Store, supervise: Supervise, home: Path) -> None:
    first = supervise()
    launch._started.clear()
    for _ in range(3):
        launch.ensure_running(home)
    assert launch.supervisor(home) == first
    assert [p.pid for p in processes(home) if "inception_lab.jobs.supervisor" in p.cmdline()] == [first.pid]


def emptied(home: Path) -> None:
    """Delete a home under the processes that use it."""
    shutil.rmtree(home, ignore_errors=True)
    until(lambda: shutil.rmtree(home, ignore_errors=True) or not home.exists())  # what was written meanwhile as well


def test_supervisor_of_a_deleted_home_ends_with_its_runs_and_makes_no_other(
    store: Store, supervise: Supervise, home: Path
) -> None:
    first = supervise()
    runs = store.submit_many([LONG, LONG.with_(preset="stubborn")])
    pids = [started(store, run) for run in runs]
    emptied(home)
    until(lambda: not first.alive, seconds=10)
    until(lambda: not any(map(psutil.pid_exists, pids)))
    assert not home.exists()


def test_a_home_that_was_made_again_has_a_supervisor_of_its_own(store: Store, supervise: Supervise, home: Path) -> None:
    first = supervise()
    os.kill(first.pid, signal.SIGSTOP)  # so that it learns of everything at once
    try:
        emptied(home)
        launch._started.clear()  # as in a process that did not start the first
        run = Store(home, supervised=False).submit(LONG)
        second = supervise()
        pid = started(store, run)
    finally:
        os.kill(first.pid, signal.SIGCONT)
    until(lambda: not first.alive, seconds=10)
    assert launch.supervisor(home) == second
    assert second.alive
    assert psutil.pid_exists(pid)
    assert store.run(run).status == "running"


def test_ray_address_without_ray_is_refused_at_once(store: Store, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "auto")
    monkeypatch.setattr(launch, "find_spec", lambda name: None)
    with pytest.raises(RunError, match="RAY_ADDRESS is set but Ray is not installed"):
        launch.ensure_running(home)


def test_a_damaged_result_does_not_stop_the_queue(store: Store, supervise: Supervise) -> None:
    bad, good = store.submit_many([SHORT, SHORT])
    store.claim(1)
    store.record(bad, replace(this_process(), started=this_process().started - 100))  # its process is gone
    (store.folder(bad) / "result.json").touch()
    living = supervise()
    assert (ends(store, good), ends(store, bad)) == ("finished", "failed")
    until(lambda: store.claimed() == [])
    assert living.alive
    store.delete(bad)
    assert [run.id for run in store.runs()] == [good]


@pytest.fixture
def stacked(store: Store, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Queue a sweep that will be one stack."""
    monkeypatch.setenv("INCEPTION_LAB_STACK", "always")

    def submit(*runs: Settings) -> list[str]:
        return store.submit_many([run.with_(seed=seed) for seed, run in enumerate(runs)], group="sweep")

    return submit


def test_a_stack_is_one_process_and_its_runs_end_each_in_its_time(
    store: Store, supervise: Supervise, stacked: Callable[..., list[str]]
) -> None:
    runs = stacked(LONG, LONG, LONG)
    other = store.submit(LONG.with_(preset="deaf", threads=1))
    supervise()
    pids = {started(store, run) for run in runs}
    assert len(pids) == 1
    assert {started(store, other)}.isdisjoint(pids)  # of no sweep, so by itself
    assert [store.run(run).status for run in runs] == ["running"] * 3
    store.cancel(runs[1])
    assert until(lambda: store.run(runs[1]).status == "cancelled") < 2
    store.change(runs[0], rate=0.5)  # what a run is told reaches its folder
    made = len(read_steps(store.folder(runs[2]) / "events.jsonl"))
    until(lambda: len(read_steps(store.folder(runs[2]) / "events.jsonl")) > made + 5)
    assert [store.run(run).status for run in runs] == ["running", "cancelled", "running"]
    assert "whose log.txt" in (store.folder(runs[2]) / "log.txt").read_text()


def test_a_run_of_a_stack_has_ended_when_it_has_said_all(
    store: Store, supervise: Supervise, stacked: Callable[..., list[str]]
) -> None:
    """Between its result and its end a run writes its autopsy: until then it is not to be given as ended."""
    runs = stacked(*[SHORT.with_(preset="late")] * 2)
    supervise()
    for run in runs:
        until((store.folder(run) / "result.json").exists)
    assert started(store, runs[0]) == started(store, runs[1])
    time.sleep(0.5)  # five turns of the supervisor
    assert [run.id for run in store.claimed()] == runs
    (store.folder(runs[0]) / "go").touch()
    until(lambda: [run.id for run in store.claimed()] == runs[1:])
    assert (store.run(runs[0]).status, (store.run(runs[0]).result or {})["steps"]) == ("finished", 5)
    (store.folder(runs[1]) / "go").touch()
    assert ends(store, runs[1]) == "finished"


def test_a_run_that_does_not_listen_is_not_ended_with_others(
    store: Store, supervise: Supervise, stacked: Callable[..., list[str]]
) -> None:
    deaf, well = stacked(LONG.with_(preset="deaf"), LONG)
    supervise()
    assert started(store, deaf) == started(store, well)
    store.cancel(deaf)
    with pytest.raises(AssertionError):
        until(lambda: store.run(well).status != "running" or store.run(deaf).status != "running", seconds=4)
    store.cancel(well)
    assert until(lambda: store.run(deaf).status == "cancelled", seconds=8) < 5
    assert ends(store, well) == "cancelled"


def test_a_killed_stack_leaves_every_run_interrupted_and_one_resumes_alone(
    store: Store, supervise: Supervise, stacked: Callable[..., list[str]]
) -> None:
    runs = stacked(*[SHORT.with_(steps=300)] * 3)
    supervise()
    os.kill(started(store, runs[2]), signal.SIGKILL)
    assert [ends(store, run) for run in runs] == ["interrupted"] * 3
    assert all("was ended by signal 9 after step" in str(store.run(run).error) for run in runs)
    store.resume(runs[1])
    assert ends(store, runs[1]) == "finished"
    assert [step.step for step in read_steps(store.folder(runs[1]) / "events.jsonl")] == list(range(300))
    assert [store.run(run).status for run in runs] == ["interrupted", "finished", "interrupted"]


def test_a_stack_survives_its_supervisor(store: Store, supervise: Supervise, stacked: Callable[..., list[str]]) -> None:
    runs = stacked(LONG, LONG, LONG)
    first = supervise()
    pid = started(store, runs[1])
    os.kill(first.pid, signal.SIGKILL)
    until(lambda: not first.alive)
    supervise()
    store.cancel(runs[1])
    assert ends(store, runs[1]) == "cancelled"
    until(lambda: len(store.claimed()) == 2)
    assert {started(store, runs[0]), started(store, runs[2])} == {pid}
    for run in (runs[0], runs[2]):
        store.cancel(run)
    assert [ends(store, run) for run in (runs[0], runs[2])] == ["cancelled"] * 2
    until(lambda: not psutil.pid_exists(pid))


def test_on_a_processor_runs_go_by_themselves(
    store: Store, supervise: Supervise, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("INCEPTION_LAB_STACK", raising=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    runs = store.submit_many([LONG, LONG.with_(seed=1)], group="sweep")
    supervise()
    assert len({started(store, run) for run in runs}) == 2


def test_a_wrong_word_for_stacks_is_said(store: Store, supervise: Supervise, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INCEPTION_LAB_STACK", "often")
    run = store.submit(SHORT)
    supervise()
    assert ends(store, run) == "failed"
    assert store.run(run).error == "INCEPTION_LAB_STACK is 'often'; it must be auto, always, never."
