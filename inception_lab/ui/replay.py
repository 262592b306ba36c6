"""One run, block by block: the drawing of its network and a heatmap, filled alike, with a step to scrub and replay."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from inception_lab.figures.colours import AMOUNT, SIGNED, ramp
from inception_lab.figures.heatmap import TITLES, Cells, Quantity, cells
from inception_lab.figures.trunk import trunk
from inception_lab.ui import components, drawer
from inception_lab.ui.runs import Arm

_HTML = """<div class="replay" role="group" tabindex="-1"><p class="nothing"></p>
<div class="legend"><span class="title"></span><span class="low"></span><span class="bar" aria-hidden="true"></span>
<span class="high"></span><span class="notes"></span></div>
<div class="both"><div class="trunk" role="group" aria-label="Residual blocks from stem to head"></div>
<div class="heat"><canvas tabindex="0" role="img" aria-label="Heatmap of blocks and steps; arrow keys move"></canvas>
</div></div>
<div class="controls"><span class="where"></span>
<button type="button" class="back" aria-label="One step back">◀▏</button><button type="button" class="play"></button>
<button type="button" class="forth" aria-label="One step forward">▕▶</button>
<input type="range" min="0" step="1" aria-label="Step">
<button type="button" class="newest">newest</button><button type="button" class="slow"></button></div></div>"""


def replay(
    arm: Arm, quantity: Quantity, *, key: str = "replay", on_slow: Callable[[int, int], None] | None = None
) -> None:
    """The two linked pictures of `arm`; the step follows the newest until somebody scrubs.

    All of it goes on in the browser, but for slow motion: `on_slow(step, place of the block)` is called before the
    next run.
    """
    found = cells(arm.addresses, arm.steps, quantity=quantity)
    data = {
        **components.wire(key).send({f"{quantity} steps": found.steps, f"{quantity} cells": found.values.ravel()}),
        **_words(found),
        "run": arm.name,
        "quantity": quantity,
        "names": found.names,
        "rows": [{"title": row.title, "blocks": row.blocks} for row in trunk(arm.settings.net(), found.names)],
        "slow": on_slow is not None,
    }

    def slow() -> None:
        asked = st.session_state[key].get("slow")
        if on_slow and asked:
            on_slow(int(asked["step"]), int(asked["block"]))

    component = components.component("replay", _HTML, before=("wire",))
    component(key=key, data=data, on_resync_change=components.resync(key), on_slow_change=slow)


def table(arm: Arm, quantity: Quantity) -> None:
    """The table twin: a row for each measured step, a column for each block."""
    found = cells(arm.addresses, arm.steps, quantity=quantity)
    frame = pd.DataFrame(found.values, columns=list(found.names))
    frame.insert(0, "step", found.steps)
    drawer.table(frame, name=f"blocks-{quantity}", title="These numbers as a table", alt=found.words)


def _words(found: Cells) -> dict[str, object]:
    ends = (found.low, found.high) if found.kind != "log" else (10**found.low, 10**found.high)
    notes = [
        "logarithmic" * (found.kind == "log"),
        "▲ NaN or infinite" * bool(found.odd.any()),
        "○ exactly zero" * bool(found.none.any()),
    ]
    return {
        "alt": found.words,
        "words": found.words,
        "title": TITLES[found.quantity],
        "kind": found.kind,
        "low": found.low,
        "high": found.high,
        "ends": [f"{end:.3g}" for end in ends],
        "ramp": ramp(SIGNED if found.kind == "signed" else AMOUNT),
        "notes": " · ".join(note for note in notes if note),
    }
