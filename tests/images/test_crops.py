"""Crops: the single one equals timm's transform; protocols are checked on a picture that encodes its coordinates."""

import numpy as np
import pytest
import torch
from PIL import Image
from timm.data import create_transform

from inception_lab.errors import SettingsError
from inception_lab.images.crops import PROTOCOLS, crops, pixels, scales
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
