"""What every test stands on: runs land in a temporary home, and torch keeps to one thread."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh INCEPTION_LAB_HOME for each test."""
    folder = tmp_path / "home"
    monkeypatch.setenv("INCEPTION_LAB_HOME", str(folder))
    return folder
