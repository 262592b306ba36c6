"""The modules every network here is made of: ordinary PyTorch, which the page shows as "the code of the block".

Adds, scales and concatenations are modules of their own and never in-place, so that a hook can stand at each of them.
Shapes are (N, C, H, W) throughout.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from inception_lab.nets.ops import Gain, Size

BN_EPS = 1e-3  # of every release (slim, Keras, timm); the paper gives none
BN_MOMENTUM = 0.1


class ConvBnRelu(nn.Module):
    """Convolution without bias, batch norm, ReLU."""

    def __init__(self, inputs: int, channels: int, kernel: Size, *, stride: int, padding: Size) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, channels, kernel, stride=stride, padding=padding, bias=False)
        self.bn = nn.BatchNorm2d(channels, eps=BN_EPS, momentum=BN_MOMENTUM)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.relu(self.bn(self.conv(x))))


class Concat(nn.Module):
    """Joins branches along the channels."""

    def forward(self, branches: list[Tensor]) -> Tensor:
        return torch.cat(branches, dim=1)


class Parallel(nn.Module):
    """`branch1`, `branch2`, ... on the same input, then `concat`."""

    def __init__(self, branches: list[nn.Module]) -> None:
        super().__init__()
        for place, branch in enumerate(branches, 1):
            self.add_module(f"branch{place}", branch)
        self.concat = Concat()

    def forward(self, x: Tensor) -> Tensor:
        *branches, concat = self.children()
        return cast(Tensor, concat([branch(x) for branch in branches]))


class Scale(nn.Module):
    """Multiplies by a constant: the paper's residual scaling (section 3.3, arXiv Fig 20)."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factor

    def extra_repr(self) -> str:
        return f"factor={self.factor}"


class LearnedScale(Scale):
    """Multiplies by `factor` and by a trained number that starts at `start`: 1, or 0 for a block that starts as its
    shortcut alone."""

    def __init__(self, factor: float, *, start: float) -> None:
        super().__init__(factor)
        self.start = start
        self.gain = nn.Parameter(torch.empty(()))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.constant_(self.gain, self.start)

    def forward(self, x: Tensor) -> Tensor:
        return x * (self.factor * self.gain)


class Add(nn.Module):
    """The residual add: shortcut + scaled residual."""

    def forward(self, shortcut: Tensor, residual: Tensor) -> Tensor:
        return shortcut + residual


class ScaledResidual(nn.Module):
    """x + factor * linear(body(x)), then ReLU unless `relu` is false (the released network's last block)."""

    def __init__(
        self, body: nn.Module, inner: int, channels: int, *, factor: float, relu: bool, gain: Gain = "fixed"
    ) -> None:
        super().__init__()
        self.body = body
        self.linear = nn.Conv2d(inner, channels, 1)
        self.scale = Scale(factor) if gain == "fixed" else LearnedScale(factor, start=float(gain == "learned"))
        self.add = Add()
        self.relu = nn.ReLU() if relu else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.relu(self.add(x, self.scale(self.linear(self.body(x))))))


class Head(nn.Module):
    """Batch norm and ReLU if `norm`, global average pooling, dropout, one fully connected layer: (N, C, H, W) to
    (N, classes)."""

    def __init__(self, inputs: int, classes: int, *, dropout: float, norm: bool = False) -> None:
        super().__init__()
        self.norm = nn.Sequential(nn.BatchNorm2d(inputs, eps=BN_EPS, momentum=BN_MOMENTUM), nn.ReLU()) if norm else None
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(inputs, classes)

    def forward(self, x: Tensor) -> Tensor:
        if self.norm is not None:
            x = self.norm(x)
        return cast(Tensor, self.classifier(self.dropout(self.pool(x).flatten(1))))
