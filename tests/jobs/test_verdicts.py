import math
from collections import Counter

import pytest

from inception_lab.errors import RunError
from inception_lab.intervals import wilson
from inception_lab.jobs.verdicts import Case, Share, arms, newcombe, weigh, weigh_groups
from inception_lab.training.outcomes import Outcome
from inception_lab.training.presets import preset
from inception_lab.training.settings import Settings

MICRO = preset("micro")


def cases(outcome: Outcome | None, *, scale: float, seeds: int, settings: Settings = MICRO) -> list[Case]:
    return [Case(settings.with_(scale=scale, seed=seed), outcome) for seed in range(seeds)]


def share(failed: int, n: int) -> Share:
    return Share(failed, n, *wilson(failed, n))


@pytest.mark.parametrize(
    ("first", "second", "interval"),
    [
        ((56, 70), (48, 80), (0.0524, 0.3339)),
        ((9, 10), (3, 10), (0.1705, 0.8090)),
        ((10, 10), (0, 10), (0.6075, 1.0)),
        ((5, 56), (0, 29), (-0.0381, 0.1926)),
    ],
)
def test_the_interval_is_newcombes_tenth(
    first: tuple[int, int], second: tuple[int, int], interval: tuple[float, float]
) -> None:
    """The numbers are those of Newcombe's table II, method 10 without a correction for continuity."""
    effect = newcombe(share(*first), share(*second))
    assert effect.difference == pytest.approx(first[0] / first[1] - second[0] / second[1])
    assert (effect.low, effect.high) == pytest.approx(interval, abs=6e-5)


def test_without_runs_there_is_no_effect() -> None:
    effect = newcombe(share(0, 0), share(1, 3))
    assert math.isnan(effect.difference)
    assert effect[1:] == (-1.0, 1.0)


def test_the_verdict_ends_in_the_effect() -> None:
    shipped = [*cases("dies", scale=1.0, seeds=5), *cases("slow", scale=0.1, seeds=15)]
    shipped[5:8] = [Case(case.settings, "stalls") for case in shipped[5:8]]
    said = weigh(shipped)
    assert said.sentence == (
        "5 of 5 runs failed at scale 1.0, 3 of 15 at scales 0.1 to 0.3 (of those 15: slow 12, stalls 3). Far fewer "
        "runs fail when the residuals are scaled down. Scaling lowers the share of failures by 80 points "
        "(95 % interval 30 to 93). The arms share seeds, which makes intervals narrower than they say. Paired by seed, "
        "in 2 of 5 pairs only the unscaled run failed and in 0 only the scaled one (exact test within 5 seeds, "
        "p = 0.5)."
    )
    assert said.effect == newcombe(share(5, 5), share(3, 15))
    assert said.group == {}


def test_an_effect_the_wrong_way_is_told_the_right_way_round() -> None:
    said = weigh([*cases("slow", scale=1.0, seeds=5), *cases("dies", scale=0.1, seeds=5)])
    assert said.word == "not supported"
    assert said.effect.difference == -1.0
    assert 1 == said.sentence.count("Scaling raises the share of failures by 100 points (95 % interval 39 to 100).")
    few = weigh([*cases("dies", scale=1.0, seeds=2), *cases("slow", scale=0.1, seeds=5)])
    assert few.sentence.endswith("each needs at least 3 finished runs.")


def test_runs_that_were_too_short_are_not_said_to_be_unfinished() -> None:
    known = [
        *cases("short", scale=1.0, seeds=4),
        *cases("slow", scale=0.1, seeds=3),
        *cases("short", scale=0.5, seeds=2),
    ]
    said = weigh(known)
    assert (said.word, said.n, said.short) == ("undecided", 3, 4)
    assert said.sentence.endswith(
        "each needs at least 3 finished runs of 40 steps or more, and 4 that finished were too short to judge."
    )
    one = weigh(cases("short", scale=1.0, seeds=1))
    assert one.sentence.endswith("and 1 that finished was too short to judge.")


def test_a_network_without_residuals_says_nothing_about_the_scale() -> None:
    plain = MICRO.with_(network="inception_v4")
    pure = cases("stalls", scale=1.0, seeds=4, settings=plain)
    assert weigh_groups(pure) == ()
    with pytest.raises(RunError, match="no run to judge"):
        weigh(pure)
    known = [*cases("dies", scale=1.0, seeds=4), *cases("slow", scale=0.1, seeds=4)]
    [said] = weigh_groups([*pure, *known])
    assert (said.n, said.unscaled.n, said.group) == (8, 4, {})
    assert said == weigh(known)


def test_pairs_of_a_seed_are_compared_beside_the_pooled_shares() -> None:
    said = weigh(
        [*cases("dies", scale=1.0, seeds=6), *cases("slow", scale=0.1, seeds=5), *cases("slow", scale=0.3, seeds=5)]
    )
    assert (said.pairs.seeds, said.pairs.pairs, said.pairs.saved, said.pairs.harmed) == (5, 10, 10, 0)
    assert said.pairs.p == pytest.approx(2 / 3**5)
    assert said.sentence.endswith("(exact test within 5 seeds, p = 0.0082).")


def test_each_setting_has_a_verdict_of_its_own() -> None:
    thin = MICRO.with_(width=0.125)
    known = [
        *cases("dies", scale=1.0, seeds=4),
        *cases("trains", scale=1.0, seeds=4, settings=thin),
        *cases("slow", scale=0.1, seeds=4),
        *cases("trains", scale=0.1, seeds=4, settings=thin),
    ]
    wide, narrow = weigh_groups(known)
    assert (wide.group, wide.word, wide.n) == ({"width": 0.25}, "supported", 8)
    assert (narrow.group, narrow.word, narrow.effect.difference) == ({"width": 0.125}, "undecided", 0.0)
    assert any("width: 0.125" in line for line in narrow.shrunk)
    assert weigh_groups(known[:4]) == (weigh(known[:4]),)
    with pytest.raises(RunError, match=r"differ in more than scale and seed \(width 0\.125 and 0\.25\)"):
        weigh(known)
    with pytest.raises(RunError, match="no run to judge"):
        weigh_groups([])


def test_arms_count_failures_with_their_interval() -> None:
    known = [
        *cases("dies", scale=1.0, seeds=4),
        *cases("stalls", scale=1.0, seeds=1),
        *cases(None, scale=1.0, seeds=6),
        *cases("slow", scale=0.1, seeds=2),
        Case(MICRO.with_(scale=0.1, seed=2), "short"),
    ]
    full, small = arms(known)
    assert (full.changes, full.n, full.failed) == ({"scale": 1.0}, 4, 4)
    assert full.outcomes == Counter({"dies": 3, "stalls": 1})
    assert (full.low, full.high) == wilson(4, 4)
    assert (small.changes, small.n, small.failed) == ({"scale": 0.1}, 2, 0)
    assert small.outcomes == Counter({"slow": 2, "short": 1})


def test_arms_without_an_end_have_no_n() -> None:
    [one] = arms(cases(None, scale=1.0, seeds=3))
    assert (one.changes, one.n, one.low, one.high, one.outcomes) == ({}, 0, 0.0, 1.0, Counter())
    assert arms([]) == []


def test_scales_of_the_stages_are_no_scale_of_the_claim() -> None:
    staged = [Case(preset("micro", scale=1.0, seed=seed, stage_scales=(0.1, 0.1, 0.1)), "trains") for seed in range(3)]
    assert weigh(staged).unscaled.n == 0
