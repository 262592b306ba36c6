"""Settings refuse what cannot be run, survive JSON, and describe the measured network."""

import json
import subprocess
import sys
from typing import Any

import pytest

from inception_lab.errors import SettingsError
from inception_lab.nets.ops import Concat, Conv, Residual
from inception_lab.training.presets import DESCRIPTIONS, PRESETS, preset
from inception_lab.training.settings import Fork, Settings, told


@pytest.mark.parametrize("name", PRESETS)
def test_settings_survive_json(name: str) -> None:
    settings = preset(name, scale=0.3, seed=2, clip=1.0, average=0.99)
    assert Settings.from_dict(json.loads(json.dumps(settings.to_dict()))) == settings
    assert Settings.from_dict(PRESETS[name].to_dict()) == PRESETS[name]


def test_repeats_of_none_keep_the_catalogue() -> None:
    settings = preset("micro", network="inception_v4", repeats=None)
    assert Settings.from_dict(json.loads(json.dumps(settings.to_dict()))).repeats is None
    assert [len(stage.blocks) for stage in settings.net().stages] == [1, 4, 1, 7, 1, 3]


def test_micro_is_the_measured_setting() -> None:
    micro = preset("micro")
    assert (micro.optimiser, micro.rate, micro.momentum, micro.decay, micro.eps) == ("rmsprop_tf", 0.2, 0.9, 0.9, 1.0)
    assert (micro.batch, micro.steps, micro.clip, micro.init, micro.threads) == (32, 120, None, "he", 1)
    assert (micro.schedule, micro.average, micro.seed, micro.telemetry_every) == ("constant", None, 0, 1)


def test_thin_comes_before_the_small_stem() -> None:
    stem, a, *_ = preset("micro", scale=0.3).net().stages
    assert stem.blocks == (Conv(32, 3, stride=2) >> Conv(64, 3, stride=2) >> Conv(96, 3),)
    block = a.blocks[0]
    assert isinstance(block, Residual)
    assert block.scale == 0.3
    assert isinstance(block.body, Concat)
    assert block.body.branches[0] == Conv(8, 1)


def test_net_takes_the_data_in() -> None:
    net = preset("paper-rate").net()
    assert (net.inputs, net.classes, net.size, net.dropout) == (1, 10, 28, 0.0)
    assert [len(stage.blocks) for stage in net.stages] == [1, 10, 1, 20, 1, 10]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("rate", -0.1, "rate must be from 0 to 100, not -0.1"),
        ("rate", float("nan"), "rate must be from 0 to 100, not nan"),
        ("rate", "0.2", "rate must be a number"),
        ("scale", 11.0, "scale must be from 0 to 10"),
        ("steps", 0, "steps must be a whole number from 1"),
        ("steps", 10.0, "steps must be a whole number"),
        ("batch", 1, "batch must be a whole number from 2"),
        ("seed", True, "seed must be a whole number"),
        ("momentum", 1.0, "momentum must be from 0 to 0.9999"),
        ("clip", 0.0, "clip must be from 1e-06"),
        ("optimiser", "rmsprop", "one of rmsprop_tf, sgd, adam"),
        ("init", "zeros", "one of he, xavier, truncated, torch"),
        ("network", "inception_resnet_v3", "Did you mean"),
        ("network", 4, "network must be a name"),
        ("repeats", (5, 10), "three counts"),
        ("repeats", (5, 0, 5), r"from 1 to 100, not \[5, 0, 5\]"),
        ("small", 1, "small must be true or false"),
        ("preset", "", "preset must be a name"),
        ("average", 1.0, "average must be from 0 to 0.999999"),
    ],
)
def test_what_cannot_run_is_refused(field: str, value: Any, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        Settings(**{field: value})


def test_unknown_fields_are_refused_with_the_nearest_name() -> None:
    with pytest.raises(SettingsError, match=r"no setting 'momentun'. Did you mean 'momentum'"):
        Settings.from_dict({"momentun": 0.9})
    with pytest.raises(SettingsError, match="no setting 'scales'"):
        preset("micro", scales=0.1)
    with pytest.raises(SettingsError, match=r"no preset 'micr'. Did you mean 'micro'"):
        preset("micr")


def test_wide_never_meets_the_rate_that_kills_both_scales() -> None:
    with pytest.raises(SettingsError, match=r"kills scale 0\.1 as well"):
        preset("wide", rate=0.2)
    assert preset("wide", rate=0.1).rate == 0.1


def test_each_preset_says_what_it_is_and_what_it_costs() -> None:
    assert set(PRESETS) == set(DESCRIPTIONS)
    assert all(settings.preset == name for name, settings in PRESETS.items())
    assert all("seconds" in line for line in DESCRIPTIONS.values())


def test_the_words_of_training_cost_no_torch() -> None:
    modules = "settings presets deviations events files outcomes extract reference run".split()
    lines = "; ".join(f"import inception_lab.training.{name}" for name in modules)
    found = subprocess.run(
        [sys.executable, "-c", f"import sys; {lines}; print('torch' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == "False"


def test_differences_are_what_a_name_is_made_of() -> None:
    assert preset("micro").differences() == {}
    known = preset("paper-rate", seed=3, repeats=(1, 2, 1))
    assert known.differences() == {
        "preset": "paper-rate", "repeats": [1, 2, 1], "rate": 0.045, "steps": 100, "seed": 3, "init": "xavier"
    }  # fmt: skip
    assert known.differences(preset("paper-rate")) == {"repeats": [1, 2, 1], "seed": 3}


def test_a_value_in_words() -> None:
    values = (None, True, 0.25, 1e-05, (5, 10, 5), [0.1, 1.0], Fork(run="0ab", step=40), "sgd")
    said = ["none", "true", "0.25", "1e-05", "5/10/5", "0.1/1", "0ab@40", "sgd"]
    assert [told(value) for value in values] == said
