"""The weights a network starts from, drawn by a generator of its own.

The same seed gives the same weights whatever the residual scale, whoever runs beside it, and leaves torch's global
generator alone. Biases start at 0 and batch norm at weight 1, bias 0, except for the word "torch".
"""

from __future__ import annotations

import math
from typing import assert_never

import torch
from torch import Tensor, nn

from inception_lab.models.build import InceptionNet, build
from inception_lab.models.layers import LearnedScale, ScaledResidual
from inception_lab.nets.ops import Net
from inception_lab.training.settings import Init


def initialised(net: Net, *, init: Init, seed: int, closing: float = 1.0) -> InceptionNet:
    """The network as a module on the CPU, its convolutions and classifier drawn by `init`, the weights of each
    residual's closing 1x1 then multiplied by `closing`:

    he         normal, variance 2 / fan_in (He et al. 2015)
    xavier     uniform, variance 2 / (fan_in + fan_out) (Glorot, Bengio 2010): the default of TF-slim's convolutions
    truncated  normal cut at two sigma, sigma = sqrt(1.3 * 2 / fan_in): TF-slim's Inception-v3 and v4
    torch      PyTorch's default: uniform, variance 1 / (3 fan_in), biases too
    """
    with torch.device("meta"):
        model = build(net)
    model.to_empty(device="cpu")
    chance = torch.Generator().manual_seed(seed)
    for module in model.modules():
        match module:
            case nn.BatchNorm2d() | LearnedScale():
                module.reset_parameters()
            case nn.Conv2d() | nn.Linear():
                _draw(module, init, chance)
    if closing != 1:
        for module in model.modules():
            if isinstance(module, ScaledResidual):
                with torch.no_grad():
                    module.linear.weight *= closing
    return model


def _draw(module: nn.Conv2d | nn.Linear, init: Init, chance: torch.Generator) -> None:
    weight = module.weight
    fan_in = weight[0].numel()
    match init:
        case "he":
            nn.init.kaiming_normal_(weight, generator=chance)
        case "xavier":
            nn.init.xavier_uniform_(weight, generator=chance)
        case "truncated":
            sigma = math.sqrt(1.3 * 2 / fan_in)
            nn.init.trunc_normal_(weight, std=sigma, a=-2 * sigma, b=2 * sigma, generator=chance)
        case "torch":
            nn.init.kaiming_uniform_(weight, a=math.sqrt(5), generator=chance)
        case _:
            assert_never(init)
    if module.bias is not None:
        _draw_bias(module.bias, 1 / math.sqrt(fan_in) if init == "torch" else 0.0, chance)


def _draw_bias(bias: Tensor, bound: float, chance: torch.Generator) -> None:
    if bound:
        nn.init.uniform_(bias, -bound, bound, generator=chance)
    else:
        nn.init.zeros_(bias)
