"""A description written out in its own language, and read back without running anything.

`notation(value)` is a Python expression over the names of `nets.ops` that evaluates to an equal value. `parse(text)`
reads such an expression through Python's syntax tree: constructors of the language, numbers, words, tuples, `>>` and
`*`; anything else is refused with its position, so a text may come from a link.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import assert_never

from inception_lab.nets.ops import Chain, Concat, Conv, Net, Op, Pool, Residual, Stage
from inception_lab.readers.parser import parse

__all__ = ["notation", "parse"]

_WIDE = 100
_STEP = "    "


def notation(value: Op | Stage | Net, *, multiline: bool = True) -> str:
    """The expression for an op, a stage or a network; defaults are left out, but a convolution always shows its kernel.

    With `multiline` false it is one line.
    """
    return _layered(value, 0) if multiline else _flat(value)


def _flat(value: Op | Stage | Net) -> str:
    """The expression in one line."""
    match value:
        case Conv():
            return _call("Conv", str(value.channels), str(value.kernel), *_slide(value))
        case Pool():
            side = (f"{value.kernel}",) if value.kernel != 3 else ()
            border = ("count_border=True",) if value.count_border else ()
            return _call("Pool", _quoted(value.kind), *side, *_slide(value), *border)
        case Chain():
            return _chain(value, [_flat(link) for link in value.ops])
        case Concat():
            return _call("Concat", *(_flat(branch) for branch in value.branches))
        case Residual():
            return _call("Residual", _flat(value.body), *_closing(value))
        case Stage():
            parts = (_quoted(value.name), _blocks([_flat(block) for block in value.blocks]))
            return _call("Stage", *parts, *((_quoted(value.source),) if value.source else ()))
        case Net():
            return _call(
                "Net", *_before(value), f"stages={_tuple(_flat(stage) for stage in value.stages)}", *_after(value)
            )
        case _:
            assert_never(value)


def _layered(value: Op | Stage | Net, depth: int) -> str:
    """The expression over several lines where one would be hard to read; `depth` counts indents."""
    flat = _flat(value)
    if _plain(value) and len(flat) + depth * len(_STEP) <= _WIDE:
        return flat
    match value:
        case Conv() | Pool():
            return flat
        case Chain():
            return _tall_chain(value, depth)
        case Concat():
            return _lines("Concat(", [_layered(branch, depth + 1) for branch in value.branches], ")", depth)
        case Residual():
            return _lines("Residual(", [_layered(value.body, depth + 1), *_closing(value)], ")", depth)
        case Stage():
            blocks = _tall_blocks(value, depth + 1)
            source = [_quoted(value.source)] if value.source else []
            return _lines("Stage(", [_quoted(value.name), blocks, *source], ")", depth)
        case Net():
            stages = _lines("stages=(", [_layered(stage, depth + 2) for stage in value.stages], ")", depth + 1)
            return _lines("Net(", [*_before(value), stages, *_after(value)], ")", depth)
        case _:
            assert_never(value)


def _plain(value: Op | Stage | Net) -> bool:
    """Whether one line reads well: no fork of more than two single ops."""
    match value:
        case Conv() | Pool():
            return True
        case Chain():
            return all(_plain(link) for link in value.ops)
        case Concat():
            return len(value.branches) <= 2 and all(isinstance(branch, Conv | Pool) for branch in value.branches)
        case Residual() | Net():
            return False
        case Stage():
            return all(_plain(block) for block in value.blocks)
        case _:
            assert_never(value)


def _chain(chain: Chain, links: list[str]) -> str:
    """`>>` between the links; what `>>` cannot make is written as it is."""
    return " >> ".join(links) if _linked(chain) else f"Chain({_tuple(links)})"


def _tall_chain(chain: Chain, depth: int) -> str:
    """A chain with one link a line, in brackets."""
    links = [_layered(link, depth + 1) for link in chain.ops]
    if not _linked(chain):
        return _lines("Chain((", links, "))", depth)
    return _lines("(", [f"\n{_STEP * (depth + 1)}>> ".join(links)], ")", depth, comma="")


def _tall_blocks(stage: Stage, depth: int) -> str:
    runs = [(block, len(list(copies))) for block, copies in groupby(stage.blocks)]
    texts = [_layered(block, depth + 1) for block, _ in runs]
    if len(runs) == 1:
        return _lines("(" if runs[0][1] == 1 else f"{runs[0][1]} * (", texts, ")", depth)
    parts = [text if count == 1 else f"*({count} * ({text},))" for text, (_, count) in zip(texts, runs, strict=True)]
    return _lines("(", parts, ")", depth)


def _linked(chain: Chain) -> bool:
    """Whether `>>` makes this chain: at least two links, none of them a chain."""
    return len(chain.ops) > 1 and not any(isinstance(link, Chain) for link in chain.ops)


def _blocks(texts: list[str]) -> str:
    """A row of blocks, equal neighbours folded: `9 * (X,)` or `(*(9 * (X,)), Y)`."""
    runs = [(text, len(list(copies))) for text, copies in groupby(texts)]
    if len(runs) == 1 and runs[0][1] > 1:
        return f"{runs[0][1]} * ({runs[0][0]},)"
    return _tuple(text if count == 1 else f"*({count} * ({text},))" for text, count in runs)


def _slide(op: Conv | Pool) -> tuple[str, ...]:
    stride = (f"stride={op.stride}",) if op.stride != 1 else ()
    return (*stride, f"pad={_quoted(op.pad)}") if op.pad != "same" else stride


def _closing(op: Residual) -> tuple[str, ...]:
    scale = (f"scale={op.scale!r}",) if op.scale != 1 else ()
    relu = () if op.relu else ("relu=False",)
    width = () if op.width is None else (f"width={op.width}",)
    gain = () if op.gain == "fixed" else (f"gain={_quoted(op.gain)}",)
    return (*scale, *relu, *width, *gain)


def _before(net: Net) -> tuple[str, ...]:
    return (f"name={_quoted(net.name)}", f"source={_quoted(net.source)}")


def _after(net: Net) -> tuple[str, ...]:
    usual = {"inputs": 3, "size": 299, "dropout": 0.2, "classes": 1000, "end_norm": False}
    return tuple(f"{name}={value!r}" for name, plain in usual.items() if (value := getattr(net, name)) != plain)


def _call(name: str, *parts: str) -> str:
    return f"{name}({', '.join(parts)})"


def _tuple(texts: Iterable[str]) -> str:
    parts = list(texts)
    return f"({parts[0]},)" if len(parts) == 1 else f"({', '.join(parts)})"


def _lines(opening: str, parts: list[str], closing: str, depth: int, *, comma: str = ",") -> str:
    inner, outer = _STEP * (depth + 1), _STEP * depth
    return opening + "\n" + "".join(f"{inner}{part}{comma}\n" for part in parts) + outer + closing


def _quoted(text: str) -> str:
    """A string literal in double quotes where that needs no escapes."""
    single = repr(text)
    return f'"{single[1:-1]}"' if single[0] == "'" and '"' not in text and "\\" not in single else single
