"""144 crops of one photograph in one call, and as 144 single calls: decoding, cutting and network, one thread each."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

from bench.harness import Sides, bench, timed
from bench.rates import flops, noted, product, tell

CALLS = 12  # of 144, timed and counted twelvefold: each of them is the same work
SIDES = (4000, 3000)  # pixels, what a telephone takes


@bench(
    "crops",
    "144 crops of a photograph of 12 million pixels, EfficientNet-Lite0: a third of 144 single calls",
    ratio=1 / 3,
    noise=0.05,
    rounds=5,
)
def crops() -> Iterator[Sides]:
    import torch
    from PIL import Image

    from inception_lab.images.classify import classify
    from inception_lab.images.samples import samples
    from inception_lab.models.records import EMBEDDED
    from inception_lab.models.weights import pretrained

    torch.set_num_threads(1)
    out = BytesIO()
    Image.open(samples()[0].path).convert("RGB").resize(SIDES, Image.Resampling.BICUBIC).save(out, "JPEG", quality=90)
    content = out.getvalue()

    def alone() -> None:
        for _ in range(CALLS):
            classify(content, crops=1)

    single = timed(alone, processor=True)
    taken: dict[str, list[float]] = {"one call": [], "product": []}
    yield {
        "one call": noted(lambda: classify(content, crops=144), taken["one call"]),
        "144 calls": lambda: 144 / CALLS * single(),
        "product": product(taken["product"]),
    }
    model, one = pretrained(EMBEDDED), torch.rand(1, 3, 224, 224)
    tell("144 crops, decoding included", {"one call": 144 * flops(lambda: model(one))}, taken)
