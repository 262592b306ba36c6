"""What a question will take on this machine, said before it starts: `announce("trust", "inception_v4.tf_in1k")`.

One function for every command and every view: images through the network, seconds and the most memory. The seconds come
from passes that are measured the first time a network is asked (`images.estimate`), the memory from `images.caps` and
`models.memory`. Questions of two parts, such as a map and its test, are added up: `announce(…) + announce(…)`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nlargest
from pathlib import Path
from typing import Any, Literal, assert_never, get_args

from inception_lab.errors import SettingsError
from inception_lab.images import agreement, caps, deletion, estimate, pace, residuals
from inception_lab.images.attribute import estimate as map_estimate
from inception_lab.images.crops import Reading, protocol
from inception_lab.images.ensemble import asked
from inception_lab.images.estimate import long
from inception_lab.images.evaluate import listed, settings
from inception_lab.images.load import Photo, Source
from inception_lab.images.methods import BATCH, METHODS, Method
from inception_lab.images.networks import KEPT, MODELS, Precision, memory, threads_set
from inception_lab.images.placed import Device, place
from inception_lab.images.randomised import KINDS, Kind
from inception_lab.images.ranking import Settings
from inception_lab.images.redrawn import draws_for
from inception_lab.images.trained import known
from inception_lab.models.hub import Progress
from inception_lab.models.records import EMBEDDED

Task = Literal["classify", "evaluate", "attribute", "trust", "agreement", "credit", "rho", "damage"]
TASKS: tuple[Task, ...] = get_args(Task)

BACK = 3.0  # a credit over a plain way back: its hooks write and add up every part in fp64


@dataclass(frozen=True, slots=True)
class Cost:
    """`images` through networks, about so many `seconds` on this machine, at most about so many bytes of `memory`.

    Seconds that pass on other machines, whose pace nobody here knows, are nan, and the memory is that of each process.
    The bytes are those beside the networks once they have been announced: loaded, with the second copy of their weights
    in the processor's order. For classifying and evaluating their loading is in it.
    """

    images: int
    seconds: float
    memory: int

    def __add__(self, other: Cost) -> Cost:
        """One after the other: of the memory the larger counts."""
        return Cost(self.images + other.images, self.seconds + other.seconds, max(self.memory, other.memory))

    def to_dict(self) -> dict[str, Any]:
        """Plain values: `images`, `seconds` (None if they pass elsewhere), `memory` in bytes."""
        seconds = None if math.isnan(self.seconds) else self.seconds
        return {"images": self.images, "seconds": seconds, "memory": self.memory}

    def __str__(self) -> str:
        takes = "on other machines" if math.isnan(self.seconds) else f"{long(self.seconds)} on this machine"
        return (
            f"{self.images:,} image{'s' * (self.images != 1)} through the network, {takes}, at most about "
            f"{self.memory / 1e6:,.0f} MB of memory"
        )


def announce(
    task: Task,
    network: str | Sequence[str] = EMBEDDED,
    *,
    image: Source | Photo | None = None,
    images: int = 1,
    crops: int = 1,
    reading: Reading = "timm",
    precision: Precision = "fp32",
    method: Method | Sequence[Method] | None = None,
    at: str | None = None,
    steps: int = deletion.STEPS,
    seeds: int = deletion.SEEDS,
    kinds: Sequence[Kind] = KINDS,
    draws: int | None = None,
    scales: int = len(residuals.SCALES),
    target: int | None = None,
    folder: str | Path | None = None,
    blacklist: str | Path | None = None,
    device: Device = "auto",
    workers: int | None = None,
    elsewhere: bool = False,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Cost:
    """What `task` will take: images, seconds and memory, with the arguments that the task itself takes.

    announce("classify", network or networks or "paper-ensemble", images=, crops=, reading=, precision=)
    announce("evaluate", as "classify", folder=, blacklist=, crops=, …, device=, workers=, elsewhere=on a cluster)
    announce("attribute", network, method=, at=, image=)     `image` counts its own superpixels; compare_maps is two
    announce("trust", network, method=, at=, steps=, seeds=, kinds=, draws=)     the test alone, without the map
    announce("agreement", networks, method=methods, steps=, seeds=)
    announce("credit", network), announce("damage", network), announce("rho", network, scales=how many, target=)

    `method` is by default that of the task: integrated gradients, or `agreement.USUAL`. `progress` hears of downloads.
    What is not the task's own is ignored. Raises `SettingsError`, and as `images.trained.known` and `Models.get`.
    """
    if task not in TASKS:
        raise SettingsError(f"There is no task {task!r}; there are {', '.join(TASKS)}.")
    if task == "evaluate":
        wanted = settings(network, crops=crops, reading=reading, device=device, workers=workers, precision=precision)
        with threads_set(threads):
            return _evaluate(wanted, folder or ".", blacklist, elsewhere=elsewhere, progress=progress)
    tags = asked(network, EMBEDDED, together=False)[0]
    methods = _methods(task, method)
    with threads_set(threads):
        if task == "classify":
            return _classify(tags, images, crops, reading, precision, progress)
        for tag in tags:
            MODELS.get(tag, progress=progress)
        match task:
            case "agreement":
                return _agreement(tags, methods, steps, seeds)
            case "attribute":
                found = map_estimate(methods[0], network=tags[0], image=image, at=at)
                return Cost(found.images, found.seconds, found.bytes)
            case "trust":
                return _trust(tags[0], methods[0], at, steps, seeds, kinds, draws)
            case "credit" | "rho" | "damage":
                return _inside(task, tags[0], scales + (target is None))
            case _:
                assert_never(task)


def _methods(task: Task, method: Method | Sequence[Method] | None) -> tuple[Method, ...]:
    if method is None:
        return agreement.USUAL if task == "agreement" else (METHODS[0],)
    return (method,) if isinstance(method, str) else tuple(method)


def _evaluate(
    wanted: Settings, folder: str | Path, blacklist: str | Path | None, *, elsewhere: bool, progress: Progress | None
) -> Cost:
    """Photographs are decoded beside the network on a GPU, in turns with it on the processor."""
    files = listed(folder, wanted, blacklist)
    every = len(files.names) * wanted.crops * len(wanted.tags)
    where = place("cpu" if elsewhere else wanted.device)
    memory = _loading(wanted.tags, BATCH) + pace.ahead(files, wanted, where)
    if elsewhere:
        return Cost(every, math.nan, memory)
    for tag in wanted.tags:
        MODELS.get(tag, progress=progress)
    return Cost(every, len(files.names) * pace.seconds(files, wanted, where), memory)


def _classify(
    tags: list[str], images: int, crops: int, reading: Reading, precision: Precision, progress: Progress | None
) -> Cost:
    """The memory is that of a process that has loaded none of the networks, of which it then keeps a few."""
    protocol(crops, reading)
    seconds = sum(estimate.passing(MODELS.get(tag, progress=progress, precision=precision)) for tag in tags)
    count = images * crops
    return Cost(count * len(tags), count * seconds, _loading(tags, min(crops, BATCH)))


def _loading(tags: Sequence[str], batch: int) -> int:
    """Bytes that a process takes to load and ask the networks, one after the other; it then keeps a few of them."""
    records = [known(tag) for tag in tags]
    every = {one.tag: memory(one, batch) for one in records}
    largest = max(every, key=lambda tag: every[tag])
    others = nlargest(KEPT, (2 * one.megabytes * 10**6 for one in records if one.tag != largest))
    return every[largest] + sum(others)


def _trust(
    tag: str, method: Method, at: str | None, steps: int, seeds: int, kinds: Sequence[Kind], draws: int | None
) -> Cost:
    one, forward = map_estimate(method, network=tag, at=at), estimate.passing(MODELS.get(tag))
    plan, curves = draws_for(one.images - 1, kinds=kinds, draws=draws), deletion.forwards(steps, seeds)
    again = plan.images(one.images - 1)
    plain = curves + again - plan.maps * (one.images - 1)  # among them what a random network sees before it is asked
    seconds = plain * forward + plan.maps * (one.seconds - forward)
    return Cost(curves + again, seconds, caps.cap("trust", tag, method=method, at=at))


def _agreement(tags: Sequence[str], methods: Sequence[Method], steps: int, seeds: int) -> Cost:
    total = Cost(0, 0.0, 0)
    for tag in tags:
        maps = [map_estimate(method, network=tag) for method in methods]
        curves = deletion.forwards(steps, seeds, maps=len(methods), insertion=False)
        seconds = sum(one.seconds for one in maps) + curves * estimate.passing(MODELS.get(tag))
        most = max(caps.cap("agreement", tag, method=method) for method in methods)
        total += Cost(curves + sum(one.images for one in maps), seconds, most)
    return total


def _inside(task: Literal["credit", "rho", "damage"], tag: str, runs: int) -> Cost:
    found, most = estimate.measured(MODELS.get(tag)), caps.cap(task, tag)
    if task == "credit":
        return Cost(1, BACK * found.gradient, most)
    if task == "damage":
        images = residuals.cost(tag)[1]
        return Cost(round(images), images * found.forward, most)
    return Cost(runs, runs * found.forward, most)
