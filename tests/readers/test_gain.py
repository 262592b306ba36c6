"""A trained residual scale and batch norm before the pooling are told alike by table, drawing, notation and module."""

from __future__ import annotations

import pytest

from inception_lab.errors import NetworkError
from inception_lab.models.build import build
from inception_lab.nets import catalog
from inception_lab.nets.ops import Gain, Net
from inception_lab.readers.compare import compare
from inception_lab.readers.graph import graph
from inception_lab.readers.notation import notation, parse
from inception_lab.readers.shapes import shapes


def micro(gain: Gain = "learned", *, end_norm: bool = True) -> Net:
    net = catalog.net("inception_resnet_v2_paper").thin(0.06).repeats(1, 2, 1).small()
    return net.scaled((1.0, 0.3, 0.1), gain=gain).with_(end_norm=end_norm)


@pytest.mark.parametrize("gain", ["fixed", "learned", "zero"])
def test_declared_parameters_are_the_modules(gain: Gain) -> None:
    for end_norm in (False, True):
        net = micro(gain, end_norm=end_norm)
        assert shapes(net).parameters == sum(p.numel() for p in build(net).parameters())


def test_each_stage_has_its_own_scale() -> None:
    table = shapes(micro())
    labels = [row.label for row in table.rows if row.op == "scale"]
    assert labels == ["× 1 g, g from 1", "× 0.3 g, g from 1", "× 0.3 g, g from 1", "× 0.1 g, g from 1"]
    assert next(row.label for row in shapes(micro("zero")).rows if row.op == "scale") == "× 1 g, g from 0"


def test_the_head_begins_with_its_norm() -> None:
    table = shapes(micro())
    head = [row for row in table.rows if "/head/" in row.address]
    assert [row.op for row in head] == ["norm", "avg pool", "dropout", "classifier"]
    assert head[0].parameters == 2 * head[0].output[0]
    model = build(micro())
    assert model.at(head[0].address) is model.head.norm


def test_the_notation_comes_back_equal() -> None:
    for gain in ("fixed", "learned", "zero"):
        assert parse(notation(micro(gain))) == micro(gain)
    text = notation(micro("zero"), multiline=False)
    assert 'gain="zero"' in text
    assert "end_norm=True" in text
    assert "gain" not in notation(micro("fixed"))


def test_a_wrong_gain_is_refused() -> None:
    with pytest.raises(NetworkError, match='gain is "fixed", "learned" or "zero"'):
        parse('Residual(Conv(8, 1), gain="some")')
    with pytest.raises(NetworkError, match="three for A, B and C"):
        micro().scaled((1.0, 0.3))  # type: ignore[arg-type]


def test_comparison_and_drawing_tell_them() -> None:
    found = compare(micro("fixed", end_norm=False), micro("zero"))
    assert [(each.address, each.a, each.b) for each in found.differences if each.kind == "gain"] == [
        ("A/01/scale", "fixed", "zero"),
        ("B/01/scale", "fixed", "zero"),
        ("C/01/scale", "fixed", "zero"),
    ]
    assert ("head/norm", False, True) in [(each.address, each.a, each.b) for each in found.differences]
    drawn = graph(micro(), depth="ops")
    assert any(node.label == ("batch norm", "ReLU") for node in drawn.nodes)
    assert any("× 0.3 g, g from 1" in node.label for node in drawn.nodes)
