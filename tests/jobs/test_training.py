"""The lab's own training under the supervisor."""

from pathlib import Path

from inception_lab.jobs import launch
from inception_lab.jobs.store import Store
from inception_lab.training.events import read
from inception_lab.training.presets import preset
from tests.jobs.conftest import Supervise
from tests.jobs.live import until


def events(store: Store, run: str) -> list[dict[str, object]]:
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
