"""The shipped runs are there, are what the code makes, and show what they are shipped to show."""

import gzip
import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from inception_lab.assets import asset
from inception_lab.errors import DataError, SettingsError
from inception_lab.training import presets, reference
from inception_lab.training.experiments import EXPERIMENTS, Arm, Experiment
from inception_lab.training.outcomes import judge
from inception_lab.training.presets import preset
from inception_lab.training.run import run
from tests.training.tiny import tiny


def test_each_run_is_whole() -> None:
    runs = reference.load()
    assert len(runs) == 30
    for found in runs:
        settings = found.settings
        assert settings == preset("micro", scale=settings.scale, seed=settings.seed)
        assert [step.step for step in found.steps] == list(range(120))
        assert len(found.addresses) == len(found.steps[0].zeros) == len(found.steps[0].ratio) == 20
        assert found.addresses[0] == "inception_resnet_v2_paper/A/01"
        assert found.libraries["torch"]
        assert found.version
    assert [(r.settings.scale, r.settings.seed) for r in runs] == sorted(
        ((r.settings.scale, r.settings.seed) for r in runs), key=lambda key: (-key[0], key[1])
    )


def test_rounding_changed_no_number_that_counts() -> None:
    for found in reference.load():
        again = judge(found.steps)
        assert again.zero_share == pytest.approx(found.judgement.zero_share, abs=1e-4)
        assert again.accuracy == pytest.approx(found.judgement.accuracy, abs=1e-3)
        assert all(step.zero_share is not None and step.zero_share <= 1 for step in found.steps)


@pytest.mark.parametrize("name", ["remedies", "map", "race"])
def test_the_other_experiments_ship_every_arm_with_the_same_seeds(name: str) -> None:
    asked, runs = EXPERIMENTS[name], reference.load(name)
    seeds = len(runs) // len(asked.arms)
    assert {run.settings for run in runs} == set(asked.runs(seeds=seeds))
    assert len(runs) == seeds * len(asked.arms)
    keys = [arm.key for arm in asked.arms for _ in range(seeds)]
    assert [run.name for run in runs] == [f"{name}-{key}-seed{n % seeds}" for n, key in enumerate(keys)]
    for found in runs:
        assert [step.step for step in found.steps] == list(range(found.settings.steps))
        assert judge(found.steps).outcome == found.outcome
        assert judge(found.steps).accuracy == pytest.approx(found.judgement.accuracy, abs=1e-3)
        assert len(found.steps[0].zeros) == (len(found.addresses) if name == "remedies" else 0)


def test_they_show_one_that_dies_and_one_that_learns() -> None:
    found = {(r.settings.scale, r.settings.seed): r for r in reference.load()}
    for seed in range(3):
        dead, alive = found[1.0, seed], found[0.1, seed]
        assert dead.outcome == "dies"
        assert dead.judgement.died_at is not None
        assert dead.judgement.died_at < 30
        assert alive.outcome in ("trains", "slow")
        assert alive.judgement.accuracy > 0.45


def test_what_the_presets_say_of_micro_is_what_the_files_say() -> None:
    unscaled = [run for run in reference.load() if run.settings.scale == 1.0]
    assert len(unscaled) == EXPERIMENTS["micro"].seeds == 5
    deaths = sorted(run.judgement.died_at for run in unscaled if run.judgement.died_at is not None)
    (fifth,) = (run for run in unscaled if run.outcome != "dies")
    assert fifth.outcome == "stalls"
    text = " ".join(str(presets.__doc__).split())
    *early, last = map(str, deaths)
    assert f"four of the five shipped seeds die at 120 steps, at steps {', '.join(early)} and {last};" in text
    assert f"the fifth stalls with a zero share of {fifth.judgement.zero_share:.4f}." in text
    assert f"the fifth stalls at {fifth.judgement.zero_share:.2%}".replace("%", " %") in presets.DESCRIPTIONS["micro"]
    assert deaths[-1] < 20


def test_a_fresh_run_begins_like_the_shipped_one() -> None:
    shipped = next(r for r in reference.load() if (r.settings.scale, r.settings.seed) == (1.0, 0))
    fresh = next(run(preset("micro")))
    assert fresh.loss == pytest.approx(shipped.steps[0].loss, rel=2e-3)
    assert fresh.gradient_norm == pytest.approx(shipped.steps[0].gradient_norm, rel=2e-3)
    assert fresh.residual == pytest.approx(shipped.steps[0].residual, rel=2e-3)


def test_they_are_small() -> None:
    assert sum(file.stat().st_size for file in asset("reference").rglob("*.gz")) < 3_000_000


SMALL = Experiment(
    name="micro",
    title="",
    question="",
    arms=(Arm(key="scale0.3", label="", settings=tiny(scale=0.3)), Arm(key="scale1", label="", settings=tiny())),
    seeds=1,
    caveat="",
)


def test_a_run_is_made_kept_and_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EXPERIMENTS, "micro", SMALL)
    (file,) = reference.make(arms=["scale0.3"], out=tmp_path)
    made = file.stat().st_mtime_ns
    assert reference.make(arms=["scale0.3"], out=tmp_path) == [file]
    assert file.stat().st_mtime_ns == made
    (found,) = reference.load(folder=tmp_path)
    assert found.name == "micro-scale0.3-seed0"
    for kept, step in zip(found.steps, run(tiny(scale=0.3)), strict=True):
        assert kept.loss == pytest.approx(step.loss, rel=1e-3)
        assert kept.zeros == pytest.approx(step.zeros, abs=1e-5)
        assert kept.cosine == pytest.approx(step.cosine, rel=1e-3)
        assert kept.update == pytest.approx(step.update, rel=1e-3)

    older = json.loads(gzip.decompress(file.read_bytes()))
    del older["steps"]["cosine"]
    old = tmp_path / "old"
    old.mkdir()
    (old / file.name).write_bytes(gzip.compress(json.dumps(older).encode()))
    (found,) = reference.load(folder=old)
    assert found.steps[0].cosine == ()  # a file of an older lab stays readable, and is made anew
    reference.make(arms=["scale0.3"], out=old)
    assert "cosine" in json.loads(gzip.decompress((old / file.name).read_bytes()))["steps"]


def test_an_unknown_experiment_or_arm_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no experiment 'remedy'"):
        reference.load("remedy")
    with pytest.raises(SettingsError, match="no arm 'warm'"):
        reference.make("remedies", arms=["warm"], out=tmp_path)


def test_what_is_nearly_one_is_not_rounded_to_one() -> None:
    assert reference._rounded([0.9999999, 1.0, 0.123456], "zeros") == [0.99999, 1.0, 0.12346]
    assert reference._rounded(1234.56, "loss") == 1235
    assert math.isnan(reference._rounded(math.nan, "loss"))


def test_a_damaged_or_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="There is no folder"):
        reference.load(folder=tmp_path / "nowhere")
    with pytest.raises(DataError, match="There are no runs in"):
        reference.load(folder=tmp_path)
    (tmp_path / "x.json.gz").write_bytes(gzip.compress(json.dumps({"settings": {}}).encode())[:20])
    with pytest.raises(DataError, match="no reference run"):
        reference.load(folder=tmp_path)


def test_reading_them_costs_no_torch() -> None:
    script = "import sys; from inception_lab.training import reference; reference.load(); print('torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
