"""Cost per stage as bars: parameters and multiply-adds side by side, each as a share of the network's."""

from __future__ import annotations

import plotly.graph_objects as go

from inception_lab.readers.table import ShapeTable

PARAMETERS, WORK, MEMORY = "#c4661f", "#3f8fc5", "#7d78c9"


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
