"""Widgets whose value is in the link under its own word, not under the text shown for it."""

from __future__ import annotations

import re
from collections.abc import Mapping

import streamlit as st


def plain(text: object) -> str:
    """Text from outside (a file's name, a link) for places that read Markdown: every mark of it is escaped."""
    return re.sub(r"([\\`*_{}\[\]()#+.!|<>$~:-])", r"\\\1", str(text))


def linked(label: str, options: Mapping[str, str], *, key: str) -> str:
    """A selectbox over `options` (word to shown text), kept in the link as `?key=word`; the first is the default.

    A link with a word that is not among them is told so, and the default is shown.
    """
    wanted = st.query_params.get(key)
    if key not in st.session_state and wanted is not None:
        if wanted in options:
            st.session_state[key] = wanted
        else:
            st.warning(
                f"The link asks for {key} '{plain(wanted)}'; there is {', '.join(options)}.", icon=":material/link_off:"
            )
    value = str(st.selectbox(label, list(options), key=key, format_func=lambda word: options[word]))
    if value != next(iter(options)):
        st.query_params[key] = value
    elif wanted is not None:
        st.query_params.pop(key)
    return value
