"""Credit at every block as bars: how a node's parts share it, colour for the sign and pattern for the part."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from inception_lab.images.parts import Kind, Node
from inception_lab.readers.layout import AGAINST, FOR

PATTERNS = ("", "/", "x", ".", "-", "+", "|", "\\")  # of the first, second, ... part
SIGNS = (("for", FOR), ("against", AGAINST))
ROW, FRAME = 19, 130  # pixels


def shares(nodes: Sequence[Node], kind: Kind, *, label: str) -> tuple[go.Figure, str]:
    """One line a node of `kind`: its parts from left to right, those against to the left; sizes add up to 100 %.

    `label` names the score. A node whose parts are all 0 has an empty line. Returns the figure and its words.
    """
    those = [node for node in nodes if node.kind == kind]
    places = [node.address.split("/", 1)[1].removesuffix(f"/{kind}") for node in those]
    names = list(dict.fromkeys(part.name for node in those for part in node.parts))
    traces = [
        _bars(those, places, name, sign, colour, PATTERNS[place % len(PATTERNS)])
        for place, name in enumerate(names)
        for sign, colour in SIGNS
    ]
    figure = go.Figure([trace for trace in traces if trace.x])
    figure.add_vline(0, line_width=1)
    figure.update_layout(
        barmode="relative",
        bargap=0.25,
        xaxis={"range": [-105, 105], "ticksuffix": " %", "title": {"text": "share of the parts' sizes, against | for"}},
        yaxis={"autorange": "reversed", "automargin": True, "type": "category", "categoryarray": places},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.01},
        margin={"l": 10, "r": 10, "t": 30, "b": 50},
        height=FRAME + ROW * max(4, len(those)),
    )
    return figure, describe(those, kind, label=label)


def describe(nodes: Sequence[Node], kind: Kind, *, label: str) -> str:
    """The figure in words: who leads in how many nodes, and where a part weighs most against."""
    what = "add" if kind == "add" else "concatenation"
    if not nodes:
        return f"No {what} in this network."
    leads: dict[str, int] = {}
    for node in nodes:
        leading = max(node.parts, key=lambda part: abs(part.credit)).name
        leads[leading] = leads.get(leading, 0) + 1
    said = ", ".join(f"{name} in {count}" for name, count in sorted(leads.items(), key=lambda one: -one[1]))
    against = [(node.share(part), part.name, node.address) for node in nodes for part in node.parts if part.credit < 0]
    worst = ""
    if against:
        share, name, address = min(against)
        worst = f" Most against it: {name} of {address.split('/', 1)[1]}, {-share:.0%} of that node's sizes."
    return f"Credit for {label} at {len(nodes)} {what}{'s' * (len(nodes) > 1)}. The largest part is {said}.{worst}"


def _bars(nodes: Sequence[Node], places: Sequence[str], name: str, sign: str, colour: str, pattern: str) -> go.Bar:
    """One part's bars of one sign; only the lines it has."""
    found = [
        (place, 100 * node.share(part), part.credit)
        for place, node in zip(places, nodes, strict=True)
        for part in node.parts
        if part.name == name and part.credit and (part.credit > 0) == (sign == "for")
    ]
    return go.Bar(
        name=f"{name}, {sign}",
        x=[share for _, share, _ in found],
        y=[place for place, _, _ in found],
        customdata=[credit for _, _, credit in found],
        orientation="h",
        marker={
            "color": colour,
            "line": {"color": colour, "width": 1},
            "pattern": {"shape": pattern, "fillmode": "replace", "solidity": 0.4},
        },
        hovertemplate="%{y}: %{customdata:+.3g} logits, %{x:+.1f} %<extra>" + f"{name}, {sign}" + "</extra>",
    )
