"""Exact tests within seeds, against numbers worked out by hand."""

from itertools import product

import pytest

from inception_lab.jobs.paired import exact, paired


@pytest.mark.parametrize(
    ("saved", "harmed", "same", "p"),
    [(5, 0, 3, 2 / 32), (0, 6, 0, 2 / 64), (4, 1, 0, 2 * 6 / 32), (3, 3, 9, 1.0), (0, 0, 4, 1.0), (0, 0, 0, 1.0)],
)
def test_with_one_scale_it_is_mcnemars(saved: int, harmed: int, same: int, p: float) -> None:
    strata = [(True, [False])] * saved + [(False, [True])] * harmed + [(True, [True])] * same
    assert exact(strata) == pytest.approx(p)


def test_with_several_scales_the_failure_may_fall_on_any_run_of_the_seed() -> None:
    one_of_four = (True, [False, False, False])
    assert exact([one_of_four] * 3) == pytest.approx(2 / 64)  # each of three seeds puts it on the unscaled run: 1/4
    assert exact([(False, [True, False, False])]) == 1.0  # three runs of four could have been it


def test_it_is_the_sum_over_all_ways_to_deal_the_failures() -> None:
    strata = [(True, [False, True]), (True, [False]), (False, [True, True]), (True, [True])]
    ways = [[1] * (first + sum(others)) + [0] * (1 + len(others) - first - sum(others)) for first, others in strata]
    totals = [sum(deal) for deal in product(*ways)]
    upper = sum(total >= 3 for total in totals) / len(totals)
    lower = sum(total <= 3 for total in totals) / len(totals)
    assert exact(strata) == pytest.approx(min(1, 2 * min(upper, lower)))


def test_only_seeds_with_runs_in_both_arms_count() -> None:
    said = paired({0: True, 1: True, 7: True}, {0: [False, True], 1: [False], 3: [False]})
    assert (said.seeds, said.pairs, said.saved, said.harmed) == (2, 3, 2, 0)
    assert str(said) == (
        "Paired by seed, in 2 of 3 pairs only the unscaled run failed and in 0 only the scaled one (exact test within "
        "2 seeds, p = 0.67)."
    )
    apart = paired({0: True}, {1: [False]})
    assert (apart.pairs, apart.p, str(apart)) == (0, 1.0, "")
