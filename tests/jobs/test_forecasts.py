"""Forecasts without torch in this process: made once by one process, kept, refused in sentences."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from inception_lab.errors import RunError, SettingsError
from inception_lab.jobs import forecasts as module
from inception_lab.jobs.forecasts import forecasts, known
from inception_lab.training.presets import preset
from tests.training.tiny import tiny


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many settings each process was asked for."""
    counts: list[int] = []
    real = module._asked

    def counting(settings: list[object], limit: float) -> list[str]:
        counts.append(len(settings))
        return real(settings, limit)

    monkeypatch.setattr(module, "_asked", counting)
    return counts


def test_one_process_makes_what_is_lacking_once(home: Path, asked: list[int]) -> None:
    wanted = [tiny(), preset("micro", scale=0.1, rate=0.1), tiny(scale=0.1), tiny(rate=0.1)]
    assert known(wanted[0]) is None
    with ThreadPoolExecutor(2) as together:
        first, second = together.map(lambda _: forecasts(wanted), range(2))
    assert first == second == forecasts(wanted)
    assert asked == [2]  # one ships with the lab, two begin alike
    assert [one.settings for one in first] == wanted
    assert first[3].gradient_norm == first[0].gradient_norm
    assert first[3].p == pytest.approx(0.1 * first[0].gradient_norm)
    assert known(tiny(steps=5)) is not None
    (kept, _) = (home / "forecasts").iterdir()
    kept.write_text("damaged")
    assert forecasts(wanted) == first
    assert asked == [2, 1]


def test_what_cannot_be_run_is_a_sentence_and_what_fails_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="too small for this network"):
        forecasts([tiny(image_size=16, small=False)])
    with pytest.raises(RunError, match=r"within 0 seconds.*try again"):
        forecasts([tiny()], timeout=0.01)
    monkeypatch.setattr(module, "MODULE", "inception_lab.no_such_module")
    with pytest.raises(RunError, match=r"status 1.*No module named"):
        forecasts([tiny()])
    with pytest.raises(RunError, match="at most 200"):
        forecasts([tiny()] * 201)


def test_asking_loads_no_torch() -> None:
    code = (
        "import sys; from inception_lab.jobs.forecasts import forecasts; "
        "from inception_lab.training.presets import preset; "
        "assert forecasts([preset('micro')])[0].p > 3.6; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
