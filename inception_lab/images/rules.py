"""Where guided backpropagation and DeepLift are sound, and the copy of a network on which they work.

Both replace the gradient at activations by a rule of their own, through hooks on the activations' modules. What is no
module of its own they miss without a word, and what has no rule they treat as if it were linear. So the network is
looked at first: the graph of one forward pass names every operation between picture and score.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from itertools import chain
from typing import Any, Literal, final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inception_lab.errors import SettingsError
from inception_lab.images.methods import Score, recording

Rule = Literal["guided backpropagation", "DeepLift"]

LINEAR = frozenset(
    "Add Sub Mul Div Neg Cat Mean Sum Convolution MkldnnConvolution NativeBatchNorm Addmm Mm Linear T View Reshape "
    "ReshapeAlias UnsafeView Select Slice AvgPool2D AdaptiveAvgPool2D ConstantPadNd Squeeze Unsqueeze Permute "
    "Transpose AsStrided Stack Clone Alias Expand ToCopy Copy".split()
)
"""Operations that are linear in what depends on the picture, by the names of autograd's nodes."""
PRODUCTS = frozenset("Mul Div Convolution MkldnnConvolution Addmm Mm Linear".split())
"""Of these, the ones that are linear only as long as a single factor depends on the picture."""
RULED = {"Relu": nn.ReLU, "Hardtanh": nn.ReLU, "MaxPool2DWithIndices": nn.MaxPool2d}
"""Operations with a rule, and the module that has to stand for each."""
EPS = 1e-10  # Captum's: smaller changes take the gradient for the quotient


@final
class Apart(nn.Module):
    """A copy of what comes in, for one module alone. Captum's hook stands on the incoming tensor: where branches share
    it, as before a reduction's pool, the rule of one would replace the gradients of all."""

    def forward(self, x: Tensor) -> Tensor:
        return x.clone()


@final
class Clipped(nn.ReLU):
    """ReLU6 as a kind of ReLU, which is what both methods look for."""

    def forward(self, x: Tensor) -> Tensor:
        return F.relu6(x)


@final
class Pooled(nn.MaxPool2d):
    """Max pooling whose windows may overlap. Captum's own rule keeps one of the windows that share a largest value."""


def loose(score: Score) -> Score:
    """The score over a copy of the network's modules, on the same tensors, in which nothing works in place.

    Hooks on it never reach the network that others use. Each place in the tree gets an activation of its own.
    """
    own = {id(t): t for t in chain(score.model.parameters(), score.model.buffers())}
    fresh = score.over(deepcopy(score.model, own))
    for module in list(fresh.modules()):
        for name, child in module._modules.items():  # all places: named_children() leaves out a module's second one
            if child is not None and (other := _replaced(child)) is not None:
                setattr(module, name, other)
    return fresh.requires_grad_(False)


def check(score: Score, image: Tensor, rule: Rule) -> int:
    """How many activations the rule works at; one pass of a loose score. Raises `SettingsError` where it is unsound."""
    calls: Counter[nn.Module] = Counter()
    places = [module for module in score.modules() if isinstance(module, (nn.ReLU, nn.MaxPool2d))]
    handles = [module.register_forward_hook(lambda module, *_: calls.update([module])) for module in places]
    try:
        with recording(image) as x:
            nodes = list(_graph(score(x)))
    finally:
        for handle in handles:
            handle.remove()
    found = Counter(name for name, _ in nodes)
    for name, factors in nodes:
        if name not in LINEAR and name not in RULED:
            _refuse(rule, f"it has no rule for the operation {name}")
        if rule == "DeepLift" and name in PRODUCTS and factors > 1:
            _refuse(rule, "the network multiplies two values that both depend on the picture, as a gate does")
    for kind, word in ((nn.ReLU, "ReLU"), (nn.MaxPool2d, "max pooling")):
        ran = sum(times for module, times in calls.items() if isinstance(module, kind))
        there = sum(found[name] for name, ruled in RULED.items() if ruled is kind)
        if there != ran and (rule == "DeepLift" or kind is nn.ReLU):
            _refuse(rule, f"{there - ran} of {there} uses of {word} are no modules of their own")
    if rule == "DeepLift" and (again := [name for name, module in score.named_modules() if calls[module] > 1]):
        _refuse(rule, f"the module {again[0].removeprefix('model.')} is used more than once in a pass")
    return sum(times for module, times in calls.items() if isinstance(module, nn.ReLU))


def pooled(
    module: nn.MaxPool2d, inputs: Tensor, outputs: Tensor, grad_input: Tensor, grad_output: Tensor, eps: float = EPS
) -> Tensor:
    """DeepLift's multipliers of max pooling: what each largest value brings flows back to where it stood.

    The first half of the batch is the picture, the second the baseline. Windows that overlap add up, so the parts give
    the whole change.
    """
    (y, reference), (x, start) = outputs.chunk(2), inputs.chunk(2)
    top = torch.maximum(y, reference)
    # Only the picture's half of the gradient goes on: where nothing changes the halves differ, and a mixture of the two
    # would not add up.
    moved = grad_output.chunk(2)[0].repeat(2, 1, 1, 1) * torch.cat([top - reference, y - top])
    sides = (module.kernel_size, module.stride, module.padding, module.dilation)
    shape = [*([side, side] if isinstance(side, int) else list(side) for side in sides), module.ceil_mode]
    _, places = torch.ops.aten.max_pool2d_with_indices(inputs, *shape)
    back: Tensor = torch.ops.aten.max_pool2d_with_indices_backward(moved, inputs, *shape, places)
    there, here = back.chunk(2)
    change = x - start
    found = torch.where(change.abs() < eps, grad_input.chunk(2)[0], (there + here) / change)
    return found.repeat(2, 1, 1, 1)


def register() -> None:
    """Tells Captum the rules of the two modules above; it looks them up by type, so nobody else's change."""
    from captum.attr._core.deep_lift import SUPPORTED_NON_LINEAR, nonlinear

    SUPPORTED_NON_LINEAR.setdefault(Clipped, nonlinear)
    SUPPORTED_NON_LINEAR.setdefault(Pooled, pooled)


def _replaced(module: nn.Module) -> nn.Module | None:
    match module:
        case nn.ReLU6():
            return nn.Sequential(Apart(), Clipped())
        case nn.ReLU():
            return nn.Sequential(Apart(), nn.ReLU())
        case nn.MaxPool2d() if not module.return_indices:
            shape = module.kernel_size, module.stride, module.padding, module.dilation
            return nn.Sequential(Apart(), Pooled(*shape, ceil_mode=module.ceil_mode))
        case _:
            return None


def _graph(value: Tensor) -> Iterator[tuple[str, int]]:
    """Each operation between picture and `value`: its name, and how many of its inputs depend on the picture."""
    waiting: list[Any] = [value.grad_fn]
    seen: set[Any] = set()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        earlier = [one for one, _ in node.next_functions if one is not None]
        waiting += earlier
        name = node.name().rpartition("::")[2]
        if name != "AccumulateGrad":
            yield name.partition("Backward")[0], len(earlier)


def _refuse(rule: Rule, why: str) -> None:
    instead = "integrated gradients" if rule == "DeepLift" else "SmoothGrad"
    raise SettingsError(f"{rule[0].upper()}{rule[1:]} is not sound on this network: {why}. Take {instead}.")
