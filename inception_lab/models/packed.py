"""Convolutions that keep their weights in the order in which the processor's convolution reads them.

PyTorch hands oneDNN the weights as the module holds them, and each call puts them into another order first: with 43
million weights and one image that takes longer than some stages of the network. Here they are ordered once for each
shape of input. Where a gradient is asked for, on another device, in another precision, or in a PyTorch built without
oneDNN, the module is the plain convolution that it also is; the numbers are the same.
"""

from __future__ import annotations

from typing import Any, TypeVar, final

import torch
from torch import Tensor, nn

Model = TypeVar("Model", bound=nn.Module)


def packed(model: Model) -> Model:
    """`model` itself with every convolution replaced by one that orders its weights once; twice their memory in use."""
    if available():
        for address, module in list(model.named_modules()):
            if type(module) is nn.Conv2d and address:
                model.set_submodule(address, PackedConv2d(module))
    return model


def available() -> bool:
    """Whether this PyTorch has the ops; they are what its own compiler writes for a processor."""
    has_onednn: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return has_onednn and hasattr(torch.ops.mkldnn, "_convolution_pointwise")


@final
class PackedConv2d(nn.Conv2d):
    """A convolution with the weights and bias of another, shared with it. Shapes as `nn.Conv2d`."""

    def __init__(self, plain: nn.Conv2d) -> None:
        super().__init__(
            plain.in_channels,
            plain.out_channels,
            plain.kernel_size,  # type: ignore[arg-type]
            plain.stride,  # type: ignore[arg-type]
            plain.padding,  # type: ignore[arg-type]
            plain.dilation,  # type: ignore[arg-type]
            plain.groups,
            bias=plain.bias is not None,
            device="meta",  # draws nothing
        )
        self.weight, self.bias = plain.weight, plain.bias
        self.train(plain.training)
        self._ordered: tuple[tuple[object, ...], Tensor] | None = None

    def forward(self, input: Tensor) -> Tensor:
        """As the plain convolution."""
        if torch.is_grad_enabled() or input.dtype != torch.float32 or input.device.type != "cpu":
            return super().forward(input)
        made: Tensor = torch.ops.mkldnn._convolution_pointwise(
            input,
            self._weights(tuple(input.shape)),
            self.bias,
            *self._arrangement(),
            "none",
            [],
            "",
        )
        return made

    def _weights(self, shape: tuple[int, ...]) -> Tensor:
        """The weights for an input of `shape`; ordered anew when they were changed since."""
        version = 0 if self.weight.is_inference() else self.weight._version
        key = (shape, version, self.weight.data_ptr())
        if self._ordered is None or self._ordered[0] != key:
            order: Any = torch._C._nn.mkldnn_reorder_conv2d_weight  # its stub lacks the shape
            self._ordered = key, order(self.weight.detach().to_mkldnn(), *self._arrangement(), list(shape))
        return self._ordered[1]

    def _arrangement(self) -> tuple[list[int], list[int], list[int], int]:
        assert not isinstance(self.padding, str)
        return list(self.padding), list(self.stride), list(self.dilation), self.groups

    def __getstate__(self) -> dict[str, Any]:
        """A copy orders its own weights."""
        return {**self.__dict__, "_ordered": None}
