"""The lab's loop beside a plain PyTorch loop: a DataLoader, the model, the optimiser, the loss asked for at each step.

`loop` is the promise, over the released Inception-ResNet-v2, which timm has too. `loop-micro` runs the plain loop over
our modules, as timm has none so thin, and promises no more than to be no slower. Both sides make the same network from
the same images with the same optimiser.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from bench.harness import Sides, bench

if TYPE_CHECKING:
    from torch import nn

    from inception_lab.training.settings import Settings

SIZE, BATCH = 75, 8  # the least side that the released stem takes; twelve seconds a side
FASTER = 1 / 1.2


@bench("loop", "one step of Inception-ResNet-v2, 75 pixels, batch 8: our loop, a plain one over timm's", ratio=FASTER)
def loop() -> Iterator[Sides]:
    import timm

    from inception_lab.training.settings import Settings

    settings = Settings(
        network="inception_resnet_v2",
        width=1.0,
        repeats=None,
        small=False,
        stage_scales=(0.17, 0.1, 0.2),
        image_size=SIZE,
        batch=BATCH,
        rate=1e-3,
        steps=1_000_000,
        telemetry_every=0,
    )
    model = timm.create_model("inception_resnet_v2", num_classes=10, in_chans=1)
    yield {"ours": ours(settings), "plain": plain(settings, model)}


@bench("loop-micro", "ten steps of micro: our loop, a plain one over the same modules", ratio=1.0, noise=0.05)
def loop_micro() -> Iterator[Sides]:
    from inception_lab.models.build import build
    from inception_lab.training.presets import preset

    settings = preset("micro", scale=0.1, steps=1_000_000, telemetry_every=0)
    yield {"ours": ours(settings, times=10), "plain": plain(settings, build(settings.net()), times=10)}


def ours(settings: Settings, *, times: int = 1) -> Callable[[], float]:
    """Seconds for `times` steps of the lab's loop."""
    from inception_lab.training.loop import Training

    steps = Training(settings).steps()
    return _clocked(lambda: [next(steps) for _ in range(times)])


def plain(settings: Settings, model: nn.Module, *, times: int = 1) -> Callable[[], float]:
    """Seconds for `times` steps as a tutorial writes them, on the same device and as many threads."""
    import torch
    from timm.optim import RMSpropTF
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset

    from inception_lab.training import data
    from inception_lab.training.loop import machine

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    images, _ = data.load(settings.data, size=settings.image_size, device=torch.device("cpu"))
    dataset = TensorDataset(*images.batch(slice(0, 50 * settings.batch)))
    model = model.to(device).train()
    optimiser = RMSpropTF(
        model.parameters(), lr=settings.rate, alpha=settings.decay, eps=settings.eps, momentum=settings.momentum
    )
    criterion = nn.CrossEntropyLoss()

    def batches() -> Iterator[Any]:
        while True:
            yield from DataLoader(dataset, batch_size=settings.batch, shuffle=True, drop_last=True)

    waiting = batches()

    def step() -> float:
        x, y = (part.to(device) for part in next(waiting))
        optimiser.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimiser.step()
        return float(loss.item())

    def steps() -> None:
        with machine(settings):
            for _ in range(times):
                step()

    return _clocked(steps)


def _clocked(work: Callable[[], object]) -> Callable[[], float]:
    import torch

    def clocked() -> float:
        began = time.perf_counter()
        work()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        return time.perf_counter() - began

    return clocked
