"""What each residual block is worth: bars of the fall of a class's logit and probability, the worst block first."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from inception_lab.images.parts import Damage, Damaged
from inception_lab.readers.layout import AGAINST, FOR

ROW, FRAME = 19, 130  # pixels
GROUPS = (
    ("falls, same first choice", FOR, "", False, True),
    ("falls, another first choice", FOR, "x", True, True),
    ("rises, same first choice", AGAINST, "/", False, False),
    ("rises, another first choice", AGAINST, "+", True, False),
)


def ranked(found: Damage) -> tuple[go.Figure, str]:
    """Falls to the right, rises to the left; purple where the block spoke for the class, orange where against, and a
    pattern where the network's first choice changes. Returns the figure and its words."""
    rows = found.ranked()
    figure = make_subplots(cols=2, shared_yaxes=True, horizontal_spacing=0.05)
    for name, colour, pattern, changed, falls in GROUPS:
        those = [row for row in rows if row.changed == changed and (row.logit_fall >= 0) == falls]
        if those:
            logit = _bars(those, [row.logit_fall for row in those], name, colour, pattern)
            chance = _bars(those, [100 * row.fall for row in those], name, colour, pattern, legend=False)
            figure.add_trace(logit, row=1, col=1)
            figure.add_trace(chance, row=1, col=2)
    figure.update_xaxes(title="fall, logits", row=1, col=1)
    figure.update_xaxes(title="fall, % points", row=1, col=2)
    order = [_place(row) for row in rows]
    figure.update_yaxes(
        categoryorder="array", categoryarray=order, autorange="reversed", automargin=True, type="category"
    )
    figure.update_layout(
        barmode="overlay",
        bargap=0.25,
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02},
        margin={"l": 10, "r": 10, "t": 30, "b": 50},
        height=FRAME + ROW * max(4, len(rows)),
    )
    return figure, describe(found)


def describe(found: Damage) -> str:
    """The figure in words."""
    rows = found.ranked()
    worst, least = rows[0], rows[-1]
    to = f"{found.scale:g} times its own" if found.relative else f"{found.scale:g}"
    changed = sum(row.changed for row in rows)
    last = "gains most" if least.logit_fall < 0 else "least"
    return (
        f"Each of {len(rows)} residual blocks of {found.network} by itself at scale {to}: {found.label} loses most "
        f"with {_place(worst)} ({worst.logit_fall:+.2f} logits, {100 * worst.fall:+.1f} points), "
        f"{last} with {_place(least)} ({least.logit_fall:+.2f}). "
        f"The first choice changes for {changed} of {len(rows)}."
    )


def _bars(
    rows: Sequence[Damaged], values: Sequence[float], name: str, colour: str, pattern: str, *, legend: bool = True
) -> go.Bar:
    return go.Bar(
        name=name,
        legendgroup=name,
        showlegend=legend,
        x=list(values),
        y=[_place(row) for row in rows],
        orientation="h",
        marker={
            "color": colour,
            "line": {"color": colour, "width": 1},
            "pattern": {"shape": pattern, "fillmode": "replace", "solidity": 0.4},
        },
        customdata=[f"then {row.label} {row.probability:.1%}" for row in rows],
        hovertemplate="%{y}: %{x:+.3g}, %{customdata}<extra></extra>",
    )


def _place(row: Damaged) -> str:
    return row.address.split("/", 1)[1]
