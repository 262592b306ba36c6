"""Drawings: that they say what the table says, at every depth, and stay safe and usable as a picture."""

from __future__ import annotations

import io
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from typing import Literal
from xml.etree import ElementTree

import pytest
from PIL import Image

from inception_lab.errors import ImpossibleAdd, InputTooSmall, UnknownAddress
from inception_lab.nets.address import blocks, children, locate
from inception_lab.nets.catalog import CATALOG, net
from inception_lab.nets.ops import Concat, Conv, Net, Op, Pool, Residual, Stage
from inception_lab.readers import layout, stack, words
from inception_lab.readers.drawing import Edge, Graph
from inception_lab.readers.graph import graph
from inception_lab.readers.shapes import shapes

SVG = "{http://www.w3.org/2000/svg}"
BUILDABLE = [name for name in CATALOG if not name.endswith("printed")]


@cache
def drawings(name: str) -> list[Graph]:
    """The strip, all ops, the first and the last block of each stage at both depths, the head."""
    ends = [(stage.name, place) for stage in net(name).stages for place in {1, len(stage.blocks)}]
    places = [f"{name}/{stage}/{place:02d}" for stage, place in ends] + [f"{name}/head"]
    near = [graph(name, at=place, depth=depth) for place in places for depth in ("block", "ops")]
    return [graph(name), graph(name, depth="ops"), *near]


def op_address(name: str, node: str, rows: set[str]) -> str:
    """The table's row for a box: its own, or that of the convolution it is a step of."""
    return node if node in rows else node.rsplit("/", 1)[0]


@pytest.mark.parametrize("name", BUILDABLE)
def test_every_box_has_an_address_and_every_edge_the_shape_of_its_tail(name: str) -> None:
    network, table = net(name), shapes(name)
    outputs = {row.address: row.output for row in table.rows}
    outputs |= {total.address: total.output for total in (*table.blocks(), *table.stages())}
    outputs[name] = (3, 299, 299)
    located = {node.id for drawing in drawings(name)[2:] for node in drawing.nodes}
    assert {locate(network, node) for node in located} == located
    for drawing in drawings(name):
        ids = [node.id for node in drawing.nodes]
        assert len(set(ids)) == len(ids)
        for node in drawing.nodes:
            assert node.output == outputs[op_address(name, node.id, set(outputs))]
        for edge in drawing.edges:
            tail = outputs[op_address(name, edge.tail, set(outputs))]
            assert edge.shape == f"{tail[0]}×{tail[1]}×{tail[2]}"
            assert edge.head in ids
            assert edge.tail in ids


@pytest.mark.parametrize("name", BUILDABLE)
def test_one_box_comes_first_and_one_last(name: str) -> None:
    for drawing in drawings(name):
        ids = {node.id for node in drawing.nodes}
        assert ids - {edge.head for edge in drawing.edges} == {drawing.nodes[0].id}
        assert ids - {edge.tail for edge in drawing.edges} == {drawing.nodes[-1].id}


@pytest.mark.parametrize("name", BUILDABLE)
def test_the_strip_has_few_boxes_and_all_the_cost(name: str) -> None:
    strip, table = graph(name), shapes(name)
    assert len(strip.nodes) <= 14
    assert strip.direction == "LR"
    assert sum(node.parameters for node in strip.nodes) == table.parameters
    assert sum(node.multiply_adds for node in strip.nodes) == table.multiply_adds
    assert [node.repeat for node in strip.nodes if node.kind == "stage"] == [len(s.blocks) for s in net(name).stages]


def test_the_strip_of_the_released_network() -> None:
    assert [node.label for node in graph("inception_resnet_v2").nodes] == [
        ("image", "3×299×299"),
        ("stem", "192×35×35"),
        ("mixed 5b", "320×35×35"),
        ("10 × A", "320×35×35"),
        ("reduction a", "1088×17×17"),
        ("20 × B", "1088×17×17"),
        ("reduction b", "2080×8×8"),
        ("10 × C", "2080×8×8"),
        ("conv2d 7b", "1536×8×8"),
        ("global average", "1536×1×1"),
        ("classifier", "1000 classes"),
    ]


def test_the_input_size_changes_every_shape() -> None:
    assert graph("inception_v4", size=(400, 600)).nodes[-3].label == ("3 × C", "1536×11×17")
    with pytest.raises(InputTooSmall):
        graph("inception_v4", size=74)
    with pytest.raises(ImpossibleAdd):
        graph("inception_resnet_v2_printed")


def test_a_residual_block_as_the_paper_draws_it() -> None:
    drawing = graph("inception_resnet_v2", at="B/07/body/branch2/conv2", depth="block")
    at = "inception_resnet_v2/B/07"
    assert drawing.at == at
    assert [(node.id.removeprefix(f"{at}/"), node.label, node.kind) for node in drawing.nodes] == [
        ("inception_resnet_v2/B/06", ("from B/06", "1088×17×17"), "input"),
        ("body/branch1", ("1×1 · 192",), "conv"),
        ("body/branch2/conv1", ("1×1 · 128",), "conv"),
        ("body/branch2/conv2", ("1×7 · 160",), "conv"),
        ("body/branch2/conv3", ("7×1 · 192",), "conv"),
        ("body/concat", ("concat", "384×17×17"), "concat"),
        ("linear", ("1×1 · 1088", "linear"), "linear"),
        ("scale", ("× 0.1",), "scale"),
        ("add", ("+",), "add"),
        ("relu", ("ReLU", "1088×17×17"), "relu"),
    ]
    shortcuts = [(edge.tail, edge.head) for edge in drawing.edges if edge.is_shortcut]
    assert shortcuts == [("inception_resnet_v2/B/06", f"{at}/add")]
    assert drawing.nodes[3].kernel == (1, 7)
    assert drawing.nodes[3].padding == "same"
    assert drawing.nodes[3].hover.splitlines() == [
        f"{at}/body/branch2/conv2",
        "Convolution, batch norm, ReLU",
        "kernel: 1×7, stride 1",
        "padding: S, same",
        "output: 160×17×17",
        "parameters: 143,680",
        "multiply-adds: 41.4 M",
        "memory: 181 KiB",
        "receptive field: 991×1087 px",
    ]


def test_the_last_block_has_no_relu() -> None:
    assert [node.kind for node in graph("inception_resnet_v2", at="C/10", depth="block").nodes][-2:] == ["scale", "add"]


def test_valid_and_stride_are_marked() -> None:
    labels = [node.label for node in graph("inception_v4", at="reduction_a", depth="block").nodes]
    assert labels == [
        ("from A/04", "384×35×35"),
        ("3×3 · 384", "stride 2, V"),
        ("1×1 · 192",),
        ("3×3 · 224",),
        ("3×3 · 256", "stride 2, V"),
        ("max 3×3", "stride 2, V"),
        ("concat", "1024×17×17"),
    ]
    stem = graph("inception_v4", at="stem", depth="block")
    assert stem.nodes[0].label == ("image", "3×299×299")
    assert stem.nodes[2].label == ("3×3 · 32", "V")


def test_a_convolution_taken_apart_costs_the_same() -> None:
    whole, table = graph("inception_resnet_v2", depth="ops"), shapes("inception_resnet_v2")
    kinds = Counter(node.kind for node in whole.nodes)
    assert (kinds["conv"], kinds["batch norm"], kinds["linear"], kinds["scale"], kinds["add"]) == (204, 204, 40, 40, 40)
    assert kinds["relu"] == 204 + 39
    assert sum(node.parameters for node in whole.nodes) == table.parameters
    assert sum(node.multiply_adds for node in whole.nodes) == table.multiply_adds
    assert sum(edge.is_shortcut for edge in whole.edges) == 40
    norms = sum(node.parameters for node in whole.nodes if node.kind == "batch norm")
    assert norms == 2 * 30_272


@pytest.mark.parametrize("name", BUILDABLE)
def test_each_concat_joins_its_branches(name: str) -> None:
    whole = graph(name, depth="ops")
    arriving = Counter(edge.head for edge in whole.edges)
    expected: dict[str, int] = {}

    def collect(op: Op, address: str) -> None:
        if isinstance(op, Concat):
            expected[f"{address}/concat"] = len(op.branches)
        for part, child in children(op):
            collect(child, f"{address}/{part}")

    for address, block in blocks(net(name)):
        collect(block, address)
    assert {node.id: arriving[node.id] for node in whole.nodes if node.kind == "concat"} == expected


def test_what_enters_a_block_has_seen_what_the_block_before_it_has() -> None:
    first, second = (graph("inception_resnet_v2", at=f"B/{copy}") for copy in ("01", "02"))
    assert second.nodes[0].kind == "input"
    assert second.nodes[0].receptive_field == first.nodes[-1].receptive_field
    assert graph("inception_v4", at="stem").nodes[0].receptive_field == (1, 1)


def test_where_a_block_is_drawn_without_an_address() -> None:
    assert graph("inception_v4", depth="block").at == "inception_v4/A/01"
    assert graph("inception_v4", at="B", depth="ops").at == "inception_v4/B/01"
    assert graph("inception_v4", at="inception_v4", depth="ops").at == "inception_v4/A/01"
    assert graph("inception_v4", at="B/03/branch1", depth="stages").at == "inception_v4/B/03/branch1"
    assert graph("inception_v4", at="B/03/branch1") == graph("inception_v4", at="B/03", depth="block")
    assert graph("inception_v4") == graph("inception_v4", depth="stages")
    odd = Net("odd", "", (Stage("x", (Conv(2),)),), size=9)
    assert graph(odd, depth="block").at == "odd/x/01"
    head = graph("inception_v4", at="head/pool", depth="block")
    assert [node.kind for node in head.nodes] == ["input", "avg pool", "dropout", "classifier"]
    with pytest.raises(UnknownAddress, match="There is no 'Z' in inception_v4"):
        graph("inception_v4", at="Z")


def test_the_box_at_an_address() -> None:
    strip = graph("inception_v4")
    assert strip.node("inception_v4/B/03/branch1").id == "inception_v4/B"
    assert strip.node("inception_v4/head").id == "inception_v4/head/classifier"
    assert strip.node("inception_v4").kind == "input"
    block = graph("inception_v4", at="B/03", depth="block")
    assert block.node("inception_v4/B/03").kind == "concat"
    assert block.node("inception_v4/B/03/branch2/conv1/bn").label == ("1×1 · 192",)
    with pytest.raises(UnknownAddress, match="inception_v4/C/01 is not in the drawing of inception_v4/B/03"):
        block.node("inception_v4/C/01")


@pytest.mark.parametrize("name", BUILDABLE)
@pytest.mark.parametrize("depth", ["stages", "block", "ops"])
def test_svg_is_clean_and_carries_its_data(name: str, depth: str) -> None:
    drawing = graph(name, depth=depth, at=None if depth == "stages" else "C/01")  # type: ignore[arg-type]
    root = ElementTree.fromstring(drawing.svg())
    assert root.tag == f"{SVG}svg"
    assert not {"width", "height"} & set(root.attrib)
    assert len(root.attrib["viewBox"].split()) == 4
    assert root.attrib["aria-label"] == drawing.title
    everything = list(root.iter())
    assert not {f"{SVG}script", f"{SVG}a", f"{SVG}image", f"{SVG}foreignObject"} & {each.tag for each in everything}
    assert not [key for each in everything for key in each.attrib if key == "id" or key[:2] == "on" or "href" in key]
    groups = [each for each in everything if "node" in each.get("class", "").split()]
    assert [group.attrib["data-address"] for group in groups] == [node.id for node in drawing.nodes], "in order"
    for group in groups:
        node = next(node for node in drawing.nodes if node.id == group.attrib["data-address"])
        assert group.attrib["class"] == f"node kind-{node.kind.replace(' ', '-')}"
        assert (group.attrib["tabindex"], group.attrib["role"]) == ("0", "button")
        said = [text.text for text in group.iter(f"{SVG}text")]
        last = node == drawing.nodes[-1]
        assert said == [line for line in node.label if last or line != words.shape(node.output)]
        assert group.find(f"{SVG}title").text == node.hover  # type: ignore[union-attr]
    edges = [each for each in everything if "edge" in each.get("class", "").split()]
    said_at = {
        (e.attrib["data-tail"], e.attrib["data-head"]): "".join(text.text or "" for text in e.findall(f"{SVG}text"))
        for e in edges
    }
    assert said_at == {(edge.tail, edge.head): edge.shape for edge in drawing.edges}
    found = sorted((e.attrib["data-tail"], e.attrib["data-head"], "shortcut" in e.attrib["class"]) for e in edges)
    assert found == sorted((edge.tail, edge.head, edge.is_shortcut) for edge in drawing.edges)


def test_every_kind_has_its_colour() -> None:
    kinds = {layout.word(node.kind) for name in BUILDABLE for each in drawings(name) for node in each.nodes}
    assert kinds == set(layout.ACCENTS) - {"norm"}  # no network of the catalogue has it
    style = ElementTree.fromstring(graph("inception_v4").svg()).find(f"{SVG}style")
    assert style is not None
    assert style.text is not None
    assert all(f".kind-{kind} {{ --lab-accent:" in style.text for kind in kinds)
    assert "prefers-color-scheme: dark" in style.text
    assert "--st-background-color" in style.text


EVIL = '"]; evil [label="<script>alert(1)<b>&amp;\\N\\'


def test_names_cannot_break_out() -> None:
    toy = Net(EVIL, EVIL, (Stage(EVIL, 2 * (Conv(2),), EVIL), Stage("A", (Pool("max"),))), size=9)
    for drawing in (graph(toy), graph(toy, depth="ops"), graph(toy, at=f"{EVIL}/{EVIL}/02", depth="block")):
        text = drawing.svg()
        assert "<script" not in text
        root = ElementTree.fromstring(text)
        groups = [each for each in root.iter() if "node" in each.get("class", "").split()]
        assert len(groups) == len(drawing.nodes)
        assert {each.attrib["data-address"] for each in groups} == {node.id for node in drawing.nodes}
        assert drawing.html().count("<script") == 1
        layout.render(drawing.dot, "svg")
    strip = ElementTree.fromstring(graph(toy).svg())
    texts = [text.text for text in strip.iter(f"{SVG}text")]
    assert f"2 × {EVIL}" in texts


def test_dot_names_boxes_by_address() -> None:
    text = graph("inception_resnet_v1", at="A/01", depth="block").dot
    assert text.startswith('digraph "inception_resnet_v1/A/01 for an image of 299×299" {')
    assert '"inception_resnet_v1/A/01/scale" -> "inception_resnet_v1/A/01/add"' in text
    assert "rankdir=TB" in text
    assert "rankdir=LR" in graph("inception_resnet_v1", at="A/01", depth="block", direction="LR").dot


def test_png() -> None:
    drawing = graph("inception_resnet_v1", at="A/01", depth="block")
    with Image.open(io.BytesIO(drawing.png())) as wide, Image.open(io.BytesIO(drawing.png(dpi=72))) as narrow:
        assert wide.format == "PNG"
        assert wide.width == pytest.approx(2 * narrow.width, abs=4)
        colours = wide.convert("RGB").getcolors(1 << 20)
    assert colours is not None
    assert len(colours) > 20


def test_the_page_stands_alone() -> None:
    drawing = graph("inception_v4", at="C/02", depth="block")
    page = drawing.html()
    addresses = re.findall(r"https?://[^\"'<> ]+", page)
    assert set(addresses) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"<(link|img|iframe)|\bsrc=|@import|url\(", page)
    assert drawing.svg() in page
    assert all(f"<td>{node.id}</td>" in page for node in drawing.nodes)


def test_words_and_table_say_what_the_picture_shows() -> None:
    drawing = graph("inception_resnet_v2", at="A/03", depth="block")
    assert drawing.alt == (
        "inception_resnet_v2/A/03 for an image of 299×299. In order: from A/02, 320×35×35; 1×1 · 32; "
        "1×1 · 32; 3×3 · 32; 1×1 · 32; 3×3 · 48; 3×3 · 64; "
        "concat, 128×35×35; 1×1 · 320, linear; × 0.17; +; ReLU, 320×35×35. "
        "1 shortcut past the residual body. 123,168 parameters, 150 M multiply-adds."
    )
    assert drawing._repr_mimebundle_()["text/plain"] == drawing.alt
    assert 'aria-label="Colours of the kinds"' in drawing._repr_html_(), "the legend"
    rows = drawing.to_rows()
    assert [row["address"] for row in rows] == [node.id for node in drawing.nodes]
    assert sum(row["parameters"] for row in rows) == 123_168
    assert len(graph("inception_resnet_v2", depth="ops").alt) < 400


def test_drawings_are_values() -> None:
    a, b = graph("inception_v4"), graph("inception_v4")
    assert a == b
    assert hash(a) == hash(b)
    assert a.svg() == b.svg()
    scaled = graph(net("inception_resnet_v1").scaled(0.3), depth="block")
    assert ("× 0.3",) in [node.label for node in scaled.nodes]


def test_threads_do_not_meet_in_graphviz() -> None:
    drawn = [graph("inception_resnet_v2", at=f"{stage}/01", depth="ops") for stage in ("stem", "A", "B", "C")]
    drawn += [replace(drawing, direction="LR") for drawing in drawn]
    expected = [drawing.svg() for drawing in drawn]
    layout.render.cache_clear()
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda drawing: drawing.svg(), drawn)) == expected


def test_a_residual_inside_a_branch() -> None:
    inner = Residual(Conv(3, 3), scale=0.5)
    toy = Net("toy", "", (Stage("A", (Concat(inner, Pool("avg", count_border=True)),)),), size=9)
    drawing = graph(toy, depth="block")
    assert [node.kind for node in drawing.nodes] == [
        "input",
        "conv",
        "linear",
        "scale",
        "add",
        "relu",
        "avg pool",
        "concat",
    ]
    assert [(edge.tail, edge.head) for edge in drawing.edges if edge.is_shortcut] == [("toy", "toy/A/01/branch1/add")]
    assert "the padded cells count" in drawing.nodes[-2].hover


def test_an_edge_takes_a_width_a_sign_and_words() -> None:
    plain = graph("inception_resnet_v2", at="B/07", depth="block")
    at = "inception_resnet_v2/B/07"
    shortcut, residual = ("inception_resnet_v2/B/06", f"{at}/add"), (f"{at}/scale", f"{at}/add")
    drawing = plain.weighed({shortcut: (0.75, "+3 (75 %)"), residual: (-0.25, "-1 (25 %)")})
    assert drawing.nodes == plain.nodes
    changed = [new for old, new in zip(plain.edges, drawing.edges, strict=True) if old != new]
    assert sorted((edge.tail, edge.head) for edge in changed) == sorted([shortcut, residual])
    middle = layout.THIN + 0.75 * (layout.WIDE - layout.THIN)
    assert 'label="  +3 (75 %)"' in drawing.dot
    assert f"penwidth={middle:.2f}" in drawing.dot
    assert drawing.dot.count("style=dashed") == 1
    root = ElementTree.fromstring(drawing.svg())
    marks = {e.attrib["data-tail"]: e for e in root.iter(f"{SVG}g") if "weighed" in e.attrib.get("class", "")}
    assert marks.keys() == {shortcut[0], residual[0]}
    assert marks[shortcut[0]].attrib["class"] == "edge shortcut weighed for"
    assert marks[residual[0]].attrib["class"] == "edge weighed against"
    lines = {tail: mark.find(f"{SVG}path").attrib for tail, mark in marks.items()}  # type: ignore[union-attr]
    assert float(lines[shortcut[0]]["stroke-width"]) == pytest.approx(middle, abs=0.01)
    assert "stroke-dasharray" in lines[residual[0]]
    assert "-1 (25 %), against" in (marks[residual[0]].findtext(f"{SVG}title") or "")
    assert drawing.png()[:4] == b"\x89PNG"


def test_an_edge_that_is_not_there_takes_no_width() -> None:
    with pytest.raises(UnknownAddress, match="Nothing goes from a to b in the drawing of inception_v4/A/01"):
        graph("inception_v4", at="A/01", depth="ops").weighed({("a", "b"): (0.5, "")})


@pytest.mark.parametrize("name", BUILDABLE)
@pytest.mark.parametrize("direction", ["LR", "TB"])
def test_a_whole_network_is_put_together_from_its_blocks(name: str, direction: Literal["LR", "TB"]) -> None:
    drawing = graph(name, depth="ops", direction=direction)
    root = ElementTree.fromstring(drawing.svg())
    canvases = root.findall(f"{SVG}g[@transform]")
    marked = [(g, part) for part in canvases for g in part if "data-address" in g.attrib]
    assert [g.attrib["data-address"] for g, _ in marked] == [node.id for node in drawing.nodes], "each once, in order"
    lines = [(g, part) for part in canvases for g in part if "data-tail" in g.attrib]
    ends = sorted((g.attrib["data-tail"], g.attrib["data-head"]) for g, _ in lines)
    assert ends == sorted((edge.tail, edge.head) for edge in drawing.edges)
    at = {g.attrib["data-address"]: moved(g.find(f"{SVG}text"), part) for g, part in marked}
    left, top, wide, high = (float(side) for side in root.attrib["viewBox"].split())
    assert all(left < x < left + wide and top < y < top + high for x, y in at.values())
    assert 1.2 < wide / high < 4, "a map for a screen"
    (decor,) = root.findall(f"{SVG}g[@class='lanes']")
    ghosts = [moved(ghost.find(f"{SVG}text"), ghost) for ghost in decor.findall(f"{SVG}g")]
    assert len(ghosts) == len(decor.findall(f"{SVG}path")) == len(decor.findall(f"{SVG}text")) - 1
    along = 0 if direction == "LR" else 1
    for g, part in lines:  # onwards from the box it comes from, or from that box's shadow where a lane begins
        dx, dy = (float(step) for step in part.attrib["transform"][10:-1].split())
        start = re.match(r"M(-?[\d.]+),(-?[\d.]+)", g.find(f"{SVG}path").attrib["d"])  # type: ignore[union-attr]
        assert start is not None
        place = float(start[1]) + dx, float(start[2]) + dy
        tail = min((at[g.attrib["data-tail"]], *ghosts), key=lambda one: apart(one, place))
        assert apart(tail, place) < 90
        assert tail[along] < at[g.attrib["data-head"]][along], "onwards only"


def apart(one: tuple[float, float], other: tuple[float, float]) -> float:
    """How far two places are from one another, along the side on which they are farther."""
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


def moved(text: ElementTree.Element | None, part: ElementTree.Element) -> tuple[float, float]:
    """Where a text stands in the whole drawing."""
    assert text is not None  # the first of its rows
    dx, dy = (float(step) for step in part.attrib["transform"][10:-1].split())
    return float(text.attrib["x"]) + dx, float(text.attrib["y"]) + dy


def test_a_large_drawing_that_hangs_together_is_laid_out_at_once() -> None:
    whole = graph("inception_v3", depth="ops")
    over = replace(whole, edges=(*whole.edges, Edge(whole.nodes[0].id, whole.nodes[-1].id, "3×299×299")))
    assert len(stack.parts(whole)) == 12 + 1, "twelve blocks and the head"
    assert len(stack.parts(over)) == 1
    assert len(stack.parts(graph("inception_v3"))) == 1


def test_marked_boxes_say_why() -> None:
    drawn = graph("inception_resnet_v2", at="B/01", depth="block")
    place = "inception_resnet_v2/B/01"
    marked = drawn.marked({f"{place}/linear": ("#f0b429", "width 1088")})
    assert [(node.id, node.amount) for node in marked.nodes if node.fill] == [(f"{place}/linear", "width 1088")]
    assert "width 1088" in marked.svg()
    whole = drawn.marked({place: ("#f0b429", "differs")})
    assert {node.kind for node in whole.nodes if not node.fill} == {"input"}
    with pytest.raises(UnknownAddress):
        drawn.marked({"inception_resnet_v2/C/01": ("#f0b429", "differs")})


def test_an_add_that_says_much_is_no_huge_circle() -> None:
    drawn = graph("inception_resnet_v2_paper", at="B/01", depth="block")
    add = "inception_resnet_v2_paper/B/01/add"
    assert re.search(rf'"{add}" \[label="\+".*shape=circle', drawn.dot)
    assert re.search(rf'"{add}" \[.*shape=ellipse', drawn.marked({add: ("#e4572e", "1152 + 1154")}).dot)


def test_the_released_strip_fits_a_laptop_and_can_be_read() -> None:
    root = ElementTree.fromstring(graph("inception_resnet_v2").svg())
    smallest = 0.72  # of svg_view.js
    assert float(root.attrib["viewBox"].split()[2]) * 96 / 72 * smallest <= 1112
    lines = [edge for edge in root.iter(f"{SVG}g") if edge.get("class") == "edge"]
    sizes = {text.attrib["font-size"] for edge in lines for text in edge.findall(f"{SVG}text")}
    assert [float(size) * 96 / 72 * smallest for size in sizes] == [pytest.approx(10.08)]
