"""Peak memory beside the cap that is announced before the work: each task in a fresh process."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product as pairs

from bench.harness import Sides, bench
from bench.rates import peak

NETWORKS = {"lite0": "efficientnet_lite0", "v4": "inception_v4.tf_in1k", "ir2": "inception_resnet_v2.tf_in1k"}
TASKS = {"classify": "classify", "gradients": "integrated_gradients", "gradcam": "grad_cam"}


def _register(short: str, word: str) -> None:
    network, task = NETWORKS[short], TASKS[word]

    @bench(
        f"memory-{word}-{short}",
        f"peak of {task} with {network}, batches as the lab chooses them; the cap announced",
        ratio=1.0,
        rounds=1,
        unit="bytes",
    )
    def memory() -> Iterator[Sides]:
        found: dict[str, float] = {}

        def took() -> float:
            found["took"], found["cap"] = peak(task, network)
            return found["took"]

        yield {"peak": took, "cap": lambda: found["cap"] if found else peak(task, network)[1]}


for names in pairs(NETWORKS, TASKS):
    _register(*names)
