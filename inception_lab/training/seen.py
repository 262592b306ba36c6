"""What `telemetry` sees in one network, seen in each network of a stack: maps are (batch, N * C, height, width)."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn

from inception_lab.models.build import InceptionNet
from inception_lab.training.telemetry import Telemetry


@final
class Seen(Telemetry):
    """`with Seen(model, count) as seen: loss = ...`, then a backward pass, then `seen.numbers()`."""

    def __init__(self, model: InceptionNet, count: int) -> None:
        super().__init__(model)
        self._count = count

    def numbers(self) -> Tensor:
        """(N, count of numbers), in the order of `Telemetry.numbers`, still on the device."""
        zeros = torch.stack(self._zeros, dim=1)
        if not self._blocks:
            return zeros
        x, r, both = torch.stack(self._squares, dim=1).unflatten(1, (-1, 3)).unbind(2)  # type: ignore[no-untyped-call]
        gradient = torch.stack([self._gradients[place] for place in range(len(self._blocks))], dim=1)
        return torch.cat([x.sqrt(), r.sqrt(), both / (x * r).sqrt(), zeros, gradient.sqrt()], dim=1)

    def _see_add(self, module: nn.Module, sides: tuple[Tensor, Tensor], total: Tensor) -> None:
        x, r = (self._apart(side) for side in sides)
        self._squares += [_mean(x, x), _mean(r, r), _mean(x, r)]
        place = len(self._squares) // 3 - 1
        total.register_hook(lambda gradient: self._see_gradient(place, gradient))  # type: ignore[no-untyped-call]

    def _see_gradient(self, place: int, gradient: Tensor) -> None:
        g = self._apart(gradient)
        self._gradients[place] = _mean(g, g)

    def _zero_share(self, x: Tensor) -> Tensor:
        """(N,), as `Telemetry` has it for one network: exact zeros, nan if there is a nan."""
        values = self._apart(x)
        share = (values == 0).float().mean((0, 2))
        return torch.where(values.isnan().any(2).any(0), torch.nan, share)

    def _apart(self, x: Tensor) -> Tensor:
        """(batch, N, numbers), in full precision."""
        return x.detach().reshape(len(x), self._count, -1).float()


def _mean(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).mean((0, 2))
