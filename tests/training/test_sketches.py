"""The drawings hold what they are given: holes for nan, no spike lost, no more bytes than columns."""

import math
import re
from xml.etree import ElementTree

from inception_lab.training.sketches import COLUMNS, blocks, line


def paths(svg: str) -> list[str]:
    """Every path of a drawing, which has to be well-formed XML."""
    return [path.attrib["d"] for path in ElementTree.fromstring(svg).iter("path")]


def test_equal_cells_in_a_row_are_one_rectangle_and_nan_is_a_hole() -> None:
    shares = [(0.0, 0.05), (0.0, 1.0), (0.95, math.nan)]
    dark, bright = paths(blocks(["A/01", "B/01"], [0, 1, 2], shares, mark=None))
    assert dark == "M0 0h2v1h-2zM0 1h1v1h-1z"
    assert bright == "M2 0h1v1h-1zM1 1h1v1h-1z"


def test_names_are_escaped_and_the_mark_stands_at_its_step() -> None:
    svg = blocks(["<b>"], [10, 11, 12], [(0.5,), (0.5,), (0.5,)], mark=11)
    assert "<b>" not in svg
    assert "✕ 11" in svg
    middle = 76 + (800 - 76) / 2
    assert f"M{middle:.1f} 0V14" in paths(svg)
    assert "✕" not in blocks(["a"], [10], [(0.5,)], mark=99)


def test_a_line_breaks_where_a_value_is_no_number() -> None:
    track, *marks, _ = paths(line([0, 1, 2, 3, 4], [0.0, 1.0, math.nan, math.inf, 0.5], log=False, mark=0))
    assert track == "M76.0 170.0L257.0 0.0M800.0 85.0"
    assert [re.split(r"[M ]", mark)[1] for mark in marks] == ["438.0", "619.0"]


def test_a_logarithmic_axis_spans_its_values() -> None:
    (track,) = paths(line([0, 1, 2], [1.0, 100.0, 0.01], log=True, mark=None))
    assert track == "M76.0 85.0L438.0 0.0L800.0 170.0"


def test_a_long_run_keeps_its_spikes_in_few_points() -> None:
    values = [1.0] * 9000
    values[4321] = 500.0
    (track,) = paths(line(range(9000), values, log=True, mark=None))
    points = re.findall(r"[ML]([\d.]+) ([\d.]+)", track)
    assert len(points) <= 2 * COLUMNS
    assert min(float(y) for _, y in points) == 0
    assert [float(x) for x, y in points if y == "0.0"] == [round(76 + 724 * 4321 / 8999, 1)]


def test_columns_of_a_long_picture_take_the_largest_share() -> None:
    shares = [(0.0,)] * 4000
    shares[1234] = (1.0,)
    dark, bright = paths(blocks(["a"], range(4000), shares, mark=None))
    assert bright == "M123 0h1v1h-1z"
    assert dark == "M0 0h123v1h-123zM124 0h276v1h-276z"


def test_nothing_is_drawn_of_nothing() -> None:
    assert paths(line([], [], log=True, mark=None)) == []
    assert paths(blocks([], [], [], mark=3)) == []


def test_nothing_at_the_top_edge_is_cut_off() -> None:
    """The word for the largest value stands on y = 8, twelve high, and half of a line at the top is above 0."""
    svg = ElementTree.fromstring(line([0, 1], [1.0, 317.0], log=True, mark=None))
    _, top, _, height = map(float, svg.attrib["viewBox"].split())
    words = {text.text: float(text.attrib["y"]) for text in svg.iter("text")}
    assert top <= words["317"] - 12
    assert top + height >= max(words.values()) + 3
