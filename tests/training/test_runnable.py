"""What cannot be run is refused before it starts, with its reason."""

import os
from typing import Any

import pytest

from inception_lab.errors import ImpossibleAdd, InputTooSmall, SettingsError
from inception_lab.jobs.grid import grid
from inception_lab.jobs.store import Store
from inception_lab.nets.catalog import net
from inception_lab.readers.notation import notation
from inception_lab.training import accelerator
from inception_lab.training.presets import PRESETS, preset
from inception_lab.training.runnable import check


def test_every_preset_can_be_run_on_two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    for settings in PRESETS.values():
        check(settings)


def test_reasons() -> None:
    with pytest.raises(InputTooSmall, match="image of 16x16 pixels is too small"):
        check(preset("micro", small=False, image_size=16))
    with pytest.raises(ImpossibleAdd, match="shortcut brings"):
        check(preset("micro", network="inception_resnet_v2_printed", width=1.0))
    with pytest.raises(SettingsError, match="more than the"):
        check(preset("micro", threads=256))


def test_a_gpu_that_is_not_there_is_refused_before_anything_is_queued(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CUDA_VISIBLE_DEVICES", "RAY_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    wanted, store = preset("micro", device="cuda"), Store(supervised=False)
    monkeypatch.setattr(accelerator, "_built_in", lambda: False)
    with pytest.raises(SettingsError, match=r"this machine has none .* Take device auto"):
        store.submit(wanted)
    assert store.runs() == []
    check(preset("micro", device="auto"))
    monkeypatch.setenv("RAY_ADDRESS", "auto")  # the run goes to another machine
    check(wanted)
    monkeypatch.delenv("RAY_ADDRESS")
    monkeypatch.setattr(accelerator, "_built_in", lambda: True)
    check(wanted)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(SettingsError, match="device auto"):
        check(wanted)


@pytest.mark.parametrize(
    "changes", [{"scale": 0.1}, {"stage_scales": (0.1, 0.1, 0.1)}, {"gain": "learned"}, {"closing": 0.5}]
)
def test_a_scale_of_a_network_without_residuals_is_refused(changes: dict[str, Any]) -> None:
    plain = preset("micro", network="inception_v4", repeats=(1, 1, 1))
    check(plain)
    with pytest.raises(SettingsError, match="inception_v4 has no residual block, so a scale would do nothing"):
        check(plain.with_(**changes))
    own = notation(net("inception_v4"), multiline=False)
    with pytest.raises(SettingsError, match="the design has no residual block"):
        check(preset("micro", design=own, repeats=(1, 1, 1), **changes))
    check(preset("micro", design=notation(net("inception_resnet_v1"), multiline=False), repeats=(1, 1, 1), **changes))


def test_a_sweep_over_the_scale_of_such_a_network_is_refused() -> None:
    plain = preset("micro", network="inception_v3", repeats=None)
    with pytest.raises(SettingsError, match=r"With scale 0\.3: inception_v3 has no residual block"):
        grid(plain, over={"scale": (1.0, 0.3)}, seeds=1)
    assert len(grid(plain, over={"rate": (0.1, 0.2)}, seeds=1)) == 2


def test_the_store_queues_nothing_that_cannot_be_run() -> None:
    store = Store(supervised=False)
    with pytest.raises(InputTooSmall):
        store.submit_many([preset("micro"), preset("micro", small=False, image_size=16)])
    assert store.runs() == []
    assert list((store.home / "runs").iterdir()) == []
