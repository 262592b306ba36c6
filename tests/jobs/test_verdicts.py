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
        "(95 % interval 30 to 93)."
    )
    assert said.effect == newcombe(share(5, 5), share(3, 15))
    assert said.group == {}


def test_an_effect_the_wrong_way_is_told_the_right_way_round() -> None:
    said = weigh([*cases("slow", scale=1.0, seeds=5), *cases("dies", scale=0.1, seeds=5)])
    assert said.word == "not supported"
    assert said.effect.difference == -1.0
    assert said.sentence.endswith("Scaling raises the share of failures by 100 points (95 % interval 39 to 100).")
    few = weigh([*cases("dies", scale=1.0, seeds=2), *cases("slow", scale=0.1, seeds=5)])
    assert few.sentence.endswith("each needs at least 3 finished runs.")


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
