"""Where the shipped files are: sample images, data extract, reference runs, components."""

from __future__ import annotations

import os
from pathlib import Path


def asset(*parts: str) -> Path:
    """Path of a shipped file: under INCEPTION_LAB_ASSETS, else `assets/` beside the package."""
    root = os.environ.get("INCEPTION_LAB_ASSETS")
    return Path(root or Path(__file__).parent.parent / "assets").joinpath(*parts)
