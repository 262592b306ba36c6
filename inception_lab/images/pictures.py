"""A block of a loaded network as a drawing: the lab's own by their description, timm's by what they are made of."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from inception_lab.errors import UnknownAddress
from inception_lab.images.joints import Joint, joints
from inception_lab.images.networks import Loaded, borrowed
from inception_lab.images.parts import Credit, weighed, within
from inception_lab.models.records import EMBEDDED
from inception_lab.readers.drawing import Depth, Direction, Edge, Graph, Node
from inception_lab.readers.graph import graph

__all__ = ["credited", "drawing"]


def credited(found: Credit, *, at: str, depth: Depth = "ops", direction: Direction | None = None) -> Graph:
    """The block at an address with the credit of its parts as the width of the edges; errors as `drawing`."""
    return weighed(drawing(found.network, at=at, depth=depth, direction=direction), found.under(at))


def drawing(network: str = EMBEDDED, *, at: str, depth: Depth = "ops", direction: Direction | None = None) -> Graph:
    """The block at an address of a network with weights, as `images.parts.weighed` puts credit on it.

    Of timm's blocks only those with an add are drawn, at one depth: their convolutions and the add. Raises
    `UnknownAddress`.
    """
    with borrowed(network) as loaded:
        if loaded.own is not None:
            return graph(loaded.own.net, at=at, depth=depth, size=loaded.record.size, direction=direction)
        joint = next((one for one in joints(loaded) if within(one.address, at)), None)
        if joint is None:
            raise UnknownAddress(f"There is no block with an add at {at!r} in {network}.")
        return _skip(loaded, joint, direction or "TB")


def _skip(loaded: Loaded, joint: Joint, direction: Direction) -> Graph:
    """timm's block as a chain of convolutions with a shortcut past it; `joint.address` is the add's box."""
    entry, outputs = _shapes(loaded, joint.module)
    steps = list(_steps(joint, outputs))
    (_, before), (_, behind) = joint.parts
    nodes = [
        Node(before, ("what enters", _words(entry)), "input", entry, hover=f"what enters: {_words(entry)}"),
        *steps,
        Node(behind, ("batch norm",), "batch norm", steps[-1].output, hover="the last step before the add"),
        Node(joint.address, ("+",), "add", steps[-1].output, hover="shortcut + residual"),
    ]
    body = [Edge(tail.id, head.id, _words(tail.output)) for tail, head in pairwise(nodes)]
    shortcut = Edge(before, joint.address, _words(steps[-1].output), is_shortcut=True)
    place = joint.address.split("/", 1)[1]
    return Graph(
        name=loaded.record.tag,
        depth="ops",
        at=joint.address,
        title=f"{loaded.record.tag}, block {place}",
        alt=f"Block {place} of {loaded.record.tag}: {len(steps)} convolutions one after the other, {_words(entry)} to "
        f"{_words(steps[-1].output)}, and a shortcut past them to an add.",
        direction=direction,
        nodes=tuple(nodes),
        edges=(*body, shortcut),
    )


def _steps(joint: Joint, outputs: dict[str, tuple[int, int, int]]) -> Iterator[Node]:
    for name, module in joint.module.named_children():
        if isinstance(module, nn.Conv2d):
            shape, each = outputs[name], module.in_channels // module.groups
            window = "×".join(map(str, module.kernel_size))
            kind = "one filter a channel" if module.groups > 1 else "conv"
            kernel = (int(module.kernel_size[0]), int(module.kernel_size[1]))
            parameters = each * kernel[0] * kernel[1] * shape[0]
            yield Node(
                id=f"{joint.address}/{name}",
                label=(f"{window} · {shape[0]}", kind),
                kind="conv",
                output=shape,
                parameters=parameters,
                multiply_adds=parameters * shape[1] * shape[2],
                kernel=kernel,
                hover=f"{name}: {window}, {_words(shape)}, {parameters:,} weights",
            )


def _shapes(loaded: Loaded, block: nn.Module) -> tuple[tuple[int, int, int], dict[str, tuple[int, int, int]]]:
    """What enters a block and what leaves its convolutions for one image, as (C, H, W)."""
    entered: list[tuple[int, int, int]] = []
    outputs: dict[str, tuple[int, int, int]] = {}

    def note(name: str) -> Any:
        return lambda _, __, out: outputs.update({name: _chw(out)})

    hooks: list[Any] = [block.register_forward_pre_hook(lambda _, args: entered.append(_chw(args[0])))]
    hooks += [
        one.register_forward_hook(note(name)) for name, one in block.named_children() if isinstance(one, nn.Conv2d)
    ]
    try:
        with torch.inference_mode():
            loaded.model(torch.zeros(1, 3, loaded.record.size, loaded.record.size))
    finally:
        for hook in hooks:
            hook.remove()
    return entered[0], outputs


def _chw(x: Tensor) -> tuple[int, int, int]:
    return int(x.shape[1]), int(x.shape[2]), int(x.shape[3])


def _words(shape: tuple[int, int, int]) -> str:
    return "×".join(map(str, shape))
