"""python -m bench.peak TASK NETWORK: what one task adds to a fresh process's memory at its peak, and its cap, as JSON.

The networks have random weights under their public names. What torch takes once, whatever it is asked, is taken before.
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
    import torch

    from inception_lab.images import networks
    from inception_lab.images.networks import MODELS, memory
    from inception_lab.images.samples import samples
    from inception_lab.models.build import build
    from inception_lab.models.records import EMBEDDED, record

    photo = samples()[0].photo()
    torch.set_num_threads(1)
    torch.nn.Conv2d(3, 8, 3)(torch.rand(1, 3, 64, 64)).sum().backward()
    if network != EMBEDDED:
        torch.manual_seed(0)
        made: Any = lambda tag, progress=None: build(record(tag).network).eval().requires_grad_(False)  # noqa: E731
        networks.pretrained = made
    if task == "classify":
        from inception_lab.images.classify import classify

        cap, before = memory(record(network)), status("VmRSS")
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
