"""The experiment of the lab, for real: without scaling micro dies, with scale 0.1 it learns."""

import pytest

from inception_lab.training.outcomes import judge
from inception_lab.training.presets import preset
from inception_lab.training.run import run


def test_unscaled_micro_dies_within_its_first_steps() -> None:
    judgement = judge(list(run(preset("micro", steps=40))))
    assert judgement.outcome == "dies"
    assert judgement.died_at is not None
    assert judgement.died_at < 20


def test_scaled_micro_learns() -> None:
    judgement = judge(list(run(preset("micro", scale=0.1, steps=80))))
    assert judgement.outcome in ("trains", "slow")
    assert judgement.accuracy > 0.45
    assert judgement.zero_share is not None
    assert judgement.zero_share < 0.98


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(3))
def test_whole_micro_runs(seed: int) -> None:
    dead = judge(list(run(preset("micro", scale=1.0, seed=seed))))
    alive = judge(list(run(preset("micro", scale=0.1, seed=seed))))
    assert (dead.outcome, alive.outcome in ("trains", "slow")) == ("dies", True)
    assert alive.accuracy > 0.45
