"""A fork shares its parent's digits, which those of a stack cannot be made to."""

import pytest

from inception_lab.errors import RunError
from inception_lab.jobs.fork import fork
from inception_lab.jobs.store import Store
from inception_lab.training import events
from inception_lab.training.events import Step
from tests.training.tiny import tiny


def parent(store: Store, *, together: int) -> str:
    """A run of three steps, said to be made with others."""
    run = store.submit(tiny())
    start = events.start(addresses=(), version="0", threads=1, device="cuda", parameters=1)
    lines = [{**start, "together": together}]
    lines += [Step(step=step, loss=2.0, accuracy=0.1, rate=0.05).to_dict() for step in range(3)]
    (store.folder(run) / "events.jsonl").write_text("".join(f"{events.encode(line)}\n" for line in lines))
    return run


def test_a_run_of_a_stack_has_no_fork(store: Store) -> None:
    run = parent(store, together=30)
    with pytest.raises(RunError, match=r"in one stack with 29 others.* Start its settings as a run by itself"):
        fork(store, run, step=2, scale=0.1)
    assert [each.id for each in store.runs()] == [run]


def test_one_that_left_its_stack_has_from_its_first_checkpoint_on(store: Store) -> None:
    run = parent(store, together=30)
    (store.folder(run) / "checkpoint-000002.pt").write_bytes(b"")
    with pytest.raises(RunError, match="in one stack"):
        fork(store, run, step=1, scale=0.1)
    assert store.run(fork(store, run, step=2, scale=0.1)).status == "queued"


def test_a_run_by_itself_has(store: Store) -> None:
    assert store.run(fork(store, parent(store, together=1), step=2, scale=0.1)).status == "queued"
