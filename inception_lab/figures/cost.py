"""Costs as bars: the shares of every stage side by side, or one cost of stages, blocks or ops one under the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from inception_lab.readers.cost import NAMES, Cost, Quantity, amount
from inception_lab.readers.table import ShapeTable

PARAMETERS, WORK, MEMORY = "#c4661f", "#3f8fc5", "#7d78c9"
COLOURS: dict[Quantity, str] = {  # white is read on them, and they are seen on the light page and on the dark
    "parameters": "#a8531a",
    "multiply_adds": "#2f74a3",
    "output_bytes": "#6560b5",
    "live_bytes": "#0e7680",
    "kept_bytes": "#75652f",
}
MOST = 40  # bars that can be told apart; the table has all


def stage_bars(table: ShapeTable) -> tuple[go.Figure, str]:
    """Share of parameters, multiply-adds and activation memory per stage, and the figure in words."""
    stages = table.stages()
    names = [total.address.split("/", 1)[1] for total in stages]
    series = (
        ("parameters", PARAMETERS, [total.parameters for total in stages], table.parameters),
        ("multiply-adds", WORK, [total.multiply_adds for total in stages], table.multiply_adds),
        ("activation memory", MEMORY, [total.activation_bytes for total in stages], table.activation_bytes),
    )
    figure = go.Figure(
        [
            go.Bar(
                name=name,
                x=names,
                y=[100 * value / whole for value in values],
                customdata=values,
                marker_color=colour,
                hovertemplate="%{x}: %{y:.1f} % (%{customdata:,})<extra>" + name + "</extra>",
            )
            for name, colour, values, whole in series
        ]
    )
    figure.update_layout(
        barmode="group",
        yaxis_title="share of the network, %",
        legend={"orientation": "h", "y": 1.15},
        margin={"l": 50, "r": 10, "t": 30, "b": 40},
        height=320,
    )
    dearest = max(stages, key=lambda total: total.multiply_adds)
    alt = (
        f"Bars of cost per stage of {table.network}: {table.parameters:,} parameters and {table.multiply_adds:,} "
        f"multiply-adds in all; {dearest.address.split('/', 1)[1]} costs most, {dearest.multiply_adds:,} multiply-adds."
    )
    return figure, alt


def bars(costs: Sequence[Cost], quantity: Quantity, whole: Cost, *, selected: str = "") -> tuple[go.Figure, str]:
    """One bar for each of `costs` with its amount and its share of `whole`, and the figure in words.

    Up to `MOST` stand in their order in the network; of more, the dearest, the dearest on top. The bar that holds the
    address `selected` has a thick edge. A bar's `customdata` begins with its address.
    """
    dearest = sorted(costs, key=lambda cost: -cost.of(quantity))
    shown = list(costs) if len(costs) <= MOST else dearest[:MOST]
    of = whole.of(quantity) or 1
    names = [_short(cost.address, whole.address) for cost in shown]
    held = [bool(selected) and f"{selected}/".startswith(f"{cost.address}/") for cost in shown]
    figure = go.Figure(
        go.Bar(
            name=NAMES[quantity],
            orientation="h",
            x=[cost.of(quantity) for cost in shown],
            y=list(range(len(shown))),
            text=[
                f" {names[n]}  <b>{amount(c.of(quantity), quantity)}</b>, {c.of(quantity) / of:.1%}"
                for n, c in enumerate(shown)
            ],
            textposition=["inside" if c.of(quantity) > 0.5 * dearest[0].of(quantity) else "outside" for c in shown],
            insidetextanchor="start",
            insidetextfont={"color": "#ffffff"},
            cliponaxis=False,
            customdata=[[cost.address, cost.label, cost.of(quantity)] for cost in shown],
            marker={
                "color": COLOURS[quantity],
                "line": {"width": [3 if one else 0 for one in held], "color": "#808080"},
            },
            hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]}<br>%{customdata[2]:,}<extra></extra>",
            showlegend=True,
            unselected={"marker": {"opacity": 1}},
        )
    )
    figure.update_layout(**_layout(len(shown), quantity))
    return figure, _told(costs, dearest, quantity, whole)


def _layout(count: int, quantity: Quantity) -> dict[str, Any]:
    return {
        "xaxis": {"rangemode": "tozero", "title": {"text": _axis(quantity)}},
        "yaxis": {"autorange": "reversed", "visible": False},
        "legend": {"orientation": "h", "yanchor": "bottom", "y": 1.0},
        "margin": {"l": 5, "r": 10, "t": 30, "b": 45},
        "height": 110 + 26 * count,
        "bargap": 0.15,
    }


def _short(address: str, whole: str) -> str:
    """An address without what all bars share."""
    return address.removeprefix(f"{whole}/") if address != whole else address.rsplit("/", 1)[-1]


def _axis(quantity: Quantity) -> str:
    return f"{NAMES[quantity]}, bytes" if quantity.endswith("bytes") else NAMES[quantity]


def _told(costs: Sequence[Cost], dearest: Sequence[Cost], quantity: Quantity, whole: Cost) -> str:
    first = ", ".join(f"{_short(cost.address, whole.address)} {cost.of(quantity):,}" for cost in dearest[:3])
    cut = f" The {MOST} dearest of {len(costs)} are drawn." if len(costs) > MOST else ""
    return (
        f"Bars of {NAMES[quantity]} in {whole.address}, {whole.of(quantity):,}"
        f"{' bytes' if quantity.endswith('bytes') else ''} in all. The dearest: {first}.{cut}"
    )
