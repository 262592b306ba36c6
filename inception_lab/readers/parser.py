"""Reads the language of `nets.ops` from text, without running it.

A text may be a stranger's: only the constructors of the language are known, sizes are bounded, and every refusal is a
`NetworkError` that names the position.
"""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from typing import Any, cast, get_args

from inception_lab.errors import NetworkError
from inception_lab.nets.ops import Chain, Concat, Conv, Gain, Net, Op, Pad, Pool, Residual, Stage

_TEXT = 200_000  # characters; the longest network of the catalogue has 6,000
_WEIGHT = 20_000  # ops of one network, repeats counted; Inception-ResNet-v2 has 400
_BLOCK = 500  # ops of one block, which is drawn at once; the largest of the catalogue has 20
_DEPTH = 12  # ops inside one another; the catalogue's are 5 deep. Graphviz' time grows steeply with it
_BRANCHES = 32
_ROW = 1_000  # things in one tuple
_CHANNELS = 65_536
_SCALE = 1_000
_SIDE = 999
_PIXELS = 8_192
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")
_KNOWN = {kind.__name__: kind for kind in (Conv, Pool, Chain, Concat, Residual, Stage, Net)}
_OPS = get_args(Op)


def parse(text: str) -> Op | Stage | Net:
    """The op, stage or network that `text` describes; raises `NetworkError` with line and column otherwise."""
    if len(text) > _TEXT:
        raise NetworkError(f"The text has {len(text):,} characters; a network is read up to {_TEXT:,}.")
    try:
        tree = ast.parse(text.strip(), mode="eval")
        value = _Reader().read(tree.body)
    except SyntaxError as error:
        place = f"Line {error.lineno}, column {error.offset}" if error.lineno else "The text cannot be read"
        raise NetworkError(f"{place}: {error.msg}.") from None
    except ValueError as error:
        raise NetworkError(f"The text cannot be read: {error}.") from None
    except (RecursionError, MemoryError):
        raise NetworkError("The text cannot be read: it is nested too deeply.") from None
    if not isinstance(value, (*_OPS, Stage, Net)):
        raise _refusal(tree.body, "this is not a network, a stage or an op")
    return cast(Op | Stage | Net, value)


class _Reader:
    """Turns syntax into values; remembers how many ops each value stands for."""

    def __init__(self) -> None:
        self.weights: dict[int, tuple[int, Any]] = {}  # the value is kept so that its id stays its own
        self.depths: dict[int, int] = {}

    def read(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=bool() | int() | float() | str() | None as value):
                return value
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
                return -value
            case ast.Tuple(elts=parts):
                return self._row(node, parts)
            case ast.BinOp(op=ast.RShift(), left=left, right=right):
                return self._then(node, self.read(left), self.read(right))
            case ast.BinOp(op=ast.Mult(), left=left, right=right):
                return self._times(node, self.read(left), self.read(right))
            case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords) if name in _KNOWN:
                return self._make(node, name, args, keywords)
            case _:
                known = ", ".join(_KNOWN)
                raise _refusal(node, f"{_shown(node)} is not part of the language, which has {known}, >> and *")

    def _row(self, node: ast.expr, parts: list[ast.expr]) -> tuple[Any, ...]:
        row: list[Any] = []
        for part in parts:
            if isinstance(part, ast.Starred):
                several = self.read(part.value)
                if not isinstance(several, tuple):
                    raise _refusal(part, "only a tuple can be unpacked with *")
                row.extend(several)
            else:
                row.append(self.read(part))
        if len(row) > _ROW:
            raise _refusal(node, f"{len(row):,} things in a row; {_ROW:,} are the most")
        return tuple(row)

    def _then(self, node: ast.expr, before: Any, after: Any) -> Chain:
        if not isinstance(before, _OPS) or not isinstance(after, _OPS):
            raise _refusal(node, ">> stands between two ops")
        chain: Chain = before >> after
        self._weigh(node, chain, chain.ops)
        return chain

    def _times(self, node: ast.expr, left: Any, right: Any) -> tuple[Any, ...]:
        count, row = (left, right) if _is_int(left) else (right, left)
        if not _is_int(count) or not isinstance(row, tuple):
            raise _refusal(node, "* repeats a tuple: 5 * (BLOCK,)")
        if not 0 <= count <= _ROW or count * len(row) > _ROW:
            raise _refusal(node, f"a tuple is repeated at most until it holds {_ROW:,} things")
        return cast(tuple[Any, ...], count * row)

    def _make(self, node: ast.Call, name: str, args: list[ast.expr], keywords: list[ast.keyword]) -> Any:
        values = self._row(node, args)
        named = {}
        for keyword in keywords:
            if keyword.arg is None:
                raise _refusal(keyword.value, "** is not part of the language")
            named[keyword.arg] = self.read(keyword.value)
        try:
            made: Any = _KNOWN[name](*values, **named)
        except TypeError:
            taken = ", ".join(field.name for field in fields(_KNOWN[name]))
            raise _refusal(node, f"{name} takes {taken}") from None
        fault = _fault(made)
        if fault:
            raise _refusal(node, f"{name}: {fault}")
        self._weigh(node, made, _inside(made))
        return made

    def _weigh(self, node: ast.expr, value: Any, inside: tuple[Any, ...]) -> None:
        weight = 1 + sum(self.weights[id(part)][0] for part in inside)
        if weight > _WEIGHT:
            raise _refusal(node, f"{weight:,} ops, repeats counted; {_WEIGHT:,} are the most")
        if isinstance(value, Stage) and (most := max(self.weights[id(part)][0] for part in inside)) > _BLOCK:
            raise _refusal(node, f"{most:,} ops in one block; {_BLOCK:,} are the most")
        self.depths[id(value)] = depth = 1 + max((self.depths[id(part)] for part in inside), default=0)
        if depth > _DEPTH:
            raise _refusal(node, f"ops {depth} deep inside one another; {_DEPTH} are the most")
        self.weights[id(value)] = (weight, value)


def _inside(value: Any) -> tuple[Any, ...]:
    match value:
        case Chain(ops=parts) | Concat(branches=parts) | Stage(blocks=parts) | Net(stages=parts):
            return parts
        case Residual(body=body):
            return (body,)
        case _:
            return ()


def _fault(value: Any) -> str:
    """What is wrong with the fields of a value just made, in words; empty if nothing is."""
    match value:
        case Conv():
            return _count(value.channels, "channels", _CHANNELS) or _window_fault(value)
        case Pool():
            return ("" if value.kind in ("max", "avg") else 'the kind is "max" or "avg"') or (
                _window_fault(value) or _word(value.count_border, "count_border")
            )
        case Chain():
            linked = isinstance(value.ops, tuple) and value.ops and all(isinstance(op, _OPS) for op in value.ops)
            nested = linked and any(isinstance(op, Chain) for op in value.ops)
            return "a chain inside a chain is one chain" if nested else "" if linked else "it holds a tuple of ops"
        case Concat():
            if not value.branches or not all(isinstance(op, _OPS) for op in value.branches):
                return "it joins ops"
            return "" if len(value.branches) <= _BRANCHES else f"it joins at most {_BRANCHES} ops"
        case Residual():
            return _residual_fault(value)
        case Stage():
            return _stage_fault(value)
        case Net():
            return _net_fault(value)
        case _:
            return ""


def _window_fault(op: Conv | Pool) -> str:
    sides = op.kernel if isinstance(op.kernel, tuple) and isinstance(op, Conv) else (op.kernel, op.kernel)
    if len(sides) != 2:
        return "the kernel is a side or (height, width)"
    fault = next(filter(None, (_count(side, "kernel", _SIDE) for side in sides)), "") or _count(
        op.stride, "stride", _SIDE
    )
    if fault:
        return fault
    if op.pad not in get_args(Pad):
        return 'pad is "same" or "valid"'
    if op.pad == "same" and any(side % 2 == 0 for side in sides):
        return f'"same" padding needs odd sides, not {sides[0]}×{sides[1]}'
    return ""


def _residual_fault(op: Residual) -> str:
    if not isinstance(op.body, _OPS):
        return "the body is an op"
    if isinstance(op.scale, bool) or not isinstance(op.scale, int | float) or not -_SCALE <= op.scale <= _SCALE:
        return f"the scale is a number from -{_SCALE:,} to {_SCALE:,}"
    if op.gain not in get_args(Gain):
        return 'gain is "fixed", "learned" or "zero"'
    return _word(op.relu, "relu") or ("" if op.width is None else _count(op.width, "width", _CHANNELS))


def _stage_fault(stage: Stage) -> str:
    if not isinstance(stage.name, str) or not _NAME.fullmatch(stage.name) or stage.name == "head":
        return "a stage's name has letters, digits, _ and -, at most 64 of them, and is not head"
    if not isinstance(stage.blocks, tuple) or not stage.blocks or not all(isinstance(b, _OPS) for b in stage.blocks):
        return "its blocks are a tuple of ops"
    return "" if isinstance(stage.source, str) else "its source is a text"


def _net_fault(net: Net) -> str:
    if not isinstance(net.name, str) or not _NAME.fullmatch(net.name) or not isinstance(net.source, str):
        return "a network's name has letters, digits, _ and -, at most 64 of them, and its source is a text"
    if not isinstance(net.stages, tuple) or not net.stages or not all(isinstance(s, Stage) for s in net.stages):
        return "its stages are a tuple of Stage"
    if len({stage.name for stage in net.stages}) < len(net.stages):
        return "two stages have one name"
    if isinstance(net.dropout, bool) or not isinstance(net.dropout, int | float) or not 0 <= net.dropout < 1:
        return "dropout is a share from 0 to below 1"
    if fault := _word(net.end_norm, "end_norm"):
        return fault
    counts = (("inputs", net.inputs, _CHANNELS), ("size", net.size, _PIXELS), ("classes", net.classes, _CHANNELS))
    return next(filter(None, (_count(value, name, most) for name, value, most in counts)), "")


def _count(value: Any, name: str, most: int) -> str:
    return "" if _is_int(value) and 1 <= value <= most else f"{name} is a whole number from 1 to {most:,}"


def _word(value: Any, name: str) -> str:
    return "" if isinstance(value, bool) else f"{name} is True or False"


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _shown(node: ast.expr) -> str:
    text = ast.unparse(node)
    return repr(text if len(text) <= 40 else f"{text[:37]}...")


def _refusal(node: ast.expr, what: str) -> NetworkError:
    return NetworkError(f"Line {node.lineno}, column {node.col_offset + 1}: {what}.")
