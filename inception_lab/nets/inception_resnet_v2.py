"""Inception-ResNet-v2 three times: as released, as drawn, and as printed. They are different networks.

Released (TF-slim, Keras, timm): v3's stem and Mixed_5b, 10/20/10 blocks, trunk 320 / 1088 / 2080, scales
0.17 / 0.10 / 0.20, a last C block with scale 1 and no ReLU, and a 1x1 to 1536 before pooling.
Drawn (arXiv Figs 3, 15-19): v4's stem, 5/10/5 blocks, trunk 384 / 1152 / 2144 as the concatenations add up; no scale is
drawn, so it is 1 here (the text says 0.1 to 0.3: `net.scaled(0.1)`).
Printed: the same with the widths that Figs 17 and 19 print, 1154 and 2048, which cannot be added to 1152 and 2144.
"""

from dataclasses import replace

from inception_lab.nets.inception_v3 import STEM as STEM_V3
from inception_lab.nets.inception_v4 import AVG, SHRINK, reduction_a
from inception_lab.nets.inception_v4 import STEM as STEM_V4
from inception_lab.nets.ops import Concat, Conv, Net, Residual, Stage

MIXED_5B = Concat(
    Conv(96, 1),
    Conv(48, 1) >> Conv(64, 5),
    Conv(64, 1) >> Conv(96, 3) >> Conv(96, 3),
    AVG >> Conv(64, 1),
)

BLOCK_A = Residual(
    Concat(
        Conv(32, 1),
        Conv(32, 1) >> Conv(32, 3),
        Conv(32, 1) >> Conv(48, 3) >> Conv(64, 3),
    )
)

REDUCTION_A = reduction_a(k=256, l=256, m=384, n=384)

BLOCK_B = Residual(
    Concat(
        Conv(192, 1),
        Conv(128, 1) >> Conv(160, (1, 7)) >> Conv(192, (7, 1)),
    )
)

REDUCTION_B = Concat(
    Conv(256, 1) >> Conv(384, 3, stride=2, pad="valid"),
    Conv(256, 1) >> Conv(288, 3, stride=2, pad="valid"),
    Conv(256, 1) >> Conv(288, 3) >> Conv(320, 3, stride=2, pad="valid"),
    SHRINK,
)

BLOCK_C = Residual(
    Concat(
        Conv(192, 1),
        Conv(192, 1) >> Conv(224, (1, 3)) >> Conv(256, (3, 1)),
    )
)

INCEPTION_RESNET_V2 = Net(
    name="inception_resnet_v2",
    source="as released (TF-slim, Keras, timm), 10/20/10",
    stages=(
        Stage("stem", (STEM_V3,), "slim Conv2d_1a to MaxPool_5a"),
        Stage("mixed_5b", (MIXED_5B,), "slim Mixed_5b"),
        Stage("A", 10 * (replace(BLOCK_A, scale=0.17),), "slim block35"),
        Stage("reduction_a", (REDUCTION_A,), "slim Mixed_6a"),
        Stage("B", 20 * (replace(BLOCK_B, scale=0.10),), "slim block17"),
        Stage("reduction_b", (REDUCTION_B,), "slim Mixed_7a"),
        Stage("C", (*(9 * (replace(BLOCK_C, scale=0.20),)), replace(BLOCK_C, relu=False)), "slim block8"),
        Stage("conv2d_7b", (Conv(1536, 1),), "slim Conv2d_7b_1x1"),
    ),
)

INCEPTION_RESNET_V2_PAPER = Net(
    name="inception_resnet_v2_paper",
    source="as drawn (arXiv Figs 3, 15-19), 5/10/5, widths as the sums force them",
    stages=(
        Stage("stem", (STEM_V4,), "Fig 3"),
        Stage("A", 5 * (BLOCK_A,), "Fig 16"),
        Stage("reduction_a", (REDUCTION_A,), "Fig 7, Table 1"),
        Stage("B", 10 * (BLOCK_B,), "Fig 17"),
        Stage("reduction_b", (REDUCTION_B,), "Fig 18"),
        Stage("C", 5 * (BLOCK_C,), "Fig 19"),
    ),
)

INCEPTION_RESNET_V2_PRINTED = INCEPTION_RESNET_V2_PAPER.with_(
    name="inception_resnet_v2_printed",
    source="as printed (arXiv Figs 16, 17, 19): 384, 1154, 2048; cannot be built",
    stages=tuple(
        replace(stage, blocks=len(stage.blocks) * (replace(block, width=printed),))
        if (printed := {"A": 384, "B": 1154, "C": 2048}.get(stage.name))
        and isinstance(block := stage.blocks[0], Residual)
        else stage
        for stage in INCEPTION_RESNET_V2_PAPER.stages
    ),
)
