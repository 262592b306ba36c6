"""A description as a PyTorch module: `build(net)` reads the same value that the tables and drawings read.

The module tree follows the addresses: `inception_resnet_v2/B/07/add` is `model.get_submodule("B.07.add")`.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, assert_never

import torch
from torch import Tensor, nn

from inception_lab.errors import ImpossibleAdd, NetworkError, UnknownAddress
from inception_lab.models.layers import ConvBnRelu, Head, Parallel, ScaledResidual
from inception_lab.nets import catalog
from inception_lab.nets.address import blocks, children, locate
from inception_lab.nets.ops import Chain, Concat, Conv, Net, Op, Pool, Residual, Size, channels, padding


class InceptionNet(nn.Module):
    """A network of the lab; `net` is the description it was built from.

    The stages are children in order (`stem`, `A`, ...), each a row of blocks `01`, `02`, ..., then `head`.
    """

    def __init__(self, net: Net) -> None:
        super().__init__()
        self.net = net
        width = net.inputs
        for stage in net.stages:
            row: OrderedDict[str, nn.Module] = OrderedDict()
            for place, block in enumerate(stage.blocks, 1):
                row[f"{place:02d}"] = _module(block, width, f"{net.name}/{stage.name}/{place:02d}")
                width = channels(block, width)
            self.add_module(stage.name, nn.Sequential(row))
        self.head = Head(width, net.classes, dropout=net.dropout, norm=net.end_norm)

    def forward_features(self, x: Tensor) -> Tensor:
        """The last map before global pooling: (N, inputs, H, W) to (N, C, h, w)."""
        for stage in self.net.stages:
            x = self.get_submodule(stage.name)(x)
        return x

    def forward(self, x: Tensor) -> Tensor:
        """Logits: (N, inputs, H, W) to (N, classes)."""
        logits: Tensor = self.head(self.forward_features(x))
        return logits

    def at(self, address: str) -> nn.Module:
        """The module at an address of the lab; raises `UnknownAddress` with the names that exist."""
        path = locate(self.net, address).split("/")[1:]
        return self.get_submodule(".".join(path))


def build(net: Net | str, *, classes: int | None = None) -> InceptionNet:
    """The network as a module, with PyTorch's default initialisation from the global generator.

    Raises `ImpossibleAdd` for a description whose widths contradict themselves, before any tensor is made.
    """
    chosen = catalog.net(net) if isinstance(net, str) else net
    if classes is not None and classes < 1:
        raise NetworkError(f"A classifier needs at least one class, not {classes}.")
    return InceptionNet(chosen if classes is None else chosen.with_(classes=classes))


def block(net: Net, address: str) -> nn.Module:
    """One block of the network on the meta device: its structure without the cost of its numbers."""
    width = net.inputs
    for at, op in blocks(net):
        if at == address:
            with torch.device("meta"):
                return _module(op, width, at)
        width = channels(op, width)
    raise UnknownAddress(f"There is no block {address!r} in {net.name}.")


def summary(model: nn.Module, *, size: int | Size | None = None, depth: int = 3) -> Any:
    """torchinfo's table of a model of the lab, for one image of `size`; it prints and shows itself."""
    import torchinfo

    net = getattr(model, "net", None)
    side = size or (net.size if net else 224)
    height, width = (side, side) if isinstance(side, int) else side
    device = next(model.parameters()).device
    image = torch.zeros(1, net.inputs if net else 3, height, width, device=device)
    return torchinfo.summary(model, input_data=image, depth=depth, verbose=0)


def _module(op: Op, inputs: int, address: str) -> nn.Module:
    match op:
        case Conv():
            border = padding(op.window, op.pad)
            return ConvBnRelu(inputs, op.channels, op.window, stride=op.stride, padding=border)
        case Pool():
            return _pool(op)
        case Chain():
            links: OrderedDict[str, nn.Module] = OrderedDict()
            for name, link in children(op):
                links[name] = _module(link, inputs, f"{address}/{name}")
                inputs = channels(link, inputs)
            return nn.Sequential(links)
        case Concat():
            return Parallel([_module(branch, inputs, f"{address}/{name}") for name, branch in children(op)])
        case Residual():
            if op.width is not None and op.width != inputs:
                raise ImpossibleAdd(f"{address}/add", shortcut=inputs, residual=op.width)
            body = _module(op.body, inputs, f"{address}/body")
            inner = channels(op.body, inputs)
            return ScaledResidual(body, inner, inputs, factor=op.scale, relu=op.relu, gain=op.gain)
        case _:
            assert_never(op)


def _pool(op: Pool) -> nn.Module:
    border = padding(op.window, op.pad)
    if op.kind == "max":
        return nn.MaxPool2d(op.window, stride=op.stride, padding=border)
    return nn.AvgPool2d(op.window, stride=op.stride, padding=border, count_include_pad=op.count_border)
