"""The band is the textbook's interval, and there is none of two."""

import numpy as np
import pytest

from inception_lab.figures.bands import band, student_95


@pytest.mark.parametrize("freedom", [1, 2, 4, 9, 15, 16, 29, 100])
def test_quantiles_are_those_of_scipy(freedom: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    assert student_95(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=3e-4)


def test_mean_and_interval_of_three() -> None:
    steps = [np.arange(2)] * 3
    found = band(steps, [np.array([1.0, 5.0]), np.array([2.0, 5.0]), np.array([3.0, 5.0])])
    assert found.mean.tolist() == [2, 5]
    half = 4.303 / 3**0.5  # the deviation of 1, 2, 3 is 1
    assert found.high.tolist() == pytest.approx([2 + half, 5])
    assert found.low.tolist() == pytest.approx([2 - half, 5])


def test_two_have_a_mean_and_no_interval() -> None:
    found = band([np.arange(3), np.arange(2)], [np.array([1.0, 2.0, 3.0]), np.array([3.0, np.nan])])
    assert found.mean[0] == 2
    assert np.isnan(found.mean[1])
    assert len(found.mean) == 2, "as far as both have come"
    assert not len(found.low)


def test_only_steps_that_all_have_measured_are_averaged() -> None:
    found = band([np.array([0, 2, 4]), np.array([2, 3, 4])], [np.array([9.0, 1.0, 2.0]), np.array([3.0, 9.0, 4.0])])
    assert found.steps.tolist() == [2, 4]
    assert found.mean.tolist() == [2, 3]
