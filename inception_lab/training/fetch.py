"""From numbers on the device to a `Step`: all of a step's numbers come over at once, and a GPU need not wait for it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from inception_lab.training.events import Step
from inception_lab.training.telemetry import FORWARD


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A step's numbers on their way from the device; `step` waits for them."""

    number: int
    rate: float
    values: Tensor
    arrived: torch.cuda.Event | None
    blocks: int
    normed: bool
    measured: bool

    def ready(self) -> bool:
        """Whether `step` would not wait."""
        return self.arrived is None or bool(self.arrived.query())  # type: ignore[no-untyped-call]

    def step(self) -> Step:
        """The step."""
        if self.arrived is not None:
            self.arrived.synchronize()
        loss, accuracy, *rest = (_short(value) for value in self.values.tolist())
        norm = rest.pop(0) if self.normed else None
        heads = {"step": self.number, "rate": self.rate, "loss": loss, "accuracy": accuracy, "gradient_norm": norm}
        if not self.measured:
            return Step.from_dict(heads)
        lists: dict[str, list[float]] = {}
        for name in FORWARD:
            lists[name], rest = rest[: self.blocks], rest[self.blocks :]
        zero_share = rest.pop(0)
        lists["gradient"], rest = rest[: self.blocks], rest[self.blocks :]
        return Step.from_dict({**heads, "zero_share": zero_share, **lists, "update": rest})


class Numbers:
    """Collects what a step measured, in the order in which `Fetched` reads it."""

    def __init__(self, *, blocks: int) -> None:
        self._blocks = blocks
        self._parts: list[Tensor] = []
        self._normed = self._measured = False

    def heads(self, loss: Tensor, accuracy: Tensor, norm: Tensor | None) -> None:
        """The numbers of the whole network: scalars."""
        self._normed = norm is not None
        self._parts.append(torch.stack([loss, accuracy, *([] if norm is None else [norm])]))

    def inside(self, seen: Tensor, update: Tensor | None, *, unit: Tensor | None) -> None:
        """What `Telemetry` and `Updates` saw; gradients are divided by `unit`."""
        self._measured = True
        if unit is not None and self._blocks:
            seen = torch.cat([seen[: -self._blocks], seen[-self._blocks :] / unit])
        self._parts += [seen] if update is None else [seen, update]

    def fetched(self, *, step: int, rate: float) -> Fetched:
        """The numbers on their way; on a GPU nothing waits."""
        values, arrived = torch.cat(self._parts), None
        if values.is_cuda:
            values = torch.empty(values.shape, dtype=values.dtype, pin_memory=True).copy_(values, non_blocking=True)
            arrived = torch.cuda.Event()  # type: ignore[no-untyped-call]
            arrived.record()
        return Fetched(
            number=step,
            rate=rate,
            values=values,
            arrived=arrived,
            blocks=self._blocks,
            normed=self._normed,
            measured=self._measured,
        )


def _short(number: float) -> float:
    # Seven digits are what a 32-bit float holds; the rest would only lengthen the file.
    return float(f"{number:.7g}")
