"""Receptive fields in timm's EfficientNet and ResNet, which have no description: from the windows as they run.

Their modules stand in the order in which they run, and a shortcut never sees more than what it passes by, so the field
is that of the convolutions and pools one after the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from inception_lab.errors import SettingsError
from inception_lab.images.arithmetic import pair, top_left
from inception_lab.images.opened import Opened
from inception_lab.nets.ops import Size
from inception_lab.readers.receptive import Box

ASIDE = "downsample"  # ResNet's strided shortcuts


@dataclass(frozen=True, slots=True)
class Window:
    """A window as it ran: the module's name, its sides and stride, the padding above and to the left, the grid that
    entered."""

    name: str
    sides: Size
    stride: int
    border: Size
    grid: Size


def field_of(opened: Opened, address: str, cell: Size) -> Box:
    """The pixels that a cell of timm's module at a full address can see; raises `SettingsError` for no such cell."""
    path = address.split("/", 1)[1].replace("/", ".")
    names = [name for name, _ in opened.loaded.model.named_modules()]
    inside = [place for place, name in enumerate(names) if f"{name}.".startswith(f"{path}.")]
    side = opened.loaded.record.size
    if _flat(opened, path):
        return Box((0, side - 1), (0, side - 1))
    box = Box((cell[0], cell[0]), (cell[1], cell[1]))
    for one in reversed([one for one in windows(opened) if names.index(one.name) <= inside[-1]]):
        box = box.before(one.sides, one.stride, one.border, one.grid)
    if box.size[0] < 1 or box.size[1] < 1:
        raise SettingsError(f"{address} has no cell {cell[0]}, {cell[1]}.")
    return box


def windows(opened: Opened) -> tuple[Window, ...]:
    """Every window of the network but those of shortcuts, in order; one pass of a black image, the first time."""
    tag = opened.loaded.record.tag
    if tag not in _KNOWN:
        _KNOWN[tag] = _measured(opened)
    return _KNOWN[tag]


_KNOWN: dict[str, tuple[Window, ...]] = {}  # of the few public networks that are timm's


def _measured(opened: Opened) -> tuple[Window, ...]:
    found: list[Window] = []

    def note(name: str) -> Any:
        def hook(module: nn.Module, args: tuple[Tensor], out: Tensor) -> None:
            sides, stride = pair(module.kernel_size), pair(module.stride)
            grid = (int(args[0].shape[2]), int(args[0].shape[3]))
            found.append(Window(name, sides, stride[0], top_left(module, args[0], out), grid))

        return hook

    hooks = [
        module.register_forward_hook(note(name))
        for name, module in opened.loaded.model.named_modules()
        if isinstance(module, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d) and ASIDE not in name
    ]
    side = opened.loaded.record.size
    try:
        with torch.inference_mode():
            opened.loaded.model(torch.zeros(1, 3, side, side))
    finally:
        for hook in hooks:
            hook.remove()
    return tuple(found)


def _flat(opened: Opened, path: str) -> bool:
    """Whether a part comes behind the global pooling."""
    return path.startswith(("global_pool", "classifier", "fc", "head"))
