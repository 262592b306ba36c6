"""One run in this process: the network, the data, the optimiser, and the step that joins them.

A run fixes its own thread count, and draws weights, order and dropout from seeds of its own, so the same seed gives the
same numbers alone, beside other runs and after any use of torch by the caller. The caller has his own thread count and
his own generator whenever the run is not at work.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, cast

import torch
from torch import Tensor
from torch.nn import functional

from inception_lab.errors import SettingsError
from inception_lab.models.build import InceptionNet
from inception_lab.models.layers import ScaledResidual
from inception_lab.nets.address import blocks
from inception_lab.nets.ops import Net, Residual
from inception_lab.training import data, optim
from inception_lab.training.control import CHANGEABLE
from inception_lab.training.events import Step
from inception_lab.training.fetch import Fetched, Numbers
from inception_lab.training.initialise import initialised
from inception_lab.training.settings import Settings
from inception_lab.training.telemetry import Telemetry, residual_blocks
from inception_lab.training.updates import Updates

EVALUATED_AT_ONCE = 100
AHEAD = 4  # steps a GPU may be ahead of what was fetched from it
LOSS_SCALE = 1024.0  # torch's own, 65536, overflows at the gradients these networks start with, and skips updates
_TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


class Training:
    """A run that is made step by step; `model` is the network being trained, `images` what it is trained on, `at` the
    number of the next step.

    `addresses` name the residual blocks that the lists of a `Step` follow.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.device = _device(settings)
        self.at = 0
        with machine(settings):
            net = settings.net()
            self.addresses = residual_blocks(net)
            drawn = initialised(net, init=settings.init, seed=settings.seed, closing=settings.closing)
            self._layout = _layout(settings, self.device)
            self.model: InceptionNet = drawn.to(self.device).to(memory_format=self._layout)
            self.images, self._tests = data.load(settings.data, size=settings.image_size, device=self.device)
        self._parameters = list(self.model.parameters())  # walking all modules takes a hundredth of a step
        self._order = self._from(0)
        self._optimiser: torch.optim.Optimizer | None = None
        self._average = None if settings.average is None else optim.average(self.model, settings.average)
        half = settings.precision == "fp16"
        self._scaler = torch.amp.GradScaler(self.device.type, init_scale=LOSS_SCALE) if half else None
        self._updates = Updates(self.model, self.addresses, settings)
        self._open = False  # whether a step was measured whose update is still to come
        self._wanted: dict[str, Any] = {}

    @property
    def parameters(self) -> int:
        """How many numbers are trained."""
        return sum(p.numel() for p in self._parameters)

    @property
    def evaluated(self) -> InceptionNet:
        """The network that is evaluated and kept: the running average of the weights if there is one."""
        if self._average is None:
            return self.model
        return cast(InceptionNet, self._average.module)

    def steps(self, *, until: int | None = None) -> Iterator[Step]:
        """The steps from `at` to the last, or up to `until`: each measured, then applied when the next one is asked
        for. So step 0 is there before the optimiser is, whose first use makes PyTorch load its compiler for seconds.

        From a GPU a step's numbers come up to four steps late, so that it never waits to be asked.
        """
        self._close()  # a step that was left when somebody broke out of the last call
        late: deque[Fetched] = deque()
        ahead = AHEAD if self.device.type == "cuda" else 0
        while self.at < min(self.settings.steps, self.settings.steps if until is None else until):
            with machine(self.settings):
                late.append(self._measured())
            while late and (len(late) > ahead or late[0].ready()):
                yield late.popleft().step()
            self._close()
        while late:
            yield late.popleft().step()

    def change(self, **changes: Any) -> int:
        """Go on with other settings, those of `CHANGEABLE`, from the next step that is not yet measured; returns its
        number. Raises `SettingsError` for anything else."""
        fixed = sorted(set(changes) - CHANGEABLE)
        if fixed:
            raise SettingsError(f"{', '.join(fixed)} cannot change while a run goes on. Start another run for that.")
        wanted = self._wanted | changes
        self.settings.with_(**wanted)
        self._wanted = wanted
        if not self._open:
            self._turn()
            return self.at
        return self.at + 1

    def state(self) -> dict[str, Any]:
        """All that the next step rests on, as a copy: weights, batch norm's statistics, optimiser, running average,
        loss scaling, number. The order of the images and dropout follow from seed and number."""
        self._close()
        parts = {"model": self.model, "optimiser": self._optimiser, "average": self._average, "scaler": self._scaler}
        kept = {name: part.state_dict() for name, part in parts.items() if part is not None}
        return {"at": self.at, "update": self._updates.ratio, **_copied(kept)}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a `state` of a run with the same network, data, seed and optimiser."""
        self.at, self._open = state["at"], False
        self.model.load_state_dict(state["model"])
        if "optimiser" in state:
            self._needed().load_state_dict(state["optimiser"])
        if self._average is not None and "average" in state:
            self._average.load_state_dict(state["average"])
        if self._scaler is not None and "scaler" in state:
            self._scaler.load_state_dict(state["scaler"])
        update = state.get("update")
        self._updates.ratio = None if update is None else update.to(self.device)
        self._order = self._from(self.at)

    def test_accuracy(self, *, stop: Callable[[], bool] = lambda: False) -> float | None:
        """The share of the test images that the network gets right with batch norm's running statistics; None if
        `stop` said so between two batches."""
        images, model, right = self._tests, self.evaluated, 0
        model.eval()
        with machine(self.settings), torch.inference_mode():
            for first in range(0, len(images), EVALUATED_AT_ONCE):
                if stop():
                    return None
                x, y = images.batch(slice(first, first + EVALUATED_AT_ONCE))
                right += int((model(x).argmax(1) == y).sum())
        return right / len(images)

    def _from(self, step: int) -> Iterator[Tensor]:
        """Places of the images of each batch from a step on."""
        settings = self.settings
        return data.order(len(self.images), batch=settings.batch, seed=settings.seed, start=step)

    def _measured(self) -> Fetched:
        """Forward and backward of one batch, with the weights as they are."""
        settings, number = self.settings, self.at
        self._open = True
        x, y = self.images.batch(next(self._order).to(self.device))
        if settings.augment:
            x = data.augmented(x, seed=settings.seed, step=number)
        x = x.contiguous(memory_format=self._layout)
        self.model.train()
        self.model.zero_grad()
        every = settings.telemetry_every
        seen = Telemetry(self.model) if every and number % every == 0 else None
        with seen or nullcontext(), self._chance(), self._precision():
            logits = self.model(x)
            loss = functional.cross_entropy(logits, y)
        self._backward(loss)
        norm = self._gradient_norm(measured=seen is not None)
        numbers = Numbers(blocks=len(self.addresses))
        numbers.heads(loss.detach().float(), (logits.argmax(1) == y).float().mean(), norm)
        if seen is not None:
            numbers.inside(seen.numbers(), self._updates.numbers(), unit=self._unit())
        return numbers.fetched(step=number, rate=optim.rate_at(settings, number))

    def _backward(self, loss: Tensor) -> None:
        if self._scaler is None:
            loss.backward()  # type: ignore[no-untyped-call]
            return
        self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        self._scaler.unscale_(self._needed())

    def _unit(self) -> Tensor | None:
        """What the gradients inside the network are multiplied by, in half precision."""
        return None if self._scaler is None else self._scaler.scale(torch.ones((), device=self.device))

    def _precision(self) -> Any:
        kind = _TYPES.get(self.settings.precision)
        return nullcontext() if kind is None else torch.autocast(self.device.type, dtype=kind)

    @contextmanager
    def _chance(self) -> Iterator[None]:
        """Dropout's generator, from seed and step alone; the caller's is as it was afterwards."""
        if not self.settings.dropout:
            yield
            return
        with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            torch.manual_seed(self.settings.seed * 1_000_003 + self.at)
            yield

    def _gradient_norm(self, *, measured: bool) -> Tensor | None:
        if self.settings.clip is not None:
            return optim.clip(self._parameters, self.settings.clip)
        return optim.gradient_norm(self._parameters) if measured else None

    def _close(self) -> None:
        """Apply the update of the step that was measured, if it is still to come."""
        if not self._open:
            return
        with machine(self.settings):
            self._applied(optim.rate_at(self.settings, self.at))
        self.at, self._open = self.at + 1, False
        self._turn()

    def _applied(self, rate: float) -> None:
        optimiser, every = self._needed(), self.settings.telemetry_every
        optim.set_rate(optimiser, rate)
        watched = bool(every) and (self.at + 1) % every == 0
        if watched:
            self._updates.before()
        if self._scaler is None:
            optimiser.step()
        else:
            self._scaler.step(optimiser)
            self._scaler.update()
        if watched:
            self._updates.after(optimiser, rate)
        else:
            self._updates.ratio = None
        if self._average is not None:
            self._average.update_parameters(self.model)

    def _needed(self) -> torch.optim.Optimizer:
        if self._optimiser is None:
            self._optimiser = optim.optimiser(self.settings, self._parameters)
        return self._optimiser

    def _turn(self) -> None:
        """Let the changes that were asked for hold."""
        if not self._wanted:
            return
        self.settings, self._wanted = self.settings.with_(**self._wanted), {}
        if self._optimiser is not None:
            optim.adjust(self._optimiser, self.settings)
        for model in (self.model, self.evaluated):
            _rescale(model, self.settings.net())
        ratio = self._updates.ratio  # of the last update, made before the change
        self._updates = Updates(self.model, self.addresses, self.settings)
        self._updates.ratio = ratio


def _copied(value: Any) -> Any:
    """A state with its tensors copied; `copy.deepcopy` takes fifteen times as long."""
    match value:
        case Tensor():
            return value.detach().clone()
        case dict():
            return {name: _copied(part) for name, part in value.items()}
        case list() | tuple():
            return type(value)(_copied(part) for part in value)
        case _:
            return value


def _rescale(model: InceptionNet, net: Net) -> None:
    """Give every residual of the model the scale it has in `net`."""
    model.net = net
    for address, op in blocks(net):
        if isinstance(op, Residual):
            block = model.at(address)
            assert isinstance(block, ScaledResidual)
            block.scale.factor = op.scale


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


def _layout(settings: Settings, device: torch.device) -> torch.memory_format:
    """How images lie in memory. Channels last is 1.6 times as fast for whole networks on a CPU, and what a GPU's
    matrix units take; the small stem's runs stay as the shipped ones were made, digit for digit."""
    return torch.channels_last if device.type == "cuda" or not settings.small else torch.contiguous_format


def _device(settings: Settings) -> torch.device:
    there = torch.cuda.is_available()
    if settings.device == "cuda" and not there:
        raise SettingsError("There is no CUDA device that torch can use here. Take the device auto or cpu.")
    return torch.device("cuda" if there and settings.device != "cpu" else "cpu")
