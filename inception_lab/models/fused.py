"""A network made ready to be asked: batch norm folded into its convolutions, channels last in memory.

In evaluation mode batch norm multiplies each channel by a constant and adds one, which a convolution's own weights and
bias can do as well (Jacob et al. 2018, section 3.2). Maps and logits stay the same but for rounding; a third of the
passes over memory go away, and with channels last the convolutions find their numbers in the order they read them.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TypeVar, final

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from inception_lab.errors import NetworkError

Model = TypeVar("Model", bound=nn.Module)


def fused(model: Model) -> Model:
    """`model` itself, folded in place and channels last; it takes and gives the same tensors as before.

    Every address still names a module with the same output as before, except a folded convolution's own: it now puts
    out what its batch norm did. Only for modules that run their children in the order of their declaration: the lab's,
    and timm's EfficientNet and ResNet. Raises `NetworkError` for a model in training mode, whose batch norm is no
    constant.
    """
    if model.training:
        raise NetworkError("Only a network in evaluation mode can be folded: call eval() first.")
    model = model.to(memory_format=torch.channels_last)
    for parent in list(model.modules()):
        for (_, conv), (norm_name, norm) in pairwise(parent.named_children()):
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                _fold(conv, norm)
                parent.set_submodule(norm_name, _after(norm))
    for module in model.modules():
        if hasattr(module, "inplace"):
            module.inplace = False  # type: ignore[assignment]  # hooks keep what they saw
    return model


def has_bf16() -> bool:
    """Whether the processor multiplies bf16 numbers itself; without that the mode would cost time, not save it."""
    able = torch.cpu.get_capabilities()
    return any(bool(able.get(name)) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def in_bf16(model: nn.Module) -> nn.Module:
    """`model` in bf16, converted in place, behind an entry and an exit of float32."""
    return _Bf16(model.to(torch.bfloat16))


@final
class _Bf16(nn.Module):
    """Images and logits stay float32; everything between them is bf16."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.network(x.to(torch.bfloat16))
        return logits.float()


@torch.no_grad()
def _fold(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
    """Let the convolution do both; worked out in fp64, so that only one rounding is left.

    The weights are written where they stood: new ones would leave holes between them that the allocator keeps, as much
    again as the network.
    """
    given = (conv.bias, norm.running_mean, norm.running_var, norm.weight, norm.bias)
    bias, mean, var, gain, shift = (None if one is None else one.double() for one in given)
    assert mean is not None
    assert var is not None
    weight, bias = fuse_conv_bn_weights(conv.weight.double(), bias, mean, var, norm.eps, gain, shift)
    conv.weight.requires_grad_(False).copy_(weight)
    conv.bias = nn.Parameter(bias.to(conv.weight.dtype), requires_grad=False)


def _after(norm: nn.BatchNorm2d) -> nn.Module:
    """What is left where the batch norm stood: in timm's EfficientNet its activation, elsewhere nothing."""
    act = getattr(norm, "act", None)
    return act if isinstance(act, nn.Module) else nn.Identity()
