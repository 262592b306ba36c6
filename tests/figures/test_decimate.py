"""Fewer points, the same extremes: what was highest, lowest, not a number or asked for is still there."""

import numpy as np
import pytest

from inception_lab.figures.decimate import BUDGET, bucket, decimate


@pytest.mark.parametrize(("count", "size"), [(0, 1), (BUDGET, 1), (BUDGET + 1, 4), (5_000, 8), (100_000, 128)])
def test_buckets_are_powers_of_two_that_keep_the_budget(count: int, size: int) -> None:
    assert bucket(count) == size
    assert size == 1 or 2 * count / size <= BUDGET


def test_short_lines_are_untouched() -> None:
    steps, values = np.arange(BUDGET), np.random.default_rng(0).random(BUDGET)
    assert all(a is b for a, b in zip(decimate(steps, values), (steps, values), strict=True))


def test_smallest_and_largest_of_every_bucket_stay_in_their_order() -> None:
    values = np.random.default_rng(0).standard_normal(5_003)
    steps, drawn = decimate(np.arange(5_003), values)
    assert (np.diff(steps) > 0).all()
    assert np.array_equal(values[steps], drawn)
    for start in range(0, 5_003, 8):
        inside = drawn[(steps >= start) & (steps < start + 8)]
        assert (inside.min(), inside.max()) == (values[start : start + 8].min(), values[start : start + 8].max())
        assert len(inside) <= 2


def test_what_is_no_number_and_what_was_asked_for_is_never_dropped() -> None:
    values = np.sin(np.arange(9_000))
    values[[17, 18, 4_000]] = np.nan, np.inf, -np.inf
    steps, drawn = decimate(np.arange(9_000), values, keep=(123, 8_999))
    assert {17, 18, 4_000, 123, 8_999} <= set(steps.tolist())
    assert np.isinf(drawn[steps == 18]).all()


def test_a_bucket_of_nothing_but_nan_stays_whole() -> None:
    steps, drawn = decimate(np.arange(4_000), np.full(4_000, np.nan))
    assert len(steps) == 4_000
    assert np.isnan(drawn).all()


def test_a_line_that_grows_keeps_its_older_points() -> None:
    values = np.random.default_rng(1).random(7_000)
    short, _ = decimate(np.arange(6_000), values[:6_000])
    longer, _ = decimate(np.arange(7_000), values)
    assert np.array_equal(longer[: len(short)], short)
