"""What every page shares: its head, the menu, one look, and errors shown as a sentence instead of a traceback.

The menu is our own, drawn by each page: with Streamlit's automatic `pages/` routing a cold link and a warm link then
show the same page (`st.navigation` in `app.py` would not run for a page opened before the home page).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from inception_lab.assets import asset
from inception_lab.errors import LabError
from inception_lab.ui import cache
from inception_lab.ui.widgets import plain
from inception_lab.version import __version__

MENU = (
    ("app.py", "Inception Lab", ":material/home:"),
    ("pages/explore.py", "Explore", ":material/account_tree:"),
    ("pages/train.py", "Train", ":material/monitoring:"),
    ("pages/classify.py", "Classify", ":material/image_search:"),
    ("pages/paper.py", "Paper", ":material/article:"),
)


@contextmanager
def page(title: str, lead: str, *, warm: bool = True) -> Iterator[None]:
    """Head, menu and footer around a page's body; an error of the lab's own becomes one sentence on the page.

    `warm` loads torch in the background; a page that never needs it leaves the processor to the runs.
    """
    st.set_page_config(page_title=f"{title} · Inception Lab", page_icon="🧪", layout="wide")
    st.html(f"<style>{asset('components', 'page.css').read_text(encoding='utf-8')}</style>")
    with st.container(horizontal=True, key="menu", gap="small"):
        for path, label, icon in MENU:
            st.page_link(path, label=label, icon=icon)
    with st.container(gap="xsmall", key="lead"):
        st.title(title, anchor=False)
        st.markdown(lead)
    with sentences():
        yield
    st.caption(f"Inception Lab {__version__} · everything runs on this machine; nothing is sent anywhere.")
    if warm:
        cache.warm()


@contextmanager
def sentences() -> Iterator[None]:
    """Errors of the lab's own as one sentence on the page; a fragment needs it for itself, as it runs alone."""
    try:
        yield
    except LabError as error:
        st.error(plain(error), icon=":material/error:")
