"""Runs told apart: in pickers by words no two of which are alike, in curves by draws that are draws."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inception_lab.figures import curves
from inception_lab.figures.bands import band
from inception_lab.figures.curves import Series
from inception_lab.jobs.store import Store
from inception_lab.training.control import Change
from inception_lab.training.presets import preset
from inception_lab.training.settings import Fork
from inception_lab.training.story import story
from inception_lab.ui import cache, recipes, runs
from tests.ui.ended import leave, steps
from tests.ui.test_watch import arm


def series(seed: int, at: list[int], values: list[float], **given: Any) -> Series:
    return Series(scale=1.0, seed=seed, steps=np.array(at), values=np.array(values), **given)


def mean(metric: Any, *given: Series) -> dict[str, Any]:
    return next(trace for trace in curves.drawn({metric: given})["data"] if "n = " in trace.get("name", ""))


def test_a_grid_over_a_setting_has_no_two_equal_labels() -> None:
    grid = [arm(f"{scale}-{rate}", scale=scale, rate=rate) for scale in (1.0, 0.1) for rate in (0.2, 0.02)]
    assert list(runs.labels(grid).values()) == [
        "scale 1, seed 0, rate 0.2",
        "scale 1, seed 0, rate 0.02",
        "scale 0.1, seed 0, rate 0.2",
        "scale 0.1, seed 0, rate 0.02",
    ]
    assert list(runs.labels([arm("a"), arm("b", scale=0.1)]).values()) == ["scale 1, seed 0", "scale 0.1, seed 0"]


def test_runs_that_differ_in_little_are_told_by_it_and_equal_ones_by_their_ids() -> None:
    equal = [arm("0123456789abc"), arm("0123456789abd"), arm("e", threads=2)]
    assert list(runs.labels(equal).values()) == [
        "scale 1, seed 0, run 89abc",
        "scale 1, seed 0, run 89abd",
        "scale 1, seed 0, threads 2",
    ]


def test_a_run_that_was_changed_on_its_way_is_no_draw_of_its_arm() -> None:
    steered = replace(arm("b"), changes=(Change(12, {"rate": 0.01}),))
    assert [one.other for one in runs.series([arm(), steered], "loss")] == ["", "rate 0.01 from step 12"]
    fork = Fork(run="a", step=12)
    own = replace(arm("c", fork=fork, scale=0.1), changes=(Change(12, {"scale": 0.1}),))
    assert own.steered == (), "a fork's own knob stands in its settings"


def test_the_bands_floor_is_taken_at_the_steps_that_all_have_measured() -> None:
    found = band(
        [np.array([0, 1, 2]), np.array([0, 2]), np.array([0, 2])],
        [np.array([5.0, 1.0, 6.0]), np.array([5.0, 6.0]), np.array([5.0, 9.0])],
    )
    assert list(found.steps) == [0, 2]
    assert list(found.least) == [5, 6]
    every = series(0, [0, 1, 2], [5.0, 1.0, 6.0]), series(1, [0, 2], [5.0, 6.0]), series(2, [0, 2], [5.0, 900.0])
    low = next(trace for trace in curves.drawn({"loss": every})["data"] if trace.get("fill") == "none")
    assert low["y"] == pytest.approx([5, 6]), "cut at the lowest seed of that very step"


def test_n_counts_a_seed_once_however_often_it_was_made() -> None:
    twice = series(0, [0, 1], [3.0, 3.0]), series(0, [0, 1, 2], [1.0, 1.0, 1.0]), series(1, [0, 1, 2], [2.0, 2.0, 2.0])
    found = mean("loss", *twice)
    assert "n = 2" in found["name"]
    assert list(found["y"]) == [1.5, 1.5, 1.5], "the longer run of the seed counts"
    assert "n = 2" in curves.describe(twice, metric="loss")
    assert "A seed that was made twice counts once" in curves.caption({"loss": twice})
    assert [one.settings.seed for one in runs.draws([arm(), arm("b", steps=10), arm("c", seed=1)])] == [0, 1]


@pytest.fixture
def store(home: Path) -> Store:
    cache.store.clear()
    return Store(home, supervised=False)


def compiled(code: str) -> str:
    compile(code, "drawer", "exec")
    return code


def test_a_run_is_judged_by_the_classes_of_its_own_data(store: Store) -> None:
    """An accuracy of 0.55 is hardly above guessing between two classes, and far above it between ten."""
    ids = [leave(store, preset("micro", seed=n), steps(60, accuracy=0.55), classes=n) for n in (2, 10)]
    found = [runs.arm(store.run(id)) for id in ids]
    assert [(arm.classes, arm.row()["outcome"]) for arm in found] == [(2, "stalls"), (10, "slow")]


def test_the_cross_of_a_death_names_the_block_that_story_and_autopsy_name(store: Store) -> None:
    """A block is silent from 0.99 of zeros on, whatever share the last layer needs to be dead."""
    quiet = [replace(step, zeros=(0.5, 0.995 if step.step > 30 else 0.5)) for step in steps(60, zero_share=1.0)]
    arm = runs.arm(store.run(leave(store, preset("micro"), quiet, addresses=("net/A/01", "net/B/07"))))
    assert arm.series("loss").died_in == "B/07"
    assert "B/07, put out 99% zeros at step 31" in story(arm.steps, arm.addresses)


def test_python_of_a_grid_and_of_a_part_of_one() -> None:
    whole = [preset("micro", scale=scale, rate=rate) for scale in (1.0, 0.1) for rate in (0.2, 0.02)]
    assert compiled(recipes.sweep(whole)).splitlines()[0] == (
        "sweep = lab.sweep(\"micro\", scales=(1.0, 0.1), seeds=(0,), over={'rate': (0.2, 0.02)})"
    )
    assert "cases=[{'scale': 1.0, 'rate': 0.2}, {'scale': 1.0, 'rate': 0.02}, {'scale': 0.1" in recipes.sweep(whole[:3])


def test_python_has_the_changed_rate_and_the_fork_in_it(store: Store) -> None:
    changed = leave(store, preset("micro"), steps(60), changes=[Change(20, {"rate": 0.01})])
    forked = store.submit(preset("micro", rate=0.01, scale=0.1, fork=Fork(run=changed, step=40)), group="g")
    arms = [runs.arm(store.run(id)) for id in (changed, forked)]
    code = compiled(recipes.snippet(arms))
    assert code.startswith('sweep = lab.sweep("micro", scales=(1.0,), seeds=(0,))')
    first, second = code.split("# scale ")[1:]
    assert "until=20" in first
    assert "training.change(rate=0.01)" in first
    assert [line for line in second.splitlines() if "change(" in line or "until" in line] == [
        "for step in training.steps(until=20):",
        "training.change(rate=0.01)",
        "for step in training.steps(until=40):",
        "training.change(scale=0.1)",
    ]
    assert 'preset("micro", scale=1.0' in second, "it begins as its parent did"
    assert f"# A fork of run {changed} at step 40" in second
    assert "# From step 20 on: rate 0.01." in first
