"""The map, the trunk and the reliability diagram: numbers in the figures and in their words."""

from __future__ import annotations

import math

import pytest

from inception_lab.figures.calibration import calibration
from inception_lab.figures.forecast import Finished, Slice, cells, p_map, variance
from inception_lab.jobs.scoring import Bin
from inception_lab.training.foretold import DEPTHS, SCALES, load
from inception_lab.training.presets import preset

DEPTH = Slice(init="he", width=0.25)


def test_p_scales_with_the_rate_and_the_line_stands_at_the_threshold() -> None:
    slow, fast = (cells(load(), DEPTH, rate=rate) for rate in (0.1, 0.2))
    assert len(slow) == len(SCALES) * len(DEPTHS)
    assert [2 * cell.p for cell in slow] == pytest.approx([cell.p for cell in fast])
    figure, alt = p_map(load(), DEPTH, rate=0.2)
    heat, line, numbers = figure.data[:3]
    micro = load().at(preset("micro"))
    assert micro is not None
    assert heat.z[3][0] == pytest.approx(math.log10(micro.p), abs=1e-4)
    assert numbers.text[21] == f"{micro.p:.3g}"
    assert (numbers.textfont.color[21], numbers.textfont.color[34]) == ("black", "white")
    assert line.contours.start == line.contours.end == pytest.approx(math.log10(3.6))
    failing = sum(cell.says == "fails" for cell in fast)
    assert f"{failing} of 35 points are above 3.6" in alt
    assert "10/20/10 from scale" in alt


def test_widths_are_the_rows_when_the_depth_is_fixed() -> None:
    figure, alt = p_map(load(), Slice(init="xavier", repeats=(5, 10, 5)), rate=0.001)
    assert list(figure.layout.yaxis.ticktext) == ["0.125", "0.25", "0.5"]
    assert "0 of 21 points" in alt
    assert "0.5 nowhere" in alt


def test_finished_runs_stand_in_their_cell_at_their_rate_only() -> None:
    one = preset("micro", scale=0.5)
    runs = [Finished(one, "dies"), Finished(one.with_(seed=1), "dies"), Finished(one.with_(seed=2), "slow")]
    runs += [Finished(one.with_(rate=0.1), "trains"), Finished(one.with_(scale=0.15), "slow")]
    runs += [Finished(one.with_(end_norm=True), "trains"), Finished(one.with_(init="xavier"), "trains")]
    figure, alt = p_map(load(), DEPTH, rate=0.2, runs=runs)
    marks = {trace.name: trace for trace in figure.data[3:]}
    assert set(marks) == {"dies", "slow"}
    assert marks["dies"].customdata[0] == "dies: 2 of 3 runs here"
    assert (round(marks["dies"].x[0]), round(marks["dies"].y[0])) == (2, 3)
    assert "3 finished runs" in alt


def test_the_trunk_is_drawn_measured_added_and_multiplied() -> None:
    point = load().at(preset("micro"))
    assert point is not None
    figure, alt = variance(point)
    assert len(figure.data) == 9  # three lines in each of three stages
    assert list(figure.data[0].y) == list(point.variance[:5])
    assert list(figure.data[5].y) == list(point.additive[15:])
    assert sum(trace.showlegend is True for trace in figure.data) == 3
    assert "at block A/05" in alt
    assert f"{point.product[4]:.3g} if they multiply" in alt


def test_calibration_shows_n_and_interval() -> None:
    figure, alt = calibration([Bin(said=0.7, n=4, true=3, low=0.3, high=0.95)])
    points = figure.data[1]
    assert (points.x[0], points.y[0], points.text[0].strip()) == (0.7, 0.75, "n = 4")
    assert points.error_y.array[0] == pytest.approx(0.2)
    assert points.error_y.arrayminus[0] == pytest.approx(0.45)
    assert "said 70%, 3 of 4 came true" in alt
    assert "no prediction" in calibration([])[1]
