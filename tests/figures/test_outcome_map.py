import pytest

from inception_lab.errors import RunError
from inception_lab.figures.outcome_map import MapCell, cells, outcome_map
from inception_lab.intervals import wilson
from inception_lab.jobs.verdicts import Case, arms
from inception_lab.training.presets import preset


def cell(x: object, y: object, failed: int, n: int, **outcomes: int) -> MapCell:
    low, high = wilson(failed, n)
    return MapCell(x=x, y=y, n=n, failed=failed, low=low, high=high, outcomes=outcomes)


ROWS = [
    cell(0.25, 1.0, 4, 5, dies=3, stalls=1, slow=1),
    cell(0.125, 1.0, 1, 4, dies=1, trains=3),
    cell(0.125, 0.1, 0, 5, trains=5),
]


def test_colour_is_the_share_that_failed_and_text_the_outcomes() -> None:
    figure, _ = outcome_map(ROWS, x="width", y="scale")
    heat = figure.data[0]
    assert (list(heat.x), list(heat.y)) == (["0.125", "0.25"], ["0.1", "1"])
    assert [list(line) for line in heat.z] == [[0.0, None], [0.25, 0.8]]
    assert (heat.zmin, heat.zmax) == (0, 1)
    assert heat.text[1][1] == "dies 3<br>slow 1<br>stalls 1<br>n = 5"
    assert heat.customdata[1][1] == "4 of 5 failed, 95 % interval 38% to 96%<br>dies 3, slow 1, stalls 1"
    assert heat.colorscale[0][1] == "#00224e"
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("width", "scale")
    assert figure.layout.xaxis.type == "category"


def test_cells_without_a_judged_run_are_seen() -> None:
    figure, alt = outcome_map([*ROWS, cell(0.5, 1.0, 0, 0, short=2)], x="width", y="scale")
    gaps = figure.data[1]
    assert list(zip(gaps.x, gaps.y, gaps.text, strict=True)) == [
        ("0.25", "0.1", "no run"),
        ("0.5", "0.1", "no run"),
        ("0.5", "1", "short 2"),
    ]
    assert "3 cells without a judged run" in alt


def test_the_map_in_words() -> None:
    _, alt = outcome_map(ROWS, x="width", y="scale")
    assert alt == (
        "Map of outcomes, width across and scale up, 14 runs. Most failed at width 0.25, scale 1. Failures: "
        "width 0.25, scale 1: 4 of 5; width 0.125, scale 1: 1 of 4; width 0.125, scale 0.1: 0 of 5; "
        "1 cell without a judged run."
    )
    figure, alt = outcome_map([], x="width", y="scale")
    assert alt == "Map of outcomes over width and scale: no run has been judged yet."
    assert figure.data[0].z in (None, ())


def test_any_two_settings_have_a_map() -> None:
    rows = [cell("sgd", None, 1, 1, dies=1), cell("adam", 1.0, 0, 1, slow=1), cell("sgd", 0.5, 0, 1, slow=1)]
    heat = outcome_map(rows, x="optimiser", y="clip")[0].data[0]
    assert (list(heat.x), list(heat.y)) == (["sgd", "adam"], ["none", "0.5", "1"])
    rows = [cell((5, 10, 5), True, 1, 1, dies=1), cell((1, 1, 1), False, 0, 1, slow=1)]
    heat = outcome_map(rows, x="repeats", y="small")[0].data[0]
    assert (list(heat.x), list(heat.y)) == (["1/1/1", "5/10/5"], ["false", "true"])


def test_arms_become_cells_and_nothing_is_mixed_up() -> None:
    micro = preset("micro")
    runs = [
        Case(micro.with_(width=width, scale=scale, seed=seed), "dies" if scale == 1.0 else "slow")
        for width in (0.125, 0.25)
        for scale in (1.0, 0.1)
        for seed in range(3)
    ]
    found = cells(arms(runs), x="width", y="scale")
    assert found[0] == cell(0.125, 1.0, 3, 3, dies=3)
    assert len(found) == 4
    with pytest.raises(RunError, match="differ in scale as well"):
        cells(arms([*runs[:3], Case(micro.with_(scale=0.1, rate=0.01), "slow"), *runs[6:9]]), x="width", y="rate")
    with pytest.raises(RunError, match="differ in width, scale, so there is no map of width and rate"):
        cells(arms(runs), x="width", y="rate")
    with pytest.raises(RunError, match="nothing but the seed"):
        cells(arms(runs[:3]), x="width", y="scale")
