"""Colours of boxes: cividis as matplotlib and Plotly have it, amounts in words, text that can be read on every fill."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree

import pytest
from plotly.colors import sample_colorscale

from inception_lab.readers import layout, tint
from inception_lab.readers.graph import graph
from inception_lab.readers.shapes import shapes
from inception_lab.readers.table import Row

AMOUNTS: tuple[tint.Amount, ...] = ("parameters", "multiply_adds", "memory", "receptive_field")
SVG = "{http://www.w3.org/2000/svg}"


def test_the_scale_is_cividis() -> None:
    for place in range(65):
        theirs = sample_colorscale("Cividis", [place / 64], colortype="tuple")[0]
        ours = layout.parts(tint.colour(place / 64))
        assert ours == pytest.approx([255 * part for part in theirs], abs=8), (
            "between their stops they are straight too"
        )
    assert tint.colour(-1) == tint.colour(0) == "#00224e"
    assert tint.colour(7) == tint.colour(1) == "#fee838"


def test_text_can_be_read_on_every_colour_of_the_scale() -> None:
    for place in range(65):
        fill = tint.colour(place / 64)
        light, dark = sorted((luminance(fill), luminance(layout.ink(fill))), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5


def luminance(colour: str) -> float:
    linear = [((c / 255 + 0.055) / 1.055) ** 2.4 if c > 10 else c / 255 / 12.92 for c in layout.parts(colour)]
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("by", AMOUNTS)
def test_the_boxes_are_coloured_by_their_amounts(by: tint.Amount) -> None:
    table = shapes("inception_resnet_v2")
    drawing = graph("inception_resnet_v2", at="B/07", depth="block").coloured(by)
    rows = {row.address: row for row in table.rows}
    ways: dict[str, Callable[[Row], int]] = {
        "parameters": lambda row: row.parameters,
        "multiply_adds": lambda row: row.multiply_adds,
        "memory": lambda row: 4 * row.output[0] * row.output[1] * row.output[2],
        "receptive_field": lambda row: max(row.receptive_field),
    }
    theirs = ways[by]
    most = max(theirs(rows[node.id]) for node in drawing.nodes[1:])
    assert drawing.nodes[0].fill == ""
    for node in drawing.nodes[1:]:
        assert node.fill == tint.colour(theirs(rows[node.id]) / most)
    assert {node.fill for node in drawing.nodes[1:]} >= {tint.colour(1)}


def test_a_scale_of_the_whole_network_leaves_a_small_block_dark() -> None:
    plain = graph("inception_resnet_v2", at="A/01", depth="block")
    alone, among = plain.coloured("parameters"), plain.coloured("parameters", most=5_000_000)
    assert alone.node("inception_resnet_v2/A/01/linear").fill == tint.colour(1)
    assert among.node("inception_resnet_v2/A/01/linear").fill == tint.colour(41_280 / 5_000_000)
    assert alone.coloured("kind") == plain


def test_the_amount_stands_in_the_box_and_the_colour_in_every_format() -> None:
    drawing = graph("inception_resnet_v2").coloured("parameters")
    root = ElementTree.fromstring(drawing.svg())
    groups = {g.attrib["data-address"]: g for g in root.iter(f"{SVG}g") if "data-address" in g.attrib}
    stage = groups["inception_resnet_v2/B"]
    assert [text.text for text in stage.iter(f"{SVG}text")] == ["20 × B", "22.5 M"]
    assert "filled" in stage.attrib["class"]
    assert stage.attrib["style"] == "--lab-fill: #fee838; --lab-on: #000000"
    assert next(child.attrib["fill"] for child in stage if child.get("class") == "box") == "#fee838"
    assert 'fillcolor="#fee838"' in drawing.dot
    assert "filled" not in groups["inception_resnet_v2"].attrib["class"], "the image has no parameters to show"


def test_without_colours_every_kind_looks_the_same() -> None:
    drawing = graph("inception_resnet_v2", at="B/07", depth="block").coloured("none")
    assert drawing.dot.count('fillcolor="#ffffff"') == len(drawing.nodes)
    assert 'class="lab-graph depth-block by-none"' in drawing.svg()


def test_the_legend_says_the_ends_of_the_scale() -> None:
    assert tint.legend("none", ["conv"]) == ""
    kinds = ElementTree.fromstring(tint.legend("kind", ["conv", "add", "conv", "max pool", "stage", "classifier"]))
    assert [chip.findall("span")[0].tail for chip in kinds] == ["conv, stage, classifier", "add", "max pool"]
    assert "Memory from 0 KiB to 5 MiB and more, " in tint.legend("memory", [], most=5 * 2**20, beyond=True)
    scale = ElementTree.fromstring(tint.legend("memory", [], most=5 * 2**20, scope="this <drawing>"))
    assert scale.attrib["aria-label"] == "Memory from 0 KiB to 5 MiB, this <drawing>"
    assert [part.text for part in scale.iter() if part.text] == ["Memory", "0 KiB", "5 MiB", "this <drawing>"]


def test_a_stage_can_have_the_colour_of_its_largest_op() -> None:
    table = shapes("inception_resnet_v2")
    most = max(row.multiply_adds for row in table.rows)
    strip = graph("inception_resnet_v2").coloured("multiply_adds", most=most, largest=True)
    largest = max(row.multiply_adds for row in table.under("inception_resnet_v2/B"))
    stage = strip.node("inception_resnet_v2/B")
    assert (stage.fill, stage.amount) == (tint.colour(largest / most), f"≤ {tint.said(largest, 'multiply_adds')}")
    assert strip.node("inception_resnet_v2/head/classifier").amount == "1.54 M", "an op has its own amount"
    assert graph("inception_resnet_v2").coloured("multiply_adds", largest=True).most == most
