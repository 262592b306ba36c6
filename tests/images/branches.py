"""Networks whose branches and residuals can be worked out by hand, and thin ones of every kind, as loaded ones."""

from __future__ import annotations

import math

import timm
import torch
from torch import Tensor, nn

from inception_lab.images.networks import Grey, Loaded
from inception_lab.models.build import InceptionNet, build
from inception_lab.models.records import WeightRecord
from inception_lab.nets.catalog import net
from inception_lab.nets.ops import Concat, Conv, Net, Op, Residual, Stage


def record(tag: str, network: str, size: int, classes: int, channels: int = 3) -> WeightRecord:
    """A record as a run has one."""
    return WeightRecord(
        tag=tag,
        network=network,
        origin="made in a test",
        top1=math.nan,
        top5=None,
        megabytes=1,
        crop_pct=1.0,
        size=size,
        channels=channels,
        classes=classes,
        labels=tuple(f"class {place}" for place in range(classes)),
    )


def loaded(model: nn.Module, *, tag: str = "run:toy", size: int = 32) -> Loaded:
    """A module as the cache would hold it."""
    own = model.network if isinstance(model, Grey) else model
    classes = own.net.classes if isinstance(own, InceptionNet) else 10
    return Loaded(record(tag, "toy", size, classes), model.eval().requires_grad_(False))


def toy(*blocks: Op, inputs: int = 1) -> InceptionNet:
    """A network of these blocks and two classes, every batch norm doing nothing, every weight and bias 1."""
    model = build(Net("toy", "by hand", (Stage("A", blocks),), inputs=inputs, size=2, dropout=0.0, classes=2)).eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = 0.0  # with a running variance of 1 it hands on what it gets
        elif isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.ones_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return model.requires_grad_(False)


def set_(model: InceptionNet, address: str, *values: float) -> None:
    """The weight of the convolution or classifier at an address, in the order of its elements."""
    parameter = model.at(address).get_parameter("weight")
    with torch.no_grad():
        parameter.copy_(torch.tensor(values, dtype=parameter.dtype).view_as(parameter))


def two_branches() -> InceptionNet:
    """x -> [2x, 3x]; logit 0 is the mean of 2x plus 10 times that of 3x, logit 1 their difference."""
    model = toy(Concat(Conv(1, 1), Conv(1, 1)))
    set_(model, "A/01/branch1/conv", 2)
    set_(model, "A/01/branch2/conv", 3)
    set_(model, "head/classifier", 1, 10, 1, -1)
    return model


def two_residuals(*, gain: str = "fixed") -> InceptionNet:
    """x -> x + 0.5 * 4x = 3x -> 3x + 0.5 * 6 * 3x = 12x; logit 0 is its mean, logit 1 40 less that."""
    block = Residual(Conv(1, 1), scale=0.5, gain=gain)  # type: ignore[arg-type]
    model = toy(block, block)
    set_(model, "A/01/linear", 4)
    set_(model, "A/02/linear", 6)
    set_(model, "head/classifier", 1, -1)
    with torch.no_grad():
        model.head.classifier.bias.copy_(torch.tensor([0.0, 40.0]))
    return model


def randomised(model: nn.Module, seed: int = 0) -> nn.Module:
    """Batch-norm statistics that show, and weights that let something through."""
    torch.manual_seed(seed)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.1)
            module.running_mean.normal_(std=0.1)  # type: ignore[union-attr, operator]
            module.running_var.uniform_(0.5, 1.5)  # type: ignore[union-attr, operator]
        elif isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.normal_(module.weight, std=1.4 / math.sqrt(module.weight[0].numel()))
    return model.eval()


def thin(name: str, *, learned: bool = False) -> InceptionNet:
    """A network of the catalogue, an eighth as wide, with few blocks of a kind, for 32 pixels and ten classes."""
    described = net(name).thin(1 / 8).repeats(2, 2, 2).small().with_(classes=10)
    model = build(described.scaled(0.3, gain="learned") if learned else described)
    randomised(model)
    if learned:
        for named, parameter in model.named_parameters():
            if named.endswith("gain"):
                nn.init.constant_(parameter, 1.5)
    return model


def resnet() -> nn.Module:
    """timm's ResNet-18 and with it the in-place add, for ten classes."""
    model: nn.Module = timm.create_model("resnet18", num_classes=10)
    return randomised(model)


def picture(size: int, channels: int = 3, *, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    """One image of noise."""
    return torch.randn(1, channels, size, size, generator=torch.Generator().manual_seed(seed), dtype=dtype)
