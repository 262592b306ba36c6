"""Torch's thread count comes back, however calls overlap."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest
import torch

from inception_lab.errors import SettingsError
from inception_lab.images import networks
from inception_lab.images.networks import Models, threads_set
from inception_lab.models.records import EMBEDDED, RECORDS


@pytest.fixture(autouse=True)
def three_threads() -> object:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def in_a_new_thread() -> int:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(torch.get_num_threads).result()


def test_overlapping_calls_leave_the_count_from_before_the_first() -> None:
    first_in, second_in, first_out = Event(), Event(), Event()

    def first() -> tuple[int, int]:
        with threads_set(1):
            first_in.set()
            assert second_in.wait(10)
            inside = torch.get_num_threads()
        first_out.set()
        return inside, torch.get_num_threads()

    def second() -> tuple[int, int]:
        assert first_in.wait(10)
        with threads_set(2):  # a thread new to torch: it finds what the first one set
            second_in.set()
            assert first_out.wait(10)
            inside = torch.get_num_threads()
        return inside, torch.get_num_threads()

    with ThreadPoolExecutor(2) as pool:
        found = [pool.submit(first), pool.submit(second)]
        assert [one.result() for one in found] == [(1, 3), (2, 3)]
    assert in_a_new_thread() == torch.get_num_threads() == 3


def test_many_calls_at_once_leave_the_count_alone() -> None:
    together = Barrier(8)

    def call(_: int) -> int:
        together.wait(10)
        for _ in range(50):
            with threads_set(1):
                pass
        return torch.get_num_threads()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(call, range(8))) == {3}
    assert in_a_new_thread() == 3


def test_nested_calls_come_back_one_by_one_and_none_changes_nothing() -> None:
    with threads_set(2):
        with threads_set(1), threads_set(None):
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
    assert torch.get_num_threads() == 3


def test_an_error_inside_gives_the_count_back() -> None:
    with pytest.raises(KeyError), threads_set(1):
        raise KeyError
    assert torch.get_num_threads() == 3


def test_bf16_stands_beside_fp32_and_gives_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    models = Models()
    monkeypatch.setattr(networks, "has_bf16", lambda: True)
    exact, near = models.get(EMBEDDED), models.get(EMBEDDED, precision="bf16")
    assert models.names() == (EMBEDDED, f"{EMBEDDED} in bf16")
    assert models.get(EMBEDDED) is exact
    assert {parameter.dtype for parameter in near.model.parameters()} == {torch.bfloat16}
    monkeypatch.setattr(networks, "has_bf16", lambda: False)
    with pytest.raises(SettingsError, match="no bf16 arithmetic"):
        models.get(EMBEDDED, precision="bf16")


def test_networks_in_use_are_folded_and_their_memory_grows_with_the_batch() -> None:
    assert not [m for m in networks.MODELS.get(EMBEDDED).model.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    one, eight = (networks.memory(RECORDS[EMBEDDED], batch) for batch in (1, 8))
    assert one < eight < 8 * one
