import pytest

from inception_lab.jobs import room
from inception_lab.jobs.executors import LocalExecutor, at_once
from inception_lab.jobs.room import fits, on_gpu
from inception_lab.jobs.store import Store
from inception_lab.training import accelerator
from inception_lab.training.settings import Settings

ONE, TWO = Settings(device="cpu"), Settings(device="cpu", threads=2)
GPU = Settings(device="cuda")


@pytest.fixture(autouse=True)
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with two cores and no wish about how many runs; whether it has a GPU is what tests say."""
    monkeypatch.delenv("INCEPTION_LAB_PARALLEL", raising=False)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(room, "cores", lambda: 2)
    monkeypatch.setattr(accelerator, "_built_in", lambda: False)


def test_as_many_at_once_as_the_cores_have_threads_for(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = [at_once(settings) for settings in (ONE, TWO, ONE.with_(threads=8), GPU)]
    assert counts == [2, 1, 1, 1]
    monkeypatch.setenv("INCEPTION_LAB_PARALLEL", "5")
    assert [at_once(settings) for settings in (ONE, TWO, GPU)] == [5, 5, 5]


@pytest.mark.parametrize(
    ("run", "beside", "room_left"),
    [
        (ONE, [], True),
        (ONE, [ONE], True),
        (ONE, [ONE, ONE], False),
        (ONE, [TWO], False),
        (TWO, [ONE], False),
        (ONE.with_(threads=9), [], True),
        (GPU, [ONE], True),
        (ONE, [GPU], True),
        (GPU, [GPU], False),
    ],
)
def test_threads_and_the_gpu_are_shared_out(run: Settings, beside: list[Settings], room_left: bool) -> None:
    assert fits(run, beside, threads=2, gpus=1, takes_gpu=on_gpu) is room_left


def test_auto_takes_the_gpu_where_there_is_one_to_see(monkeypatch: pytest.MonkeyPatch) -> None:
    auto = Settings(device="auto")
    assert not on_gpu(auto)
    monkeypatch.setattr(accelerator, "_built_in", lambda: True)
    assert on_gpu(auto)
    assert not on_gpu(ONE)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert not on_gpu(auto)


def test_a_count_that_was_asked_for_counts_runs(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.submit_many([TWO, TWO])
    first, second = store.claim(2)
    assert not LocalExecutor(store.home, "m:f").fits(first, [second] * 1000)
    assert LocalExecutor(store.home, "m:f", slots=2).fits(first, [second])
    monkeypatch.setenv("INCEPTION_LAB_PARALLEL", "2")
    assert LocalExecutor(store.home, "m:f").fits(first, [second])
