"""What happens inside the network during one step, measured where the paper looks: at every residual add, and in the
last tensor before the average pooling.

Hooks on named modules collect a few numbers a block on the device; they are fetched all at once, together with the
loss, so a step waits for the device once. Nothing stays on the model after the `with` block.
"""

from __future__ import annotations

import math
from types import TracebackType
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from inception_lab.models.build import InceptionNet
from inception_lab.nets.address import blocks
from inception_lab.nets.ops import Net, Residual


def residual_blocks(net: Net) -> tuple[str, ...]:
    """Addresses of the residual blocks, in the order in which the telemetry lists them."""
    return tuple(address for address, block in blocks(net) if isinstance(block, Residual))


class Telemetry:
    """`with Telemetry(model) as seen: model(x)`, then `seen.numbers()`.

    A forward pass leaves, for each residual block in order, the root mean square of the shortcut, that of the scaled
    residual, and the share of zeros after the block's ReLU; and once the share of zeros before the pooling.
    """

    def __init__(self, model: InceptionNet) -> None:
        self._model = model
        self._handles: list[RemovableHandle] = []
        self._sides: list[Tensor] = []
        self._zeros: list[Tensor] = []

    def __enter__(self) -> Self:
        for address in residual_blocks(self._model.net):
            block = self._model.get_submodule(address.partition("/")[2].replace("/", "."))
            self._handles.append(block.get_submodule("add").register_forward_pre_hook(self._see_add))
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
        """All numbers of the pass as one tensor (3 * blocks + 1), still on the device: shortcut and residual of each
        block in turn, the zero shares of the blocks, the zero share before the pooling."""
        return torch.stack([*self._sides, *self._zeros])

    def _see_add(self, module: nn.Module, sides: tuple[Tensor, ...]) -> None:
        self._sides.extend(_rms(side.detach()) for side in sides)

    def _see_output(self, module: nn.Module, inputs: Any, output: Tensor) -> None:
        self._zeros.append(_zero_share(output.detach()))

    def _see_input(self, module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        self._zeros.append(_zero_share(inputs[0].detach()))


def _rms(x: Tensor) -> Tensor:
    norm: Tensor = torch.linalg.vector_norm(x)
    return norm / math.sqrt(x.numel())


def _zero_share(x: Tensor) -> Tensor:
    return (x == 0).sum() / x.numel()  # five times as fast as torch.count_nonzero on a CPU
