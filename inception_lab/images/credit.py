"""Which branches a class came through: `credit("cat.jpg", "inception_resnet_v2.tf_in1k")`.

At a node the logit is followed back as gradient x activation (the first-order term of its Taylor series, as in
Molchanov et al. 2017, equation 4, with its sign kept). A concatenation's output is its branches side by side, and an
add's is its two sides added up, both without any bend, so the credit of the parts adds up to that of the whole exactly.
Between two nodes lie biases and bends, so the wholes of different nodes need not be equal, nor equal to the logit.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn

from inception_lab.errors import UnknownAddress
from inception_lab.images.crops import pixels
from inception_lab.images.joints import Joint, held, joints
from inception_lab.images.load import Photo, Source, load
from inception_lab.images.methods import Meter, Progress
from inception_lab.images.networks import Loaded, aimed, borrowed, shares, tensor, threads_set
from inception_lab.images.parts import Credit, Node, Part, within
from inception_lab.models.records import EMBEDDED

__all__ = ["Credit", "Node", "Part", "credit", "split"]


def credit(
    image: Source | Photo,
    network: str = EMBEDDED,
    *,
    target: int | None = None,
    against: int | None = None,
    at: str | None = None,
    scales: float | Mapping[str, float] | None = None,
    relative: bool = False,
    progress: Progress | None = None,
    threads: int | None = None,
) -> Credit:
    """The credit of every branch, shortcut and residual for class `target` (the first choice if None), one centre crop.

    With `against` it is that for the difference of the two classes' logits. `at` is the address of a block, or of one
    concatenation or add; None means all. `scales` and `relative` are those of `images.joints.scaled`; the first choice
    is that of the network as it was built even so. It costs one run forward and one back, and to find that choice
    another one. `progress` is called with (nodes passed, twice the number of nodes) and may raise to cancel. Raises
    `ImageError`, `WeightsError`, `RunError`, `UnknownAddress`, `SettingsError`.
    """
    photo = load(image)
    with threads_set(threads), borrowed(network, progress=None) as loaded:
        start = time.perf_counter()
        wanted = select(loaded, at)
        x = tensor([pixels(photo, loaded.record)], loaded.record)
        if target is None and scales is not None:
            target = _first(loaded, x)
        with held(loaded, scales, relative=relative):
            logits, nodes = split(loaded.model, wanted, x, lambda row: score(loaded, row, target, against), progress)
    return Credit(
        file=photo.name,
        network=loaded.record.tag,
        **_classes(loaded, logits, target, against),
        nodes=nodes,
        scales=scales,
        relative=relative,
        seconds=time.perf_counter() - start,
    )


def _classes(loaded: Loaded, logits: Tensor, target: int | None, against: int | None) -> dict[str, Any]:
    """What a `Credit` says of its classes."""
    aim = best(loaded, logits, target)
    return {
        "target": aim,
        "label": loaded.labels[aim],
        "probability": shares(logits[None], loaded.record)[0, aim].item(),
        "score": score(loaded, logits, target, against).item(),
        "against": against,
        "against_label": None if against is None else loaded.labels[against],
    }


def _first(loaded: Loaded, x: Tensor) -> int:
    with torch.inference_mode():
        return int(loaded.model(x)[0].argmax())


def select(loaded: Loaded, at: str | None) -> tuple[Joint, ...]:
    """The concatenations and adds in a block, or at one address; all without one."""
    every = joints(loaded)
    found = every if at is None else tuple(joint for joint in every if within(joint.address, at))
    if not found:
        names = ", ".join(dict.fromkeys(joint.block.split("/", 1)[1] for joint in every)) or "no place"
        raise UnknownAddress(f"Nothing is joined or added at {at!r} in {loaded.record.tag}; it is at {names}.")
    return found


def split(
    model: nn.Module,
    wanted: Sequence[Joint],
    x: Tensor,
    score: Callable[[Tensor], Tensor],
    progress: Progress | None = None,
) -> tuple[Tensor, tuple[Node, ...]]:
    """The logits of one image x (1, C, H, W) and the nodes of `wanted`, for the score made of a row of logits.

    The caller holds the model's lock. Products are added up in fp64 whatever the network runs in.
    """
    found: dict[str, Node] = {}
    meter = Meter(2 * len(wanted), progress)

    def hearing(joint: Joint) -> Callable[[tuple[Tensor, ...], Tensor], None]:
        def hear(parts: tuple[Tensor, ...], whole: Tensor) -> None:
            values, made = tuple(part.detach() for part in parts), whole.detach()
            made = made if joint.kind == "concat" else made.clone()  # what follows an add may work in place

            def back(gradient: Tensor) -> None:
                found[joint.address] = _node(joint, values, made, gradient)
                meter.add(1)

            whole.register_hook(back)  # type: ignore[no-untyped-call]
            meter.add(1)

        return hear

    with torch.inference_mode(False), torch.enable_grad(), ExitStack() as stack:
        for joint in wanted:
            for handle in joint.listen(hearing(joint)):
                stack.callback(handle.remove)
        image = x.clone().requires_grad_()
        logits: Tensor = model(image)[0]
        torch.autograd.grad(score(logits), image)
    return logits.detach(), tuple(found[joint.address] for joint in wanted)


def score(loaded: Loaded, logits: Tensor, target: int | None, against: int | None) -> Tensor:
    """The logit of `target`, less that of `against`, of one row of logits; of a class against itself it is refused."""
    aim = aimed(loaded, best(loaded, logits, target), against)
    return logits[aim] if against is None else logits[aim] - logits[against]


def best(loaded: Loaded, logits: Tensor, target: int | None) -> int:
    """`target`, or the first choice of a row of logits; raises `SettingsError` for a class that is not there."""
    return int(logits.argmax()) if target is None else aimed(loaded, target)


def _node(joint: Joint, parts: tuple[Tensor, ...], whole: Tensor, gradient: Tensor) -> Node:
    """The node of a joint by the gradient of what leaves it; a branch of a concatenation has its own channels of it."""
    back = gradient.double()
    if joint.kind == "concat":
        slopes = torch.split(back, [part.shape[1] for part in parts], dim=1)
    else:
        slopes = len(parts) * (back,)
    products = [part.double() * slope for part, slope in zip(parts, slopes, strict=True)]
    return Node(
        address=joint.address,
        block=joint.block,
        kind=joint.kind,
        parts=tuple(
            Part(name, address, product.sum().item(), product.shape[1])
            for (name, address), product in zip(joint.parts, products, strict=True)
        ),
        whole=(whole.double() * back).sum().item(),
        gross=sum(product.abs().sum().item() for product in products),
    )
