"""One run in this process: the network, the data, the optimiser, and the step that joins them.

A run fixes its own thread count, and draws weights and order from generators of its own, so the same seed gives the
same numbers alone, beside other runs and after any use of torch by the caller. The caller has his own thread count
whenever the run is not at work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

import torch
from torch import Tensor
from torch.nn import functional

from inception_lab.errors import SettingsError
from inception_lab.models.build import InceptionNet
from inception_lab.training import data, extract, optim
from inception_lab.training.events import Step
from inception_lab.training.initialise import initialised
from inception_lab.training.settings import Settings
from inception_lab.training.telemetry import Telemetry, residual_blocks

EVALUATED_AT_ONCE = 100


class Training:
    """A run that is made step by step; `model` is the network being trained.

    `addresses` name the residual blocks that the lists of a `Step` follow.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.device = _device(settings)
        with machine(settings):
            net = settings.net()
            self.addresses = residual_blocks(net)
            self.model: InceptionNet = initialised(net, init=settings.init, seed=settings.seed).to(self.device)
            self._extract = extract.load()
            self._images = data.training_images(self._extract, size=settings.image_size, device=self.device)
        self._order = data.order(len(self._images), batch=settings.batch, seed=settings.seed)
        self._optimiser: torch.optim.Optimizer | None = None
        self._average = None if settings.average is None else optim.average(self.model, settings.average)

    @property
    def parameters(self) -> int:
        """How many numbers are trained."""
        return sum(p.numel() for p in self.model.parameters())

    @property
    def evaluated(self) -> InceptionNet:
        """The network that is evaluated and kept: the running average of the weights if there is one."""
        if self._average is None:
            return self.model
        return cast(InceptionNet, self._average.module)

    def steps(self) -> Iterator[Step]:
        """Every step of the run in turn: measured, then applied when the next one is asked for.

        So step 0 is there before the optimiser is, whose first use makes PyTorch load its compiler for seconds.
        """
        for number in range(self.settings.steps):
            with machine(self.settings):
                step = self._measured(number)
            yield step
            with machine(self.settings):
                self._applied(step.rate)

    def test_accuracy(self, *, stop: Callable[[], bool] = lambda: False) -> float | None:
        """The share of the test images that the network gets right with batch norm's running statistics; None if
        `stop` said so between two batches."""
        images = data.test_images(self._extract, size=self.settings.image_size, device=self.device)
        model, right = self.evaluated, 0
        model.eval()
        with machine(self.settings), torch.inference_mode():
            for first in range(0, len(images), EVALUATED_AT_ONCE):
                if stop():
                    return None
                x, y = images.batch(slice(first, first + EVALUATED_AT_ONCE))
                right += int((model(x).argmax(1) == y).sum())
        return right / len(images)

    def _measured(self, number: int) -> Step:
        """Forward and backward of one batch, with the weights as they are."""
        settings = self.settings
        x, y = self._images.batch(next(self._order).to(self.device))
        self.model.train()
        self.model.zero_grad()
        every = settings.telemetry_every
        if every and number % every == 0:
            with Telemetry(self.model) as seen:
                logits = self.model(x)
            inside = [seen.numbers()]
        else:
            logits, inside = self.model(x), []
        loss = functional.cross_entropy(logits, y)
        loss.backward()  # type: ignore[no-untyped-call]
        accuracy = (logits.argmax(1) == y).float().mean()
        norm = self._gradient_norm(measured=bool(inside))
        heads = [loss.detach(), accuracy, *([] if norm is None else [norm])]
        numbers = torch.cat([torch.stack(heads), *inside]).tolist()
        return self._step(number, numbers, measured=bool(inside), normed=norm is not None)

    def _gradient_norm(self, *, measured: bool) -> Tensor | None:
        if self.settings.clip is not None:
            return optim.clip(self.model.parameters(), self.settings.clip)
        return optim.gradient_norm(self.model.parameters()) if measured else None

    def _step(self, number: int, numbers: list[float], *, measured: bool, normed: bool) -> Step:
        loss, accuracy, *rest = map(_short, numbers)
        norm = rest.pop(0) if normed else None
        sides, zeros = rest[: 2 * len(self.addresses)], rest[2 * len(self.addresses) :]
        return Step(
            step=number,
            loss=loss,
            accuracy=accuracy,
            rate=optim.rate_at(self.settings, number),
            gradient_norm=norm,
            zero_share=zeros[-1] if measured else None,
            shortcut=tuple(sides[::2]),
            residual=tuple(sides[1::2]),
            zeros=tuple(zeros[:-1]),
        )

    def _applied(self, rate: float) -> None:
        if self._optimiser is None:
            self._optimiser = optim.optimiser(self.settings, self.model.parameters())
        optim.set_rate(self._optimiser, rate)
        self._optimiser.step()
        if self._average is not None:
            self._average.update_parameters(self.model)


@contextmanager
def machine(settings: Settings) -> Iterator[None]:
    """Torch as the run needs it: its thread count, and on a GPU the deterministic kernels in full precision."""
    before = torch.get_num_threads()
    if before != settings.threads:
        torch.set_num_threads(settings.threads)
    try:
        with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
            yield
    finally:
        if before != settings.threads:
            torch.set_num_threads(before)


def _device(settings: Settings) -> torch.device:
    there = torch.cuda.is_available()
    if settings.device == "cuda" and not there:
        raise SettingsError("There is no CUDA device that torch can use here. Take the device auto or cpu.")
    return torch.device("cuda" if there and settings.device != "cpu" else "cpu")


def _short(number: float) -> float:
    # Seven digits are what a 32-bit float holds; the rest would only lengthen the file.
    return float(f"{number:.7g}")
