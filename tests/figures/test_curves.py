"""Curves show every value they are given: means where they are means, NaN and death as marks."""

import math
from itertools import pairwise

import numpy as np
import plotly.graph_objects as go
import pytest

from inception_lab.figures.colours import BASELINE, of_scale
from inception_lab.figures.curves import DASHES, TITLES, Series, caption, curves, describe, drawn


def one(scale: float, seed: int, values: list[float], **more: object) -> Series:
    return Series(scale=scale, seed=seed, steps=range(len(values)), values=values, **more)  # type: ignore[arg-type]


def test_mean_is_the_mean_of_the_seeds_as_far_as_all_have_come() -> None:
    figure = curves([one(0.1, 0, [1.0, 2.0, 3.0]), one(0.1, 1, [3.0, 4.0])], metric="loss")
    mean = next(trace for trace in figure.data if trace.name == "scale 0.1, n = 2 (few)")
    assert (mean.x0, mean.dx) == (0, 1)
    assert list(mean.y) == [2.0, 3.0]
    assert len(figure.data) == 3, "two seeds and their mean"


def test_nan_is_marked_at_its_step_and_leaves_a_gap() -> None:
    figure = curves([one(1.0, 0, [1.0, math.nan, 2.0, math.inf])], metric="loss")
    marks = next(trace for trace in figure.data if trace.name == "NaN or infinite")
    assert list(marks.x) == [1, 3]
    assert math.isnan(figure.data[0].y[1])


def test_death_is_a_cross_at_its_step() -> None:
    figure = curves([one(1.0, 0, [0.2, 0.9995, 1.0], died_at=1)], metric="zero_share")
    cross = next(trace for trace in figure.data if trace.name == "death")
    assert (cross.x[0], cross.y[0]) == (1, 0.9995)


def test_reference_is_dotted_and_here_is_solid_in_the_same_colour() -> None:
    figure = curves([one(0.3, 0, [1.0]), one(0.3, 0, [2.0], kind="reference")], metric="accuracy")
    dashes = {trace.line.dash: trace.line.color for trace in figure.data if trace.showlegend is not False}
    assert dashes == {"solid": of_scale(0.3), "dot": of_scale(0.3)}


def test_words_say_n_and_deaths() -> None:
    words = describe([one(1.0, 0, [0.5, 1.0], died_at=1), one(0.1, 0, [0.1, 0.2])], metric="zero_share")
    assert "scale 1 (here, n = 1) ends at 1, 1 died (step 1 first)" in words
    assert "scale 0.1 (here, n = 1) ends at 0.2" in words


def named(figure: go.Figure, name: str) -> go.Scatter:
    return next(trace for trace in figure.data if trace.name == name)


def test_every_metric_has_a_panel_over_the_same_steps_and_one_legend() -> None:
    figure = go.Figure(drawn({metric: [one(0.1, 0, [1.0, 2.0])] for metric in TITLES}))
    assert [trace.yaxis for trace in figure.data] == ["y", "y2", "y3", "y4", "y5"]
    assert {trace.xaxis for trace in figure.data} == {"x"}
    assert [trace.showlegend for trace in figure.data] == [True, False, False, False, False]
    assert [note.text for note in figure.layout.annotations] == list(TITLES.values())
    ends = [figure.layout[f"yaxis{n}"].domain for n in ("", 2, 3, 4, 5)]
    assert all(above[0] > below[1] for above, below in pairwise(ends)), "no panel covers another"
    assert len({trace.uid for trace in figure.data}) == 5


def test_the_band_is_the_interval_of_the_mean_and_needs_three_seeds() -> None:
    three = curves([one(0.1, seed, [0.4 + seed / 10] * 2) for seed in range(3)], metric="accuracy")
    low, high = (trace for trace in three.data if trace.line.width == 0)
    half = 4.303 * 0.1 / math.sqrt(3)
    assert (low.y[0], high.y[0], high.fill) == (pytest.approx(0.5 - half), pytest.approx(0.5 + half), "tonexty")
    two = curves([one(0.1, seed, [0.4]) for seed in range(2)], metric="accuracy")
    assert all(trace.line.width for trace in two.data)
    assert named(two, "scale 0.1, n = 2 (few)")


def test_a_band_ends_where_its_quantity_ends() -> None:
    shares = curves([one(1.0, seed, [value]) for seed, value in enumerate((0.9, 1.0, 1.0))], metric="zero_share")
    assert max(trace.y[0] for trace in shares.data if trace.line.width == 0) == 1
    losses = curves([one(1.0, seed, [value]) for seed, value in enumerate((0.1, 9.0, 50.0))], metric="loss")
    assert min(trace.y[0] for trace in losses.data if trace.line.width == 0) == pytest.approx(0.1)


def test_dash_tells_other_settings_apart_and_arms_are_not_averaged_over_them() -> None:
    figure = curves([one(0.1, 0, [1.0], other="rate 0.02"), one(0.1, 0, [2.0], other="rate 0.2")], metric="loss")
    slow, fast = named(figure, "scale 0.1, rate 0.02, n = 1 (few)"), named(figure, "scale 0.1, rate 0.2, n = 1 (few)")
    assert (slow.line.dash, fast.line.dash) == DASHES[:2]
    assert slow.line.color == fast.line.color
    same = curves([one(0.1, 0, [1.0], other="a", dash=""), one(0.1, 0, [2.0], other="b", dash="")], metric="loss")
    assert [trace.line.dash for trace in same.data] == ["solid", "solid"], "the dash can be told to tell less"


def test_the_baseline_is_grey_in_all_panels() -> None:
    pinned = one(0.3, 0, [1.0], kind="baseline")
    figure = go.Figure(drawn({"loss": [one(1.0, 0, [2.0]), pinned], "accuracy": [pinned]}))
    assert [t.yaxis for t in figure.data if t.line.color == BASELINE] == ["y", "y2"]


def test_a_fork_has_its_mark_where_it_branches_off() -> None:
    figure = curves([one(0.1, 0, [3.0, 2.0, 1.0], fork=1)], metric="loss")
    assert (named(figure, "fork").x, named(figure, "fork").y) == ((1,), (2.0,))


def test_the_first_death_of_an_arm_says_its_block() -> None:
    runs = [one(1.0, seed, [0.5, 1.0, 1.0], died_at=2 - seed, died_in=f"C/0{seed}") for seed in range(2)]
    figure = curves(runs, metric="zero_share")
    assert named(figure, "death").text == ("", "C/01")
    assert "block C/00 first" in named(figure, "death").customdata[0]


def test_long_lines_are_thinned_and_say_so_but_marks_and_deaths_stay() -> None:
    values = np.sin(np.arange(9000.0))
    values[5001] = np.nan
    run = one(1.0, 0, values, died_at=4444)  # type: ignore[arg-type]
    figure = curves([run], metric="loss")
    line = figure.data[0]
    assert len(line.x) < 2005
    assert {5001, 4444} <= set(line.x.tolist())
    assert named(figure, "NaN or infinite").x == (5001,)
    assert "each point shows min and max of 16 steps" in caption({"loss": [run]})


def test_the_caption_says_what_is_on_screen() -> None:
    few = caption({"loss": [one(1.0, 0, [1.0])]})
    assert "Where n is below 3 there is no band" in few
    assert "Student" not in few
    many = caption({"loss": [one(1.0, seed, [1.0, math.inf]) for seed in range(3)]})
    assert "95 % interval of the mean" in many
    assert "▲" in many
    assert "below 3" not in many


@pytest.mark.parametrize("scale", [1.0, 0.5, 0.3, 0.2, 0.1, 0.05, 0.01, 2.0])
@pytest.mark.parametrize("page", [(255, 255, 255), (14, 18, 24)])
def test_colours_of_scales_are_legible_in_light_and_dark(scale: float, page: tuple[int, int, int]) -> None:
    """WCAG's contrast for graphics, 3 to 1."""
    colour = tuple(int(part) for part in of_scale(scale)[4:-1].split(","))
    light, dark = sorted((luminance(colour), luminance(page)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 3


def luminance(colour: tuple[int, ...]) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (part / 255 for part in colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
