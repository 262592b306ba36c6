"""Forecasts as data: the shipped map, the sums behind the variance, what a start depends on."""

from __future__ import annotations

from pathlib import Path

import pytest

from inception_lab.assets import asset
from inception_lab.errors import DataError
from inception_lab.training import foretold
from inception_lab.training.foretold import Forecast, initial, load, plan
from inception_lab.training.presets import preset
from inception_lab.training.reference import load as shipped


def made(**changes: object) -> Forecast:
    return Forecast(
        settings=preset("micro", **changes),
        addresses=("net/A/01", "net/A/02", "net/A/03", "net/B/01", "net/B/02"),
        loss=2.5,
        gradient_norm=10.0,
        shortcut=(1.0, 1.5, 1.8, 2.0, 2.2),
        residual=(1.0, 1.0, 2.0, 3.0, 1.0),
    )


def test_p_is_the_full_rate_times_the_gradient() -> None:
    assert made(rate=0.3).p == pytest.approx(3.0)
    assert made(rate=0.3, schedule="warmup").p == pytest.approx(3.0)
    assert (made(rate=0.3).word, made(rate=0.4).word) == ("holds", "fails")


def test_variances_add_within_a_stage_and_start_anew_in_the_next() -> None:
    one = made()
    assert one.variance == pytest.approx((1.0, 2.25, 3.24, 4.0, 4.84))
    assert one.additive == pytest.approx((1.0, 2.0, 3.0, 4.0, 13.0))
    assert one.product == pytest.approx((1.0, 2.0, 4.0, 4.0, 13.0))


def test_a_forecast_comes_back_from_its_file_and_damage_is_named() -> None:
    one = made()
    assert Forecast.from_dict(one.to_dict(), one.settings) == one
    with pytest.raises(DataError, match="no forecast"):
        Forecast.from_dict({"loss": 1}, one.settings)


def test_only_what_is_seen_at_step_0_makes_another_start() -> None:
    one = preset("micro")
    same = one.with_(rate=0.01, steps=9, momentum=0.0, clip=1.0, threads=2, precision="bf16", device="auto")
    assert initial(same) == initial(one)
    assert initial(one.with_(preset="wide", rate=0.1)) == initial(one)
    for other in ({"seed": 1}, {"scale": 0.1}, {"batch": 16}, {"init": "xavier"}, {"end_norm": True}, {"width": 0.5}):
        assert initial(one.with_(**other)) != initial(one)


def test_the_shipped_map_has_every_planned_point_and_is_small() -> None:
    found = load()
    assert len(plan()) == len(found.points) == 7 * 5 * 3 * 2 + 2 * 7
    assert all(found.at(each) is not None for each in plan())
    assert (asset("forecast") / foretold.FILE).stat().st_size < 100_000
    assert found.version
    assert set(found.libraries) == {"torch", "timm", "numpy"}


def test_the_map_agrees_with_step_0_of_the_shipped_runs() -> None:
    """Those runs were made by other processes on another day, and are kept with four digits."""
    agree = [
        (point.gradient_norm, run.steps[0].gradient_norm)
        for run in shipped()
        if (point := load().at(run.settings)) is not None
    ]
    assert len(agree) == 18  # 6 scales, the three seeds on the map
    for here, there in agree:
        assert here == pytest.approx(there, rel=2e-3)


def test_a_point_answers_for_every_rate_and_the_spread_over_seeds_is_there() -> None:
    point = load().at(preset("micro", scale=0.1, rate=0.05, steps=40))
    assert point is not None
    assert point.p == pytest.approx(0.05 * point.gradient_norm)
    assert load().spread(0.1)[0] == point.gradient_norm
    assert len(set(load().spread(0.1))) == 3
    assert load().at(preset("micro", scale=0.15)) is None


def test_multiplying_is_wrong_where_adding_is_nearly_right() -> None:
    """At the end of stage A of the unscaled 40 blocks: an upper bound within a half, against a factor of 793."""
    point = load().at(preset("micro", repeats=(10, 20, 10)))
    assert point is not None
    last = 9
    assert 1 <= point.additive[last] / point.variance[last] < 1.5
    assert point.product[last] / point.variance[last] > 500


def test_a_damaged_map_is_said(tmp_path: Path) -> None:
    (tmp_path / foretold.FILE).write_bytes(b"no gzip")
    with pytest.raises(DataError, match="--map"):
        load(tmp_path)
