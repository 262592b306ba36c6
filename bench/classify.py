"""Images through our folded networks and through timm's as they come: the same network, weights and process.

One thread and processor time by default, which a busy machine distorts least; BENCH_THREADS=2 takes the clock on the
wall, for an idle one. Beside each result stands what it reaches of this process's own matrix-product rate.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

import click

from bench.harness import Sides, Skip, bench
from bench.rates import THREADS, noted, product, tell

if TYPE_CHECKING:
    from torch import Tensor, nn

SIDE = 299
BOUND = 1e-4  # of a logit
LOGITS: dict[str, Any] = {"ratio": 1.0, "rounds": 1, "unit": "logits"}


def sides(network: str, batch: int) -> Iterator[Sides]:
    """Ours, timm's, and a matrix product whose rate is the machine's own; told at the end."""
    import torch

    from inception_lab.readers.shapes import shapes

    torch.set_num_threads(THREADS)
    ours, theirs = pair(network)
    images = torch.rand(batch, 3, SIDE, SIDE) * 2 - 1
    taken: dict[str, list[float]] = {"ours": [], "timm": [], "product": []}
    with torch.inference_mode():
        yield {
            "ours": noted(lambda: ours(images), taken["ours"]),
            "timm": noted(lambda: theirs(images), taken["timm"]),
            "product": product(taken["product"]),
        }
    work = 2 * batch * shapes(network).multiply_adds
    faster = median(taken["timm"][1:]) / median(taken["ours"][1:])
    more = f"; timm / ours {faster:.2f}"
    tell(f"{network}, batch {batch}", {"ours": work, "timm": work}, taken, more=more)
    click.echo(f"  {Distances.of(ours, theirs, images[:1])}", err=True)


@dataclass(frozen=True, slots=True)
class Distances:
    """How far apart the logits of both sides lie at most, and each from those in fp64; `size` is the largest logit."""

    size: float
    apart: float
    ours: float
    theirs: float

    @classmethod
    def of(cls, ours: nn.Module, theirs: nn.Module, image: Tensor) -> Distances:
        """Of one image through our module and timm's; fp64 is timm's."""
        import torch

        with torch.inference_mode():
            exact = deepcopy(theirs).double()(image.double())
            left, right = ours(image).double(), theirs(image).double()
        far = (left - right, left - exact, right - exact)
        return cls(float(exact.abs().max()), *(float(one.abs().max()) for one in far))

    def __str__(self) -> str:
        return (
            f"logits up to {self.size:.2f}; apart by {self.apart:.0e} at most; from fp64 ours by {self.ours:.0e}, timm "
            f"by {self.theirs:.0e}"
        )


def pair(network: str, *, ordered: bool = True) -> tuple[nn.Module, nn.Module]:
    """Our module as the lab uses it and timm's plain one: the same random weights, and statistics that suit them."""
    import timm
    import torch

    from inception_lab.models.build import build
    from inception_lab.models.fused import fused
    from inception_lab.models.packed import packed
    from inception_lab.models.weights import from_timm

    torch.manual_seed(0)
    theirs = settled(timm.create_model(network, pretrained=False).requires_grad_(False))
    ours = build(network).eval().requires_grad_(False)
    ours.load_state_dict(from_timm(network, theirs.state_dict()), strict=True)
    return packed(fused(ours)) if ordered else fused(ours), theirs


def settled(model: nn.Module) -> nn.Module:
    """`model` with the statistics of its own activations on two noise images, as training would have left them.

    With those it was made with, a deep network's activations fade to nothing: its logits are its last bias alone, and
    equal whatever the layers before it do.
    """
    import torch
    from torch import nn

    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0  # the statistics of one batch, not an average with those before it
    with torch.no_grad():
        model.train()(torch.rand(2, 3, SIDE, SIDE) * 2 - 1)
    return model.eval()


@bench("classify-v4-1", "one image, Inception-v4 on the CPU: 1.5 times timm's speed", ratio=1 / 1.5, rounds=11)
def v4_single() -> Iterator[Sides]:
    yield from sides("inception_v4", 1)


@bench("classify-v4-8", "eight images, Inception-v4 on the CPU: 1.5 times timm's speed", ratio=1 / 1.5, rounds=5)
def v4_eight() -> Iterator[Sides]:
    yield from sides("inception_v4", 8)


@bench("classify-ir2-1", "one image, Inception-ResNet-v2: 1.15 times timm's speed", ratio=1 / 1.15, rounds=11)
def ir2_single() -> Iterator[Sides]:
    yield from sides("inception_resnet_v2", 1)


@bench("classify-ir2-8", "eight images, Inception-ResNet-v2: 1.25 times timm's speed", ratio=1 / 1.25, rounds=5)
def ir2_eight() -> Iterator[Sides]:
    yield from sides("inception_resnet_v2", 8)


@bench("classify-bf16", "one image, Inception-v4: bf16 1.5 times the speed of fp32", ratio=1 / 1.5, rounds=11)
def bf16() -> Iterator[Sides]:
    """Where the processor has bf16; with the embedded network's agreement on the samples."""
    import torch

    from inception_lab.models.fused import has_bf16, in_bf16
    from inception_lab.readers.shapes import shapes

    if not has_bf16():
        raise Skip("this processor has no bf16 arithmetic")
    torch.set_num_threads(THREADS)
    exact, _ = pair("inception_v4")
    near = in_bf16(deepcopy(exact))
    image = torch.rand(1, 3, SIDE, SIDE) * 2 - 1
    click.echo(f"  {agreement()}", err=True)
    taken: dict[str, list[float]] = {"bf16": [], "fp32": [], "product": []}
    with torch.inference_mode():
        yield {
            "bf16": noted(lambda: near(image), taken["bf16"]),
            "fp32": noted(lambda: exact(image), taken["fp32"]),
            "product": product(taken["product"]),
        }
    work = 2.0 * shapes("inception_v4").multiply_adds
    tell("inception_v4, bf16 (of fp32's product)", {"bf16": work, "fp32": work}, taken)


def agreement() -> str:
    """How the embedded network's guesses on the shipped photographs in bf16 stand to those in fp32."""
    import torch

    from inception_lab.images.crops import pixels
    from inception_lab.images.networks import borrowed, tensor
    from inception_lab.images.samples import samples

    found: list[Tensor] = []
    for precision in ("fp32", "bf16"):
        with borrowed("efficientnet_lite0", precision=precision) as loaded, torch.inference_mode():
            squares = tensor([pixels(one.photo(), loaded.record) for one in samples()], loaded.record)
            found.append(loaded.model(squares).topk(5).indices)
    rows = list(zip(found[0].tolist(), found[1].tolist(), strict=True))
    first = sum(a[0] == b[0] for a, b in rows)
    shared = sum(len(set(a) & set(b)) for a, b in rows)
    same = f"first guess the same on {first}, {shared} of {5 * len(rows)} of the five best"
    return f"bf16 against fp32 on {len(rows)} samples, the embedded network: {same}"


@bench("logits-v4", "how far our logits lie from fp64's, Inception-v4, random weights; 1e-4", **LOGITS)
def v4_logits() -> Iterator[Sides]:
    yield from apart(*pair("inception_v4"), torch_image(SIDE), "random weights")


@bench("logits-ir2", "the same, Inception-ResNet-v2", **LOGITS)
def ir2_logits() -> Iterator[Sides]:
    yield from apart(*pair("inception_resnet_v2"), torch_image(SIDE), "random weights")


@bench("logits-lite0", "the same, EfficientNet-Lite0 with its trained weights on a photograph", **LOGITS)
def lite0_logits() -> Iterator[Sides]:
    from inception_lab.images.crops import pixels
    from inception_lab.images.networks import MODELS, tensor
    from inception_lab.images.samples import samples
    from inception_lab.models.records import EMBEDDED
    from inception_lab.models.weights import pretrained

    loaded = MODELS.get(EMBEDDED)
    image = tensor([pixels(samples()[0].photo(), loaded.record)], loaded.record)
    yield from apart(loaded.model, pretrained(EMBEDDED), image, "trained weights")


def torch_image(side: int) -> Tensor:
    """Noise over the range of the preprocessing, (1, 3, side, side)."""
    import torch

    return torch.rand(1, 3, side, side) * 2 - 1


def apart(ours: nn.Module, theirs: nn.Module, image: Tensor, weights: str) -> Iterator[Sides]:
    """How far one image's logits lie from those in fp64, at most, beside the bound; timm's own distance is said.

    With random weights v4 magnifies rounding: neither ours nor timm's keeps the bound there, and it is said so.
    """
    import torch

    torch.set_num_threads(THREADS)
    found = Distances.of(ours, theirs, image)
    yield {"ours": lambda: found.ours, "bound": lambda: BOUND}
    kept = "kept" if found.ours < BOUND else f"not kept with {weights}, timm's own {found.theirs:.0e}"
    click.echo(f"  {BOUND:.0e} {kept}: {found}", err=True)
