"""python -m bench.peak NETWORK [TASK…]: bytes that each task adds to a process at its peak, and its cap, as JSON.

A public network is read from the folder of the hub. Each task runs in a fork of its own of a process that has imported
everything and, but for classifying, loaded the network. There it is announced first, as for everybody, which runs a
pass that is measured; what that let go of goes back to the system, or it would hide what the task takes. Long tasks are
cut off when a few batches are through: their peak is behind them.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from ctypes import CDLL
from pathlib import Path
from typing import Any

ENOUGH = 16  # images of a map: four batches
STEPS = {"steps": 4, "seeds": 3}  # of curves; their peak does not depend on it

Work = Callable[[], object]
Ask = tuple[Work, Callable[[], float]]


class _Enough(Exception):
    """The peak is behind us."""


def status(name: str) -> int:
    """A line of this process's status, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def tasks(network: str) -> dict[str, Ask]:
    """Every task by name: the work, and the cap as it is announced for it."""
    from inception_lab.images.agreement import agreement
    from inception_lab.images.announce import announce
    from inception_lab.images.attribute import attribute
    from inception_lab.images.credit import credit
    from inception_lab.images.joints import residues
    from inception_lab.images.methods import METHODS
    from inception_lab.images.networks import MODELS
    from inception_lab.images.residuals import damage, rho
    from inception_lab.images.samples import samples
    from inception_lab.images.trust import trust

    photo = samples()[0].photo()

    def mapped(method: Any) -> Ask:
        return (
            lambda: attribute(photo, network, method=method, target=3, progress=_some),
            lambda: announce("attribute", network, method=method, image=photo).memory,
        )

    def tested(method: Any) -> Ask:
        return (
            lambda: trust(attribute(photo, network, method=method, target=3), **STEPS),  # type: ignore[arg-type]
            lambda: announce("trust", network, method=method, **STEPS).memory,  # type: ignore[arg-type]
        )

    pair: Any = ("saliency", "grad_cam")
    inside: dict[str, Work] = {"rho": lambda: rho(photo, network, target=3), "damage": lambda: damage(photo, network)}
    found: dict[str, Ask] = {method: mapped(method) for method in METHODS}
    found |= {f"trust, {method}": tested(method) for method in ("saliency", "grad_cam")}
    found["agreement"] = (
        lambda: agreement(photo, networks=(network,), methods=pair, **STEPS),  # type: ignore[arg-type]
        lambda: announce("agreement", network, method=pair, **STEPS).memory,  # type: ignore[arg-type]
    )
    found["credit"] = (lambda: credit(photo, network), lambda: announce("credit", network).memory)
    if residues(MODELS.get(network)):
        found |= {name: (work, lambda name=name: announce(name, network).memory) for name, work in inside.items()}  # type: ignore[misc]
    return found


def classifying(network: str) -> dict[str, Ask]:
    """One crop and 144, from a process without the network."""
    from inception_lab.images.announce import announce
    from inception_lab.images.classify import classify
    from inception_lab.images.samples import samples

    photo = samples()[0].photo()

    def cropped(crops: int) -> Ask:
        return (
            lambda: classify(photo, networks=network, crops=crops, forwards=_some),
            lambda: announce("classify", network, crops=crops).memory,
        )

    return {"classify": cropped(1), "classify, 144 crops": cropped(144)}


def forked(work: Work, cap: Callable[[], float]) -> dict[str, float]:
    """Bytes `taken` at the peak of `work` in a fork of this process, and its `cap`."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        most = cap()
        CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")  # the peak of now on
        before, library = status("VmRSS"), status("RssFile")
        try:
            work()
        except _Enough:
            pass
        taken = status("VmHWM") - before - (status("RssFile") - library)  # a fork maps the libraries' code anew
        os.write(writing, json.dumps({"taken": taken, "cap": most}).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as said:
        found: dict[str, float] = json.loads(said.read())
    os.wait()
    return found


def main(network: str, *only: str) -> None:
    import timm  # noqa: F401
    import torch
    import torch.nn.utils.fusion

    from inception_lab.images.methods import prepare
    from inception_lab.images.networks import MODELS

    torch.set_num_threads(1)
    torch.nn.Conv2d(3, 8, 3)(torch.rand(1, 3, 64, 64)).sum().backward()
    prepare()
    every = {name: forked(*ask) for name, ask in classifying(network).items() if not only or name in only}
    MODELS.get(network)
    every |= {name: forked(*ask) for name, ask in tasks(network).items() if not only or name in only}
    print(json.dumps(every))


def _some(done: int, _: int) -> None:
    if done >= ENOUGH:
        raise _Enough


if __name__ == "__main__":
    main(*sys.argv[1:])
