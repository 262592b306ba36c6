"""The experiments are what they say: arms that differ in nothing unsaid, and equal cost where it is promised."""

import subprocess
import sys

import pytest

from inception_lab.errors import SettingsError
from inception_lab.readers.shapes import shapes
from inception_lab.training import runnable
from inception_lab.training.experiments import EXPERIMENTS, experiment
from inception_lab.training.presets import preset
from inception_lab.training.settings import Fork


@pytest.mark.parametrize("name", sorted(EXPERIMENTS))
def test_keys_are_unique_and_every_arm_can_be_run_and_finds_itself(name: str) -> None:
    asked = experiment(name)
    assert asked.name == name
    assert len({arm.key for arm in asked.arms}) == len({arm.label for arm in asked.arms}) == len(asked.arms)
    for arm in asked.arms:
        runnable.check(arm.settings)
        assert asked.arm_of(arm.settings.with_(seed=4, threads=2, preset="own")) == arm
        assert asked.arm(arm.key) is arm
        assert arm.paper.endswith(".")
    assert len({repr(asked.common(arm.settings)) for arm in asked.arms}) == 1


def test_what_the_arms_differ_in() -> None:
    assert experiment("micro").varied == ("scale",)
    assert experiment("map").varied == ("width", "scale")
    assert experiment("race").varied == ("network", "width", "repeats", "scale", "rate")
    assert set(experiment("remedies").varied) == {
        *("scale", "gain", "closing", "end_norm", "rate", "momentum", "schedule", "warmup_steps", "clip")
    }


def test_each_remedy_is_one_change_of_the_arm_without_any() -> None:
    arms = experiment("remedies").arms
    none = arms[0].settings.to_dict()
    assert (none["scale"], none["steps"], none["rate"], none["clip"]) == (1.0, 160, 0.2, None)
    changed = {arm.key: {n for n, value in arm.settings.to_dict().items() if value != none[n]} for arm in arms}
    assert changed.pop("none") == set()
    assert changed.pop("ramp") == {"schedule", "warmup_steps"}
    assert all(len(names) == 1 for names in changed.values())


def test_racers_cost_the_same() -> None:
    cost = {arm.key: shapes(arm.settings.net()).multiply_adds for arm in experiment("race").arms}
    for rate in ("0.045", "0.01"):
        for pure, residual in (("pure-deep", "deep"), ("pure-v4", "deep"), ("pure-shallow", "shallow")):
            assert cost[f"{pure}-{rate}"] == pytest.approx(cost[f"residual-{residual}-{rate}"], rel=0.01)


def test_the_map_spans_the_widths_it_says() -> None:
    ends = {arm.settings.width: shapes(arm.settings.net()).rows[-3].output[0] for arm in experiment("map").arms}
    assert ends == {0.0625: 134, 0.125: 268, 0.25: 536, 0.5: 1072}


def test_runs_of_all_arms_of_a_seed_come_first_and_shared_changes_keep_the_arm() -> None:
    asked = experiment("micro")
    runs = asked.runs(seeds=2, steps=7)
    assert [(run.scale, run.seed) for run in runs[:7]] == [
        *((arm.settings.scale, 0) for arm in asked.arms),
        (1.0, 1),
    ]
    assert {run.steps for run in runs} == {7}
    assert asked.arm_of(runs[1]) == asked.arms[1]
    assert len(asked.runs()) == 30
    assert [run.seed for run in asked.runs(seeds=[7])] == [7] * 6


def test_what_does_not_fit_is_refused_or_belongs_to_no_arm() -> None:
    asked = experiment("remedies")
    with pytest.raises(SettingsError, match="differ in rate; change what they share"):
        asked.runs(rate=0.1)
    with pytest.raises(SettingsError, match="Did you mean 'race'"):
        experiment("rase")
    with pytest.raises(SettingsError, match="Did you mean 'warmup'"):
        asked.arm("warm-up")
    assert asked.arm_of(preset("micro", scale=0.7)) is None
    assert asked.arm_of(preset("micro", fork=Fork(run="x", step=3))) is None


def test_no_torch() -> None:
    script = "import sys; import inception_lab.training.experiments; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout.strip() == "False"
