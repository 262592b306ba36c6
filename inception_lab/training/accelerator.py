"""Whether this machine has a GPU that torch can use, guessed without torch: pages and commands ask before it is loaded.

The guess leans to "yes": it says no only if a variable hides all devices, torch was built for the CPU alone, or neither
a driver's tool nor a device of NVIDIA's or AMD's is there.
"""

from __future__ import annotations

import os
import shutil
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_SIGNS = tuple(map(Path, ("/dev/nvidiactl", "/proc/driver/nvidia", "/dev/kfd", "/dev/dxg")))


def present() -> bool:
    """Whether there seems to be a GPU."""
    return os.environ.get("CUDA_VISIBLE_DEVICES") not in ("", "-1") and _built_in()


@cache
def _built_in() -> bool:
    try:
        built_for_cpu = version("torch").endswith("+cpu")
    except PackageNotFoundError:
        return False
    return not built_for_cpu and (shutil.which("nvidia-smi") is not None or any(sign.exists() for sign in _SIGNS))
