"""Figures of cost carry the table's numbers, say them in words, and can be told apart without colour."""

from __future__ import annotations

import pytest

from inception_lab.figures.cost import COLOURS, MOST, bars
from inception_lab.figures.roofline import rooflines
from inception_lab.figures.strides import stride_chart
from inception_lab.figures.treemap import treemap
from inception_lab.readers.cost import cost
from inception_lab.readers.roofline import MACHINES, roofline
from inception_lab.readers.strides import sides

TABLE = cost("inception_resnet_v2")


@pytest.mark.parametrize("quantity", ["parameters", "multiply_adds", "output_bytes", "kept_bytes"])
@pytest.mark.parametrize("under", ["", "inception_resnet_v2/B", "inception_resnet_v2/B/07", "inception_resnet_v2/head"])
def test_areas_fill_their_whole(quantity: str, under: str) -> None:
    figure, words = treemap(TABLE, quantity, under=under)  # type: ignore[arg-type]
    tree = figure.data[0]
    values = dict(zip(tree.ids, tree.values, strict=True))
    children: dict[str, int] = {}
    for at, parent in zip(tree.ids, tree.parents, strict=True):
        children[parent] = children.get(parent, 0) + values[at]
    root = tree.ids[0]
    assert root == (under or "inception_resnet_v2")
    assert len(values) == len(tree.ids), "every address once"
    for at, total in children.items():
        assert total == values[at or root], at
    assert f"{values[root]:,}" in words
    rows = TABLE.level("ops", under=under)
    assert values[root] == sum(row.of(quantity) for row in rows)  # type: ignore[arg-type]
    assert {row.address for row in rows} <= set(values)


@pytest.mark.parametrize("at", ["inception_resnet_v2/B/07/body/branch2", "inception_resnet_v2/B/07/body/branch2/conv2"])
def test_areas_of_a_branch_and_of_one_op(at: str) -> None:
    tree = treemap(TABLE, "parameters", under=at)[0].data[0]
    assert (tree.ids[0], tree.parents[0]) == (at, "")
    assert tree.values[0] == sum(row.parameters for row in TABLE.level("ops", under=at))


def test_areas_have_a_legend_of_their_own_and_nothing_stands_for_zero() -> None:
    tree = treemap(TABLE, "parameters")[0].data[0]
    assert tree.marker.colorbar.title.text == "parameters"
    assert tree.marker.cmin == 0
    assert tree.text[0] == "55.84 M"


def test_bars_are_in_order_and_carry_addresses() -> None:
    stages = TABLE.level("stages")
    figure, words = bars(stages, "live_bytes", TABLE.total, selected="inception_resnet_v2/B/07/add")
    bar = figure.data[0]
    assert [data[0] for data in bar.customdata] == [stage.address for stage in stages]
    assert list(bar.x) == [stage.live_bytes for stage in stages]
    assert list(bar.marker.line.width).index(3) == 4
    assert bar.showlegend
    assert "14,902,572 bytes in all" in words


def test_of_many_bars_the_dearest_are_drawn_and_it_is_said() -> None:
    figure, words = bars(TABLE.rows, "parameters", TABLE.total)
    values = list(figure.data[0].x)
    assert len(values) == MOST
    assert values == sorted(values, reverse=True)
    assert f"The {MOST} dearest of {len(TABLE.rows)} are drawn." in words


@pytest.mark.parametrize("machine", MACHINES)
def test_every_op_is_a_mark_on_its_side_of_the_ridge(machine: str) -> None:
    roof = roofline(TABLE, MACHINES[machine])
    figure, words = rooflines(roof, selected="inception_resnet_v2/B/07")
    products, memory = figure.data
    assert len(products.x) + len(memory.x) == len(TABLE.rows) - 1, "all but the dropout, which does nothing"
    assert all(x >= roof.machine.ridge for x in products.x)
    assert all(0 < x < roof.machine.ridge for x in memory.x)
    assert products.marker.symbol != memory.marker.symbol
    assert sum(size == 14 for trace in figure.data for size in trace.marker.size) == len(
        roof.under("inception_resnet_v2/B/07")
    )
    assert f"{len(products.x)} ops are bound by products" in words
    assert machine.upper() in words.upper()


def test_a_network_without_arithmetic_or_memory_bound_ops_has_a_figure() -> None:
    from inception_lab.nets.ops import Net, Pool, Stage

    roof = roofline(cost(Net("p", "", (Stage("s", (Pool("max"),)),), size=8)), MACHINES["k40"])
    assert rooflines(roof)[1].startswith("Roofline of p on NVIDIA Tesla K40")


def test_marks_stand_where_rows_are_lost() -> None:
    found = sides("inception_v4")
    figure, words = stride_chart(found, side=224)
    clean, lost, small = figure.data
    assert list(clean.x) == list(found.clean)
    assert len(lost.x) == sum(bool(one.rows) for fit in found.fits for one in fit.lost)
    assert list(small.x) == list(range(32, 75))
    assert [data[1].split("/", 1)[1] for data in lost.customdata if data[0] == 224] == [
        one.address.split("/", 1)[1] for one in found.at(224).lost if one.rows
    ]
    assert {clean.marker.symbol, lost.marker.symbol, small.marker.symbol} == {"diamond", "square", "x"}
    low, high = figure.layout.xaxis.range
    assert low < 224 < high
    assert "The smallest side that fits is 75." in words
    assert "299, 331" in words
    assert "At 224 rows are lost by stem/01/conv1 (1 of 224)" in words
    labels = [note.text for note in figure.layout.annotations]
    assert labels[1] == "stem/01/conv1"
    assert len(labels) == len(found.ops) + 3
    assert labels[-1] == " 75, the smallest that fits"


def test_the_chart_opens_near_by_or_with_all_sides() -> None:
    found = sides("inception_v4")
    near, whole = (stride_chart(found, side=299, whole=whole)[0].layout.xaxis.range for whole in (False, True))
    assert not near[0] < 75 < near[1]
    assert whole == (31, 513)
    assert len(stride_chart(sides("inception_v4", among=range(80, 90)), side=85)[0].layout.shapes) == 1, (
        "the smallest of those asked for is not the smallest"
    )


@pytest.mark.parametrize(
    ("side", "said"), [(299, "At 299 nothing is lost."), (74, "reduction_b/01/branch1/conv2 does not fit.")]
)
def test_the_words_speak_of_the_selected_side(side: int, said: str) -> None:
    assert said in stride_chart(sides("inception_v4"), side=side)[1]


def luminance(colour: str) -> float:
    """WCAG's relative luminance of #rrggbb."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("colour", COLOURS.values())
def test_bars_are_seen_on_both_pages_and_read_in_white(colour: str) -> None:
    """WCAG: 4.5 to 1 for the text in a bar, 3 to 1 for the bar on the dark page (#0e1218) and the light one."""
    own = luminance(colour) + 0.05
    assert 1.05 / own >= 4.5
    assert own / (luminance("#0e1218") + 0.05) >= 3
