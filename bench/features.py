"""Feature maps beside a bare forward pass of the same folded network: the same photograph, weights and process."""

from __future__ import annotations

from collections.abc import Iterator

from bench.harness import Sides, bench, timed
from bench.rates import THREADS

LAST = "blocks/6/0/bn3"  # the embedded network's last block: nearly all of it has to run


@bench(
    "features",
    "maps, field and arithmetic of an op near the end of EfficientNet-Lite0; a bare forward pass of the photograph",
    ratio=1.3,
)
def features() -> Iterator[Sides]:
    import torch

    from inception_lab.images.features import features as maps
    from inception_lab.images.load import load
    from inception_lab.images.networks import borrowed
    from inception_lab.images.samples import samples
    from inception_lab.images.voting import votes
    from inception_lab.models.records import EMBEDDED

    torch.set_num_threads(THREADS)
    photo = load(samples()[0].path)

    def bare() -> None:
        with borrowed(EMBEDDED) as loaded:
            votes(loaded, photo)

    alone = THREADS == 1
    yield {
        "ours": timed(lambda: maps(photo, at=LAST, cell=(3, 3)), times=3, processor=alone),
        "bare": timed(bare, times=3, processor=alone),
    }


@bench(
    "features-random",
    "the same of Inception-ResNet-v2 with random weights, block C/09; a bare forward pass of it",
    ratio=1.3,
    rounds=5,
)
def random() -> Iterator[Sides]:
    import torch

    from inception_lab.images.features import features as maps
    from inception_lab.images.load import load
    from inception_lab.images.opened import opened
    from inception_lab.images.samples import samples
    from inception_lab.images.voting import votes
    from inception_lab.nets.catalog import net

    torch.set_num_threads(THREADS)
    photo, described = load(samples()[0].path), net("inception_resnet_v2")

    def bare() -> None:
        with opened(described) as inside:
            votes(inside.loaded, photo)

    alone = THREADS == 1
    yield {
        "ours": timed(lambda: maps(photo, described, at="C/09", cell=(4, 4)), processor=alone),
        "bare": timed(bare, processor=alone),
    }
