"""The parts of the home page: the doors, one real picture, what this machine offers."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version

import streamlit as st

from inception_lab.ui import cache, train

DOORS = (
    ("pages/explore.py", "Explore", ":material/account_tree:",
     "Open a block of Inception-ResNet-v2: its branches, every tensor's shape, its cost, the PyTorch that runs it."),
    ("pages/train.py", "Train", ":material/monitoring:",
     "Start a short run in which an unscaled residual network most likely dies and a scaled one learns."),
    ("pages/classify.py", "Classify", ":material/image_search:",
     "Give a photograph to a network, read its five guesses, see which pixels they came from."),
    ("pages/paper.py", "Paper", ":material/article:",
     "What the paper claims, prints and contradicts, beside the code that was released."),
)  # fmt: skip


def doors() -> None:
    """One card per page."""
    for column, (path, title, icon, text) in zip(st.columns(len(DOORS)), DOORS, strict=True):
        with column, st.container(border=True, height="stretch"):
            st.page_link(path, label=f"**{title}**", icon=icon)
            st.markdown(text)


def headline() -> None:
    """The result the lab is about, from the runs that ship with it."""
    st.subheader("The claim in one picture", anchor=False)
    st.markdown(
        "Each curve is the share of zeros that a network hands to its last pooling while it trains. Without scaling "
        "(1.0) nearly all of it turns to zero within twenty steps, where it says ✕ for good, and learning is all but "
        "over; the smaller the scale, the more stays alive."
    )
    train.reference_picture(key="home-reference")


def machine() -> None:
    """What will run here, and how fast to expect it; nothing that needs torch to be loaded."""
    st.subheader("This machine", anchor=False)
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "timm", "captum", "streamlit"))
    st.markdown(
        f"- **Processor**: {os.cpu_count()} cores ({platform.machine()}); a `micro` run takes about half a minute.\n"
        f"- **Runs** are kept under `{cache.store().home}` and survive a restart of the app.\n"
        f"- **Software**: Python {platform.python_version()}, {versions}."
    )
    known = cache.accelerator() is not None
    st.fragment(_accelerator, run_every=None if known else 1.0)(known)


def _accelerator(known: bool) -> None:
    """The accelerator, as soon as torch is loaded and can say."""
    found = cache.accelerator()
    st.markdown(f"- **Accelerator**: {found or 'looking…'}")
    if found and not known:
        st.rerun()  # once, so that the looking ends
