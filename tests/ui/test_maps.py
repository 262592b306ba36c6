"""Maps beside each other: one scale of colour, and means that are plain arithmetic."""

from __future__ import annotations

import numpy as np
import pytest

from inception_lab.images.attribute import Attribution
from inception_lab.images.methods import TITLES
from inception_lab.ui import asking
from inception_lab.ui.maps import overlays, squares


def made(values: np.ndarray) -> Attribution:
    return Attribution(
        values=values.astype(np.float32),
        pixels=np.zeros((*values.shape, 3), np.uint8),
        file="a.png",
        network="net",
        method="grad_cam",
        target=0,
        label="cat",
        probability=1.0,
        setting="",
    )


def test_one_value_has_one_colour_in_both_maps() -> None:
    first, second = np.zeros((8, 8)), np.zeros((8, 8))
    first[:2], second[:1], second[4:] = 1.0, 4.0, 1.0
    (one, other), limit = overlays([made(first), made(second)])
    assert limit == 4.0, "1 in 100 of both together"
    assert (one.size, other.size) == ((8, 8), (8, 8))
    assert one.getpixel((3, 0)) == other.getpixel((3, 6)), "both 1"
    assert one.getpixel((3, 0)) != other.getpixel((3, 0)), "1 and 4"
    assert made(first).overlay().getpixel((3, 0)) == other.getpixel((3, 0)), "alone, its 1 has the full colour"


def test_squares_are_means() -> None:
    values = np.repeat(np.repeat(np.arange(49.0).reshape(7, 7), 2, axis=0), 2, axis=1)
    rows = squares({"map": values, "twice": 2 * values})
    assert [row["map"] for row in rows] == list(range(49))
    assert rows[8] == pytest.approx({"row": 2, "column": 2, "map": 8, "twice": 16})


def test_methods_have_one_name_each() -> None:
    """The page keeps names of its own, as those of the library come with torch."""
    assert {word: one.title for word, one in asking.METHODS.items()} == TITLES
