"""The squares a network sees of a photograph: the record's own single crop, and the protocols of the papers.

    1     shorter side to floor(size / crop_pct), centre square: what the published accuracies were measured with
          (reading "timm"); or, as slim's code has it, the central 87.5 % of each side pulled to a square (reading
          "slim", which does not keep the aspect)
    10    four corners and the centre of the same resized picture, and their mirror images (ResNet)
    12    centre square of the smallest scale: corners, centre and the whole square, mirrored; the paper leaves open
          which square and scale its 12 crops use, so this is a reading
    144   four scales, three squares each (left, centre, right; portrait: top, centre, bottom), six crops each, mirrored
          (GoogLeNet paper, section 7)

GoogLeNet's scales are 8/7 to 11/7 of its 224 pixels; for 299, where no paper gives numbers, they make 342, 384, 427 and
470. A network trained here has a crop_pct of 1, so its 10 crops of a square picture are one and the same, five times.
Softmax outputs are averaged over the crops. Where each crop lies is computed once, as `Cut`s: pixels and boxes follow.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal, assert_never, get_args

import numpy as np
from PIL import Image, ImageOps

from inception_lab.errors import SettingsError
from inception_lab.images.load import Photo
from inception_lab.models.records import WeightRecord

Protocol = Literal[1, 10, 12, 144]
PROTOCOLS: tuple[Protocol, ...] = get_args(Protocol)
Reading = Literal["timm", "slim"]
READINGS: tuple[Reading, ...] = get_args(Reading)

_FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}
_CORNERS_AND_CENTRE = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (0.5, 0.5))


@dataclass(frozen=True, slots=True)
class Cut:
    """One crop: the picture resized to `resized` (width, height), then `box` (left, top, right, bottom) cut out of it.

    A box of another size than the network's input is resized to that afterwards, then perhaps `mirrored`.
    """

    resized: tuple[int, int]
    box: tuple[int, int, int, int]
    mirrored: bool = False


@dataclass(frozen=True, slots=True)
class Box:
    """Where a crop lies on `photo.image`, in that picture's own pixels from its top left corner.

    `scale` is the shorter side of the resized picture the crop was cut from.
    """

    left: float
    top: float
    right: float
    bottom: float
    mirrored: bool
    scale: int


def protocol(crops: int, reading: str = "timm") -> Protocol:
    """`crops` if it is the number of a protocol; raises `SettingsError` otherwise, and for an unknown reading."""
    if crops not in PROTOCOLS:
        raise SettingsError(f"There is no protocol of {crops} crops; there are {', '.join(map(str, PROTOCOLS))}.")
    if reading not in READINGS:
        raise SettingsError(f"There is no reading {reading!r} of the single crop; there are {' and '.join(READINGS)}.")
    if reading == "slim" and crops != 1:
        raise SettingsError(f"slim's reading is one of the single crop; {crops} crops have none. Ask for 1 crop.")
    return crops


def pixels(photo: Photo, record: WeightRecord, *, reading: Reading = "timm") -> Image.Image:
    """The exact RGB square that enters the network of `record` with one crop, `record.size` pixels wide."""
    return crops(photo, record, 1, reading)[0]


def crops(photo: Photo, record: WeightRecord, n: int = 1, reading: Reading = "timm") -> list[Image.Image]:
    """The `n` RGB squares of a protocol (1, 10, 12 or 144), mirrored ones after the plain ones of their square.

    The picture is resized once per scale. Crops that fall on each other (of a square picture 96 of 144) are one and the
    same object.
    """
    places = cuts(photo.image.size, record, n, reading)
    picture = photo.image.convert("L").convert("RGB") if record.channels == 1 else photo.image
    made: dict[Cut, Image.Image] = {}
    for resized, group in groupby(places, key=lambda cut: cut.resized):
        whole = picture if resized == picture.size else picture.resize(resized, _FILTERS[record.interpolation])
        for cut in group:
            if cut not in made:
                made[cut] = _cut_out(whole, cut, record, reading)
    return [made[cut] for cut in places]


def boxes(photo: Photo, record: WeightRecord, n: int = 1, reading: Reading = "timm") -> tuple[Box, ...]:
    """Where the crops of a protocol lie on the photograph, in the order of `crops`."""
    width, height = photo.image.size
    return tuple(
        Box(
            cut.box[0] * width / cut.resized[0],
            cut.box[1] * height / cut.resized[1],
            cut.box[2] * width / cut.resized[0],
            cut.box[3] * height / cut.resized[1],
            cut.mirrored,
            min(cut.resized),
        )
        for cut in cuts(photo.image.size, record, n, reading)
    )


def cuts(size: tuple[int, int], record: WeightRecord, n: int = 1, reading: Reading = "timm") -> tuple[Cut, ...]:
    """The crops of a protocol on a picture of `size` (width, height), as numbers."""
    if protocol(n, reading) == 1 and reading == "slim":
        return (_central(size),)
    match protocol(n):
        case 1:
            resized = _resized(size, record.resize)
            return (Cut(resized, _square(resized, record.size, 0.5, 0.5)),)
        case 10:
            resized = _resized(size, record.resize)
            whole = (0, 0, *resized)
            return _mirrored([Cut(resized, _inner(whole, record.size, *place)) for place in _CORNERS_AND_CENTRE])
        case 12:
            return _six(size, scales(record.size)[0], 0.5, record)
        case 144:
            places = [(scale, share) for scale in scales(record.size) for share in (0.0, 0.5, 1.0)]
            return tuple(cut for scale, share in places for cut in _six(size, scale, share, record))
        case other:
            assert_never(other)


def scales(size: int) -> tuple[int, ...]:
    """Shorter sides of the 12- and 144-crop protocols: 8/7, 9/7, 10/7 and 11/7 of the network's input."""
    return tuple(round(size * sevenths / 7) for sevenths in (8, 9, 10, 11))


def _resized(size: tuple[int, int], shorter: int) -> tuple[int, int]:
    """Shorter side to `shorter`, the other in proportion, rounded down as torchvision and timm do."""
    width, height = size
    return (shorter, int(shorter * height / width)) if width <= height else (int(shorter * width / height), shorter)


def _central(size: tuple[int, int]) -> Cut:
    """The central 87.5 % of each side, as TensorFlow's `central_crop` rounds it: a sixteenth off every edge."""
    width, height = size
    return Cut(size, (width // 16, height // 16, width - width // 16, height - height // 16))


def _square(size: tuple[int, int], side: int, across: float, down: float) -> tuple[int, int, int, int]:
    """A square at a share of the free way: 0 is left or top, 0.5 the centre, 1 right or bottom."""
    left, top = round((size[0] - side) * across), round((size[1] - side) * down)
    return left, top, left + side, top + side


def _inner(box: tuple[int, int, int, int], side: int, across: float, down: float) -> tuple[int, int, int, int]:
    """The same within a box."""
    left, top, right, bottom = _square((box[2] - box[0], box[3] - box[1]), side, across, down)
    return box[0] + left, box[1] + top, box[0] + right, box[1] + bottom


def _six(size: tuple[int, int], scale: int, share: float, record: WeightRecord) -> tuple[Cut, ...]:
    """Of one square of one scale: five crops and the whole square, each also mirrored."""
    resized = _resized(size, scale)
    square = _square(resized, scale, share, share)
    five = [Cut(resized, _inner(square, record.size, *place)) for place in _CORNERS_AND_CENTRE]
    return _mirrored([*five, Cut(resized, square)])


def _mirrored(plain: list[Cut]) -> tuple[Cut, ...]:
    return (*plain, *(Cut(cut.resized, cut.box, mirrored=True) for cut in plain))


def _cut_out(whole: Image.Image, cut: Cut, record: WeightRecord, reading: Reading) -> Image.Image:
    side = record.size
    piece = whole.crop(cut.box)
    if reading == "slim":
        piece = _sampled(piece, side)
    elif piece.size != (side, side):
        piece = piece.resize((side, side), _FILTERS[record.interpolation])
    return ImageOps.mirror(piece) if cut.mirrored else piece


def _sampled(image: Image.Image, side: int) -> Image.Image:
    """Bilinear as TensorFlow 1's `resize_bilinear` by default, which slim called: output pixel i looks at i times the
    ratio of the sides and its next neighbour; nothing is averaged when the picture shrinks. Rounded to 8 bits."""
    values = np.asarray(image, np.float32)
    values = _between(values, side, axis=0)
    return Image.fromarray(np.rint(_between(values, side, axis=1)).astype(np.uint8))


def _between(values: np.ndarray[Any, Any], side: int, *, axis: int) -> np.ndarray[Any, Any]:
    length = values.shape[axis]
    places = np.arange(side, dtype=np.float32) * np.float32(length / side)
    low = np.minimum(places.astype(np.int64), length - 1)
    share = (places - low).reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))
    first, second = values.take(low, axis), values.take(np.minimum(low + 1, length - 1), axis)
    mixed: np.ndarray[Any, Any] = first + (second - first) * share
    return mixed
