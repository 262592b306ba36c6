from dataclasses import replace
from pathlib import Path

import pytest

from inception_lab.errors import SettingsError
from inception_lab.jobs import cost, memory, room
from inception_lab.jobs.cost import estimate, finished, sweep_cost
from inception_lab.jobs.folder import Ending
from inception_lab.jobs.process import ProcessId, this_process
from inception_lab.jobs.room import at_once, fits, on_gpu
from inception_lab.jobs.store import Run, Store
from inception_lab.readers.shapes import shapes
from inception_lab.training.presets import preset
from inception_lab.training.settings import Settings
from tests.training import datafiles

MICRO = preset("micro", device="cpu")


@pytest.fixture(autouse=True)
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INCEPTION_LAB_PARALLEL", raising=False)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(room, "cores", lambda: 2)
    monkeypatch.setattr(memory, "available", lambda: 16_000_000_000)


def run(settings: Settings, seconds: float, *, steps: int = 120) -> Run:
    return Run(
        id="a",
        group=None,
        status="finished",
        settings=settings,
        created=0.0,
        started=0.0,
        ended=1.0,
        error=None,
        result={"steps": steps, "seconds": seconds},
        folder=Path(),
    )


@pytest.mark.parametrize(
    ("settings", "measured"),
    [
        (MICRO, 0.12),
        (MICRO.with_(repeats=(10, 20, 10)), 0.2),
        (MICRO.with_(width=1.0), 0.55),
        (MICRO.with_(width=1.0, threads=2), 0.33),
    ],
)
def test_the_reckoning_is_what_was_measured_on_a_quiet_core(settings: Settings, measured: float) -> None:
    found = estimate(settings)
    assert found.seconds_per_step == pytest.approx(measured, rel=0.1)
    assert found.seconds == pytest.approx(120 * found.seconds_per_step)
    assert found.basis == "estimated from multiply-adds"


def test_runs_of_the_same_shape_count_more() -> None:
    known = [run(MICRO.with_(scale=0.1), 12.0), run(MICRO.with_(seed=3), 24.0), run(MICRO.with_(rate=0.01), 48.0)]
    others = [run(MICRO.with_(batch=64), 1.0), run(MICRO, 9.0, steps=3), replace(run(MICRO, 9.0), status="cancelled")]
    found = estimate(MICRO.with_(steps=1000), [*known, *others])
    assert (found.seconds_per_step, found.seconds, found.basis) == (0.2, 200.0, "measured on 3 runs here")
    assert estimate(MICRO.with_(batch=64), known).basis == "estimated from multiply-adds"


def test_on_a_gpu_nobody_has_measured_the_estimate_says_so() -> None:
    assert "no such run was measured on this GPU yet" in estimate(MICRO.with_(device="cuda")).basis


def test_memory_is_that_of_the_parts_and_near_what_was_measured() -> None:
    small, large = memory.needed(MICRO), memory.needed(MICRO.with_(batch=33))
    assert large - small == 1_727_256  # the activations of one image, as `readers.shapes` counts them
    assert memory.needed(MICRO.with_(average=0.9)) - small == 4 * 1_945_338
    assert memory.needed(MICRO.with_(scale=0.1, seed=9)) == small
    assert small == pytest.approx(703e6, rel=0.03)
    assert memory.needed(MICRO.with_(batch=128)) == pytest.approx(850e6, rel=0.03)
    images, filters = 60_000 * (3 * 32 * 32 + 8) - 14_000 * (28 * 28 + 8), 4 * 4 * 32 * 9 * 2
    assert memory.needed(MICRO.with_(data="cifar10")) - small == images + filters


def test_the_arms_of_a_sweep_are_reckoned_once_and_a_folder_as_it_is_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(memory, "shapes", lambda net: asked.append(net) or shapes(net))
    memory._network.cache_clear()
    for changes in ({}, {"rate": 0.1}, {"momentum": 0.0}, {"batch": 64}, {"preset": "wide", "rate": 0.1}):
        memory.needed(MICRO.with_(**changes))
    assert len(asked) == 1
    root = datafiles.folder(tmp_path, {"x": 6, "y": 6})
    own = MICRO.with_(data=f"folder:{root}", batch=4)
    before = memory.needed(own)
    (root / "x" / "new.png").write_bytes(datafiles.picture((1, 2, 3), (28, 28)))
    assert memory.needed(own) - before == 3 * 28 * 28 + 8
    datafiles.folder(root, {"z": 6})
    assert memory.needed(own) > before + 7 * (3 * 28 * 28 + 8)  # and a row of the classifier
    assert len(asked) == 3


def test_a_sweep_shares_the_cores() -> None:
    runs = [MICRO.with_(seed=seed) for seed in range(6)]
    found = sweep_cost(runs, [run(MICRO, 12.0)])
    assert (found.seconds, found.seconds_per_step) == (pytest.approx(36.0), pytest.approx(0.1))
    assert found.basis == "2 at a time; measured on 1 run here"
    assert found.bytes == 2 * memory.needed(MICRO)
    assert sweep_cost(runs, [run(MICRO, 12.0)], at_once=6).seconds == pytest.approx(12.0)
    mixed = sweep_cost([MICRO, MICRO.with_(width=1.0)])
    assert mixed.seconds == pytest.approx(estimate(MICRO.with_(width=1.0)).seconds), "the longest decides"
    assert str(found).startswith("about 36 seconds and 1.4 GB, 2 at a time")
    assert sweep_cost([]).seconds == 0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 second"), (4.4, "4 seconds"), (240, "4 minutes"), (9000, "2.5 hours")],
)
def test_durations(seconds: float, words: str) -> None:
    assert cost.duration(seconds) == words


def test_what_memory_holds_goes_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert at_once(MICRO) == 2
    assert fits(MICRO, [MICRO], threads=2, gpus=1, takes_gpu=on_gpu, held=16_000_000_000)
    assert not fits(MICRO, [MICRO], threads=2, gpus=1, takes_gpu=on_gpu, held=1_000_000_000)
    assert fits(MICRO, [], threads=2, gpus=1, takes_gpu=on_gpu, held=1_000_000)
    monkeypatch.setattr(memory, "available", lambda: 1_000_000_000)
    assert at_once(MICRO) == 1
    monkeypatch.setattr(memory, "available", lambda: None)
    assert at_once(MICRO) == 2


def test_too_little_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available", lambda: 500_000_000)
    with pytest.raises(SettingsError, match=r"needs about 0\.7 GB of memory and this machine has 0\.5 GB"):
        cost.check(MICRO)
    cost.check(MICRO.with_(device="cuda"))
    monkeypatch.setenv("RAY_ADDRESS", "auto")
    cost.check(MICRO)


def test_only_finished_runs_of_this_machine_are_measured(store: Store) -> None:
    mine, foreign, failed = store.submit_many([MICRO, MICRO.with_(seed=1), MICRO.with_(seed=2)])
    store.claim(3)
    here = this_process()
    store.record(mine, here)
    store.record(foreign, ProcessId(1, 1.0, "elsewhere:boot:1"))
    for id, status in ((mine, "finished"), (foreign, "finished"), (failed, "failed")):
        store.finish(id, Ending(status, None, {"steps": 120, "seconds": 12.0}))  # type: ignore[arg-type]
    assert [run.id for run in finished(store)] == [mine]


def test_the_memory_of_a_container_is_its_limit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(memory, "_CGROUP", tmp_path / "memory.max")
    whole = memory.available()
    assert whole is not None
    assert whole > 1_000_000_000
    (tmp_path / "memory.max").write_text("123456\n")
    assert memory.available() == 123_456
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.available() == whole
