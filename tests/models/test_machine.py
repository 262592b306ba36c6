"""What the machine is measured to do: plausible, and by the arithmetic that is said."""

from __future__ import annotations

import pytest

from inception_lab.models import machine


def test_this_machine_has_a_peak_and_a_bandwidth() -> None:
    found = machine.measure(seconds=0.1, device="cpu")
    assert 1e8 < found.peak < 1e14
    assert 1e7 < found.bandwidth < 1e13
    assert found.device == "processor"
    assert found.threads >= 1


def test_rates_are_work_over_the_fastest_try(monkeypatch: pytest.MonkeyPatch) -> None:
    """With every try taking as long as it is told to: 2n³ operations and 8 bytes a cell."""
    tries = iter([9.0, 0.5, 9.0, 9.0, 0.25, 9.0])
    clock = iter([0.0, 0.0, 1.0, 0.0, 0.0, 1.0])
    monkeypatch.setattr(machine, "_timed", lambda work, kind: (work(), next(tries))[1])
    monkeypatch.setattr(machine.time, "perf_counter", lambda: next(clock))
    found = machine.measure(seconds=1.0, device="cpu")
    assert found.peak == 2 * 1024**3 / 0.5
    assert found.bandwidth == 8 * (1 << 24) / 0.25
