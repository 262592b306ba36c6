"""Which runs share a process, by their settings, the device and its memory."""

import os
from pathlib import Path

import pytest

from inception_lab.errors import RunError
from inception_lab.jobs import stacking
from inception_lab.jobs.claims import chosen
from inception_lab.jobs.executors import LocalExecutor, RayExecutor
from inception_lab.jobs.store import Run, Store
from inception_lab.readers.shapes import shapes
from inception_lab.training import accelerator, control
from inception_lab.training.presets import preset

MICRO = preset("micro")
OTHER = MICRO.with_(scale=0.1, seed=3)


@pytest.fixture(autouse=True)
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with a GPU of 16 GB, and no wish."""
    for name in ("INCEPTION_LAB_STACK", "INCEPTION_LAB_PARALLEL", "CUDA_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(accelerator, "_built_in", lambda: True)
    monkeypatch.setattr(stacking, "gpu_memory", lambda: 16_000_000_000)


def test_on_a_gpu_small_runs_that_differ_in_what_a_stack_holds_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    assert stacking.joins(OTHER, [MICRO])
    assert not stacking.joins(OTHER.with_(width=0.3), [MICRO])
    assert not stacking.joins(OTHER.with_(checkpoint_every=5), [MICRO.with_(checkpoint_every=5)])
    assert not stacking.joins(preset("wide", scale=0.1), [preset("wide")])  # fills the GPU by itself
    monkeypatch.setenv("INCEPTION_LAB_STACK", "always")
    assert stacking.joins(preset("wide", scale=0.1), [preset("wide")])
    monkeypatch.setenv("INCEPTION_LAB_STACK", "never")
    assert not stacking.joins(OTHER, [MICRO])
    assert not stacking.wanted()


def test_on_a_processor_only_if_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    here = MICRO.with_(device="cpu")
    assert not stacking.joins(here.with_(seed=1), [here])
    monkeypatch.setattr(accelerator, "_built_in", lambda: False)
    assert not stacking.joins(OTHER, [MICRO])
    assert not stacking.wanted()
    monkeypatch.setenv("INCEPTION_LAB_STACK", "always")
    assert stacking.joins(OTHER, [MICRO])
    assert stacking.joins(here.with_(seed=1), [here])
    assert stacking.wanted()


def test_as_many_as_half_the_memory_holds_and_32_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    assert stacking.joins(OTHER, [MICRO] * 31)
    assert not stacking.joins(OTHER, [MICRO] * 32)
    monkeypatch.setattr(stacking, "gpu_memory", lambda: 2 * stacking.needed(MICRO, 5))
    assert stacking.joins(OTHER, [MICRO] * 4)
    assert not stacking.joins(OTHER, [MICRO] * 5)
    monkeypatch.setattr(stacking, "gpu_memory", lambda: None)  # nobody knows
    assert not stacking.joins(OTHER, [MICRO])
    assert not stacking.wanted()


def test_memory_is_seven_numbers_a_parameter_and_activations_twice() -> None:
    table = shapes(MICRO.net())
    each = 7 * 4 * table.parameters + 2 * 32 * table.activation_bytes
    assert stacking.needed(MICRO, 3) - stacking.needed(MICRO, 1) == 2 * each
    assert stacking.needed(MICRO.with_(average=0.9), 1) - stacking.needed(MICRO, 1) == 4 * table.parameters


@pytest.mark.skipif(os.name == "nt", reason="the stand-in is a shell script")
@pytest.mark.parametrize(("says", "bytes"), [("81920\n40960\n", 40960 << 20), ("No devices were found", None)])
def test_memory_is_that_of_the_smallest_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, bytes: int | None
) -> None:
    monkeypatch.undo()
    tool = tmp_path / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\nprintf '{says}'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    stacking.gpu_memory.cache_clear()
    try:
        assert stacking.gpu_memory() == bytes
    finally:
        stacking.gpu_memory.cache_clear()


def test_a_word_there_is_not_is_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INCEPTION_LAB_STACK", "sometimes")
    with pytest.raises(RunError, match="INCEPTION_LAB_STACK is 'sometimes'; it must be auto, always, never"):
        LocalExecutor(store.home, "m:f")


def test_only_runs_of_one_sweep_that_were_told_nothing(store: Store) -> None:
    ids = store.submit_many([MICRO.with_(seed=seed) for seed in range(3)], group="a")
    ids += store.submit_many([MICRO], group="b") + store.submit_many([MICRO, MICRO])
    first, second, told, other, lone, last = map(store.run, ids)
    control.write(told.folder, control.Control(pause_at=0))
    joins = LocalExecutor(store.home, "m:f").joins
    assert joins(second, [first])
    assert [joins(run, [first]) for run in (told, other, lone)] == [False] * 3
    assert not joins(first, [told])
    assert not joins(last, [lone])
    (told.folder / "control.json").write_text("{")
    assert not joins(told, [first])


def test_a_sweep_is_claimed_as_stacks(store: Store) -> None:
    """Widths alternate: the narrow make one stack, the wide wait, as the one GPU is taken."""
    runs = [MICRO.with_(width=width, seed=seed) for seed in (0, 1) for width in (0.1, 0.2)]
    ids = store.submit_many(runs, group="sweep")
    executor = LocalExecutor(store.home, "m:f")
    taken = store.claim_stacks(8, fits=executor.fits, joins=executor.joins)
    assert [[run.id for run in stack] for stack in taken] == [[ids[0], ids[2]]]
    assert [store.run(id).status for id in ids] == ["running", "queued", "running", "queued"]
    assert {run.status for stack in taken for run in stack} == {"running"}
    (rest,) = store.claim_stacks(8, fits=executor.fits, joins=executor.joins)
    assert [run.id for run in rest] == [ids[1], ids[3]]


def test_nothing_is_read_past_the_last_that_is_taken(store: Store) -> None:
    ids = store.submit_many([MICRO.with_(seed=seed) for seed in range(4)], group="sweep")
    queued = iter([store.run(id) for id in ids])

    def always(run: Run, beside: list[Run]) -> bool:
        return True

    assert [[run.id for run in stack] for stack in chosen(queued, 2, fits=always, joins=None)] == [[ids[0]], [ids[1]]]
    assert [run.id for run in queued] == ids[2:]
    assert chosen(iter([]), 2, fits=always, joins=always) == []
    runs = [store.run(id) for id in ids]
    assert chosen(runs, 0, fits=always, joins=always) == []
    assert chosen(runs, 1, fits=always, joins=always) == [runs]


def test_ray_makes_none() -> None:
    assert RayExecutor.stacks is False
