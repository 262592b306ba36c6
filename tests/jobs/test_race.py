"""The race counts batches as it says, and keeps strangers out."""

import math
from dataclasses import dataclass

import pytest

from inception_lab.errors import RunError
from inception_lab.figures.race import race
from inception_lab.jobs.race import race_table
from inception_lab.training.events import Step
from inception_lab.training.experiments import RACE
from inception_lab.training.presets import preset
from inception_lab.training.settings import Settings


@dataclass
class Raced:
    settings: Settings
    steps: list[Step]


def raced(key: str, seed: int, accuracies: list[float]) -> Raced:
    steps = [Step(step=n, loss=1.0, accuracy=value, rate=0.01) for n, value in enumerate(accuracies)]
    return Raced(RACE.arm(key).settings.with_(seed=seed), steps)


def test_runs_without_an_equal_budget_are_no_race() -> None:
    first, second = raced("pure-deep-0.045", 0, [0.5] * 20), raced("residual-deep-0.045", 0, [0.5] * 20)
    unlike = Raced(second.settings.with_(batch=64), second.steps)
    with pytest.raises(RunError, match=r"differ in more than arm and seed \(batch\)"):
        race_table([first, unlike])
    kept = Raced(second.settings.with_(threads=2, checkpoint_every=50), second.steps)  # how it is kept is no budget
    assert len(race_table([first, kept])) == 2
    assert len(race_table([first, unlike, second])) == 2  # the last of an arm and seed counts


def test_a_row_in_full() -> None:
    runs = [
        raced("pure-deep-0.045", 0, [0.0] * 40 + [0.5] * 10 + [0.2] * 50),
        raced("pure-deep-0.045", 1, [0.0] * 40 + [0.7] * 60),
        Raced(preset("micro"), raced("pure-deep-0.045", 0, [1.0] * 100).steps),
    ]
    (row,) = race_table(runs)
    assert (row.key, row.rate, row.n, row.seeds) == ("pure-deep-0.045", 0.045, 2, (0, 1))
    assert (row.multiply_adds, row.parameters) == (26_553_478, 2_007_136)
    assert row.accuracy[:2] == pytest.approx((0.6, 0.45))
    assert math.isnan(row.accuracy[2])
    assert (row.worst, row.best) == pytest.approx((0.2, 0.7))
    assert row.goal == (None, 49)


def test_order_is_the_experiments_and_the_last_of_equal_runs_counts() -> None:
    rows = race_table([raced(key, 0, [0.1] * 50) for key in ("pure-shallow-0.01", "residual-deep-0.045")])
    assert [row.key for row in rows] == ["residual-deep-0.045", "pure-shallow-0.01"]
    (row,) = race_table([raced("pure-v4-0.01", 0, [0.1] * 50), raced("pure-v4-0.01", 0, [0.3] * 50)])
    assert row.accuracy[0] == pytest.approx(0.3)
    assert race_table([raced("pure-v4-0.01", 0, [])]) == []


def test_the_figure_holds_every_batch_and_their_mean() -> None:
    runs = [raced("pure-deep-0.045", seed, [seed / 2] * 60) for seed in (0, 1)]
    figure, words = race([*runs, raced("residual-shallow-0.01", 0, [0.9] * 60), Raced(preset("micro"), runs[0].steps)])
    assert [list(trace.y)[:2] for trace in figure.data] == [[0, 0], [0.5, 0.5], [0.25, 0.25], [0.9, 0.9], [0.9, 0.9]]
    assert [trace.showlegend for trace in figure.data] == [False, False, True, False, True]
    assert [trace.xaxis for trace in figure.data] == ["x", "x", "x", "x4", "x4"]
    assert "pure, 5/10/5, rate 0.045 (n = 2): accuracy 0.25 at 50, nan at 100" in words
    assert "residual, 1/2/1, scale 0.2, rate 0.01 (n = 1): accuracy 0.90 at 50" in words
    assert race([])[1].endswith("No run yet.")
