"""The arithmetic of every kind of op, worked out by hand."""

from __future__ import annotations

import pytest

from inception_lab.nets import catalog
from inception_lab.nets.ops import Conv, Net, Pool, Residual, Stage
from inception_lab.readers.explain import arithmetic, entering
from inception_lab.readers.shapes import shapes

SMALL = Net(
    "small",
    "",
    (
        Stage("x", (Conv(4, 3) >> Pool("avg") >> Pool("max"),)),
        Stage("y", (Residual(Conv(2, 1), scale=0.5, gain="learned"),)),
    ),
    size=5,
    dropout=0.0,
    classes=3,
    end_norm=True,
)


def told(at: str, *, net: Net | None = None, size: int | None = None) -> str:
    net = net or catalog.net(at.split("/")[0])
    table = shapes(net, size=size, tolerant=True)
    return arithmetic(table.row(at), table, net)


@pytest.mark.parametrize(
    ("at", "said"),
    [
        # 1088 × 17 × 17 = 314,432
        (
            "inception_resnet_v2/B/07/add",
            "1088×17×17 + 0.1 × 1088×17×17, element by element: 314,432 additions, no parameters.",
        ),
        (
            "inception_resnet_v2/B/07/scale",
            "0.1 × 1088×17×17, element by element: 314,432 multiplications, no parameters.",
        ),
        ("inception_resnet_v2/B/07/relu", "max(0, x) on each of 314,432 numbers: as many comparisons, no parameters."),
        (
            "inception_resnet_v2/B/07/body/concat",
            "192 + 192 = 384 channels, laid one behind the other on the same 17×17",
        ),
        ("inception_v4/stem/01/split4/concat", "64 + 96 = 160 channels"),
        ("inception_resnet_v2/B/07/linear", "384 × 1088 weights + 1088 biases = 418,880"),
        (
            "inception_resnet_v2/B/07/linear",
            "Each of the 1088 outputs: 384 products and a bias, at each of 17 × 17 cells",
        ),
        # 8 comparisons in each of 64 × 73 × 73 windows
        (
            "inception_resnet_v2/stem/01/pool4",
            "The largest of 3 × 3 = 9 numbers in each of 64 × 73 × 73 windows: 2,728,448 comparisons, no parameters. "
            "No window reaches over the border.",
        ),
        # along a side 33 windows of 3 cells and 2 of 2: (103² − 35²) × 192
        (
            "inception_resnet_v2/mixed_5b/01/branch4/pool1",
            "windows: 1,801,728 additions and 235,200 divisions, no parameters. At the border the padded cells do not "
            "count: a sum is divided by the cells that are there.",
        ),
        # zeros are added too: 8 × 192 × 35²
        (
            "inception_v3/A/01/branch4/pool1",
            "windows: 1,881,600 additions and 235,200 divisions, no parameters. At the border the padded cells count "
            "as zeros: every sum is divided by the whole window.",
        ),
        (
            "inception_resnet_v2/head/pool",
            "The mean of 8 × 8 = 64 cells of each of 1536 channels: 1536 × 63 = 96,768 additions and 1,536 divisions",
        ),
        (
            "inception_resnet_v2/head/dropout",
            "each of 1,536 numbers becomes 0 with probability 0.2, and the others are divided by 0.8; in use all go on",
        ),
        ("inception_resnet_v2/head/classifier", "1536 × 1000 weights + 1000 biases = 1,537,000"),
        ("inception_resnet_v2/head/classifier", "Each of the 1000 outputs: 1536 products and a bias; no batch norm"),
        ("inception_v4/B/03/branch2/conv3", "Then batch norm, two numbers a channel, and max(0, x) on 73,984 numbers."),
        (
            "inception_resnet_v2_printed/B/02/add",
            "1152 channels of the shortcut + 1154 of the residual cannot be added element by element: 2 channels have "
            "no partner.",
        ),
    ],
)
def test_one_or_two_lines_with_the_ops_own_numbers(at: str, said: str) -> None:
    assert said in told(at)


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (
            "small/y/01/scale",
            "0.5 × 4×5×5, element by element: 100 multiplications by 0.5 g, and one parameter, g, trained",
        ),
        ("small/y/01/add", "4×5×5 + 0.5 g × 4×5×5"),
        ("small/head/norm", "2 × 4 = 8 parameters; then max(0, x) on each of 100 numbers"),
        ("small/head/dropout", "Nothing is dropped: all 4 numbers go on."),
        # along a side 2 + 3 + 3 + 3 + 2 = 13 cells: 4 × (13² − 5²)
        ("small/x/01/pool3", "576 comparisons, no parameters. Cells beyond the border do not take part."),
        ("small/x/01/pool2", "576 additions and 100 divisions"),
    ],
)
def test_what_the_catalogue_has_not(at: str, said: str) -> None:
    assert said in told(at, net=SMALL)


def test_what_enters_and_what_runs_out() -> None:
    assert entering(shapes("inception_v4")).startswith("- The image: 3 × 299 × 299 = 268,203 numbers, 1,048 KiB")
    assert "A window of 3×3 does not fit on 2×2 cells" in told("inception_v4/reduction_b/01/branch3", size=74)


@pytest.mark.parametrize("name", list(catalog.CATALOG))
def test_every_op_of_every_network_has_its_arithmetic(name: str) -> None:
    net = catalog.net(name)
    table = shapes(net, tolerant=True)
    seen = set()
    for row in table.rows:
        if (row.op, row.label, row.output) not in seen:  # copies say the same
            seen.add((row.op, row.label, row.output))
            lines = arithmetic(row, table, net).splitlines()
            assert len(lines) >= 3, row.address
            impossible = any(error.address == row.address for error in table.refused)
            assert "parameters" in " ".join(lines).lower() or impossible, row.address
