"""Inception-v3 as released: TF-slim, torchvision and timm share it (their code, checked tensor by tensor).

The paper's baseline. Table 1 of the v3 paper (Szegedy et al. 2016) lists another front and 3/5/2 blocks; nobody ships
that. Concatenation order is the release's, so that its weights fit. Average pools count the border here, as in
torchvision and timm; slim's did not.
"""

from inception_lab.nets.ops import Concat, Conv, Net, Op, Pool, Stage

AVG = Pool("avg", count_border=True)
SHRINK = Pool("max", stride=2, pad="valid")

STEM = (
    Conv(32, 3, stride=2, pad="valid")
    >> Conv(32, 3, pad="valid")
    >> Conv(64, 3)
    >> SHRINK
    >> Conv(80, 1)
    >> Conv(192, 3, pad="valid")
    >> SHRINK
)


def block_a(pool: int) -> Op:
    """Mixed_5b to 5d; `pool` is the width of the pooling branch."""
    return Concat(
        Conv(64, 1),
        Conv(48, 1) >> Conv(64, 5),
        Conv(64, 1) >> Conv(96, 3) >> Conv(96, 3),
        AVG >> Conv(pool, 1),
    )


REDUCTION_A = Concat(
    Conv(384, 3, stride=2, pad="valid"),
    Conv(64, 1) >> Conv(96, 3) >> Conv(96, 3, stride=2, pad="valid"),
    SHRINK,
)


def block_b(c: int) -> Op:
    """Mixed_6b to 6e; `c` is the width of the factorised 7x7 branches."""
    return Concat(
        Conv(192, 1),
        Conv(c, 1) >> Conv(c, (1, 7)) >> Conv(192, (7, 1)),
        Conv(c, 1) >> Conv(c, (7, 1)) >> Conv(c, (1, 7)) >> Conv(c, (7, 1)) >> Conv(192, (1, 7)),
        AVG >> Conv(192, 1),
    )


REDUCTION_B = Concat(
    Conv(192, 1) >> Conv(320, 3, stride=2, pad="valid"),
    Conv(192, 1) >> Conv(192, (1, 7)) >> Conv(192, (7, 1)) >> Conv(192, 3, stride=2, pad="valid"),
    SHRINK,
)

SPLIT = Concat(Conv(384, (1, 3)), Conv(384, (3, 1)))

BLOCK_C = Concat(
    Conv(320, 1),
    Conv(384, 1) >> SPLIT,
    Conv(448, 1) >> Conv(384, 3) >> SPLIT,
    AVG >> Conv(192, 1),
)

INCEPTION_V3 = Net(
    name="inception_v3",
    source="as released (TF-slim, torchvision, timm)",
    stages=(
        Stage("stem", (STEM,), "slim Conv2d_1a to MaxPool_5a"),
        Stage("A", (block_a(32), block_a(64), block_a(64)), "slim Mixed_5b, 5c, 5d"),
        Stage("reduction_a", (REDUCTION_A,), "slim Mixed_6a"),
        Stage("B", (block_b(128), block_b(160), block_b(160), block_b(192)), "slim Mixed_6b to 6e"),
        Stage("reduction_b", (REDUCTION_B,), "slim Mixed_7a"),
        Stage("C", 2 * (BLOCK_C,), "slim Mixed_7b, 7c"),
    ),
)
