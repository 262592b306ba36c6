"""What stands under every view: the table twin, the exports, and the Python that makes the view again."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    import pandas
    from streamlit.delta_generator import DeltaGenerator

    from inception_lab.readers.graph import Graph

LONG = 500  # rows that are sent only when asked for: what is folded away is sent all the same
HEADER = "import inception_lab as lab\n"


def code(snippet: str, *, name: str) -> None:
    """The few lines that remake this view, as a script and as a notebook."""
    source = f"{HEADER}\n{snippet.strip()}\n"
    with st.expander("Python for this view", icon=":material/code:"):
        st.code(source, language="python")
        with st.container(horizontal=True):
            download(".py", lambda: source, f"{name}.py", "text/x-python")
            download(".ipynb", lambda: notebook(source), f"{name}.ipynb", "application/x-ipynb+json")


def table(frame: pandas.DataFrame, *, name: str, title: str = "As a table", alt: str = "") -> None:
    """The table twin of a figure, folded away, with its CSV."""
    with st.expander(title, icon=":material/table:"):
        if len(frame) <= LONG or st.toggle(f"Show all {len(frame):,} rows", key=f"rows-{name}"):
            whole = {name: st.column_config.NumberColumn(format="localized") for name in frame.select_dtypes("int")}
            st.dataframe(frame, hide_index=True, alt=alt or title, column_config=whole)
        download("CSV", lambda: frame.to_csv(index=False), f"{name}.csv", "text/csv")


def exports(drawing: Graph, *, name: str) -> None:
    """A drawing as SVG, PNG, DOT and a page that opens offline; made when asked for, not before."""
    with st.popover("Export", icon=":material/download:"):
        kinds = (
            ("SVG", drawing.svg, "svg", "image/svg+xml"),
            ("PNG", drawing.png, "png", "image/png"),
            ("HTML", drawing.html, "html", "text/html"),
            ("DOT", lambda: drawing.dot, "dot", "text/vnd.graphviz"),
        )
        for label, make, suffix, mime in kinds:
            download(label, make, f"{name}.{suffix}", mime)


def download(label: str, make: Callable[[], str | bytes], file: str, mime: str) -> None:
    """A button for a file that is made when it is asked for: a live page redraws faster than a file's link lives."""
    st.download_button(label, make, file, mime, key=f"download-{file}", on_click="ignore")


def meter(bar: DeltaGenerator, *, unit: int = 1, word: str = "") -> Callable[[int, int], None]:
    """A progress callback (done, in all) that moves a progress bar and says the numbers in `unit`s."""

    def show(done: int, of: int) -> None:
        bar.progress(min(1.0, done / max(of, 1)), f"{done // unit} of {of // unit} {word}")

    return show


def notebook(source: str) -> str:
    """A notebook of one cell (nbformat 4.5)."""
    cell: dict[str, Any] = {
        "cell_type": "code",
        "execution_count": None,
        "id": "view",
        "metadata": {},
        "outputs": [],
        "source": source.splitlines(keepends=True),
    }
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1)
