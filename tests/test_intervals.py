"""Wilson's interval against closed forms and Newcombe's printed table (1998, table I)."""

import pytest

from inception_lab.intervals import wilson


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [
        # None of n gives (0, z²/(n+z²)), all of n its mirror image; 5 of 10 is a textbook value.
        (0, 4, 0.0, 0.4899),
        (4, 4, 0.5101, 1.0),
        (0, 3, 0.0, 0.5615),
        (5, 10, 0.2366, 0.7634),
        (0, 0, 0.0, 1.0),
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson(hits: int, n: int, low: float, high: float) -> None:
    assert wilson(hits, n) == pytest.approx((low, high), abs=1e-4)
