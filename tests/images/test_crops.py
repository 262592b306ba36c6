"""Crops: the single one equals timm's transform; protocols are checked on a picture that encodes its coordinates."""

import numpy as np
import pytest
import torch
from PIL import Image
from timm.data import create_transform

from inception_lab.errors import SettingsError
from inception_lab.images.crops import PROTOCOLS, boxes, crops, pixels, scales
from inception_lab.images.load import Photo
from inception_lab.images.networks import tensor
from inception_lab.models.records import RECORDS, WeightRecord
from tests.images.files import noise

LITE, V4 = RECORDS["efficientnet_lite0"], RECORDS["inception_v4.tf_in1k"]


def coordinates(width: int, height: int) -> Photo:
    """Red counts columns, green rows: a crop says where it was cut."""
    across, down = np.meshgrid(np.arange(width) % 256, np.arange(height) % 256)
    return Photo(Image.fromarray(np.stack([across, down, 0 * down], axis=2).astype(np.uint8)), "coordinates")


def corner(square: Image.Image) -> tuple[int, ...]:
    return tuple(np.asarray(square)[0, 0, :2].tolist())


@pytest.mark.parametrize("tag", RECORDS)
@pytest.mark.parametrize("size", [(640, 427), (300, 451), (512, 512), (64, 50), (341, 700)])
def test_the_single_crop_equals_timms_transform(tag: str, size: tuple[int, int]) -> None:
    record = RECORDS[tag]
    transform = create_transform(
        (3, record.size, record.size),
        interpolation=record.interpolation,
        mean=record.mean,
        std=record.std,
        crop_pct=record.crop_pct,
        crop_mode="center",
    )
    image = noise(*size)
    ours = tensor([pixels(Photo(image, "noise"), record)], record)[0]
    assert torch.allclose(ours, transform(image), atol=1e-6)


@pytest.mark.parametrize("record", [LITE, V4], ids=lambda record: record.tag)
@pytest.mark.parametrize("n", PROTOCOLS)
@pytest.mark.parametrize("size", [(700, 420), (420, 700), (50, 60)])
def test_a_protocol_has_its_number_of_squares(record: WeightRecord, n: int, size: tuple[int, int]) -> None:
    squares = crops(Photo(noise(*size), "noise"), record, n)
    assert len(squares) == n
    assert {square.size for square in squares} == {(record.size, record.size)}


@pytest.mark.parametrize("n", [10, 12])
def test_the_second_half_mirrors_the_first(n: int) -> None:
    squares = [np.asarray(square) for square in crops(Photo(noise(300, 280), "noise"), LITE, n)]
    for plain, mirrored in zip(squares[: n // 2], squares[n // 2 :], strict=True):
        assert np.array_equal(plain[:, ::-1], mirrored)


def test_ten_crops_are_corners_and_centre() -> None:
    photo = coordinates(256, 256)  # already as wide as lite0 resizes to, so nothing is interpolated
    squares = crops(photo, LITE, 10)
    assert [corner(square) for square in squares[:5]] == [(0, 0), (32, 0), (0, 32), (32, 32), (16, 16)]


def test_twelve_crops_come_from_the_centre_square_of_the_smallest_scale() -> None:
    photo = coordinates(276, 256)
    squares = crops(photo, LITE, 12)
    assert [corner(square) for square in squares[:5]] == [(10, 0), (42, 0), (10, 32), (42, 32), (26, 16)]
    whole = photo.image.crop((10, 0, 266, 256)).resize((224, 224), Image.Resampling.BICUBIC)
    assert np.array_equal(np.asarray(squares[5]), np.asarray(whole))


@pytest.mark.parametrize(
    ("size", "starts"), [((296, 256), [(0, 0), (20, 0), (40, 0)]), ((256, 296), [(0, 0), (0, 20), (0, 40)])]
)
def test_144_crops_start_with_the_three_squares_of_the_smallest_scale(
    size: tuple[int, int], starts: list[tuple[int, int]]
) -> None:
    squares = crops(coordinates(*size), LITE, 144)
    assert [corner(square) for square in squares[0:36:12]] == starts


def test_144_crops_are_four_scales() -> None:
    assert scales(224) == (256, 288, 320, 352)
    assert scales(299) == (342, 384, 427, 470)
    photo = Photo(noise(400, 300), "noise")
    squares = crops(photo, LITE, 144)
    for place, side in enumerate(scales(224)):
        resized = photo.image.resize((int(side * 400 / 300), side), Image.Resampling.BICUBIC)
        assert np.array_equal(np.asarray(squares[36 * place]), np.asarray(resized.crop((0, 0, 224, 224))))


def test_other_numbers_are_refused() -> None:
    with pytest.raises(SettingsError, match="There is no protocol of 11 crops; there are 1, 10, 12, 144"):
        crops(coordinates(300, 300), LITE, 11)


def test_mean_and_deviation_are_applied_per_channel() -> None:
    record = RECORDS["inception_v3.gluon_in1k"]
    black = tensor([Image.new("RGB", (4, 4))], record)
    expected = -torch.tensor(record.mean) / torch.tensor(record.std)
    assert torch.allclose(black[0, :, 0, 0], expected)
    white = tensor([Image.new("RGB", (4, 4), "white")], LITE)
    assert torch.equal(white, torch.ones(1, 3, 4, 4))


def test_slims_crop_is_the_central_seven_eighths_of_each_side() -> None:
    photo = coordinates(240, 160)
    [box] = boxes(photo, LITE, 1, "slim")
    assert (box.left, box.top, box.right, box.bottom) == (15, 10, 225, 150)
    small = WeightRecord(tag="t", network="n", origin="", top1=0, top5=0, megabytes=0, size=105, crop_pct=1)
    square = np.asarray(pixels(photo, small, reading="slim"))
    across, down = square[0, :, 0], square[:, 0, 1]
    assert np.array_equal(across, 15 + 2 * np.arange(105)), "every second pixel, none averaged, none shifted by a half"
    assert np.array_equal(down, np.rint(10 + np.arange(105) * 140 / 105)), "between two rows"


def test_slims_reading_equals_tensorflows_sampling_where_torch_has_it() -> None:
    """With corners aligned by hand: torch's grid_sample at TensorFlow 1's places."""
    image = noise(90, 70)
    small = WeightRecord(tag="t", network="n", origin="", top1=0, top5=0, megabytes=0, size=64, crop_pct=1)
    found = np.asarray(pixels(Photo(image, "noise"), small, reading="slim")).astype(float)
    piece = torch.tensor(np.asarray(image)[4:66, 5:85]).permute(2, 0, 1)[None].float()
    y = torch.arange(64) * 62 / 64 / 61 * 2 - 1
    x = torch.arange(64) * 80 / 64 / 79 * 2 - 1
    grid = torch.stack(torch.meshgrid(y, x, indexing="ij")[::-1], -1)[None]
    sampled = torch.nn.functional.grid_sample(piece, grid, align_corners=True, padding_mode="border")
    assert np.abs(found - sampled[0].permute(1, 2, 0).numpy()).max() < 0.51


@pytest.mark.parametrize("n", PROTOCOLS)
@pytest.mark.parametrize("size", [(700, 420), (420, 700), (300, 300), (64, 50)])
def test_boxes_say_where_the_pixels_come_from(n: int, size: tuple[int, int]) -> None:
    """A smooth ramp: the middle of each crop holds the value of the middle of its box."""
    width, height = size
    ramp = np.zeros((height, width, 3))
    ramp[..., 0], ramp[..., 1] = np.linspace(0, 255, width), np.linspace(0, 255, height)[:, None]
    photo = Photo(Image.fromarray(np.rint(ramp).astype(np.uint8)), "ramp")
    for box, square in zip(boxes(photo, LITE, n), crops(photo, LITE, n), strict=True):
        assert -0.5 <= box.left < box.right <= width + 0.5
        assert -0.5 <= box.top < box.bottom <= height + 0.5
        middle = np.asarray(square).astype(float)[111:113, 111:113].mean(axis=(0, 1))
        expected = ((box.left + box.right) / 2 - 0.5) / (width - 1) * 255
        assert middle[0] == pytest.approx(expected, abs=255 / width + 1)
        assert middle[1] == pytest.approx(((box.top + box.bottom) / 2 - 0.5) / (height - 1) * 255, abs=255 / height + 1)
        left, right = (
            np.asarray(square).astype(float)[:, 5, 0].mean(),
            np.asarray(square).astype(float)[:, -5, 0].mean(),
        )
        assert bool(left > right) is box.mirrored


def test_slim_has_one_crop() -> None:
    with pytest.raises(SettingsError, match="slim's reading is one of the single crop; 12 crops have none"):
        crops(coordinates(300, 300), LITE, 12, "slim")
    with pytest.raises(SettingsError, match="no reading 'keras'"):
        crops(coordinates(300, 300), LITE, 1, "keras")  # type: ignore[arg-type]
