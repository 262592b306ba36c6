import sys

import pytest

from inception_lab.errors import RunError
from inception_lab.jobs.executors import LocalExecutor, RayExecutor, cores, executor, parallel
from inception_lab.jobs.store import Store


def test_as_many_slots_as_cores_unless_told(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INCEPTION_LAB_PARALLEL", raising=False)
    assert LocalExecutor(store.home, "m:f").slots == cores() >= 1
    monkeypatch.setenv("INCEPTION_LAB_PARALLEL", "7")
    assert LocalExecutor(store.home, "m:f").slots == 7
    assert LocalExecutor(store.home, "m:f", slots=3).slots == 3


@pytest.mark.parametrize("asked", ["0", "-1", "two", "1.5"])
def test_parallel_must_be_a_count(monkeypatch: pytest.MonkeyPatch, asked: str) -> None:
    monkeypatch.setenv("INCEPTION_LAB_PARALLEL", asked)
    with pytest.raises(RunError, match=f"INCEPTION_LAB_PARALLEL is '{asked}'"):
        parallel()


def test_environment_chooses_the_executor(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    assert isinstance(executor(store.home, "m:f"), LocalExecutor)
    monkeypatch.setenv("RAY_ADDRESS", "auto")
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(RunError, match="Ray is not installed"):
        executor(store.home, "m:f")


def test_ray_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(RunError, match=r"pip install 'ray>=2\.50,<3'"):
        RayExecutor("m:f")
