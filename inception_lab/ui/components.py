"""The two components of our own: a drawing whose nodes can be picked, and a live plot that keeps its zoom.

Both are a few lines of JavaScript in `assets/components`, mounted without an iframe and without a build step.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from inception_lab.assets import asset
from inception_lab.errors import LabError

_DRAWING = """<div class="tools" role="group" aria-label="Zoom"><span class="hint">drag sideways to see all</span>
<button class="smaller" aria-label="Smaller">−</button><button class="fit">fit</button>
<button class="larger" aria-label="Larger">+</button></div><div class="frame"><div class="stage"></div></div>"""


@cache
def _component(name: str, html: str) -> Any:
    style = asset("components", f"{name}.css")
    return st.components.v2.component(
        f"inception_lab.{name}",
        html=html,
        css=style.read_text(encoding="utf-8") if style.exists() else None,
        js=asset("components", f"{name}.js").read_text(encoding="utf-8"),
        isolate_styles=False,
    )


def drawing(
    svg: str, *, alt: str, key: str, selected: str = "", on_pick: Callable[[str], None], on_up: Callable[[], None]
) -> None:
    """An SVG of ours; a clicked or entered node calls `on_pick(address)` before the next run, Escape `on_up()`."""

    def picked() -> None:
        if address := st.session_state[key].get("pick"):
            on_pick(str(address))

    _component("svg_view", _DRAWING)(
        key=key,
        data={"svg": svg, "alt": alt, "selected": selected},
        on_pick_change=picked,
        on_up_change=on_up,
    )


def live_plot(figure: Any, *, alt: str, key: str, height: int = 360) -> None:
    """A Plotly figure that stays zoomed while its data grows (`st.plotly_chart` is rebuilt whenever data change)."""
    publish_plotly()
    data = {"figure": figure.to_plotly_json(), "alt": alt, "height": height, "name": key}
    _component("live_plot", '<div class="plot"></div>')(key=key, data=data)


@cache
def publish_plotly() -> None:
    """Put the plotly.js of the installed plotly package into the folder the server serves as `app/static`."""
    import plotly

    source = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    target = Path(__file__).parents[2] / "static" / source.name
    if target.exists() and target.stat().st_size == source.stat().st_size:
        return
    draft = target.with_name(f".{target.name}.{os.getpid()}")  # two first sessions may meet here
    try:
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(source, draft)
        draft.replace(target)
    except OSError as error:
        raise LabError(
            f"{target.parent} cannot be written ({error.strerror}), so live plots cannot be drawn. "
            "Make it writable for the one who starts the app, once."
        ) from None
