"""One op of an opened network on one image: what it puts out, how each cell comes about, and what a cell sees.

The forward pass ends where the op is entered: a hook throws an exception that is caught here. The op itself then runs
by itself, with its batch norm where it has one.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from torch import Tensor, nn

from inception_lab.images import arithmetic
from inception_lab.images.arithmetic import Arithmetic, Array, Step, Term
from inception_lab.images.opened import Opened
from inception_lab.models.layers import Add, Concat, ConvBnRelu, Scale, ScaledResidual

Cell = tuple[int, int, int]
Explain = Callable[[Cell], Arithmetic]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What an op puts out for one image, (1, C, H, W) or (1, C), and how each of its cells comes about."""

    out: Tensor
    explain: Explain | None = None


class _Reached(Exception):  # no error: the way out of a forward pass
    def __init__(self, found: Any) -> None:
        self.found = found


def look(opened: Opened, address: str, x: Tensor) -> Seen:
    """The op at a full address for the image `x`; the caller holds the network's lock, in inference mode."""
    module = opened.module(address)
    if taken := _convolution(opened, address):
        return _conv(opened, address, taken, x)
    above = opened.body.get_submodule(address.split("/", 1)[1].replace("/", ".").rpartition(".")[0])
    if isinstance(above, ScaledResidual) and (isinstance(module, Add) or module is above.relu):
        return _add(opened, address, above, x)
    match module:
        case Concat():
            return _concat(address, module, list(_entering(opened, module, x)[0]))
        case Scale():
            return _scale(address, module, _entering(opened, module, x)[0])
        case nn.MaxPool2d() | nn.AvgPool2d():
            return _pool(address, module, _entering(opened, module, x)[0])
        case nn.AdaptiveAvgPool2d():
            return _whole(address, _entering(opened, module, x)[0])
        case nn.Dropout():
            return _kept(address, _entering(opened, module, x)[0])
        case nn.Linear():
            return _linear(address, module, _entering(opened, module, x)[0])
        case nn.Sequential() if [type(one) for one in module] == [nn.BatchNorm2d, nn.ReLU]:
            return _norm(address, module, _entering(opened, module, x)[0])
        case _:
            return Seen(_leaving(opened, module, x))


def _entering(opened: Opened, module: nn.Module, x: Tensor) -> tuple[Any, ...]:
    """What is given to a module; nothing runs after that."""

    def stop(_: nn.Module, args: tuple[Any, ...]) -> None:
        raise _Reached(args)

    return tuple(_until(opened, module.register_forward_pre_hook(stop), x))


def _leaving(opened: Opened, module: nn.Module, x: Tensor) -> Tensor:
    def stop(_: nn.Module, __: Any, out: Tensor) -> None:
        raise _Reached(out)

    found: Tensor = _until(opened, module.register_forward_hook(stop), x)
    return found


def _until(opened: Opened, handle: Any, x: Tensor) -> Any:
    try:
        opened.loaded.model(x)
    except _Reached as reached:
        return reached.found
    finally:
        handle.remove()
    raise AssertionError("the network never runs this part")


@dataclass(frozen=True, slots=True, eq=False)
class _Taken:
    """A convolution, what follows it as far as the address goes, and where the folded network is stopped for it."""

    stop: nn.Module
    conv: nn.Conv2d
    norm: nn.BatchNorm2d | None = None
    act: nn.Module | None = None


def _convolution(opened: Opened, address: str) -> _Taken | None:
    """The unfolded convolution that an address means, alone or with its batch norm and its activation."""
    path = address.split("/", 1)[1].replace("/", ".")
    above, _, last = path.rpartition(".")
    for name, step in ((path, "relu"), (above, last)):
        module = opened.body.get_submodule(name)
        if isinstance(module, ConvBnRelu) and step in ("conv", "bn", "relu"):
            own = opened.plain().get_submodule(name)
            assert isinstance(own, ConvBnRelu)
            return _Taken(module, own.conv, own.bn if step != "conv" else None, own.relu if step == "relu" else None)
    module = opened.body.get_submodule(path)
    if isinstance(module, nn.Conv2d):
        conv = opened.plain().get_submodule(path)
        assert isinstance(conv, nn.Conv2d)
        return _Taken(module, conv)
    if opened.net is not None:  # the lab's own convolutions are all ConvBnRelu or bare; only timm's follow each other
        return None
    own_above = opened.plain().get_submodule(above)
    for (name, conv), (after, norm) in pairwise(own_above.named_children()):
        if after == last and isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            act = getattr(norm, "act", None)
            stop = opened.body.get_submodule(f"{above}.{name}".lstrip("."))
            return _Taken(stop, conv, norm, None if isinstance(act, nn.Identity) else act)
    return None


def _conv(opened: Opened, address: str, taken: _Taken, x: Tensor) -> Seen:
    (entered,) = _entering(opened, taken.stop, x)
    made = taken.conv(entered)
    padding = arithmetic.top_left(taken.conv, entered, made)
    out = made if taken.norm is None else taken.norm(made)
    if taken.act is not None and isinstance(taken.norm, nn.BatchNorm2d) and not hasattr(taken.norm, "act"):
        out = taken.act(out)  # timm's batch norm holds its own

    def explain(cell: Cell) -> Arithmetic:
        window, kernel, places, padded = arithmetic.convolved(entered, taken.conv, cell, padding)
        terms, rest = arithmetic.weighted(window.ravel(), kernel.ravel(), places=places.reshape(-1, 3))
        total = math.fsum((window * kernel).ravel())
        steps = [Step(f"window × kernel, {window.size} products", total)]
        if taken.conv.bias is not None:
            bias = float(taken.conv.bias[cell[0]])
            steps.append(Step(f"+ bias {bias:.4g}", total + bias))
        if taken.norm is not None:
            steps.append(arithmetic.normed(steps[-1].value, taken.norm, cell[0]))
        if taken.act is not None:
            steps.append(arithmetic.activated(steps[-1].value, taken.act))
        return Arithmetic(
            address, "conv", cell, terms, window.size, rest, tuple(steps), _at(out, cell), padded, window, kernel
        )

    return Seen(out, explain)


def _pool(address: str, module: nn.MaxPool2d | nn.AvgPool2d, entered: Tensor) -> Seen:
    out = module(entered)
    sides, stride, padding = (arithmetic.pair(value) for value in (module.kernel_size, module.stride, module.padding))

    def explain(cell: Cell) -> Arithmetic:
        channel, *at = cell
        window, places, padded = arithmetic.window_of(
            entered[0, channel : channel + 1], (at[0], at[1]), sides, stride, padding
        )
        grid = entered.shape[2:]
        spots = places.reshape(-1, 3)
        there = ((spots[:, 1:] >= 0) & (spots[:, 1:] < np.array(grid))).all(axis=1)
        values, spots = window.ravel()[there], spots[there]
        spots[:, 0] = channel
        if isinstance(module, nn.MaxPool2d):
            order = np.argsort(-values, kind="stable")[: arithmetic.TOP]
            terms = tuple(arithmetic.term(spots[i], float(values[i])) for i in order)
            steps = (Step(f"the largest of {len(values)}", float(values.max())),)
            return Arithmetic(address, "max", cell, terms, len(values), 0.0, steps, _at(out, cell), padded)
        return _mean(
            address, cell, values, spots, window.size if module.count_include_pad else len(values), padded, out
        )

    return Seen(out, explain)


def _mean(address: str, cell: Cell, values: Array, spots: Array, among: int, padded: int, out: Tensor) -> Arithmetic:
    terms, rest = arithmetic.weighted(values, np.full(len(values), 1 / among), places=spots)
    border = f", {padded} of padding among them" if padded and among > len(values) else ""
    steps = (Step(f"the mean of {among}{border}", math.fsum(values) / among),)
    return Arithmetic(address, "mean", cell, terms, len(values), rest, steps, _at(out, cell), padded)


def _whole(address: str, entered: Tensor) -> Seen:
    out = entered.mean(dim=(2, 3), keepdim=True)

    def explain(cell: Cell) -> Arithmetic:
        values = entered[0, cell[0]].double().numpy()
        spots = np.stack(np.meshgrid([cell[0]], *(np.arange(n) for n in values.shape), indexing="ij"), axis=-1)
        return _mean(address, cell, values.ravel(), spots.reshape(-1, 3), values.size, 0, out)

    return Seen(out, explain)


def _kept(address: str, entered: Tensor) -> Seen:
    def explain(cell: Cell) -> Arithmetic:
        term = Term("input", *cell, _at(entered, cell), 1.0)
        steps = (Step("dropout hands on everything outside training", term.value),)
        return Arithmetic(address, "dropout", cell, (term,), 1, 0.0, steps, term.value)

    return Seen(entered, explain)


def _linear(address: str, module: nn.Linear, entered: Tensor) -> Seen:
    out = module(entered)

    def explain(cell: Cell) -> Arithmetic:
        values, weights = entered[0].double().numpy(), module.weight[cell[0]].double().numpy()
        spots = np.stack([np.arange(len(values)), np.zeros_like(values), np.zeros_like(values)], axis=-1)
        terms, rest = arithmetic.weighted(values, weights, places=spots)
        total, bias = math.fsum(values * weights), float(module.bias[cell[0]])
        steps = (Step(f"values × weights, {len(values)} products", total), Step(f"+ bias {bias:.4g}", total + bias))
        return Arithmetic(address, "conv", cell, terms, len(values), rest, steps, _at(out, cell))

    return Seen(out, explain)


def _norm(address: str, module: nn.Sequential, entered: Tensor) -> Seen:
    out = module(entered)

    def explain(cell: Cell) -> Arithmetic:
        value, norm = _at(entered, cell), module[0]
        assert isinstance(norm, nn.BatchNorm2d)
        first = arithmetic.normed(value, norm, cell[0])
        steps = (first, arithmetic.activated(first.value, module[1]))
        return Arithmetic(address, "norm", cell, (Term("input", *cell, value, 1.0),), 1, 0.0, steps, _at(out, cell))

    return Seen(out, explain)


def _concat(address: str, module: Concat, branches: list[Tensor]) -> Seen:
    out = module(branches)

    def explain(cell: Cell) -> Arithmetic:
        ends = list(accumulate(branch.shape[1] for branch in branches))
        place = bisect_right(ends, cell[0])
        inner = (cell[0] - (ends[place - 1] if place else 0), *cell[1:])
        term = Term(f"branch{place + 1}", *inner, _at(branches[place], inner), 1.0)
        steps = (Step(f"channel {inner[0]} of {term.name}, as it is", term.value),)
        return Arithmetic(address, "concat", cell, (term,), 1, 0.0, steps, _at(out, cell))

    return Seen(out, explain)


def _scale(address: str, module: Scale, entered: Tensor) -> Seen:
    out, factor = module(entered), arithmetic.factor(module)

    def explain(cell: Cell) -> Arithmetic:
        term = Term("residual", *cell, _at(entered, cell), factor)
        steps = (Step(f"scale {factor:.4g} × residual", term.product),)
        return Arithmetic(address, "scale", cell, (term,), 1, 0.0, steps, _at(out, cell))

    return Seen(out, explain)


def _add(opened: Opened, address: str, above: ScaledResidual, x: Tensor) -> Seen:
    before: list[Tensor] = []
    with ExitStack() as hooks:
        handle = above.scale.register_forward_pre_hook(lambda _, args: before.append(args[0]))
        hooks.callback(handle.remove)
        shortcut, scaled = _entering(opened, above.add, x)
    out = above.add(shortcut, scaled)
    ends = address.endswith("/relu") and isinstance(above.relu, nn.ReLU)
    out, factor = above.relu(out) if ends else out, arithmetic.factor(above.scale)

    def explain(cell: Cell) -> Arithmetic:
        terms = (
            Term("shortcut", *cell, _at(shortcut, cell), 1.0),
            Term("residual", *cell, _at(before[0], cell), factor),
        )
        steps = [Step(f"shortcut + {factor:.4g} × residual", terms[0].product + terms[1].product)]
        if ends:
            steps.append(arithmetic.activated(steps[-1].value, above.relu))
        return Arithmetic(address, "add", cell, terms, 2, 0.0, tuple(steps), _at(out, cell))

    return Seen(out, explain)


def _at(values: Tensor, cell: tuple[int, ...]) -> float:
    return float(values[0, cell[0], cell[1], cell[2]] if values.dim() == 4 else values[0, cell[0]])
