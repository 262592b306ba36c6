"""One image through our modules and through timm's: the same network, process and weights, one thread."""

from __future__ import annotations

from collections.abc import Iterator

from bench.harness import Sides, bench, timed


@bench(
    "classify",
    "one image on the CPU, Inception-ResNet-v2: ours no slower than timm's",
    ratio=1.0,
    noise=0.05,
    rounds=15,
)
def classify() -> Iterator[Sides]:
    import timm
    import torch

    from inception_lab.models.build import build
    from inception_lab.models.weights import from_timm

    torch.set_num_threads(1)
    theirs = timm.create_model("inception_resnet_v2", pretrained=False).eval()
    ours = build("inception_resnet_v2").eval()
    ours.load_state_dict(from_timm("inception_resnet_v2", theirs.state_dict()), strict=True)
    image = torch.rand(1, 3, 299, 299)
    with torch.inference_mode():
        yield {"ours": timed(lambda: ours(image), processor=True), "timm": timed(lambda: theirs(image), processor=True)}
