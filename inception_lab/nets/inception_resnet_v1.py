"""Inception-ResNet-v1 as drawn (arXiv Figs 10-15): 5/10/5 blocks, trunk 256 / 896 / 1792.

Google released no code and no ImageNet weights. The drawings carry no scale and the text does not say whether the
reported network was scaled, so the scale here is 1. The face networks in circulation add a sixth C block; the paper
does not.
"""

from inception_lab.nets.inception_v4 import SHRINK, reduction_a
from inception_lab.nets.ops import Concat, Conv, Net, Residual, Stage

STEM = (
    Conv(32, 3, stride=2, pad="valid")
    >> Conv(32, 3, pad="valid")
    >> Conv(64, 3)
    >> SHRINK
    >> Conv(80, 1)
    >> Conv(192, 3, pad="valid")
    >> Conv(256, 3, stride=2, pad="valid")
)

BLOCK_A = Residual(
    Concat(
        Conv(32, 1),
        Conv(32, 1) >> Conv(32, 3),
        Conv(32, 1) >> Conv(32, 3) >> Conv(32, 3),
    )
)

BLOCK_B = Residual(
    Concat(
        Conv(128, 1),
        Conv(128, 1) >> Conv(128, (1, 7)) >> Conv(128, (7, 1)),
    )
)

REDUCTION_B = Concat(
    Conv(256, 1) >> Conv(384, 3, stride=2, pad="valid"),
    Conv(256, 1) >> Conv(256, 3, stride=2, pad="valid"),
    Conv(256, 1) >> Conv(256, 3) >> Conv(256, 3, stride=2, pad="valid"),
    SHRINK,
)

BLOCK_C = Residual(
    Concat(
        Conv(192, 1),
        Conv(192, 1) >> Conv(192, (1, 3)) >> Conv(192, (3, 1)),
    )
)

INCEPTION_RESNET_V1 = Net(
    name="inception_resnet_v1",
    source="as drawn (arXiv Figs 10-15), 5/10/5",
    stages=(
        Stage("stem", (STEM,), "Fig 14"),
        Stage("A", 5 * (BLOCK_A,), "Fig 10"),
        Stage("reduction_a", (reduction_a(k=192, l=192, m=256, n=384),), "Fig 7, Table 1"),
        Stage("B", 10 * (BLOCK_B,), "Fig 11"),
        Stage("reduction_b", (REDUCTION_B,), "Fig 12"),
        Stage("C", 5 * (BLOCK_C,), "Fig 13"),
    ),
)
