"""What is wrong with one run, or with the file of all, is said in a sentence and stops nothing else."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from inception_lab.errors import RunError, SettingsError
from inception_lab.jobs.store import Store
from inception_lab.jobs.sweep import submit_sweep
from inception_lab.training.presets import preset


def corrupt(store: Store, id: str, column: str, value: str) -> None:
    with sqlite3.connect(store.home / "runs.sqlite") as db:
        db.execute(f"UPDATE runs SET {column} = ? WHERE id = ?", (value, id))


@pytest.mark.parametrize("column", ["settings", "result"])
@pytest.mark.parametrize("value", ["{bad", "[]", "5", '{"loss": "oops"}'])
def test_a_damaged_row_is_left_out_and_can_be_deleted(column: str, value: str) -> None:
    store = Store(supervised=False)
    bad, good = store.submit_many([preset("micro"), preset("micro", seed=1)])
    corrupt(store, bad, column, value)
    assert good in [run.id for run in store.runs()]
    assert bad not in [run.id for run in store.runs()]
    with pytest.raises(SettingsError, match=r"damaged|object|no setting"):
        store.run(bad)
    assert [run.id for run in store.claim(5)] == [good]
    store.delete(bad)
    assert [run.id for run in store.runs()] == [good]


def test_a_run_whose_folder_is_gone_can_still_be_cancelled() -> None:
    store = Store(supervised=False)
    id = store.submit(preset("micro"))
    store.claim(1)
    shutil.rmtree(store.folder(id))
    store.cancel(id)


def test_a_file_that_is_no_database_is_a_sentence(home: Path) -> None:
    home.mkdir(parents=True)
    (home / "runs.sqlite").write_bytes(b"not a database, not at all" * 100)
    with pytest.raises(RunError, match="cannot be used: file is not a database"):
        Store(supervised=False)


def test_a_sweep_has_a_bound_and_is_counted_before_it_is_built() -> None:
    with pytest.raises(RunError, match="A sweep of 200,000,000 runs"):
        submit_sweep(Store(supervised=False), preset("micro"), scales=[1.0], seeds=200_000_000)
