"""The announced memory of the long questions, held against processes that ask them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.memory import LOOSE
from inception_lab.errors import SettingsError
from inception_lab.images.announce import announce
from inception_lab.images.caps import cap
from inception_lab.models.records import EMBEDDED

ROOT = Path(__file__).resolve().parents[2]

ASKED = ("grad_cam", "trust, saliency", "agreement", "credit", "rho", "damage", "classify", "classify, 144 crops")


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux tells a process its own peak")
def test_each_question_stays_under_what_is_announced() -> None:
    """As `python -m bench memory-lite0` measures it, the methods but one left out."""
    words = [sys.executable, "-m", "bench.peak", EMBEDDED, *ASKED]
    done = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True, timeout=300)
    found = json.loads(done.stdout)
    assert set(found) == set(ASKED)
    for task, one in found.items():
        taken, most = one["taken"], one["cap"]
        assert most / LOOSE < taken < most, f"{task}: {taken / 1e6:.0f} MB taken, {most / 1e6:.0f} announced"


def test_a_cap_is_for_what_there_is() -> None:
    with pytest.raises(SettingsError, match="no task 'dream'; there are credit, rho"):
        cap("dream")  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="no method 'lime'"):
        cap("trust", method="lime")  # type: ignore[arg-type]
    assert cap("rho") < cap("damage")
    assert cap("trust", method="grad_cam") <= cap("trust", method="saliency"), "its way back is shorter"
    assert str(announce("damage")).endswith(f"at most about {cap('damage') / 1e6:,.0f} MB of memory")
