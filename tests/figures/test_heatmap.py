"""The heatmap holds one cell for each block and step, with nothing invented where nothing is."""

import math

import numpy as np
import pytest

from inception_lab.figures.colours import AMOUNT, SIGNED, ramp
from inception_lab.figures.heatmap import cells
from inception_lab.figures.trunk import trunk
from inception_lab.training.events import Step
from inception_lab.training.presets import preset


def step(number: int, **lists: tuple[float, ...]) -> Step:
    return Step(step=number, loss=1.0, accuracy=0.5, rate=0.1, zero_share=0.1, **lists)


STEPS = [
    step(0, shortcut=(10.0, 1.0), residual=(1.0, 0.0), zeros=(0.25, 0.5)),
    step(1, shortcut=(0.0, 1.0), residual=(0.0, math.inf), zeros=(0.75, 1.0)),
]
BLOCKS = ("net/A/01", "net/B/01")


def test_shares_are_drawn_from_0_to_1() -> None:
    found = cells(BLOCKS, STEPS, quantity="zeros")
    assert found.places.T.tolist() == [[0.25, 0.75], [0.5, 1.0]]
    assert (found.low, found.high) == (0, 1)
    assert found.names == ("A/01", "B/01")
    assert "at step 1 block A/01 has 0.75 and block B/01 1" in found.words


def test_norms_are_powers_of_ten_and_what_has_no_place_is_marked() -> None:
    found = cells(BLOCKS, STEPS, quantity="ratio")
    assert found.places[0, 0] == pytest.approx(-1)
    assert np.isnan(found.places).tolist() == [[False, True], [True, True]]
    assert found.odd.tolist() == [[False, False], [True, True]]
    assert found.none.tolist() == [[False, True], [False, False]]
    assert "2 cells are NaN or infinite; 1 cells are exactly zero" in found.words


def test_nothing_measured_is_said() -> None:
    assert cells((), (), quantity="zeros").words.endswith("nothing measured yet.")


def test_cosines_are_coloured_evenly_around_zero() -> None:
    found = cells(BLOCKS, [step(0, zeros=(0.5, 0.5), cosine=(0.1, -0.4))], quantity="cosine")
    assert (found.kind, found.low, found.high) == ("signed", -0.4, 0.4)
    assert (ramp(SIGNED)[0], ramp(SIGNED)[16], len(ramp(AMOUNT))) == ("rgb(127, 59, 8)", "rgb(247, 247, 247)", 33)


def test_a_quantity_an_older_run_lacks_is_said_and_draws_nothing() -> None:
    found = cells(BLOCKS, STEPS, quantity="update")
    assert not found.measured
    assert found.words.endswith("this run did not measure it.")


def test_updates_begin_at_the_step_that_has_one() -> None:
    steps = [step(0, zeros=(0.5, 0.5)), step(1, zeros=(0.5, 0.5), update=(0.01, 0.001))]
    found = cells(BLOCKS, steps, quantity="update")
    assert found.steps.tolist() == [1]
    assert (found.low, found.high) == (pytest.approx(-3), pytest.approx(-2))


def test_the_trunk_holds_every_block_in_its_stage() -> None:
    names = ("A/01", "A/02", "B/01", "C/01")
    rows = trunk(preset("micro").net(), names)
    assert [(row.title, row.blocks) for row in rows] == [
        ("Stem", ()),
        ("A", (0, 1)),
        ("Reduction A", ()),
        ("B", (2,)),
        ("Reduction B", ()),
        ("C", (3,)),
        ("Average pooling", ()),
        ("Classifier", ()),
    ]
