"""An n×n convolution taken apart into 1×n and n×1, as the Inception papers do with 7×7 and 3×3.

After Szegedy et al., Rethinking the Inception Architecture (2016), section 3.2 and Fig 6; the blocks of arXiv Figs 5,
6, 11, 13, 17 and 19 of the lab's paper are made of such pairs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar, assert_never

from inception_lab.errors import NetworkError
from inception_lab.nets.address import CONV, children, locate, written
from inception_lab.nets.ops import Chain, Concat, Conv, Net, Op, Pool, Residual
from inception_lab.nets.rewriting import Copies, rewritten

N = TypeVar("N", bound=Net)


def factorised(net: N, address: str, *, copies: Copies = "one") -> N:
    """The network with the n×n convolution at `address` as 1×n → n×1, in that order (slim's and the drawings').

    Between the two stand as many channels as leave them, with batch norm and ReLU as after every convolution; the
    stride is the second's, so that both keep the grid of the one. With `copies="all"` every block of the stage that
    equals the one at the address changes with it: a description is a value, repeats share one, and a single copy that
    changes becomes a value of its own. In a chain the ops behind move up by one place (`conv3` becomes `conv4`).

    Raises `UnknownAddress`, and `NetworkError` with the kernel where there is no n×n.
    """
    return rewritten(net, target(net, address), lambda op: pair(op) if isinstance(op, Conv) else op, copies=copies)


def copies_of(net: Net, address: str) -> int:
    """How many blocks of the stage equal the one at `address`, itself among them."""
    _, name, block, *_ = target(net, address).split("/")
    stage = next(stage for stage in net.stages if stage.name == name)
    return stage.blocks.count(stage.blocks[int(block) - 1])


def target(net: Net, address: str) -> str:
    """The full address of the convolution that `address` names, itself or one of its steps (conv, bn, relu).

    Raises `UnknownAddress`, and `NetworkError` if it is no n×n convolution with n above 1.
    """
    at = locate(net, address)
    found = written(net, at)
    if found is None and at.rsplit("/", 1)[1] in CONV:
        above = at.rsplit("/", 1)[0]
        if isinstance(written(net, above), Conv):
            at, found = above, written(net, above)
    if not isinstance(found, Conv):
        raise NetworkError(f"{at} is {_word(found)}: only an n×n convolution can be factorised into 1×n and n×1.")
    height, width = found.window
    if height != width or height == 1:
        raise NetworkError(
            f"{at} is {_word(found)}, which cannot be factorised: 1×n and n×1 make an n×n with n of 2 "
            "or more, such as 3×3 or 5×5."
        )
    return at


def targets(net: Net) -> tuple[str, ...]:
    """The addresses of all convolutions that can be factorised, in order."""
    found: list[str] = []

    def walk(address: str, op: Op) -> None:
        if isinstance(op, Conv) and op.window[0] == op.window[1] > 1:
            found.append(address)
        for name, child in children(op):
            walk(f"{address}/{name}", child)

    for stage in net.stages:
        for place, block in enumerate(stage.blocks, 1):
            walk(f"{net.name}/{stage.name}/{place:02d}", block)
    return tuple(found)


def pair(conv: Conv) -> Chain:
    """1×n → n×1 in place of an n×n: the width between is the width that leaves, the stride is the second's."""
    n = conv.window[0]
    return Chain((replace(conv, kernel=(1, n), stride=1), replace(conv, kernel=(n, 1))))


def _word(op: Op | None) -> str:
    match op:
        case None:
            return "no convolution of its own"
        case Pool():
            return "a pooling"
        case Chain():
            return "a chain of ops"
        case Concat():
            return "a concatenation"
        case Residual():
            return "a residual"
        case Conv():
            return f"a {op.window[0]}×{op.window[1]} convolution"
        case _:
            assert_never(op)
