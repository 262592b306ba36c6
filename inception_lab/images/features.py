"""Feature maps: what one op of a network makes of a photograph, and how one cell of it came about.

    lab.features("cat.jpg", "inception_v4.tf_in1k", at="B/03", cell=(8, 8))

The forward pass ends at the op that is asked.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from inception_lab.errors import SettingsError
from inception_lab.images.arithmetic import Arithmetic, Array
from inception_lab.images.crops import pixels as cut
from inception_lab.images.explain import entering
from inception_lab.images.load import Photo, Source, load
from inception_lab.images.looking import look
from inception_lab.images.networks import threads_set
from inception_lab.images.opened import Opened, opened
from inception_lab.images.windows import field_of
from inception_lab.models.hub import Progress
from inception_lab.models.records import EMBEDDED
from inception_lab.nets.ops import Net
from inception_lab.readers.receptive import Box, receptive_field


@dataclass(frozen=True, slots=True)
class Channel:
    """One map in numbers: its root mean square, mean, smallest and largest value, and its share of exact zeros."""

    channel: int
    rms: float
    mean: float
    low: float
    high: float
    zero_share: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Features:
    """What the op at `address` puts out for one image.

    `maps` float32 (C, H, W) in the network's own order of channels; `channels` describes them, the strongest first: by
    root mean square, equal ones by number. `pixels` uint8 (S, S, 3) is what entered the network. `weights` says whose
    they are, "random weights, seed 0" too. With a cell there are `sees`, the pixels it can see, and `cell`, its
    arithmetic, which is None where the value is the end of several ops (timm's blocks).
    """

    file: str
    network: str
    weights: str
    address: str
    maps: Array
    pixels: Array
    at: tuple[int, int, int] | None = None
    sees: Box | None = None
    cell: Arithmetic | None = None
    seconds: float = 0.0
    channels: tuple[Channel, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "channels", _channels(self.maps))

    def to_rows(self) -> list[dict[str, Any]]:
        """A row for each channel, the strongest first."""
        return [{name: getattr(one, name) for name in one.__slots__} for one in self.channels]

    def _repr_html_(self) -> str:
        from inception_lab.images.tiles import page

        return page(self)


def features(
    image: Source | Photo,
    network: str | Net = EMBEDDED,
    *,
    at: str,
    cell: tuple[int, int] | None = None,
    channel: int | None = None,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Features:
    """The feature maps of the op, block or stage `at`, for the single centre crop of `image`.

    `network` is a tag with weights ("run:<id>" too) or a description, `lab.net(…)`, which gets random weights of
    `seed`, and says so. `at` is an address of the lab; of timm's modules (the embedded network, ResNet-152) it is the
    module's name with / for dots, such as "blocks/1/0/conv_pw". With a `cell` (row, column) of `channel` (by default
    the strongest) its receptive field and its arithmetic come too. `progress` is told (bytes, bytes in all) during a
    download. Raises `ImageError`, `WeightsError`, `RunError`, `UnknownAddress`, `NetworkError`, and `SettingsError` for
    a cell that is not there.
    """
    photo = load(image)
    with threads_set(threads), opened(network, seed=seed, progress=progress) as inside, torch.inference_mode():
        start, address = time.perf_counter(), inside.locate(at)
        square = cut(photo, inside.loaded.record)
        seen = look(inside, address, entering(inside.loaded, square))
        maps = _maps(seen.out)
        place = None if cell is None else _placed(maps, cell, channel, address)
        return Features(
            file=photo.name,
            network=inside.loaded.record.tag,
            weights=inside.weights,
            address=address,
            maps=maps,
            pixels=np.asarray(square),
            at=place,
            sees=None if place is None else _field(inside, address, place),
            cell=None if place is None or seen.explain is None else seen.explain(place),
            seconds=time.perf_counter() - start,
        )


def span(image: Source | Photo, network: str | Net, *, at: str, seed: int = 0) -> tuple[float, float]:
    """The smallest and the largest value of every op in the block that `at` lies in, for the centre crop of `image`.

    For one colour scale over a block. timm's parts have no such blocks: there it is that of `at`. Errors as `features`.
    """
    photo = load(image)
    with opened(network, seed=seed) as inside, torch.inference_mode():
        address = inside.locate(at)
        x = entering(inside.loaded, cut(photo, inside.loaded.record))
        ends: list[tuple[float, float]] = []

        def note(_: torch.nn.Module, __: object, out: torch.Tensor) -> None:
            finite = out[out.isfinite()]
            ends.append((finite.min().item(), finite.max().item()) if finite.numel() else (0.0, 0.0))

        with ExitStack() as hooks:
            for each in inside.block(address):
                hooks.callback(inside.module(each).register_forward_hook(note).remove)
            inside.loaded.model(x)
    return min(low for low, _ in ends), max(high for _, high in ends)


def _maps(out: torch.Tensor) -> Array:
    """What an op puts out for one image as (C, H, W); a row of numbers is C maps of one cell."""
    return np.ascontiguousarray((out if out.dim() == 4 else out[..., None, None])[0].float().numpy())


def _placed(maps: Array, cell: tuple[int, int], channel: int | None, address: str) -> tuple[int, int, int]:
    count, high, wide = maps.shape
    chosen = _channels(maps)[0].channel if channel is None else channel
    if not 0 <= chosen < count or not 0 <= cell[0] < high or not 0 <= cell[1] < wide:
        raise SettingsError(
            f"{address} puts out {count} channels of {high}×{wide} cells, counted from 0: there is no "
            f"channel {chosen}, row {cell[0]}, column {cell[1]}."
        )
    return chosen, cell[0], cell[1]


def _field(inside: Opened, address: str, place: tuple[int, int, int]) -> Box:
    if inside.net:
        size = inside.loaded.record.size
        return receptive_field(inside.net, address, cell=place[1:], size=size, channel=place[0])
    return field_of(inside, address, place[1:])


def _channels(maps: Array) -> tuple[Channel, ...]:
    flat = maps.reshape(len(maps), -1)
    rms = np.sqrt(np.square(flat, dtype=np.float64).mean(axis=1))
    order = np.argsort(-np.nan_to_num(rms, nan=np.inf), kind="stable")
    mean, low, high = flat.mean(axis=1, dtype=np.float64), flat.min(axis=1), flat.max(axis=1)
    zeros = (flat == 0).mean(axis=1)
    return tuple(Channel(int(i), *(float(one[i]) for one in (rms, mean, low, high, zeros))) for i in order)
