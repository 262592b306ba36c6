"""One cost of a network as areas: stages hold blocks, blocks hold ops; a click on one goes into it."""

from __future__ import annotations

from typing import Any, Literal

import plotly.graph_objects as go

from inception_lab.figures.colours import AMOUNT
from inception_lab.readers.cost import NAMES, Cost, CostTable, amount, summed

Added = Literal["parameters", "multiply_adds", "output_bytes", "kept_bytes"]
"""The amounts that parts add up to; a peak is none of them."""

EDGE = "rgba(128, 128, 128, 0.6)"
LEVELS = 3  # drawn at a time: the whole, what is in it, and what is in that


def treemap(table: CostTable, quantity: Added, *, under: str = "") -> tuple[go.Figure, str]:
    """The tree of what stands at the full address `under` (the whole network without one), and it in words.

    Areas are exact: the parts of a whole fill it. Colour is the same amount of a block or an op, on cividis; what only
    frames them has none.
    """
    root = under or table.network
    nodes = _nodes(table, root)
    values = {address: cost.of(quantity) for address, cost, _ in nodes}
    whole = values[root] or 1
    frames = {parent for _, _, parent in nodes if parent == root or parent.count("/") == 1}
    inner = [None if address in frames else value for address, value in values.items()]
    figure = go.Figure(
        go.Treemap(
            ids=[address for address, _, _ in nodes],
            labels=[_label(address, root) for address, _, _ in nodes],
            parents=[parent for _, _, parent in nodes],
            values=list(values.values()),
            text=[amount(value, quantity) for value in values.values()],
            customdata=[[cost.of(quantity), cost.of(quantity) / whole, cost.label] for _, cost, _ in nodes],
            branchvalues="total",
            maxdepth=LEVELS,
            sort=False,
            textinfo="label+text",
            hovertemplate="<b>%{id}</b><br>%{customdata[2]}<br>%{customdata[0]:,} (%{customdata[1]:.2%})<extra/>",
            marker=_marker(inner, quantity),
            root={"color": "rgba(128, 128, 128, 0.15)"},
            tiling={"pad": 2},
            pathbar={"visible": True},
        )
    )
    figure.update_layout(
        margin={"l": 5, "r": 5, "t": 25, "b": 60}, height=500, uniformtext={"minsize": 9, "mode": "hide"}
    )
    return figure, _words(table, quantity, nodes)


def _marker(inner: list[int | None], quantity: Added) -> dict[str, Any]:
    """Colours, their scale and its legend; None has no colour."""
    return {
        "colors": inner,
        "colorscale": AMOUNT,
        "cmin": 0,
        "cmax": max(filter(None, inner), default=1),
        "line": {"width": 1, "color": EDGE},
        "colorbar": {
            "title": {"text": NAMES[quantity]},
            "orientation": "h",
            "thickness": 10,
            "y": -0.02,
            "yanchor": "top",
        },
    }


def _nodes(table: CostTable, root: str) -> list[tuple[str, Cost, str]]:
    """Address, cost and parent of everything at `root` and inside it, the whole first."""
    above = [*table.level("stages"), *table.level("blocks"), *table.rows, table.total]
    whole = next((cost for cost in above if cost.address == root), None)
    if whole is None:  # a branch, which is no row of its own
        whole = summed(root, "branch", table.level("ops", under=root))
    nodes = [(root, whole, "")]
    known = {root}
    for level in ("stages", "blocks", "ops"):
        for cost in table.level(level, under=root):
            if cost.address in known or not cost.address.startswith(f"{root}/"):
                continue
            parents = ("/".join(cost.address.split("/")[:depth]) for depth in (3, 2))
            nodes.append((cost.address, cost, next((one for one in parents if one in known - {cost.address}), root)))
            known.add(cost.address)
    return nodes


def _label(address: str, root: str) -> str:
    parts = address.split("/")
    if address == root:
        return parts[0] if len(parts) == 1 else "/".join(parts[1:])
    return "/".join(parts[3:]) or parts[-1]


def _words(table: CostTable, quantity: Added, nodes: list[tuple[str, Cost, str]]) -> str:
    root, whole, _ = nodes[0]
    total = whole.of(quantity)
    parts = [(cost.of(quantity), address) for address, cost, parent in nodes if parent == root]
    shares = ", ".join(
        f"{_label(address, root)} {amount(value, quantity)} ({value / total:.1%})"
        for value, address in sorted(parts, key=lambda part: -part[0])[:3]
        if value
    )
    said = f"; the largest of its {len(parts)} parts: {shares}" if shares else ""
    unit = " bytes" if quantity.endswith("bytes") else ""
    return (
        f"Treemap of {NAMES[quantity]} in {root} at {table.size[0]}×{table.size[1]}, one image: {total:,}{unit} in "
        f"all{said}."
    )
