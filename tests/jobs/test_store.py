import json
import math
import multiprocessing
import os
import sqlite3
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from inception_lab.errors import RunError, SettingsError, UnknownRun
from inception_lab.jobs import store as stores
from inception_lab.jobs.folder import Ending
from inception_lab.jobs.process import ProcessId, this_process
from inception_lab.jobs.store import Run, Store, new_id
from inception_lab.training.events import Step, encode
from inception_lab.training.settings import Settings
from tests.jobs import stand_in

MICRO = Settings(scale=0.3, seed=4)


def running(store: Store, process: ProcessId) -> str:
    """A run marked as running in `process`."""
    run = store.submit(MICRO)
    store.claim(1)
    store.record(run, process)
    return run


def gone() -> ProcessId:
    """This process's id as it would be for one that had it before."""
    return replace(this_process(), started=this_process().started - 100)


def test_submitted_run_waits_with_its_settings_in_its_folder(store: Store, home: Path) -> None:
    run = store.run(store.submit(MICRO, group="g"))
    assert (run.status, run.group, run.settings, run.error, run.result) == ("queued", "g", MICRO, None, None)
    assert run.folder == home / "runs" / run.id
    assert Settings.from_dict(json.loads((run.folder / "settings.json").read_text())) == MICRO


def test_runs_come_newest_first_by_group_and_limit(store: Store) -> None:
    first, second, third = (store.submit(MICRO.with_(seed=seed), group=group) for seed, group in enumerate("aba"))
    assert [run.id for run in store.runs()] == [third, second, first]
    assert [run.id for run in store.runs(group="a")] == [third, first]
    assert [run.id for run in store.runs(limit=2)] == [third, second]
    assert store.runs(group="nobody") == []


def test_ids_sort_by_time_and_differ() -> None:
    now = 1_800_000_000.0
    assert len({new_id(now) for _ in range(100)}) == 100
    ids = [new_id(now + seconds) for seconds in (0, 0.001, 1, 100_000, 900_000_000)]
    assert ids == sorted(ids)
    assert {len(id) for id in ids} == {13}


def test_unknown_run_names_itself(store: Store) -> None:
    for call in (store.run, store.cancel, store.delete, store.resume):
        with pytest.raises(UnknownRun, match=r"no run '\.\./up'"):
            call("../up")


def test_claim_takes_oldest_first_and_marks_them(store: Store) -> None:
    ids = store.submit_many([MICRO.with_(seed=seed) for seed in range(3)], group="g")
    claimed = store.claim(2)
    assert [run.id for run in claimed] == ids[:2]
    assert [run.status for run in store.runs()] == ["queued", "running", "running"]
    assert store.queued() == 1
    assert store.claim(0) == [] == store.claim(-1)


def test_two_processes_never_claim_the_same_run(store: Store, home: Path) -> None:
    ids = store.submit_many([MICRO] * 80)
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        taken = [id for part in pool.map(stand_in.claim_all, [home, home]) for id in part]
    assert sorted(taken) == sorted(ids)


def test_threads_share_a_store(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda seed: store.submit(MICRO.with_(seed=seed)), range(40)))
        runs = list(pool.map(store.run, ids))
    assert [run.settings.seed for run in runs] == list(range(40))


def test_many_processes_may_open_a_new_home_at_once(tmp_path: Path) -> None:
    """Each of six looks at forty homes that are not there yet, at the same moment as the others."""
    spawn = multiprocessing.get_context("spawn")
    line = spawn.Barrier(6)
    with ProcessPoolExecutor(6, mp_context=spawn, initializer=stand_in.lined_up, initargs=(line,)) as pool:
        found = list(pool.map(stand_in.open_new, [[tmp_path / f"home-{n}" for n in range(40)]] * 6))
    assert found == [[0] * 40] * 6


def test_many_threads_may_open_a_new_home_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: Store(tmp_path / "new", supervised=False).runs(), range(16))) == [[]] * 16


def test_cancelling_a_queued_run_ends_it_at_once(store: Store) -> None:
    run = store.submit(MICRO)
    store.cancel(run)
    assert store.run(run).status == "cancelled"
    assert store.claim(1) == []
    assert not (store.folder(run) / "cancel").exists()


def test_cancelling_an_ended_run_changes_nothing(store: Store) -> None:
    run = running(store, this_process())
    store.finish(run, Ending("finished", None, {"outcome": "trains"}))
    before = store.run(run)
    store.cancel(run)
    assert store.run(run) == before


def test_cancelling_a_running_run_asks_its_process(store: Store) -> None:
    run = running(store, this_process())
    store.cancel(run)
    asked = store.run(run).cancel_asked
    assert (store.run(run).status, (store.folder(run) / "cancel").exists()) == ("running", True)
    store.cancel(run)
    assert store.run(run).cancel_asked == asked


def test_delete_refuses_a_running_run_only(store: Store) -> None:
    run = running(store, this_process())
    with pytest.raises(RunError, match=r"is running\. Cancel it"):
        store.delete(run)
    store.finish(run, Ending("failed", "why"))
    store.delete(run)
    assert not store.folder(run).exists()
    with pytest.raises(UnknownRun):
        store.run(run)


def test_running_without_its_process_reads_as_interrupted(store: Store) -> None:
    run = store.run(running(store, gone()))
    assert run.status == "interrupted"
    assert "vanished before its first step" in str(run.error)
    assert store.run(running(store, this_process())).status == "running"


def test_interrupted_says_after_which_step_even_when_the_last_line_is_torn(store: Store) -> None:
    run = running(store, gone())
    lines = [encode(Step(step=n, loss=1.0, accuracy=0.1, rate=0.2).to_dict()) for n in (6, 7)]
    (store.folder(run) / "events.jsonl").write_text("\n".join([*lines, '{"type":"st']))
    assert "vanished after step 7." in str(store.run(run).error)


def test_result_in_the_folder_outweighs_a_lost_process(store: Store) -> None:
    run = running(store, gone())
    (store.folder(run) / "result.json").write_text(
        '{"outcome": "nan", "status": "finished", "loss": "nan", "died_at": null}'
    )
    found = store.run(run)
    assert (found.status, found.error) == ("finished", None)
    assert found.result is not None
    assert found.result["outcome"] == "nan"
    assert math.isnan(found.result["loss"])


def test_end_event_outweighs_a_lost_process(store: Store) -> None:
    run = running(store, gone())
    (store.folder(run) / "events.jsonl").write_text('{"type":"end","status":"failed","error":"no data"}\n')
    assert (store.run(run).status, store.run(run).error) == ("failed", "no data")


def test_elsewhere_a_run_lives_by_its_last_sign(store: Store) -> None:
    run = running(store, ProcessId(1, 0.0, "another machine"))
    assert store.run(run).status == "running"
    with sqlite3.connect(store.home / "runs.sqlite") as db:
        db.execute("UPDATE runs SET heartbeat = heartbeat - ?", (stores.SILENCE + 1,))
    db.close()
    assert store.run(run).status == "interrupted"
    (store.folder(run) / "events.jsonl").touch()
    assert store.run(run).status == "running"
    long_ago = time.time() - stores.SILENCE - 1
    os.utime(store.folder(run) / "events.jsonl", (long_ago, long_ago))
    store.heartbeat([run])
    assert store.run(run).status == "running"


def test_finish_does_not_touch_a_run_that_was_queued_again(store: Store) -> None:
    run = running(store, gone())
    store.resume(run)
    store.finish(run, Ending("failed", "late"))
    store.record(run, this_process())
    assert (store.run(run).status, store.run(run).error, store.run(run).process) == ("queued", None, None)


def test_resume_starts_from_the_settings_alone(store: Store) -> None:
    run = running(store, gone())
    for name in ("events.jsonl", "result.json", "cancel", "model.safetensors", "log.txt"):
        (store.folder(run) / name).write_text("{}\n")
    store.finish(run, Ending("interrupted", "why"))
    store.resume(run)
    assert sorted(path.name for path in store.folder(run).iterdir()) == ["log.txt", "settings.json"]
    again = store.run(run)
    assert (again.status, again.started, again.ended, again.error) == ("queued", None, None, None)
    with pytest.raises(RunError, match="is queued; only"):
        store.resume(run)


def test_results_keep_nan_and_infinity(store: Store) -> None:
    run = running(store, this_process())
    store.finish(run, Ending("finished", None, {"outcome": "nan", "loss": math.nan, "zero_share": math.inf}))
    result = store.run(run).result
    assert result is not None
    assert math.isnan(result.pop("loss"))
    assert result == {"outcome": "nan", "zero_share": math.inf}


def test_run_of_another_version_does_not_hide_the_others(store: Store, home: Path) -> None:
    other, known = store.submit_many([MICRO, MICRO])
    with sqlite3.connect(home / "runs.sqlite") as db:
        db.execute("UPDATE runs SET settings = '{\"charm\": 1}' WHERE id = ?", (other,))
    db.close()
    assert [run.id for run in store.runs()] == [known]
    with pytest.raises(SettingsError, match="no setting 'charm'"):
        store.run(other)
    assert [run.id for run in store.claim(2)] == [known]
    assert store.queued() == 0
    store.delete(other)
    assert not store.folder(other).exists()


def test_newer_store_is_refused(store: Store, home: Path) -> None:
    with sqlite3.connect(home / "runs.sqlite") as db:
        db.execute("PRAGMA user_version = 9")
    db.close()
    with pytest.raises(RunError, match="has version 9, this lab reads 1"):
        Store(home)


def test_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot be made"):
        Store(tmp_path / "file")


@pytest.mark.parametrize("damage", ["", "[1, 2]", '{"status": "fine"}', "{", "null"])
def test_a_damaged_result_is_that_runs_failure_alone(store: Store, damage: str) -> None:
    bad, good = running(store, gone()), store.submit(MICRO)
    (store.folder(bad) / "result.json").write_text(damage)
    found = {run.id: run for run in store.runs()}
    assert (found[bad].status, found[good].status) == ("failed", "queued")
    assert str(found[bad].error).startswith(f"The result of run {bad} cannot be read: ")
    store.delete(bad)
    assert [run.id for run in store.runs()] == [good]


def test_claim_stops_at_the_first_that_does_not_fit(store: Store) -> None:
    ids = store.submit_many([MICRO.with_(threads=threads) for threads in (1, 2, 1)])

    def fits(run: Run, taken: list[Run]) -> bool:
        return run.settings.threads + sum(other.settings.threads for other in taken) <= 2

    assert [[run.id for run in store.claim(9, fits=fits)] for _ in range(4)] == [[id] for id in ids] + [[]]
