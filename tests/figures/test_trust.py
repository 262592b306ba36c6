"""Curves and matrices as they were given, with their words."""

import numpy as np
import pytest

from inception_lab.figures.agreement import SHOWN, field, matrix
from inception_lab.figures.trust import trust

ROWS = [
    {"share": share, "deletion": 1 - share, "insertion": share, "random deletion": 0.5, "random deletion sd": 0.1,
     "random insertion": 0.5, "random insertion sd": 0.2}
    for share in (0.0, 0.5, 1.0)
]  # fmt: skip


def test_curves_beside_chance() -> None:
    figure, words = trust(ROWS, measure="probability", orders=5)
    traces = {trace.name: trace for trace in figure.data if trace.name}
    assert list(traces["deletion: marked regions go"].y) == [1, 0.5, 0]
    assert list(traces["insertion: they come back"].y) == [0, 0.5, 1]
    assert "random deletion, mean ± sd of 5" in traces
    band = next(trace for trace in figure.data if trace.fill == "toself")
    assert list(band.y) == pytest.approx([0.6, 0.6, 0.6, 0.4, 0.4, 0.4])
    assert words == ("Curves of the probability from 1; at 50%: deletion 0.5 (random 0.5), insertion 0.5 (random 0.5).")


def test_a_field_has_its_scale_and_is_drawn_as_means() -> None:
    values = np.arange(224.0 * 224).reshape(224, 224)
    figure, words = field(values, limit=9.0, signed=True, unit="logits", title="Map")
    (drawn,) = figure.data
    assert (drawn.zmin, drawn.zmax) == (-9, 9)
    assert len(drawn.z) == SHOWN
    assert drawn.z[0][0] == pytest.approx(values[:2, :2].mean())
    assert words.startswith("Map: from 0 to 5.02e+04 logits, largest 100% down")
    assert field(values, limit=9.0, signed=False, unit="u", title="t")[0].data[0].zmin == 0


def test_the_matrix_says_who_agrees() -> None:
    values = np.array([[1, 0.9, -0.2], [0.9, 1, 0.1], [-0.2, 0.1, 1]])
    figure, words = matrix(("a", "b", "c"), values, best=1)
    assert list(figure.data[0].x) == ["a", "★ b", "c"]
    assert words == (
        "Agreement of 3 maps: most alike a and b 0.90, least alike a and c -0.20. The deletion test favours b."
    )
