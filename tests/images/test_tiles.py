"""Feature maps as pictures: colours at their places, frames around the right pixels, words with the numbers."""

from __future__ import annotations

import numpy as np
from PIL import Image

from inception_lab.images.features import Features
from inception_lab.images.tiles import INSIDE, coloured, limits, maps_in_words, montage, on_photograph, png
from inception_lab.readers.receptive import Box


def maps(*channels: list[list[float]]) -> Features:
    return Features(
        file="cup.jpg",
        network="toy",
        weights="random weights, seed 0",
        address="toy/A/01",
        maps=np.array(channels, np.float32),
        pixels=np.full((4, 4, 3), 100, np.uint8),
    )


def test_a_scale_begins_at_zero_unless_something_is_below() -> None:
    assert limits(np.array([1.0, 4.0])) == (0, 4)
    assert limits(np.array([-1.0, 4.0, np.inf, np.nan])) == (-1, 4)
    low, high = limits(np.zeros(3))
    assert low == 0 < high


def test_dark_is_low_and_bright_is_high_and_no_number_is_grey() -> None:
    picture = coloured(np.array([[0, 5], [10, np.nan]]), (0, 10)).convert("RGB")
    assert picture.getpixel((0, 0)) == (0, 34, 78)  # the ends of cividis
    assert picture.getpixel((0, 1)) == (254, 232, 56)
    assert picture.getpixel((1, 1)) == (128, 128, 128)


def test_a_montage_has_the_strongest_first_on_one_scale() -> None:
    found = maps([[1, 0], [0, 0]], [[4, 0], [0, 0]])
    shared, each = montage(found), montage(found, each=True)
    assert shared.size == (130, 64)
    assert shared.getpixel((0, 0)) == each.getpixel((0, 0)) == each.getpixel((66, 0)) == (254, 232, 56)
    assert shared.getpixel((66, 0)) != (254, 232, 56)
    assert png(shared).startswith(b"\x89PNG")


def test_a_field_is_framed_and_the_rest_darker() -> None:
    picture = on_photograph(np.full((224, 224, 3), 100, np.uint8), Box((10, 19), (100, 223)))
    assert picture.size == (448, 448)
    assert picture.getpixel((200, 20)) == INSIDE
    assert picture.getpixel((300, 30)) == (100, 100, 100)
    assert picture.getpixel((10, 10)) == (45, 45, 45)


def test_words_and_the_notebook_have_the_numbers() -> None:
    found = maps([[0, 0], [0, 0]], [[4, 0], [0, 0]])
    assert "Channel 1 leads with 2; 1 channels are zero everywhere." in maps_in_words(found)
    assert "all 2 channels, 2×2 cells" in maps_in_words(found)
    assert "random weights, seed 0" in found._repr_html_()
    assert isinstance(montage(found), Image.Image)
