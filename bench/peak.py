"""python -m bench.peak TASK NETWORK: what one task adds to a fresh process's memory at its peak, and its cap, as JSON.

A public network is read from the folder of the hub. What libraries take once, whatever is asked, is taken before.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def status(name: str) -> int:
    """A line of this process's status, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def main(task: str, network: str) -> dict[str, float]:
    import timm  # noqa: F401
    import torch
    import torch.nn.utils.fusion

    from inception_lab.images.networks import MODELS, memory
    from inception_lab.images.samples import samples
    from inception_lab.models.records import record

    photo = samples()[0].photo()
    torch.set_num_threads(1)
    torch.nn.Conv2d(3, 8, 3)(torch.rand(1, 3, 64, 64)).sum().backward()
    if task == "classify":
        from inception_lab.images.classify import classify

        cap, before = float(memory(record(network))), status("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")
        classify(photo, networks=network)
    else:
        cap, before = _asked(task, network, photo, MODELS)
    return {"took": status("VmHWM") - before, "cap": cap}


def _asked(task: str, network: str, photo: Any, models: Any) -> tuple[float, int]:
    """A task on a network that is loaded and measured, as `images.caps` counts it."""
    from inception_lab.images.attribute import attribute, estimate
    from inception_lab.images.methods import prepare

    prepare()
    models.get(network)
    told = estimate(task, network=network, image=photo)  # type: ignore[arg-type]
    before = status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    attribute(photo, network, method=task, target=3)  # type: ignore[arg-type]
    return told.bytes, before


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:3])))
