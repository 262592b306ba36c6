"""Peak memory beside the cap that is announced before the work: every task of a network, each in a process of its own.

Two promises for each network: no task takes more than its cap (the fullest one counts), and no cap is a blank cheque
(the emptiest one counts). Both come from one round of measurements.
"""

from __future__ import annotations

from collections.abc import Iterator

from bench.harness import Sides, bench
from bench.rates import peaks

NETWORKS = {"lite0": "efficientnet_lite0", "v4": "inception_v4.tf_in1k", "ir2": "inception_resnet_v2.tf_in1k"}
LOOSE = 6.0  # a cap may be so many times what is taken: what libraries take once is half of the small ones


def _register(short: str, network: str) -> None:
    tasks = f"{network}: all methods, 1 and 144 crops, trust, agreement, credit, damage"

    @bench(f"memory-{short}", f"peak of the fullest task, its cap; {tasks}", ratio=1.0, rounds=1, unit="bytes")
    def full() -> Iterator[Sides]:
        one = max(peaks(network).values(), key=lambda one: one["taken"] / one["cap"])
        yield {"peak": lambda: one["taken"], "cap": lambda: one["cap"]}

    @bench(
        f"caps-{short}",
        f"cap of the emptiest task, its peak; the tasks of memory-{short}",
        ratio=LOOSE,
        rounds=1,
        unit="bytes",
    )
    def loose() -> Iterator[Sides]:
        one = max(peaks(network).values(), key=lambda one: one["cap"] / one["taken"])
        yield {"cap": lambda: one["cap"], "peak": lambda: one["taken"]}


for names in NETWORKS.items():
    _register(*names)
