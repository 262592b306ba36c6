"""RMSProp as TensorFlow wrote it, with its memory in flat tensors: one row of operations for a whole network.

timm has it as `RMSpropTF`, with the same numbers bit for bit (a test): there the preset micro needs 2,500 small
operations a step, 11.7 ms on one core, here 6.0. The full widths take equally long either way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, final, overload

import torch
from torch import Tensor, nn

PIECE = 131_072  # numbers at a time on a CPU: five tensors of these stay in its cache

Amount = float | Tensor


@final
class RMSProp(torch.optim.Optimizer):
    """For each weight w with gradient g, mean square q from 1 and buffer b from 0 (arXiv 1602.07261, section 4, in the
    form of TensorFlow's `RMSPropOptimizer`):

        q += (1 - alpha) (g² - q);    b = momentum b + lr g / sqrt(q + eps);    w -= b

    `lr` may be a tensor without dimensions, which a CUDA graph reads anew at each replay. What is remembered of a
    parameter stands in `state` as `square_avg` and `momentum_buffer`, which are views of the flat tensors.
    """

    def __init__(
        self,
        params: Iterable[nn.Parameter],
        *,
        lr: Amount,
        alpha: float = 0.9,
        eps: float = 1.0,
        momentum: float = 0.9,
    ) -> None:
        super().__init__(params, {"lr": lr, "alpha": alpha, "eps": eps, "momentum": momentum})
        self._memories: dict[int, _Memory] = {}

    @overload
    def step(self, closure: None = None) -> None: ...

    @overload
    def step(self, closure: Callable[[], float]) -> float: ...

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """One update of all parameters. Raises `ValueError` if one has no gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for place, group in enumerate(self.param_groups):
            self._memory(place).update(
                rate=group["lr"], decay=group["alpha"], eps=group["eps"], momentum=group["momentum"]
            )
        return loss

    @torch.no_grad()
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from the `state_dict` of an optimiser of the same parameters, timm's `RMSpropTF` too."""
        super().load_state_dict(state_dict)
        loaded, self._memories = dict(self.state), {}
        for place, group in enumerate(self.param_groups):
            for parameter in group["params"]:
                if kept := loaded.get(parameter):
                    self._memory(place)
                    for name, value in self.state[parameter].items():
                        value.copy_(kept.get(name, value))

    def _memory(self, place: int) -> _Memory:
        if place not in self._memories:
            memory = _Memory(self.param_groups[place]["params"])
            for parameter, square, buffer in zip(memory.parameters, memory.squares, memory.buffers, strict=True):
                self.state[parameter] = {"square_avg": square, "momentum_buffer": buffer}
            self._memories[place] = memory
        return self._memories[place]


class _Memory:
    """The flat tensors of parameters of one type on one device, and the views of them that belong to each."""

    def __init__(self, parameters: Sequence[nn.Parameter]) -> None:
        self.parameters: list[Tensor] = list(parameters)
        first, count = self.parameters[0], sum(p.numel() for p in self.parameters)
        square = torch.ones(count, dtype=first.dtype, device=first.device)
        buffer, gradient = torch.zeros_like(square), torch.empty_like(square)
        piece = PIECE if first.device.type == "cpu" else count
        self.squares, self.buffers, self.gradients = map(self._views, (square, buffer, gradient))
        self._pieces = list(zip(*(torch.split(flat, piece) for flat in (gradient, square, buffer)), strict=True))
        self._scratch = torch.empty_like(square[:piece])

    def update(self, *, rate: Amount, decay: Amount, eps: Amount, momentum: Amount) -> None:
        gradients = [p.grad for p in self.parameters if p.grad is not None]
        if len(gradients) < len(self.parameters):
            raise ValueError(f"{len(self.parameters) - len(gradients)} parameters have no gradient")
        torch._foreach_copy_(self.gradients, gradients)
        for g, q, b in self._pieces:
            accumulate(g, q, b, self._scratch[: len(g)], rate=rate, decay=decay, eps=eps, momentum=momentum)
        torch._foreach_sub_(self.parameters, self.buffers)

    def _views(self, flat: Tensor) -> list[Tensor]:
        # With the strides of the parameters, which may lie channels-last.
        views, at = [], 0
        for parameter in self.parameters:
            views.append(flat.as_strided(parameter.shape, parameter.stride(), at))
            at += parameter.numel()
        return views


def accumulate(
    g: Tensor, q: Tensor, b: Tensor, scratch: Tensor, *, rate: Amount, decay: Amount, eps: Amount, momentum: Amount
) -> None:
    """RMSProp's memory after one more gradient: q and b in place; g and `scratch` are lost. The update is -b.

    Amounts are numbers, or tensors that broadcast to the others' shape: one row of them for each network of a stack.
    """
    torch.mul(g, g, out=scratch)
    scratch.sub_(q)
    if isinstance(decay, Tensor):
        q.addcmul_(scratch, 1 - decay)
    else:
        q.add_(scratch, alpha=1 - decay)
    torch.add(q, eps, out=scratch)
    scratch.sqrt_()
    b.mul_(momentum)
    if isinstance(rate, Tensor):
        b.add_(g.mul_(rate).div_(scratch))
    else:
        b.addcdiv_(g, scratch, value=rate)
