"""Crops drawn on the photograph they are cut from, and how far their opinions agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
from plotly.colors import sample_colorscale

from inception_lab.figures.colours import AMOUNT

HALO = "rgba(255, 255, 255, 0.55)"
MEAN = "rgb(128, 128, 128)"


@dataclass(frozen=True, slots=True)
class Crop:
    """A rectangle in the photograph's pixels, from its top left corner; `scale` is the shorter side it was cut at."""

    left: float
    top: float
    right: float
    bottom: float
    mirrored: bool
    scale: int
    said: str = ""


def on_photo(source: str, size: tuple[int, int], crops: Sequence[Crop]) -> tuple[go.Figure, str]:
    """The boxes over the picture at `source` (a data or web address), whose width and height are `size`.

    One colour and one entry in the legend per scale; a box and its mirror image are one line.
    """
    width, height = size
    figure = go.Figure()
    figure.add_layout_image(
        source=source, x=0, y=0, xref="x", yref="y", sizex=width, sizey=height, sizing="stretch", layer="below"
    )
    colours = _colours(crops)
    for scale, colour in colours.items():
        _boxes(figure, [crop for crop in crops if crop.scale == scale], colour)
    figure.update_layout(
        xaxis={"range": [-0.01 * width, 1.01 * width], "visible": False},
        yaxis={"range": [1.01 * height, -0.01 * height], "visible": False, "scaleanchor": "x"},
        legend={"orientation": "h", "yanchor": "top", "y": -0.02, "x": 0},
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        height=360,
        plot_bgcolor="rgba(0, 0, 0, 0)",
    )
    mirrored = sum(crop.mirrored for crop in crops)
    sides = ", ".join(map(str, colours))
    word = "crops" if len(crops) > 1 else "crop"
    return figure, (
        f"{len(crops)} {word} on a photograph of {width}×{height} pixels, {mirrored} of them mirrored, cut at a "
        f"shorter side of {sides}."
    )


def _boxes(figure: go.Figure, crops: Sequence[Crop], colour: str) -> None:
    """The crops of one scale as one line, with a light edge, so that dark lines show on dark pictures."""
    x: list[float | None] = []
    y: list[float | None] = []
    for crop in _different(crops):
        x += [crop.left, crop.right, crop.right, crop.left, crop.left, None]
        y += [crop.top, crop.top, crop.bottom, crop.bottom, crop.top, None]
    figure.add_scatter(x=x, y=y, mode="lines", line={"color": HALO, "width": 4}, hoverinfo="skip", showlegend=False)
    figure.add_scatter(
        x=x,
        y=y,
        mode="lines",
        line={"color": colour, "width": 2},
        name=f"shorter side {crops[0].scale}: {len(crops)} crop{'s' if len(crops) > 1 else ''}",
        hoverinfo="skip",
        showlegend=True,
    )


def agreement(
    labels: Sequence[str], means: Sequence[float], votes: Sequence[Sequence[float]], crops: Sequence[Crop]
) -> tuple[go.Figure, str]:
    """For each of the best classes one dot per crop at the probability that the crop gave it, and the average.

    `votes` (crops, classes) and `means` are probabilities from 0 to 1. Dots are spread downwards in the crops' order so
    that none hides another, and coloured by scale as `on_photo` draws them.
    """
    figure = go.Figure()
    _dots(figure, labels, votes, crops)
    figure.add_scatter(
        x=list(means),
        y=list(range(len(labels))),
        mode="markers",
        marker={"symbol": "line-ns", "size": 30, "line": {"width": 3, "color": MEAN}},
        name="average of all crops",
        customdata=list(labels),
        hovertemplate="%{customdata}, average: %{x:.4f}<extra></extra>",
    )
    figure.update_layout(
        xaxis={"range": [-0.02, 1.02], "tickformat": ".0%", "title": {"text": "probability (softmax)"}},
        yaxis={
            "tickvals": list(range(len(labels))),
            "ticktext": list(labels),
            "range": [len(labels) - 0.5, -0.5],
            "automargin": True,
        },
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0},
        margin={"l": 10, "r": 10, "t": 10, "b": 45},
        height=130 + 60 * len(labels),
    )
    said = "; ".join(
        f"{label} from {min(row):.1%} to {max(row):.1%}, average {mean:.1%}"
        for label, mean, row in zip(labels, means, zip(*votes, strict=True), strict=True)
    )
    return figure, f"What {len(crops)} crops say: {said}."


def _dots(figure: go.Figure, labels: Sequence[str], votes: Sequence[Sequence[float]], crops: Sequence[Crop]) -> None:
    """One dot for each crop and class, coloured by scale."""
    for scale, colour in _colours(crops).items():
        mine = [number for number, crop in enumerate(crops) if crop.scale == scale]
        figure.add_scatter(
            x=[votes[number][place] for place in range(len(labels)) for number in mine],
            y=[place + _spread(number, len(crops)) for place in range(len(labels)) for number in mine],
            customdata=[
                _words(number, crops[number], labels[place]) for place in range(len(labels)) for number in mine
            ],
            mode="markers",
            marker={"color": colour, "size": 6, "opacity": 0.75},
            name=f"a crop, shorter side {scale}",
            hovertemplate="%{customdata}: %{x:.4f}<extra></extra>",
        )


def _colours(crops: Sequence[Crop]) -> dict[int, str]:
    """A colour for each scale, small to large, from the middle of the map: its ends vanish on a dark or light page."""
    found = sorted({crop.scale for crop in crops})
    places = [0.25 + 0.6 * number / (len(found) - 1) for number in range(len(found))] if len(found) > 1 else [0.8]
    return dict(zip(found, sample_colorscale(AMOUNT, places), strict=True))


def _different(crops: Sequence[Crop]) -> list[Crop]:
    return list({(crop.left, crop.top, crop.right, crop.bottom): crop for crop in crops}.values())


def _spread(number: int, total: int) -> float:
    return 0.0 if total == 1 else -0.3 + 0.6 * number / (total - 1)


def _words(number: int, crop: Crop, label: str) -> str:
    mirrored = ", mirrored" if crop.mirrored else ""
    first = f"; first choice {crop.said}" if crop.said else ""
    return f"crop {number + 1}{mirrored}, {label}{first}"
