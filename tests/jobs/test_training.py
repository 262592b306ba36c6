"""The lab's own training under the supervisor."""

from pathlib import Path
from typing import Any

import pytest

from inception_lab.jobs import launch
from inception_lab.jobs.store import Store
from inception_lab.training.events import read
from inception_lab.training.presets import preset
from tests.jobs.conftest import Supervise
from tests.jobs.live import until
from tests.training.tiny import tiny


def events(store: Store, run: str) -> list[dict[str, Any]]:
    """What the run wrote, once it has finished."""
    until(lambda: not store.run(run).active, seconds=90)
    assert (store.run(run).status, store.run(run).error) == ("finished", None)
    return read(store.folder(run) / "events.jsonl")[0]


def test_a_seed_gives_the_same_numbers_alone_and_two_at_once(store: Store, supervise: Supervise, home: Path) -> None:
    launch.ensure_running(home)
    alone = events(store, store.submit(preset("micro", scale=0.1, seed=5, steps=4)))
    pair = store.submit_many([preset("micro", scale=0.1, seed=5, steps=4), preset("micro", scale=1.0, seed=5, steps=4)])
    beside, other = (events(store, run) for run in pair)
    assert alone == beside != other
    assert [event["type"] for event in alone] == ["start", *4 * ["step"], "end"]
    result = store.run(pair[0]).result
    assert result is not None
    assert (result["steps"], result["status"]) == (4, "finished")


def test_a_sweep_in_one_stack_gives_what_its_runs_give_alone(
    store: Store, supervise: Supervise, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three runs of one process and the same three each in its own: outcomes alike, early losses to 1e-3."""
    calm = tiny(repeats=(1, 1, 1), batch=4, steps=40, rate=0.001)
    runs = [calm.with_(scale=0.1), calm.with_(scale=0.3, seed=1), calm.with_(scale=1.0, rate=50.0)]
    found: dict[str, list[list[dict[str, Any]]]] = {}
    outcomes: dict[str, list[str]] = {}
    for word in ("always", "never"):
        monkeypatch.setenv("INCEPTION_LAB_STACK", word)
        launch.ensure_running(home)
        ids = store.submit_many(runs, group="sweep")
        found[word] = [events(store, run) for run in ids]
        rows = [store.run(run) for run in ids]
        assert len({row.process for row in rows}) == {"always": 1, "never": 3}[word]
        outcomes[word] = [(row.result or {})["outcome"] for row in rows]
        launch.stop(home)
    assert [[lines[0]["together"] for lines in found[word]] for word in ("always", "never")] == [[3, 3, 3], [1, 1, 1]]
    assert outcomes["always"] == outcomes["never"]
    assert len(set(outcomes["always"])) > 1  # so that there is something to tell apart
    for stacked, alone in zip(found["always"], found["never"], strict=True):
        assert [line["type"] for line in stacked] == [line["type"] for line in alone]
        assert [line["loss"] for line in stacked[1:4]] == pytest.approx([line["loss"] for line in alone[1:4]], rel=1e-3)
