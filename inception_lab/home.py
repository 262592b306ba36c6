"""Where everything is kept that a person makes or fetches: runs, and data sets that were downloaded."""

from __future__ import annotations

import os
from pathlib import Path


def lab_home(home: Path | str | None = None) -> Path:
    """`home`, or $INCEPTION_LAB_HOME, or ~/.inception-lab."""
    return Path(home or os.environ.get("INCEPTION_LAB_HOME") or "~/.inception-lab").expanduser().absolute()
