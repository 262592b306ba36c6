"""The squares a network sees of a photograph: the record's own single crop, and the protocols of the papers.

    1     shorter side to floor(size / crop_pct), centre square: what the published accuracies were measured with
    10    four corners and the centre of the same resized picture, and their mirror images (ResNet)
    12    centre square of the smallest scale: corners, centre and the whole square, mirrored; the paper leaves open
          which square and scale its 12 crops use, so this is a reading
    144   four scales, three squares each (left, centre, right; portrait: top, centre, bottom), six crops each, mirrored
          (GoogLeNet paper, section 7)

GoogLeNet's scales are 8/7 to 11/7 of its 224 pixels; for 299, where no paper gives numbers, they make 342, 384, 427 and
470. A network trained here has a crop_pct of 1, so its 10 crops of a square picture are one and the same, five times.
Softmax outputs are averaged over the crops.
"""

from __future__ import annotations

from typing import Literal, get_args

from PIL import Image, ImageOps

from inception_lab.errors import SettingsError
from inception_lab.images.load import Photo
from inception_lab.models.records import WeightRecord

Protocol = Literal[1, 10, 12, 144]
PROTOCOLS: tuple[Protocol, ...] = get_args(Protocol)

_FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


def protocol(crops: int) -> Protocol:
    """`crops` if it is the number of a protocol; raises `SettingsError` otherwise."""
    if crops not in PROTOCOLS:
        raise SettingsError(f"There is no protocol of {crops} crops; there are {', '.join(map(str, PROTOCOLS))}.")
    return crops


def pixels(photo: Photo, record: WeightRecord) -> Image.Image:
    """The exact RGB square that enters the network of `record` with one crop, `record.size` pixels wide."""
    return _square(_resized(photo.image, record.resize, record), record.size, 0.5, 0.5)


def crops(photo: Photo, record: WeightRecord, n: int = 1) -> list[Image.Image]:
    """The `n` RGB squares of a protocol (1, 10, 12 or 144), mirrored ones after the plain ones of their square."""
    match protocol(n):
        case 1:
            return [pixels(photo, record)]
        case 10:
            return _mirrored(_five(_resized(photo.image, record.resize, record), record.size))
        case 12:
            smallest = scales(record.size)[0]
            return _six(_square(_resized(photo.image, smallest, record), smallest, 0.5, 0.5), record)
        case 144:
            found: list[Image.Image] = []
            for scale in scales(record.size):
                resized = _resized(photo.image, scale, record)
                for share in (0.0, 0.5, 1.0):
                    found += _six(_square(resized, scale, share, share), record)
            return found


def scales(size: int) -> tuple[int, ...]:
    """Shorter sides of the 12- and 144-crop protocols: 8/7, 9/7, 10/7 and 11/7 of the network's input."""
    return tuple(round(size * sevenths / 7) for sevenths in (8, 9, 10, 11))


def _resized(image: Image.Image, shorter: int, record: WeightRecord) -> Image.Image:
    """Shorter side to `shorter`, the other in proportion, rounded down as torchvision and timm do; grey for a network
    of one channel."""
    if record.channels == 1:
        image = image.convert("L").convert("RGB")
    width, height = image.size
    size = (shorter, int(shorter * height / width)) if width <= height else (int(shorter * width / height), shorter)
    return image if size == image.size else image.resize(size, _FILTERS[record.interpolation])


def _square(image: Image.Image, side: int, across: float, down: float) -> Image.Image:
    """A square at a share of the free way: 0 is left or top, 0.5 the centre, 1 right or bottom."""
    left, top = round((image.width - side) * across), round((image.height - side) * down)
    return image.crop((left, top, left + side, top + side))


def _five(image: Image.Image, side: int) -> list[Image.Image]:
    places = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (0.5, 0.5))
    return [_square(image, side, across, down) for across, down in places]


def _six(square: Image.Image, record: WeightRecord) -> list[Image.Image]:
    """Five crops and the whole square, each also mirrored."""
    side = record.size
    whole = square.resize((side, side), _FILTERS[record.interpolation])
    return _mirrored([*_five(square, side), whole])


def _mirrored(squares: list[Image.Image]) -> list[Image.Image]:
    return squares + [ImageOps.mirror(square) for square in squares]
