"""The drawing beside the heatmap: what an image passes from stem to head, the residual blocks one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from inception_lab.nets.ops import Net


@dataclass(frozen=True, slots=True)
class Row:
    """A stage, with the places of its residual blocks among all of the run's; none for stem, reductions and head."""

    title: str
    blocks: tuple[int, ...] = ()


def trunk(net: Net, names: Sequence[str]) -> tuple[Row, ...]:
    """The stages of `net` in order, then the head; `names` are a run's blocks, such as "B/07"."""
    rows = [
        Row(
            stage.name.replace("_", " ").title(),
            tuple(place for place, name in enumerate(names) if name.split("/", 1)[0] == stage.name),
        )
        for stage in net.stages
    ]
    return (*rows, Row("Average pooling"), Row("Classifier"))
