from typing import Any

import pytest

from inception_lab.errors import RunError, SettingsError
from inception_lab.jobs import memory
from inception_lab.jobs.grid import differing, grid, listed, told
from inception_lab.jobs.store import Store
from inception_lab.jobs.sweep import planned, submit_sweep
from inception_lab.training import accelerator
from inception_lab.training.presets import preset
from inception_lab.training.settings import Fork

MICRO = preset("micro")


def test_a_grid_has_every_combination_with_the_seed_outermost() -> None:
    runs = grid(MICRO, over={"width": (0.125, 0.25), "scale": (1.0, 0.1)}, seeds=2)
    assert [(run.seed, run.width, run.scale) for run in runs] == [
        (seed, width, scale) for seed in (0, 1) for width in (0.125, 0.25) for scale in (1.0, 0.1)
    ]
    assert {run.with_(seed=0, width=0.25, scale=1.0) for run in runs} == {MICRO}


def test_any_field_can_vary_and_lists_count_as_tuples() -> None:
    runs = grid(MICRO, over={"repeats": [[1, 1, 1], (2, 2, 2)], "clip": (None, 1.0)}, seeds=[7])
    assert [(run.repeats, run.clip, run.seed) for run in runs] == [
        ((1, 1, 1), None, 7),
        ((1, 1, 1), 1.0, 7),
        ((2, 2, 2), None, 7),
        ((2, 2, 2), 1.0, 7),
    ]


def test_equal_runs_are_made_once() -> None:
    assert len(grid(MICRO, over={"scale": (1, 1.0, 0.1, 0.1)}, seeds=(3, 3))) == 2
    assert len(listed(MICRO, [{"scale": 0.1}, {"scale": 0.1, "width": 0.25}, {}], seeds=1)) == 2


def test_a_list_keeps_its_order() -> None:
    runs = listed(MICRO, [{"end_norm": True}, {}, {"rate": 0.02, "momentum": 0.0}], seeds=2)
    assert [(run.seed, run.end_norm, run.rate) for run in runs][:4] == [
        (0, True, 0.2),
        (0, False, 0.2),
        (0, False, 0.02),
        (1, True, 0.2),
    ]


@pytest.mark.parametrize(
    ("over", "seeds", "said"),
    [
        ({"wdth": (1.0,)}, 1, "There is no setting 'wdth'. Did you mean 'width'"),
        ({"width": (0.25, 9.0), "scale": (1.0, 0.1)}, 1, "With width 9, scale 1: width must be from 0.03 to 4"),
        ({"image_size": (28, 16), "small": (True, False)}, 1, r"With image_size 28, small false: .* at least"),
        ({"optimiser": "sgd"}, 1, r"optimiser needs the values it shall take, such as \['sgd'\]"),
        ({"width": 0.25}, 1, "width needs the values it shall take"),
        ({"seed": (1, 2)}, 1, "does not vary seed. Give seeds="),
        ({"preset": ("micro", "wide")}, 1, "does not vary preset"),
    ],
)
def test_what_cannot_be_run_is_refused_with_its_combination(over: dict[str, Any], seeds: int, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        grid(MICRO, over=over, seeds=seeds)


def test_too_many_and_none_are_refused() -> None:
    with pytest.raises(RunError, match="1,001 runs is more than the 1,000"):
        grid(MICRO, over={"scale": (1.0,)}, seeds=1001)
    with pytest.raises(RunError, match=r"100,000,000 runs"):
        grid(MICRO, over={"scale": range(10_000)}, seeds=10_000)
    with pytest.raises(RunError, match="at least one"):
        grid(MICRO, over={"scale": ()}, seeds=3)
    with pytest.raises(RunError, match="at least one"):
        listed(MICRO, [{}], seeds=0)
    assert len(grid(MICRO, over={}, seeds=1000)) == 1000


def test_differing_names_what_varies_but_the_preset() -> None:
    runs = [MICRO, MICRO.with_(width=0.125, scale=1), MICRO.with_(seed=3, preset="mine")]
    assert differing(runs) == ("width", "seed")
    assert differing([]) == differing([MICRO]) == ()


def test_values_are_told_as_the_command_line_writes_them() -> None:
    values = (None, True, 0.25, 1.0, (5, 10, 5), [0.1, 0.2, 1.0], Fork(run="abc", step=40), "sgd", 32)
    assert [told(value) for value in values] == [
        "none", "true", "0.25", "1", "5/10/5", "0.1/0.2/1", "abc@40", "sgd", "32"
    ]  # fmt: skip


def test_a_sweep_over_two_settings_is_queued_in_its_order(store: Store) -> None:
    group = submit_sweep(store, MICRO, over={"width": (0.125, 0.25)}, scales=(1.0, 0.1), seeds=1)
    queued = [(run.settings.width, run.settings.scale) for run in reversed(store.runs(group=group))]
    assert queued == [(0.125, 1.0), (0.125, 0.1), (0.25, 1.0), (0.25, 0.1)]
    group = submit_sweep(store, MICRO, cases=[{"momentum": 0.0}, {"clip": 1.0}], seeds=[2])
    assert [run.settings.momentum for run in reversed(store.runs(group=group))] == [0.0, 0.9]


def test_a_bad_combination_queues_nothing(store: Store) -> None:
    with pytest.raises(SettingsError, match="With batch 1: "):
        submit_sweep(store, MICRO, over={"batch": (32, 1)}, seeds=1)
    with pytest.raises(RunError, match="either cases, or scales and over"):
        submit_sweep(store, MICRO, cases=[{}], scales=(1.0,), seeds=1)
    with pytest.raises(RunError, match="given twice"):
        submit_sweep(store, MICRO, over={"scale": (1.0,)}, scales=(1.0,), seeds=1)
    with pytest.raises(RunError, match="what to vary"):
        submit_sweep(store, MICRO, seeds=1)
    assert store.runs() == []


def test_a_run_larger_than_the_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available", lambda: 1_500_000_000)
    monkeypatch.setattr(accelerator, "_built_in", lambda: False)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with pytest.raises(SettingsError, match=r"batch of 2,000 needs about 4\.1 GB .* this machine has 1\.5 GB"):
        planned(MICRO, over={"batch": (32, 2000)}, seeds=1)
    monkeypatch.setattr(accelerator, "_built_in", lambda: True)  # whose memory is not known here
    assert len(planned(MICRO.with_(device="cuda"), over={"batch": (32, 2000)}, seeds=1)) == 2
