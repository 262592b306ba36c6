"""The few PyTorch classes that generated code is made of, as text.

They are the modules of `models.layers` without the lab; tests hold them to it: equal names of weights, equal outputs.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

Part = Literal[
    "ConvBnRelu", "Concat", "Parallel", "Scale", "LearnedScale", "Add", "Residual", "Head", "chain", "row", "Network"
]

_CONV = '''class ConvBnRelu(nn.Module):
    """Convolution without bias, batch norm, ReLU."""

    def __init__(self, inputs, channels, kernel, stride=1, padding=0):
        super().__init__()
        self.conv = nn.Conv2d(inputs, channels, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(channels, eps=0.001)
        self.relu = nn.ReLU()

    def forward(self, x):
        return self.relu(self.bn(self.conv(x)))
'''

_CONCAT = '''class Concat(nn.Module):
    """Joins maps along the channels."""

    def forward(self, maps):
        return torch.cat(maps, dim=1)
'''

_PARALLEL = '''class Parallel(nn.Module):
    """Branches on the same input, then `concat`."""

    def __init__(self, *branches):
        super().__init__()
        for place, branch in enumerate(branches, 1):
            self.add_module(f"branch{place}", branch)
        self.concat = Concat()

    def forward(self, x):
        *branches, concat = self.children()
        return concat([branch(x) for branch in branches])
'''

_SCALE = '''class Scale(nn.Module):
    """Multiplies by a constant: the scaling of residuals (section 3.3 of the paper)."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        return x * self.factor
'''

_LEARNED = '''class LearnedScale(nn.Module):
    """Multiplies by `factor` and by a trained number that starts at `start`."""

    def __init__(self, factor, start):
        super().__init__()
        self.factor = factor
        self.gain = nn.Parameter(torch.tensor(start))

    def forward(self, x):
        return x * (self.factor * self.gain)
'''

_ADD = '''class Add(nn.Module):
    """Shortcut plus residual."""

    def forward(self, shortcut, residual):
        return shortcut + residual
'''

_RESIDUAL = '''class Residual(nn.Module):
    """x + scale(linear(body(x))), then ReLU."""

    def __init__(self, body, inner, channels, scale, relu=True):
        super().__init__()
        self.body = body
        self.linear = nn.Conv2d(inner, channels, 1)
        self.scale = scale
        self.add = Add()
        self.relu = nn.ReLU() if relu else nn.Identity()

    def forward(self, x):
        return self.relu(self.add(x, self.scale(self.linear(self.body(x)))))
'''

_HEAD = '''class Head(nn.Module):
    """Global average pooling, dropout, one fully connected layer; before them batch norm and ReLU if `norm`."""

    def __init__(self, inputs, classes, dropout, norm=False):
        super().__init__()
        self.norm = nn.Sequential(nn.BatchNorm2d(inputs, eps=0.001), nn.ReLU()) if norm else None
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(inputs, classes)

    def forward(self, x):
        x = x if self.norm is None else self.norm(x)
        return self.classifier(self.dropout(self.pool(x).flatten(1)))
'''

_CHAIN = '''def chain(**links):
    """Modules one after the other, each by its name."""
    return nn.Sequential(OrderedDict(links))
'''

_ROW = '''def row(*blocks):
    """Blocks one after the other, named 01, 02, ..."""
    return nn.Sequential(OrderedDict((f"{place:02d}", block) for place, block in enumerate(blocks, 1)))
'''

_NETWORK = '''class Network(nn.Module):
    """Stages one after the other, then the head."""

    def __init__(self, stages):
        super().__init__()
        for name, stage in stages.items():
            self.add_module(name, stage)

    def forward(self, x):
        for stage in self.children():
            x = stage(x)
        return x
'''

TEXTS: dict[Part, str] = {
    "ConvBnRelu": _CONV,
    "Concat": _CONCAT,
    "Parallel": _PARALLEL,
    "Scale": _SCALE,
    "LearnedScale": _LEARNED,
    "Add": _ADD,
    "Residual": _RESIDUAL,
    "Head": _HEAD,
    "chain": _CHAIN,
    "row": _ROW,
    "Network": _NETWORK,
}
BESIDE: dict[Part, tuple[Part, ...]] = {"Parallel": ("Concat",), "Residual": ("Add",)}


def texts(needed: Iterable[Part]) -> list[str]:
    """The code of the parts needed and of those that these need, in order."""
    wanted = set(needed)
    wanted |= {other for part in wanted for other in BESIDE.get(part, ())}
    return [text for part, text in TEXTS.items() if part in wanted]
