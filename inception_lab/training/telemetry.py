"""What happens inside the network during one step, measured where the paper looks: at every residual add, and in the
last tensor before the average pooling.

Hooks on named modules collect a few numbers a block on the device; they are fetched all at once, together with the
loss. Nothing stays on the model after the `with` block; what hangs on a tensor goes with the step's graph.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from inception_lab.models.build import InceptionNet
from inception_lab.nets.address import blocks
from inception_lab.nets.ops import Net, Residual

FORWARD = ("shortcut", "residual", "cosine", "zeros")
"""What a forward pass leaves for each residual block, in this order; a backward pass adds `gradient`."""


def residual_blocks(net: Net) -> tuple[str, ...]:
    """Addresses of the residual blocks, in the order in which the telemetry lists them."""
    return tuple(address for address, block in blocks(net) if isinstance(block, Residual))


def module(model: InceptionNet, address: str) -> nn.Module:
    """The block at a full address, as `model.at` gives it, without looking through all names at every step."""
    return model.get_submodule(address.partition("/")[2].replace("/", "."))


class Telemetry:
    """`with Telemetry(model) as seen: loss = ...`, then `loss.backward()`, then `seen.numbers()`.

    A forward pass leaves, for each residual block in order, the root mean squares of the shortcut and of the scaled
    residual, the cosine between the two, and the share of zeros after the block's ReLU; and once the share of zeros
    before the pooling. A backward pass leaves the root mean square of the gradient at each sum.
    """

    def __init__(self, model: InceptionNet) -> None:
        self._model = model
        self._blocks = residual_blocks(model.net)
        self._handles: list[RemovableHandle] = []
        self._squares: list[Tensor] = []
        self._zeros: list[Tensor] = []
        self._gradients: dict[int, Tensor] = {}

    def __enter__(self) -> Self:
        for address in self._blocks:
            block = module(self._model, address)
            self._handles.append(block.get_submodule("add").register_forward_hook(self._see_add))
            self._handles.append(block.get_submodule("relu").register_forward_hook(self._see_output))
        pool = self._model.get_submodule("head.pool")
        self._handles.append(pool.register_forward_pre_hook(self._see_input))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    def numbers(self) -> Tensor:
        """All numbers of the pass as one tensor, still on the device: each name of `FORWARD` for all blocks, the zero
        share before the pooling, and `gradient` for all blocks if there was a backward pass."""
        places = range(len(self._blocks))
        if not places:
            return torch.stack(self._zeros)
        x, r, both = torch.stack(self._squares).view(-1, 3).unbind(1)  # means of x², r² and x·r
        zeros = torch.stack(self._zeros)
        sides = [x.sqrt(), r.sqrt(), both / (x * r).sqrt(), zeros]
        if len(self._gradients) == len(places):
            sides.append(torch.stack([self._gradients[place] for place in places]).sqrt())
        return torch.cat(sides)

    def _see_add(self, module: nn.Module, sides: tuple[Tensor, Tensor], total: Tensor) -> None:
        x, r = _flat(*(side.detach() for side in sides))
        self._squares += [_mean(x, x), _mean(r, r), _mean(x, r)]
        place = len(self._squares) // 3 - 1
        if total.requires_grad:
            total.register_hook(lambda gradient: self._see_gradient(place, gradient))  # type: ignore[no-untyped-call]

    def _see_gradient(self, place: int, gradient: Tensor) -> None:
        (g,) = _flat(gradient.detach())
        self._gradients[place] = _mean(g, g)

    def _see_output(self, module: nn.Module, inputs: Any, output: Tensor) -> None:
        self._zeros.append(self._zero_share(output.detach()))

    def _see_input(self, module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        self._zeros.append(self._zero_share(inputs[0].detach()))

    def _zero_share(self, x: Tensor) -> Tensor:
        return _zero_share(x)


def _flat(*tensors: Tensor) -> tuple[Tensor, ...]:
    """The tensors as rows of numbers in the order in which the first lies in memory; no copy where all lie so."""
    last = tensors[0].is_contiguous(memory_format=torch.channels_last)
    return tuple((t.permute(0, 2, 3, 1) if last else t).reshape(-1).float() for t in tensors)


def _mean(a: Tensor, b: Tensor) -> Tensor:
    return torch.dot(a, b) / a.numel()


def _zero_share(x: Tensor) -> Tensor:
    """The share of exact zeros, nan if x holds a nan; by signs, which is five times as fast as comparing on a CPU."""
    (values,) = _flat(x)
    signs = values.sign()
    share = (values.numel() - torch.dot(signs, signs)) / values.numel()
    size = torch.dot(values, signs)
    return torch.where(size.isnan(), size, share)
