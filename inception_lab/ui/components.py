"""The components of our own: a drawing whose nodes can be picked, and a live plot that keeps its zoom.

Each is a few lines of JavaScript in `assets/components`, mounted without an iframe and without a build step.
"""

from __future__ import annotations

import base64
import gzip
import os
import shutil
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from inception_lab.assets import asset
from inception_lab.errors import LabError
from inception_lab.figures.wire import Wire
from inception_lab.readers.page import VIEWER

if TYPE_CHECKING:
    import plotly.graph_objects as go

_MUCH = 100_000  # characters of a drawing from which it is sent packed


@cache
def component(name: str, html: str, *, before: tuple[str, ...] = ()) -> Any:
    """The component in `assets/components/NAME.js` and `.css`, behind the scripts `before` in one module."""
    style = asset("components", f"{name}.css")
    return st.components.v2.component(
        f"inception_lab.{name}",
        html=html,
        css=style.read_text(encoding="utf-8") if style.exists() else None,
        js="\n".join(asset("components", f"{part}.js").read_text(encoding="utf-8") for part in (*before, name)),
        isolate_styles=False,
    )


def wire(key: str) -> Wire:
    """What this session's browser has of the component `key`."""
    kept: Wire = st.session_state.setdefault(f"wire {key}", Wire())
    return kept


def resync(key: str) -> Callable[[], None]:
    """What to do when the browser says that it lacks the base of a message: send all of it next time."""
    return lambda: st.session_state.update({f"wire {key}": Wire()})


def drawing(
    svg: str,
    *,
    alt: str,
    key: str,
    selected: str = "",
    follow: bool = False,
    on_pick: Callable[[str], None],
    on_up: Callable[[], None],
) -> None:
    """An SVG of ours; a clicked or entered node calls `on_pick(address)` before the next run, Escape `on_up()`.

    With `follow` it comes into sight after a box of another drawing was picked.
    """

    def picked() -> None:
        if address := st.session_state[key].get("pick"):
            on_pick(str(address))

    drawn = {"svg": svg} if len(svg) < _MUCH else {"packed": _packed(svg)}
    component("svg_view", VIEWER.replace("{svg}", ""))(
        key=key,
        data={**drawn, "alt": alt, "selected": selected, "follow": follow},
        on_pick_change=picked,
        on_up_change=on_up,
    )


@lru_cache(maxsize=16)
def _packed(svg: str) -> str:
    """gzip in base64: a twelfth of what a large drawing takes."""
    return base64.b64encode(gzip.compress(svg.encode(), mtime=0)).decode()


def live_plot(
    figure: go.Figure | Mapping[str, Any], *, alt: str, key: str, height: int = 360, name: str | None = None
) -> None:
    """A Plotly figure that stays zoomed while its data grows (`st.plotly_chart` is rebuilt whenever data change).

    A line that grew since the last time is sent as its new points only. `name` is that of a saved image's file.
    """
    publish_plotly()
    drawn = figure if isinstance(figure, Mapping) else _plain(figure)
    data = {**wire(key).figure(drawn), "alt": alt, "height": height, "name": name or key}
    component("live_plot", '<div class="plot"></div>', before=("wire",))(
        key=key, data=data, on_resync_change=resync(key)
    )


def _plain(figure: go.Figure) -> dict[str, Any]:
    return {"data": [one.to_plotly_json() for one in figure.data], "layout": figure.layout.to_plotly_json()}


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
