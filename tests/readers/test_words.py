"""Numbers in words: short, and never shorter than what they say."""

from __future__ import annotations

import pytest

from inception_lab.readers.words import percent


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (-0.331, "-33.1%"),
        (-15_040 / 32_433_928, "-0.046%"),
        (0.0123, "+1.2%"),
        (0.00999, "+1.00%"),
        (1.0, "+100.0%"),
        (12.5, "+1250.0%"),
        (-1e-7, "-0.000010%"),
        (0, "0%"),
    ],
)
def test_a_change_has_digits_enough_to_be_one(share: float, words: str) -> None:
    assert percent(share) == words
