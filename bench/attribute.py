"""Integrated gradients through the lab and through Captum's default call, on one network in one process and thread.

Captum's default runs all 50 points of the path as one batch through the network as it was built. The lab runs Captum
too, 4 at a time within its cap on memory, on the network as the lab keeps it (channels last, batch norm folded where it
can be). The sides give the same map but for rounding.
"""

from __future__ import annotations

from collections.abc import Iterator

from bench.harness import Sides, bench
from bench.rates import flops, noted, product, tell

FASTER = 1 / 1.3


@bench(
    "gradients",
    "integrated gradients, 50 steps, EfficientNet-Lite0: ours, Captum's default call",
    ratio=FASTER,
    rounds=3,
)
def gradients() -> Iterator[Sides]:
    import torch
    from captum.attr import IntegratedGradients

    from inception_lab.assets import asset
    from inception_lab.images.crops import pixels
    from inception_lab.images.explain import black, explained
    from inception_lab.images.load import load
    from inception_lab.images.networks import borrowed, tensor
    from inception_lab.models.records import EMBEDDED
    from inception_lab.models.weights import pretrained

    torch.set_num_threads(1)
    model = pretrained(EMBEDDED)
    with borrowed(EMBEDDED) as loaded:
        square = pixels(load(asset("samples", "coffee.jpg")), loaded.record)
        image = tensor([square], loaded.record)
        start = black(loaded).contiguous()

        def ours() -> None:
            explained(loaded, square, method="integrated_gradients", target=967)

        def captum() -> None:
            x = image.clone().requires_grad_()
            IntegratedGradients(model).attribute(x, baselines=start, target=967, n_steps=50)

        taken: dict[str, list[float]] = {"ours": [], "captum": [], "product": []}
        yield {
            "ours": noted(ours, taken["ours"]),
            "captum": noted(captum, taken["captum"]),
            "product": product(taken["product"]),
        }
        work = flops(captum)
        tell("50 steps and the way back", {"ours": work, "captum": work}, taken)
