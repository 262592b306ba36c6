"""The optimiser of a stack: one memory for all networks, a row for each, with rates and amounts of its own.

The arithmetic is elementwise, so a network's update is the one it would get alone (`optim`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

import torch
from torch import Tensor, nn

from inception_lab.models.build import InceptionNet
from inception_lab.training import optim
from inception_lab.training.rmsprop import accumulate
from inception_lab.training.settings import Settings

CLIP_EPS = 1e-6  # as PyTorch's clip_grad_norm_ has it


@final
class Updating:
    """Updates the grouped `model` of the networks of `settings`. Its tensors stay where they are, as a recording needs:
    `gradient` (N, numbers of one network), and `ratio` (N, blocks), the norm of the last update of each residual
    block's convolutions over that of the weights it met.
    """

    def __init__(self, model: InceptionNet, addresses: Sequence[str], settings: Sequence[Settings]) -> None:
        self._settings = tuple(settings)
        count = len(self._settings)
        named = dict(model.named_parameters())
        watched = [[f"{path}.{name}" for name in _convolutions(model, path)] for path in map(_path, addresses)]
        first = [name for block in watched for name in block]
        names = first + [name for name in named if name not in set(first)]  # a block's weights lie side by side
        self._columns: dict[str, slice] = {}
        at = 0
        for name in names:
            self._columns[name] = slice(at, at := at + named[name].numel() // count)
        ends = [self._columns[block[-1]].stop for block in watched]
        self._blocks = [slice(a, b) for a, b in zip([0, *ends], ends, strict=False)]
        self._weights = [[named[name] for name in block] for block in watched]
        self.parameters: list[nn.Parameter] = [named[name] for name in names]
        some = self.parameters[0]
        self.gradient = torch.zeros(count, at, dtype=some.dtype, device=some.device)
        self._square, self._buffer = torch.ones_like(self.gradient), torch.zeros_like(self.gradient)
        self._scratch = torch.empty_like(self.gradient)
        self._apart = [p.detach().view(count, -1) for p in self.parameters]
        self.ratio = torch.zeros(count, len(ends), device=some.device)
        self._rates = [each.rate for each in self._settings]
        self._rate, self._momentum, self._decay, self._eps = (
            some.new_tensor([[getattr(each, name)] for each in self._settings])
            for name in ("rate", "momentum", "decay", "eps")
        )
        limits = [torch.inf if each.clip is None else each.clip for each in self._settings]
        self._clips = any(each.clip is not None for each in self._settings)
        self._limit = some.new_tensor(limits)[:, None]

    def rates(self, step: int) -> list[float]:
        """The rate of each network at a step."""
        return [optim.rate_at(each, step) for each in self._settings]

    def take(self, gradients: Sequence[Tensor]) -> Tensor:
        """Take the gradients of `parameters`, clipped; returns the norms (N) they had."""
        rows = [gradient.reshape(len(self._settings), -1) for gradient in gradients]
        torch.cat(rows, dim=1, out=self.gradient)
        norms: Tensor = torch.linalg.vector_norm(self.gradient, dim=1, keepdim=True)
        if self._clips:
            factor = (self._limit / (norms + CLIP_EPS)).clamp(max=1.0)
            self.gradient.mul_(torch.where(self._limit.isinf(), 1.0, factor))
        return norms[:, 0]

    def set_rates(self, rates: list[float]) -> None:
        """Let the next updates be made at these rates."""
        if rates != self._rates:
            self._rates = rates
            told = torch.tensor(rates, dtype=self._rate.dtype)[:, None]
            self._rate.copy_(told.pin_memory() if self._rate.is_cuda else told, non_blocking=True)

    def update(self, *, watched: bool) -> None:
        """One update of all networks; the gradient that was taken is lost."""
        with torch.no_grad():
            before = self._weight_norms() if watched else None
            if self._settings[0].optimiser == "rmsprop_tf":
                amounts = {"rate": self._rate, "momentum": self._momentum, "decay": self._decay, "eps": self._eps}
                accumulate(self.gradient, self._square, self._buffer, self._scratch, **amounts)
                move = self._buffer
            else:
                self._buffer.mul_(self._momentum).add_(self.gradient)
                move = torch.mul(self._buffer, self._rate, out=self._scratch)
            moves = move.split([part.shape[1] for part in self._apart], dim=1)  # type: ignore[no-untyped-call]
            torch._foreach_sub_(self._apart, list(moves))
            if before is not None:
                norms = [torch.linalg.vector_norm(move[:, block], dim=1) for block in self._blocks]
                self.ratio.copy_(torch.stack(norms, dim=1) / before)

    def state(self, place: int, like: Mapping[str, Tensor], empty: Mapping[str, Any]) -> dict[str, Any]:
        """What one network's own optimiser would remember, in the form of `empty`, its `state_dict` before its first
        step; `like` are the network's parameters by name."""
        memories: dict[int, dict[str, Tensor]] = {}
        for number, (name, parameter) in enumerate(like.items()):
            square, buffer = (
                memory[place, self._columns[name]].view(parameter.shape).clone()
                for memory in (self._square, self._buffer)
            )
            memories[number] = {"momentum_buffer": buffer}
            if self._settings[0].optimiser == "rmsprop_tf":
                memories[number]["square_avg"] = square
        return {**empty, "state": memories}

    def _weight_norms(self) -> Tensor:
        count = len(self._settings)
        squares = [
            torch.stack([p.detach().view(count, -1).square().sum(1) for p in block]).sum(0) for block in self._weights
        ]
        return torch.stack(squares, dim=1).sqrt() if squares else self.ratio


def _path(address: str) -> str:
    return address.partition("/")[2].replace("/", ".")


def _convolutions(model: InceptionNet, path: str) -> list[str]:
    found = model.get_submodule(path).named_modules()
    return [f"{name}.weight" for name, module in found if isinstance(module, nn.Conv2d)]
