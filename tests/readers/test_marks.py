"""Drawings that go on behind what cannot be, and the paper's slips on their ops."""

from __future__ import annotations

import pytest

from inception_lab.errors import ImpossibleAdd, InputTooSmall
from inception_lab.nets import catalog
from inception_lab.readers.cost import cost
from inception_lab.readers.graph import Depth, graph
from inception_lab.readers.refusals import stops, widths
from inception_lab.readers.shapes import shapes
from inception_lab.readers.slips import slips, slips_of

PRINTED = "inception_resnet_v2_printed"


def test_a_tolerant_table_goes_on_with_the_shortcuts_width() -> None:
    table = shapes(PRINTED, tolerant=True)
    assert [stop.places[0].split("/", 1)[1] for stop in stops(table)] == ["B/01/add", "C/01/add"]
    assert [len(stop.places) for stop in stops(table)] == [10, 5]
    assert table.row(f"{PRINTED}/B/01/linear").output == table.row(f"{PRINTED}/B/01/scale").output == (1154, 17, 17)
    assert table.row(f"{PRINTED}/B/01/add").output == (1152, 17, 17)
    assert table.row(f"{PRINTED}/C/05/linear").output == (2048, 8, 8)
    assert table.row(f"{PRINTED}/C/05/relu").output == (2144, 8, 8)
    # ten closing 1x1 wider by 2 channels of 384 weights and a bias, five narrower by 96 of 448 and one
    paper = shapes("inception_resnet_v2_paper")
    assert table.parameters - paper.parameters == 10 * 2 * 385 - 5 * 96 * 449
    assert cost(PRINTED, tolerant=True).total.parameters == table.parameters


@pytest.mark.parametrize("name", [name for name in catalog.CATALOG if name != PRINTED])
def test_what_can_be_built_is_read_the_same(name: str) -> None:
    assert shapes(name, tolerant=True) == shapes(name)
    assert not shapes(name, tolerant=True).refused
    assert graph(name, depth="ops", tolerant=True) == graph(name, depth="ops")


def test_the_strict_reading_still_refuses() -> None:
    for read in (shapes, graph, cost):
        with pytest.raises(ImpossibleAdd, match="must make 1152 as well"):
            read(PRINTED)
    with pytest.raises(InputTooSmall):
        shapes("inception_v4", size=74)


def test_behind_a_window_that_does_not_fit_nothing_is_left() -> None:
    table = shapes("inception_v4", size=74, tolerant=True)
    assert [error.address.split("/", 3)[3] for error in table.refused] == ["branch1/conv2", "branch2/conv4", "branch3"]
    assert table.row("inception_v4/reduction_b/01/concat").output == (1536, 0, 0)
    assert table.row("inception_v4/C/03/concat").output == (1536, 0, 0)
    assert table.parameters == shapes("inception_v4").parameters
    assert sum(row.multiply_adds for row in table.under("inception_v4/C")) == 0


def test_where_the_widths_come_from() -> None:
    net = catalog.net(PRINTED)
    first, second = (stop.error for stop in stops(shapes(net, tolerant=True)))
    assert isinstance(first, ImpossibleAdd)
    assert isinstance(second, ImpossibleAdd)
    assert widths(net, first) == "Fig 17 prints 1154; Fig 7 with Table 1 gives 384 + 384 + 384 = 1152."
    assert widths(net, second) == "Fig 19 prints 2048; Fig 18 gives 384 + 288 + 320 + 1152 = 2144."
    changed = net.with_(classes=10)
    assert widths(changed, first) == "B asks for 1154; reduction_a gives 384 + 384 + 384 = 1152."
    inside = ImpossibleAdd(f"{PRINTED}/B/01/add", shortcut=7, residual=8)
    assert widths(net, inside) == "", "no sum of the trunk"


@pytest.mark.parametrize(
    ("depth", "at", "wanted"),
    [
        (
            "stages",
            None,
            {"stem": "slip, Fig 3", "B": "1152 + 1154", "reduction_b": "slip, Fig 18", "C": "2144 + 2048"},
        ),
        ("block", "B/03", {"B/03/linear": "slip, Fig 17", "B/03/add": "1152 + 1154"}),
        ("ops", "C/05", {"C/05/linear": "slip, Fig 19", "C/05/add": "2144 + 2048"}),
        ("ops", "stem", {"stem/01/split6/branch1/conv": "slip, Fig 3"}),
        ("block", "reduction_b", {"reduction_b/01/concat": "slip, Fig 18"}),
        ("block", "A/02", {}),
        ("block", "head", {}),
    ],
)
def test_every_mark_of_the_network_as_printed(depth: Depth, at: str | None, wanted: dict[str, str]) -> None:
    drawn = graph(PRINTED, depth=depth, at=at, tolerant=True, slips=True)
    assert {node.id.split("/", 1)[1]: node.mark for node in drawn.nodes if node.mark} == wanted
    assert {node.alarm for node in drawn.nodes if "+" in node.mark} <= {"fails"}
    assert all((f"! {words}" in drawn.svg()) and (words in drawn.dot) for words in wanted.values())
    assert all(words in drawn.alt for words in wanted.values())


def test_a_mark_is_words_and_outline_in_every_form() -> None:
    drawn = graph(PRINTED, at="B/03", depth="block", tolerant=True, slips=True)
    add, linear = drawn.node(f"{PRINTED}/B/03/add"), drawn.node(f"{PRINTED}/B/03/linear")
    assert linear.label[0] == "1×1 · 1154"
    assert "cannot add: 1152 channels of the shortcut, 1154 of the residual" in add.hover.splitlines()
    assert "slip, Fig 17: The closing 1×1 has 1154 channels." in linear.hover.splitlines()
    assert any(line.startswith("must be: 1152: ") for line in linear.hover.splitlines())
    lines = drawn.dot.splitlines()
    assert "shape=octagon" in next(line for line in lines if line.lstrip().startswith(f'"{add.id}" ['))
    assert "peripheries=2" in next(line for line in lines if line.lstrip().startswith(f'"{linear.id}" ['))
    assert "cannot be, 1152 + 1154" in drawn.svg()
    assert "<th>mark</th>" in drawn.html()
    assert "<th>mark</th>" not in graph("inception_v3").html()
    assert [row["mark"] for row in drawn.to_rows() if row["mark"]] == ["slip, Fig 17", "1152 + 1154"]


def test_a_mark_stays_whatever_the_colours() -> None:
    drawn = graph(PRINTED, at="B/03", depth="block", tolerant=True, slips=True)
    for other in (
        drawn.coloured("parameters"),
        drawn.coloured("none"),
        drawn.marked({f"{PRINTED}/B/03": ("#ffffff", "x")}),
    ):
        assert [node.mark for node in other.nodes] == [node.mark for node in drawn.nodes]
        assert "! 1152 + 1154" in other.svg()


def test_all_copies_of_the_whole_network_are_marked() -> None:
    drawn = graph(PRINTED, depth="ops", tolerant=True, slips=True)
    assert sum(node.alarm == "fails" for node in drawn.nodes) == 15
    assert sum(node.alarm == "slip" for node in drawn.nodes) == 15 + 2
    assert drawn.svg().count("! 1152 + 1154") == 10


def test_whose_slips_they_are() -> None:
    figures = {name: [slip.figure for slip in slips_of(net)] for name, net in catalog.CATALOG.items()}
    assert figures == {
        "inception_v3": [],
        "inception_v4": ["Fig 3", "Fig 5", "Fig 9"],
        "inception_resnet_v1": [],
        "inception_resnet_v2": [],
        "inception_resnet_v2_paper": ["Fig 3", "Fig 17", "Fig 19", "Fig 18"],
        "inception_resnet_v2_printed": ["Fig 3", "Fig 17", "Fig 19", "Fig 18"],
    }
    assert slips_of(catalog.net("inception_v4").with_(classes=10)) == (), "a design is not the paper's"
    assert len(slips()) == 9
    assert not any(node.mark for node in graph("inception_v4").nodes), "only where it is asked for"


def test_a_slip_is_where_the_numbers_are() -> None:
    """The op that is marked is the one that the slip speaks of: its stride, kernel and widths."""
    for name in ("inception_v4", "inception_resnet_v2_paper", PRINTED):
        row = shapes(name, tolerant=True).row(f"{name}/stem/01/split6/branch1")
        assert (row.kernel, row.stride, row.padding, row.output) == ((3, 3), 2, (0, 0), (192, 35, 35))
    table = shapes("inception_v4")
    assert [table.row(f"inception_v4/B/07/branch2/conv{n}").kernel for n in (2, 3)] == [(1, 7), (7, 1)]
