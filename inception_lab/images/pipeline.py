"""What happens to a photograph on the way into a network, as plain numbers for a page or a report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from inception_lab.images.crops import Reading, crops, cuts
from inception_lab.images.load import Photo
from inception_lab.models.records import WeightRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """Sizes are (width, height) in pixels.

    `original` is the file's, `read` what is left after `load`; `resized` has one size per scale; `boxes` are the sizes
    of what is cut out, `size` the side of what enters.

    `lowest` and `highest` are the values of black and white after normalisation, per channel; `seen` the lowest and
    highest value that this photograph's crops really hold.
    """

    network: str
    original: tuple[int, int]
    read: tuple[int, int]
    resized: tuple[tuple[int, int], ...]
    boxes: tuple[tuple[int, int], ...]
    size: int
    crops: int
    reading: Reading
    interpolation: str
    grey: bool
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    lowest: tuple[float, float, float]
    highest: tuple[float, float, float]
    seen: tuple[float, float]

    def steps(self) -> list[dict[str, Any]]:
        """The same as rows for a table: step, what comes out, and how."""
        same = self.original == self.read
        resized = self.resized == (self.read,)
        how = "bilinear as TensorFlow 1 sampled" if self.reading == "slim" else self.interpolation
        cut = f"{self.crops} crop{'s' if self.crops > 1 else ''}"
        pulled = "" if self.boxes == ((self.size, self.size),) else f"; other sizes are resized, {how}"
        low, high = _range(self.lowest), _range(self.highest)
        found = [
            {"step": "file", "out": _size(self.original), "how": "as it came"},
            {"step": "read", "out": _size(self.read), "how": "unchanged" if same else "upright, at most 1024 a side"},
            {"step": "grey", "out": "one channel", "how": "luma of ITU-R BT.601"} if self.grey else {},
            {
                "step": "resize",
                "out": ", ".join(map(_size, self.resized)),
                "how": "not resized before the cut" if resized else f"shorter side first, {how}",
            },
            {
                "step": "crop",
                "out": f"{cut} of {', '.join(map(_size, self.boxes))}",
                "how": f"{self.size}×{self.size} enters{pulled}",
            },
            {
                "step": "range",
                "out": f"{_signed(self.seen[0], '.2f')} to {_signed(self.seen[1], '.2f')} here",
                "how": f"(value / 255 − {_range(self.mean)}) / {_range(self.std)}: black {low}, white {high}",
            },
        ]
        return [row for row in found if row]


def pipeline(photo: Photo, record: WeightRecord, n: int = 1, reading: Reading = "timm") -> Pipeline:
    """The way of one photograph into the network of `record` by a protocol."""
    places = cuts(photo.image.size, record, n, reading)
    triples = list(zip(record.mean, record.std, strict=True))
    return Pipeline(
        network=record.tag,
        original=photo.original or photo.image.size,
        read=photo.image.size,
        resized=tuple(dict.fromkeys(cut.resized for cut in places)),
        boxes=tuple(dict.fromkeys((cut.box[2] - cut.box[0], cut.box[3] - cut.box[1]) for cut in places)),
        size=record.size,
        crops=n,
        reading=reading,
        interpolation=record.interpolation,
        grey=record.channels == 1,
        mean=record.mean,
        std=record.std,
        lowest=_triple([-mean / std for mean, std in triples]),
        highest=_triple([(1 - mean) / std for mean, std in triples]),
        seen=_seen(photo, record, n, reading),
    )


def pictures(
    photo: Photo, record: WeightRecord, n: int = 1, reading: Reading = "timm"
) -> tuple[Image.Image, tuple[tuple[int, int, int, int], ...], Image.Image]:
    """The photograph as the first scale of a protocol has it, the boxes cut out there, and the first crop itself."""
    places = cuts(photo.image.size, record, n, reading)
    first = places[0].resized
    grey = photo.image.convert("L").convert("RGB") if record.channels == 1 else photo.image
    boxes = tuple(dict.fromkeys(cut.box for cut in places if cut.resized == first))
    return grey.resize(first), boxes, crops(photo, record, n, reading)[0]


def _seen(photo: Photo, record: WeightRecord, n: int, reading: Reading) -> tuple[float, float]:
    found = []
    for square in {id(one): one for one in crops(photo, record, n, reading)}.values():
        values = np.asarray(square)
        for channel, (mean, std) in enumerate(zip(record.mean, record.std, strict=True)):
            ends = values[..., channel].min(), values[..., channel].max()
            found += [(float(end) / 255 - mean) / std for end in ends]
    return min(found), max(found)


def _triple(values: list[float]) -> tuple[float, float, float]:
    red, green, blue = values
    return red, green, blue


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]}×{size[1]}"


def _range(values: tuple[float, float, float]) -> str:
    """One number where the channels agree, else three."""
    words = [_signed(one, ".3g") for one in values]
    return words[0] if len(set(values)) == 1 else f"({', '.join(words)})"


def _signed(number: float, form: str) -> str:
    """A number with a minus that is one."""
    return format(number, form).replace("-", "−")
