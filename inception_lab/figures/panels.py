"""Where the panels of several metrics stand: one above the other, over one axis of steps."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

ONE, EACH, EDGES = 360, 190, 100
GAP = 46  # pixels between two panels, with room for a title


def height(count: int) -> int:
    """Pixels that so many panels need."""
    return ONE + 60 if count < 2 else EACH * count + GAP * (count - 1) + EDGES


def axes(place: int, count: int) -> dict[str, str]:
    """The axes of the traces in a panel, counted from the top."""
    return {"xaxis": "x", "yaxis": _axis(place)}


def over(place: int, trace: Mapping[str, Any]) -> dict[str, str]:
    """The axis from 0 to 1 over a panel, for marks at its top edge."""
    return {"yaxis": f"y{place + 21}"} if trace["name"] == "NaN or infinite" else {}


def layout(titles: Mapping[Any, str], *, log: Collection[str], share: Collection[str]) -> dict[str, Any]:
    """The layout for the metrics in `titles`, from the top; zoom and hidden arms stay as long as those do."""
    count = len(titles)
    free = height(count) - EDGES
    part = 1.0 if count < 2 else EACH / free
    found: dict[str, Any] = {
        "xaxis": {"title": {"text": "step"}, "rangemode": "tozero", "anchor": _axis(count - 1)},
        "legend": {"orientation": "h", "yanchor": "bottom", "y": 1.02 if count < 2 else 1 + 24 / free},
        "margin": {"l": 60, "r": 10, "t": 10 if count < 2 else 30, "b": 45},
        "hovermode": "closest",
        "uirevision": " ".join(titles),
    }
    for place, (metric, title) in enumerate(titles.items()):
        top = 1 - place * (part + GAP / free) if count > 1 else 1.0
        domain = [max(0.0, round(top - part, 4)), round(top, 4)]
        axis: dict[str, Any] = {"domain": domain, "anchor": "x", "type": "log" if metric in log else "linear"}
        if metric in share:
            axis["range"] = [-0.02, 1.04]
        if count < 2:
            axis["title"] = {"text": title}
        found[f"yaxis{place + 1 if place else ''}"] = axis
        hidden = {"overlaying": _axis(place), "range": [0, 1], "visible": False, "fixedrange": True, "anchor": "x"}
        found[f"yaxis{place + 21}"] = hidden
    if count > 1:
        found["annotations"] = [
            {
                "text": title,
                "x": 0,
                "y": found[f"yaxis{place + 1 if place else ''}"]["domain"][1],
                "xref": "paper",
                "yref": "paper",
                "xanchor": "left",
                "yanchor": "bottom",
                "showarrow": False,
            }
            for place, title in enumerate(titles.values())
        ]
    return found


def _axis(place: int) -> str:
    return f"y{place + 1}" if place else "y"
