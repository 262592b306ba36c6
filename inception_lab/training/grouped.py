"""Several networks of one shape as one module, side by side in the channels: N networks with C channels make maps
(batch, N * C, height, width), network after network.

A convolution in N groups is N convolutions, and batch norm, ReLU and pooling know no channel but their own, so these
stay what they are. Only what joins or mixes channels is replaced here. The module tree and the names of the tensors are
those of one network; each tensor holds N networks' along its first dimension.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import final

import torch
from torch import Tensor, nn

from inception_lab.models.build import InceptionNet, build
from inception_lab.models.layers import Concat, LearnedScale, Scale
from inception_lab.nets.address import blocks
from inception_lab.nets.ops import Net, Residual

COUNTER = "num_batches_tracked"  # of batch norm: one number for all networks, the only one without a dimension


@final
class GroupedConcat(nn.Module):
    """Joins branches network by network."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count

    def forward(self, branches: list[Tensor]) -> Tensor:
        size = branches[0].shape
        apart = [branch.reshape(size[0], self.count, -1, *size[2:]) for branch in branches]
        return torch.cat(apart, dim=2).flatten(1, 2)


@final
class GroupedScale(nn.Module):
    """Multiplies each network's channels by its own factor (N), and by its own trained gain (N) if there is one."""

    factors: Tensor

    def __init__(self, factors: Tensor, *, gain: bool) -> None:
        super().__init__()
        self.register_buffer("factors", factors, persistent=False)
        self.gain = nn.Parameter(torch.empty(len(factors))) if gain else None

    def forward(self, x: Tensor) -> Tensor:
        by = self.factors if self.gain is None else self.factors * self.gain
        each = by[:, None].expand(-1, x.shape[1] // len(by)).reshape(1, -1, 1, 1)
        return (x * each).to(x.dtype)  # as a product with a number: half precision stays half


@final
class GroupedLinear(nn.Module):
    """N fully connected layers: (batch, N * inputs) to (batch, N, outputs)."""

    def __init__(self, inputs: int, outputs: int, *, count: int) -> None:
        super().__init__()
        self.count = count
        self.weight = nn.Parameter(torch.empty(count * outputs, inputs))
        self.bias = nn.Parameter(torch.empty(count * outputs))

    def forward(self, x: Tensor) -> Tensor:
        each = x.reshape(len(x), self.count, -1).transpose(0, 1)  # (N, batch, inputs)
        weight = self.weight.reshape(self.count, -1, each.shape[2]).transpose(1, 2)
        out = torch.baddbmm(self.bias.view(self.count, 1, -1), each, weight)
        return out.transpose(0, 1)


def grouped(nets: Sequence[Net], models: Sequence[InceptionNet]) -> InceptionNet:
    """One module that computes what the models do, which were built from `nets`; these differ in scales alone."""
    like, scales = next(models[0].parameters()), [_scales(net) for net in nets]
    with torch.device("meta"):
        together = build(nets[0])
        for name, module in list(together.named_modules()):
            factors = like.new_tensor([each[name] for each in scales]) if name in scales[0] else like.new_empty(0)
            if (new := _grouped(module, len(nets), factors)) is not None:
                parent, _, child = name.rpartition(".")
                setattr(together.get_submodule(parent), child, new)
    together.load_state_dict(joined([model.state_dict() for model in models]), assign=True)
    return together


def joined(states: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """The networks' `state_dict`s as one for the module that holds them all."""
    return {
        name: value if name.endswith(COUNTER) else _row([s[name] for s in states]) for name, value in states[0].items()
    }


def parted(state: Mapping[str, Tensor], place: int, *, count: int, like: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """One network's `state_dict` out of the common one, as a copy; `like` has its shapes."""
    return {
        name: (value.chunk(count)[place].view(like[name].shape) if value.dim() else value).clone()
        for name, value in state.items()
    }


def _row(values: Sequence[Tensor]) -> Tensor:
    return torch.cat([value if value.dim() else value[None] for value in values])


def _scales(net: Net) -> dict[str, float]:
    """The scale of each residual, by the name of the module that multiplies by it."""
    return {
        f"{address.partition('/')[2].replace('/', '.')}.scale": op.scale
        for address, op in blocks(net)
        if isinstance(op, Residual)
    }


def _grouped(module: nn.Module, count: int, factors: Tensor) -> nn.Module | None:
    """What takes the module's place; None if it stays."""
    match module:
        case nn.Conv2d():
            return nn.Conv2d(
                count * module.in_channels,
                count * module.out_channels,
                module.kernel_size,  # type: ignore[arg-type]
                stride=module.stride,  # type: ignore[arg-type]
                padding=module.padding,  # type: ignore[arg-type]
                groups=count,
                bias=module.bias is not None,
            )
        case nn.BatchNorm2d():
            return nn.BatchNorm2d(count * module.num_features, eps=module.eps, momentum=module.momentum)
        case Concat():
            return GroupedConcat(count)
        case Scale():
            return GroupedScale(factors, gain=isinstance(module, LearnedScale))
        case nn.Linear():
            return GroupedLinear(module.in_features, module.out_features, count=count)
        case _:
            return None
