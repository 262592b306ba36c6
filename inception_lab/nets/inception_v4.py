"""Inception-v4: as drawn (arXiv Figs 3-9) but for the order of the 1xn kernels, which is the released code's.

Parameters and multiply-adds are the same either way. The drawings say 7x1 before 1x7 in the stem, 1x7 twice in branch 3
of B (a slip) and the other order in branch 4 of B and in C; the weights that exist were trained with the order below.
Concatenation order is the release's too.
"""

from inception_lab.nets.ops import Concat, Conv, Net, Pool, Stage

AVG = Pool("avg")
SHRINK = Pool("max", stride=2, pad="valid")

STEM = (
    Conv(32, 3, stride=2, pad="valid")
    >> Conv(32, 3, pad="valid")
    >> Conv(64, 3)
    >> Concat(SHRINK, Conv(96, 3, stride=2, pad="valid"))
    >> Concat(
        Conv(64, 1) >> Conv(96, 3, pad="valid"),
        Conv(64, 1) >> Conv(64, (1, 7)) >> Conv(64, (7, 1)) >> Conv(96, 3, pad="valid"),
    )
    >> Concat(Conv(192, 3, stride=2, pad="valid"), SHRINK)  # Fig 3 forgets "stride 2"; 35x35 and the pool force it
)

BLOCK_A = Concat(
    Conv(96, 1),
    Conv(64, 1) >> Conv(96, 3),
    Conv(64, 1) >> Conv(96, 3) >> Conv(96, 3),
    AVG >> Conv(96, 1),
)

BLOCK_B = Concat(
    Conv(384, 1),
    Conv(192, 1) >> Conv(224, (1, 7)) >> Conv(256, (7, 1)),
    Conv(192, 1) >> Conv(192, (7, 1)) >> Conv(224, (1, 7)) >> Conv(224, (7, 1)) >> Conv(256, (1, 7)),
    AVG >> Conv(128, 1),
)

REDUCTION_B = Concat(
    Conv(192, 1) >> Conv(192, 3, stride=2, pad="valid"),
    Conv(256, 1) >> Conv(256, (1, 7)) >> Conv(320, (7, 1)) >> Conv(320, 3, stride=2, pad="valid"),
    SHRINK,
)

SPLIT = Concat(Conv(256, (1, 3)), Conv(256, (3, 1)))

BLOCK_C = Concat(
    Conv(256, 1),
    Conv(384, 1) >> SPLIT,
    Conv(384, 1) >> Conv(448, (3, 1)) >> Conv(512, (1, 3)) >> SPLIT,
    AVG >> Conv(256, 1),
)


def reduction_a(k: int, l: int, m: int, n: int) -> Concat:  # noqa: E741  the letters are those of Table 1
    """35x35 to 17x17, shared by three networks (arXiv Fig 7); k, l, m, n as in arXiv Table 1."""
    return Concat(
        Conv(n, 3, stride=2, pad="valid"),
        Conv(k, 1) >> Conv(l, 3) >> Conv(m, 3, stride=2, pad="valid"),
        SHRINK,
    )


INCEPTION_V4 = Net(
    name="inception_v4",
    source="as drawn (arXiv Figs 3-9) = as released, but for the order of the 1xn kernels",
    stages=(
        Stage("stem", (STEM,), "Fig 3"),
        Stage("A", 4 * (BLOCK_A,), "Fig 4"),
        Stage("reduction_a", (reduction_a(k=192, l=224, m=256, n=384),), "Fig 7, Table 1"),
        Stage("B", 7 * (BLOCK_B,), "Fig 5"),
        Stage("reduction_b", (REDUCTION_B,), "Fig 8"),
        Stage("C", 3 * (BLOCK_C,), "Fig 6"),
    ),
)
