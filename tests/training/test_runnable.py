"""What cannot be run is refused before it starts, with its reason."""

import os

import pytest

from inception_lab.errors import ImpossibleAdd, InputTooSmall, SettingsError
from inception_lab.jobs.store import Store
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


def test_the_store_queues_nothing_that_cannot_be_run() -> None:
    store = Store(supervised=False)
    with pytest.raises(InputTooSmall):
        store.submit_many([preset("micro"), preset("micro", small=False, image_size=16)])
    assert store.runs() == []
    assert list((store.home / "runs").iterdir()) == []
