"""Several small networks trained together in one process, each as it would be alone.

On a GPU a small network leaves the device idle: a step is some thousand kernels of a few microseconds, and asking for
each takes longer than making it. A stack asks once for all its networks (`grouped`), and from its third step on the
whole step is replayed from a recording (`capture`). On a CPU a stack is slower than its runs one after another
(`bench/stacked.py`), as convolutions in groups are.

Weights, order of the images, scale, rate, momentum, decay, eps and clip are each network's own. Sums are taken in
another order than alone, so numbers agree to rounding at first and drift apart as any two paths do; outcomes stay.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any, final

import torch
from torch import Tensor
from torch.nn import functional

from inception_lab.errors import SettingsError
from inception_lab.training import data, optim
from inception_lab.training.capture import Captured
from inception_lab.training.events import Step
from inception_lab.training.fetch import Fetched
from inception_lab.training.grouped import grouped, parted
from inception_lab.training.initialise import initialised
from inception_lab.training.loop import AHEAD, Training, machine
from inception_lab.training.seen import Seen
from inception_lab.training.settings import Settings
from inception_lab.training.together import compatible
from inception_lab.training.updating import Updating


@final
class Stacked:
    """Runs made step by step together; `settings` are theirs, `at` is the number of the next step.

    Raises `SettingsError` for runs that are not `compatible`.
    """

    def __init__(self, settings: Sequence[Settings]) -> None:
        self.settings = tuple(settings)
        if not self.settings or not all(compatible(self.settings[0], each) for each in self.settings):
            raise SettingsError("These runs differ in more than a stack can hold apart. Run them one by one.")
        self._one = one = self.settings[0]
        self._alone = Training(one)
        self.addresses, self.device, self.at = self._alone.addresses, self._alone.device, 0
        with machine(one):
            nets = [each.net() for each in self.settings]
            drawn = [
                initialised(net, init=each.init, seed=each.seed, closing=each.closing).to(self.device)
                for net, each in zip(nets, self.settings, strict=True)
            ]
            self._model = grouped(nets, drawn).train()
        self._average = None if one.average is None else optim.average(self._model, one.average)
        self.images = self._alone.images
        self._orders = [data.order(len(self.images), batch=one.batch, seed=each.seed) for each in self.settings]
        self._updating = Updating(self._model, self.addresses, self.settings)
        x, y = self._batch()
        self._x, self._y = torch.empty_like(x), torch.empty_like(y)
        self._orders = [data.order(len(self.images), batch=one.batch, seed=each.seed) for each in self.settings]
        self._numbers: dict[bool, Tensor] = {}
        self._measure = {w: Captured(partial(self._measured, watched=w), self.device) for w in (True, False)}
        self._update = {w: Captured(partial(self._updating.update, watched=w), self.device) for w in (True, False)}
        self._open = False

    @property
    def parameters(self) -> int:
        """How many numbers of each network are trained."""
        return self._alone.parameters

    def steps(self, *, until: int | None = None) -> Iterator[tuple[Step, ...]]:
        """The steps from `at` to the last, or up to `until`, of all networks in the order of their settings; each is
        measured, then applied when the next is asked for. From a GPU numbers come up to four steps late."""
        late: deque[tuple[Fetched, ...]] = deque()
        ahead = AHEAD if self.device.type == "cuda" else 0
        while self.at < min(self._one.steps, self._one.steps if until is None else until):
            with machine(self._one):
                late.append(self._next())
            while late and (len(late) > ahead or late[0][0].ready()):
                yield tuple(each.step() for each in late.popleft())
            self._close()
        while late:
            yield tuple(each.step() for each in late.popleft())

    def alone(self, place: int, state: dict[str, Any] | None = None) -> Training:
        """The run at `place` as one of its own, which goes on from where it stands here, or stood at `state`."""
        training = Training(self.settings[place])
        training.restore(self.state(place) if state is None else state)
        return training

    def state(self, place: int) -> dict[str, Any]:
        """What `Training.state` gives of a run: all that its next step rests on, as a copy."""
        self._close()
        count, like = len(self.settings), self._alone.model
        model = parted(self._model.state_dict(), place, count=count, like=like.state_dict())
        empty = optim.optimiser(self.settings[place], like.parameters()).state_dict()
        kept = {"model": model, "optimiser": self._updating.state(place, dict(like.named_parameters()), empty)}
        if self._average is not None:
            averaged = {f"module.{name}": value for name, value in like.state_dict().items()}
            kept["average"] = parted(self._average.state_dict(), place, count=count, like=averaged)
        every = self._one.telemetry_every
        update = self._updating.ratio[place].clone() if every and self.at and self.at % every == 0 else None
        return {"at": self.at, "update": update, **kept}

    def _next(self) -> tuple[Fetched, ...]:
        """Measure one step of all networks."""
        x, y = self._batch()
        self._x.copy_(x)
        self._y.copy_(y)
        every, self._open = self._one.telemetry_every, True
        watched = bool(every) and self.at % every == 0
        self._measure[watched]()
        return self._fetched(self._numbers[watched], watched=watched)

    def _batch(self) -> tuple[Tensor, Tensor]:
        """Images (batch, N * channels, size, size) and labels (N, batch), each network's in its own order."""
        places = torch.stack([next(order) for order in self._orders])
        there = places.pin_memory().to(self.device, non_blocking=True) if self.device.type == "cuda" else places
        x, y = self.images.batch(there.flatten())
        x = x.unflatten(0, there.shape)  # type: ignore[no-untyped-call]
        if self._one.augment:
            moved = [data.augmented(row, seed=e.seed, step=self.at) for row, e in zip(x, self.settings, strict=True)]
            x = torch.stack(moved)
        return x.transpose(0, 1).flatten(1, 2), y.view(there.shape)

    def _measured(self, *, watched: bool) -> None:
        """Forward and backward; the numbers of all networks (N, count) go to `_numbers`."""
        count, kind = len(self.settings), torch.bfloat16
        seen = Seen(self._model, count) if watched else None
        half = torch.autocast(self.device.type, dtype=kind) if self._one.precision == "bf16" else nullcontext()
        with seen or nullcontext(), half:
            logits = self._model(self._x).transpose(0, 1)  # (N, batch, classes)
            flat = functional.cross_entropy(logits.flatten(0, 1), self._y.flatten(), reduction="none")
            losses = flat.view(self._y.shape).mean(1)
        norms = self._updating.take(torch.autograd.grad(losses.sum(), self._updating.parameters))
        accuracy = (logits.argmax(2) == self._y).float().mean(1)
        heads = torch.stack([losses.detach().float(), accuracy, norms.float()], dim=1)
        inside = [] if seen is None else [seen.numbers(), self._updating.ratio]
        self._numbers[watched] = torch.cat([heads, *inside], dim=1)

    def _fetched(self, numbers: Tensor, *, watched: bool) -> tuple[Fetched, ...]:
        """Each network's numbers on their way from the device."""
        arrived = None
        if numbers.is_cuda:
            numbers = torch.empty(numbers.shape, dtype=numbers.dtype, pin_memory=True).copy_(numbers, non_blocking=True)
            arrived = torch.cuda.Event()  # type: ignore[no-untyped-call]
            arrived.record()
        if not self.at:
            numbers = numbers[:, : numbers.shape[1] - len(self.addresses)] if watched else numbers  # no update yet
        return tuple(
            Fetched(
                number=self.at,
                rate=rate,
                values=row if watched or each.clip is not None else row[:2],
                arrived=arrived,
                blocks=len(self.addresses),
                normed=watched or each.clip is not None,
                measured=watched,
            )
            for row, rate, each in zip(numbers, self._updating.rates(self.at), self.settings, strict=True)
        )

    def _close(self) -> None:
        """Apply the update of the step that was measured, if it is still to come."""
        if not self._open:
            return
        every = self._one.telemetry_every
        with machine(self._one):
            self._updating.set_rates(self._updating.rates(self.at))
            self._update[bool(every) and (self.at + 1) % every == 0]()
            if self._average is not None:
                self._average.update_parameters(self._model)
        self.at, self._open = self.at + 1, False
