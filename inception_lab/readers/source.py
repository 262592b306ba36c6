"""A block, an op or a whole network as PyTorch code that stands alone: it imports torch and nothing of the lab.

The modules carry the names of the addresses, so the weights of `lab.build(net).at(address)` load into it by
`load_state_dict`, and its outputs are equal to the last bit.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from html import escape
from typing import assert_never, final

from inception_lab.errors import ImpossibleAdd
from inception_lab.nets import catalog
from inception_lab.nets.address import children, locate, written
from inception_lab.nets.ops import Chain, Concat, Conv, Net, Op, Pool, Residual, Size, Stage, channels, padding
from inception_lab.readers import parts
from inception_lab.readers.flow import IMAGE, flow
from inception_lab.readers.parts import Part
from inception_lab.readers.shapes import shapes
from inception_lab.readers.table import ShapeTable

_STEP = "    "
_WIDE = 100
_UNSAID = re.compile(r'["\\]|[^\n -~\u00a0-\ud7ff]')  # what could end the string that a text is written into

Shape = tuple[int, ...]


@final
class Source(str):
    """Python code; a notebook shows it as such."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return f"<pre><code>{escape(self)}</code></pre>"


def source(net: Net | str, *, at: str | None = None) -> Source:
    """The code of what stands at an address, or of the whole network; its `make()` returns the module.

    Any address will do: a stage, a block, a branch, an op, a step of a convolution (`conv`, `bn`, `relu`), a joint of a
    block (`concat`, `linear`, `scale`, `add`, `relu`), the head and its parts. Run as a script it prints the shape that
    leaves it. Raises `UnknownAddress`, and what `shapes` raises for what cannot be built at the address or in it.
    """
    net = catalog.net(net) if isinstance(net, str) else net
    address = locate(net, at or "")
    table = shapes(net, tolerant=True)
    for error in table.refused:
        if not isinstance(error, ImpossibleAdd) or f"{error.address}/".startswith(f"{address}/"):
            raise error
    entering = _entering(net, address, table)
    writer = _Writer()
    made = writer.at(net, address, entering[0][0], table)
    return Source(_page(net, address, made, entering, writer))


class _Writer:
    """Writes ops as expressions; remembers the classes they need and the functions of blocks."""

    def __init__(self) -> None:
        self.needs: set[Part] = set()
        self.functions: dict[tuple[Op, int], str] = {}
        self.lines: list[str] = []

    def at(self, net: Net, address: str, inputs: int, table: ShapeTable) -> str:
        """The expression for what stands at a full address, which `inputs` channels enter."""
        _, *path = address.split("/")
        op = written(net, address)
        if op is not None:
            return self.op(op, inputs)
        if not path:
            return self._network(net)
        if path[0] == "head":
            return self._head(net, inputs) if len(path) == 1 else _head_part(net, path[1], inputs)
        if len(path) == 1:
            return self._stage(net, next(stage for stage in net.stages if stage.name == path[0]), inputs)
        if path[-1] == "linear":
            return f"nn.Conv2d({inputs}, {table.row(address).output[0]}, 1)"
        return self._joint(written(net, address.rsplit("/", 1)[0]), path[-1], inputs)

    def op(self, op: Op, inputs: int, depth: int = 1) -> str:
        """The expression for `op`; `depth` counts the indents of the line it begins on."""
        match op:
            case Conv():
                self.needs.add("ConvBnRelu")
                return _call("ConvBnRelu", [str(inputs), str(op.channels), *_slide(op)])
            case Pool():
                border = () if op.kind == "max" or op.count_border else ("count_include_pad=False",)
                kind = "nn.MaxPool2d" if op.kind == "max" else "nn.AvgPool2d"
                return _call(kind, [_pair(op.window), f"stride={op.stride}", *_border(op), *border])
            case Chain():
                self.needs.add("chain")
                links = []
                for name, link in children(op):
                    links.append(f"{name}={self.op(link, inputs, depth + 1)}")
                    inputs = channels(link, inputs)
                return _call("chain", links, depth)
            case Concat():
                self.needs.add("Parallel")
                return _call("Parallel", [self.op(branch, inputs, depth + 1) for branch in op.branches], depth)
            case Residual():
                self.needs.add("Residual")
                inner = [str(channels(op.body, inputs)), str(inputs), f"scale={self._scale(op)}"]
                last = [] if op.relu else ["relu=False"]
                return _call("Residual", [self.op(op.body, inputs, depth + 1), *inner, *last], depth)
            case _:
                assert_never(op)

    def _joint(self, op: Op | None, part: str, inputs: int) -> str:
        """What an op adds to its children, or a step of a convolution."""
        match op, part:
            case _, "relu":
                return "nn.ReLU()"
            case Conv(), "conv":
                return _call("nn.Conv2d", [str(inputs), str(op.channels), *_slide(op), "bias=False"])
            case _, "bn":
                return f"nn.BatchNorm2d({inputs}, eps=0.001)"
            case Residual(), "scale":
                return self._scale(op)
            case _, "add":
                self.needs.add("Add")
                return "Add()"
            case _:
                self.needs.add("Concat")
                return "Concat()"

    def _scale(self, op: Residual) -> str:
        if op.gain == "fixed":
            self.needs.add("Scale")
            return f"Scale({op.scale!r})"
        self.needs.add("LearnedScale")
        return f"LearnedScale({op.scale!r}, start={float(op.gain == 'learned')!r})"

    def _network(self, net: Net) -> str:
        self.needs.add("Network")
        width, stages = net.inputs, []
        for stage in net.stages:
            stages.append(f"{json.dumps(stage.name)}: {self._stage(net, stage, width, 3)}")
            for block in stage.blocks:
                width = channels(block, width)
        stages.append(f'"head": {self._head(net, width)}')
        return f"Network(\n{_STEP * 2}{_lines('{', stages, '}', 2)}\n{_STEP})"

    def _stage(self, net: Net, stage: Stage, inputs: int, depth: int = 1) -> str:
        """A row of blocks, equal neighbours by one function."""
        self.needs.add("row")
        runs: list[tuple[str, int]] = []
        for block in stage.blocks:
            name = self._function(block, inputs, net, stage)
            inputs = channels(block, inputs)
            runs[-1:] = [(name, runs[-1][1] + 1)] if runs and runs[-1][0] == name else [*runs[-1:], (name, 1)]
        calls = [f"{name}()" if count == 1 else f"*({name}() for _ in range({count}))" for name, count in runs]
        return _call("row", calls, depth)

    def _function(self, block: Op, inputs: int, net: Net, stage: Stage) -> str:
        """The name of the function that makes a block, which is written when the first one is needed."""
        if (block, inputs) in self.functions:
            return self.functions[block, inputs]
        name = f"block_{len(self.functions) + 1:02d}_{re.sub(r'[^A-Za-z0-9_]', '_', stage.name)}"
        self.functions[block, inputs] = name
        said = _said(f"{net.name}, stage {stage.name}: {inputs} channels to {channels(block, inputs)}. {stage.source}")
        self.lines.append(f'def {name}():\n{_STEP}"""{said}"""\n{_STEP}return {self.op(block, inputs)}\n')
        return name

    def _head(self, net: Net, inputs: int) -> str:
        self.needs.add("Head")
        norm = ["norm=True"] if net.end_norm else []
        return _call("Head", [str(inputs), str(net.classes), f"dropout={net.dropout!r}", *norm])


def _head_part(net: Net, part: str, inputs: int) -> str:
    match part:
        case "norm":
            return f"nn.Sequential(nn.BatchNorm2d({inputs}, eps=0.001), nn.ReLU())"
        case "pool":
            return "nn.AdaptiveAvgPool2d(1)"
        case "dropout":
            return f"nn.Dropout({net.dropout!r})"
        case _:
            return f"nn.Linear({inputs}, {net.classes})"


def _entering(net: Net, address: str, table: ShapeTable) -> list[Shape]:
    """The shapes, without the batch, that enter what stands at a full address; several only for an add or a concat."""
    read = flow(net)
    made: dict[str, Shape] = {row.address: row.output for row in table.rows}
    made[IMAGE] = (net.inputs, *table.size)
    _, *path = address.split("/")
    if not path:
        return [made[IMAGE]]
    if path == ["head"]:
        return [made[read.reads[table.under(address)[0].address][0]]]
    if len(path) == 1:
        address += "/01"
    if address in read.enters:
        return [made[read.enters[address]]]
    if address in read.reads:
        found = [made[source] for source in read.reads[address]]
        return [found[0][:1]] if path[-1] in ("classifier", "dropout") and path[0] == "head" else found
    above, step = address.rsplit("/", 1)  # a step of a convolution
    return [made[read.enters[above]] if step == "conv" else made[above]]


def _page(net: Net, address: str, made: str, entering: Sequence[Shape], writer: _Writer) -> str:
    zeros = ", ".join(f"torch.zeros({', '.join(map(str, (1, *shape)))})" for shape in entering)
    given = f"[{zeros}]" if made == "Concat()" else zeros
    shape = " and ".join(f"(N, {', '.join(map(str, shape))})" for shape in entering)
    said = f"{address}: takes {shape}.\n\nThe network: {net.source}.\nNeeds torch and nothing else."
    classes = [*parts.texts(writer.needs), *writer.lines]
    ordered = "from collections import OrderedDict\n\n" if {"chain", "row"} & writer.needs else ""
    return "\n\n".join(
        [
            f'"""{_said(said)}\n"""\n\n{ordered}import torch\nfrom torch import nn\n',
            *classes,
            f'def make():\n{_STEP}"""The module, its weights drawn by PyTorch."""\n{_STEP}return {made}\n',
            f'if __name__ == "__main__":\n{_STEP}with torch.inference_mode():\n'
            f"{_STEP * 2}print(tuple(make().eval()({given}).shape))\n",
        ]
    )


def _slide(op: Conv | Pool) -> list[str]:
    """Kernel, and stride and padding where they are not 1 and 0."""
    stride = [f"stride={op.stride}"] if op.stride != 1 else []
    return [_pair(op.window), *stride, *_border(op)]


def _border(op: Conv | Pool) -> list[str]:
    border = padding(op.window, op.pad)
    return [f"padding={_pair(border)}"] if any(border) else []


def _pair(sides: Size) -> str:
    return str(sides[0] if sides[0] == sides[1] else sides)


def _call(name: str, given: Sequence[str], depth: int = 1) -> str:
    flat = f"{name}({', '.join(given)})"
    return (
        flat if len(flat) <= _WIDE - len(_STEP) * depth and "\n" not in flat else _lines(f"{name}(", given, ")", depth)
    )


def _lines(opening: str, given: Sequence[str], closing: str, depth: int) -> str:
    inner = "".join(f"{_STEP * (depth + 1)}{one},\n" for one in given)
    return f"{opening}\n{inner}{_STEP * depth}{closing}"


def _said(text: str) -> str:
    """Words of a description, which may be a stranger's, fit to stand in a docstring."""
    return _UNSAID.sub("", text).strip()
