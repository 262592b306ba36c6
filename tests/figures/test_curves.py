"""Curves show every value they are given: means where they are means, NaN and death as marks."""

import math

import pytest

from inception_lab.figures.colours import of_scale
from inception_lab.figures.curves import Series, curves, describe


def one(scale: float, seed: int, values: list[float], **more: object) -> Series:
    return Series(scale=scale, seed=seed, steps=range(len(values)), values=values, **more)  # type: ignore[arg-type]


def test_mean_is_the_mean_of_the_seeds_as_far_as_all_have_come() -> None:
    figure = curves([one(0.1, 0, [1.0, 2.0, 3.0]), one(0.1, 1, [3.0, 4.0])], metric="loss")
    mean = next(trace for trace in figure.data if trace.name == "scale 0.1, n = 2")
    assert list(mean.x) == [0, 1]
    assert list(mean.y) == [2.0, 3.0]
    assert len(figure.data) == 3, "two seeds and their mean"


def test_nan_is_marked_at_its_step_and_leaves_a_gap() -> None:
    figure = curves([one(1.0, 0, [1.0, math.nan, 2.0, math.inf])], metric="loss")
    marks = next(trace for trace in figure.data if trace.name == "NaN or infinite")
    assert list(marks.x) == [1, 3]
    assert figure.data[0].y[1] is None


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
