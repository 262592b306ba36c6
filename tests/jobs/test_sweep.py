from dataclasses import replace
from pathlib import Path

import pytest

from inception_lab.errors import RunError, SettingsError
from inception_lab.jobs.store import Run, Store
from inception_lab.jobs.sweep import BENCHES, group_table, submit_bench, submit_sweep, verdict
from inception_lab.training.deviations import deviations
from inception_lab.training.presets import PRESETS
from inception_lab.training.settings import Settings

MICRO = PRESETS["micro"]


def ended(scale: float, seed: int, outcome: str, settings: Settings = MICRO) -> Run:
    """A finished run with this outcome."""
    return Run(
        id=f"{scale}-{seed}",
        group="g",
        status="finished",
        settings=settings.with_(scale=scale, seed=seed),
        created=0.0,
        started=1.0,
        ended=2.0,
        error=None,
        result={"outcome": outcome, "died_at": 10 if outcome == "dies" else None, "accuracy": 0.5, "seconds": 9.0},
        folder=Path(),
    )


def arms(seeds: int, unscaled: str, scaled: str, *, scales: tuple[float, ...] = (0.1,)) -> list[Run]:
    return [
        ended(scale, seed, unscaled if scale == 1.0 else scaled) for seed in range(seeds) for scale in (1.0, *scales)
    ]


def test_sweep_queues_every_scale_of_a_seed_before_the_next(store: Store) -> None:
    group = submit_sweep(store, MICRO, scales=(1.0, 0.1, 1.0), seeds=2)
    queued = [(run.settings.seed, run.settings.scale) for run in reversed(store.runs(group=group))]
    assert queued == [(0, 1.0), (0, 0.1), (1, 1.0), (1, 0.1)]
    assert submit_sweep(store, MICRO, scales=(0.2,), seeds=[7]) != group
    assert store.runs()[0].settings == MICRO.with_(scale=0.2, seed=7)


def test_sweep_of_nothing_or_of_a_wrong_scale_queues_nothing(store: Store) -> None:
    with pytest.raises(RunError, match="at least one scale and one seed"):
        submit_sweep(store, MICRO, scales=(), seeds=3)
    with pytest.raises(SettingsError, match="scale must be"):
        submit_sweep(store, MICRO, scales=(0.1, -1.0), seeds=3)
    assert store.runs() == []


def test_table_orders_rows_and_counts_finished_runs_of_a_scale() -> None:
    runs = [ended(0.1, 1, "slow"), ended(0.1, 0, "trains"), ended(1.0, 0, "dies")]
    runs.append(replace(ended(0.1, 2, "trains"), status="running", result=None))
    rows = group_table(runs)
    assert [(row.scale, row.seed, row.outcome, row.died_at, row.n) for row in rows] == [
        (1.0, 0, "dies", 10, 1),
        (0.1, 0, "trains", None, 2),
        (0.1, 1, "slow", None, 2),
        (0.1, 2, None, None, 2),
    ]
    assert (rows[3].status, rows[3].seconds, rows[0].seconds, rows[0].accuracy) == ("running", None, 9.0, 0.5)


def test_four_clear_seeds_support_the_claim() -> None:
    said = verdict(arms(4, "dies", "slow"))
    assert (said.word, said.n, said.seeds) == ("supported", 8, (0, 1, 2, 3))
    assert said.sentence.startswith("4 of 4 runs failed at scale 1.0, 0 of 4 at scales 0.1 to 0.3")
    assert (said.unscaled.low, said.scaled.high) == pytest.approx((0.5101, 0.4899), abs=1e-4)


@pytest.mark.parametrize("outcome", ["dies", "stalls", "diverges", "nan"])
def test_every_kind_of_failure_counts(outcome: str) -> None:
    assert verdict(arms(5, outcome, "trains")).word == "supported"


def test_three_seeds_decide_only_with_two_small_scales() -> None:
    assert verdict(arms(3, "dies", "trains")).word == "undecided"
    assert verdict(arms(3, "dies", "trains", scales=(0.1, 0.3))).word == "supported"


@pytest.mark.parametrize(
    ("runs", "word", "because"),
    [
        (arms(2, "dies", "trains", scales=(0.1, 0.2, 0.3)), "undecided", "too few"),
        (arms(5, "slow", "dies"), "not supported", "scaled networks fail more often"),
        (arms(5, "trains", "trains"), "undecided", "nothing failed without scaling"),
        (arms(5, "dies", "stalls"), "undecided", "everything fails"),
        ([*arms(3, "dies", "trains"), ended(1.0, 3, "slow"), ended(0.1, 3, "nan")], "undecided", "intervals overlap"),
    ],
)
def test_verdicts(runs: list[Run], word: str, because: str) -> None:
    said = verdict(runs)
    assert said.word == word
    assert because in said.sentence


def test_only_finished_distinct_runs_at_claimed_scales_count() -> None:
    runs = arms(4, "dies", "trains")
    again = [replace(run, id=f"{run.id}-again") for run in runs]
    others = [ended(0.5, 0, "dies"), ended(0.05, 0, "dies"), replace(ended(0.1, 9, "dies"), status="cancelled")]
    assert replace(verdict([*runs, *again, *others]), shrunk=()) == replace(verdict(runs), shrunk=())


def test_a_run_that_was_changed_on_its_way_does_not_count() -> None:
    runs = arms(4, "dies", "trains")
    changed = replace(runs[0], result={"outcome": "dies", "changes": [{"step": 9, "changes": {"rate": 0.01}}]})
    assert verdict([changed, *runs[1:]]).unscaled.n == 3
    assert verdict([replace(runs[0], result={"outcome": "dies", "changes": []}), *runs[1:]]).unscaled.n == 4


def test_the_table_has_what_differs_and_counts_each_arm() -> None:
    thin = MICRO.with_(width=0.125)
    runs = [
        replace(ended(scale, seed, "slow", settings), id=f"{place}{seed}")
        for seed in (0, 1)
        for place, (settings, scale) in enumerate([(thin, 0.1), (thin, 1.0), (MICRO, 1.0)])
    ]
    rows = group_table([*runs[:5], replace(runs[5], status="failed")])
    assert [(row.changes["width"], row.scale, row.seed, row.n) for row in rows] == [
        (0.125, 1.0, 0, 2),
        (0.125, 1.0, 1, 2),
        (0.125, 0.1, 0, 2),
        (0.125, 0.1, 1, 2),
        (0.25, 1.0, 0, 1),
        (0.25, 1.0, 1, 1),
    ]
    assert list(rows[0].flat()) == [
        "run", "width", "scale", "seed", "status", "outcome", "died_at", "accuracy", "zero_share", "seconds", "n"
    ]  # fmt: skip


def test_different_experiments_are_not_pooled() -> None:
    with pytest.raises(RunError, match=r"differ in more than scale and seed \(rate 0\.045 and 0\.2\)"):
        verdict([ended(1.0, 0, "dies"), ended(0.1, 0, "trains", MICRO.with_(rate=0.045))])
    with pytest.raises(RunError, match="no run to judge"):
        verdict([])


def test_verdict_carries_what_its_settings_shrink() -> None:
    assert verdict(arms(3, "dies", "slow")).shrunk == deviations(MICRO)


def test_a_bench_brings_its_own_arms(tmp_path: Path) -> None:
    store = Store(tmp_path, supervised=False)
    group = submit_bench(store, "remedies", seeds=2, steps=9)
    runs = store.runs(group=group)
    assert len(runs) == 2 * len(BENCHES["remedies"].arms)
    assert {run.settings.steps for run in runs} == {9}
    with pytest.raises(SettingsError, match="differ in rate"):
        submit_bench(store, "remedies", rate=0.1)
