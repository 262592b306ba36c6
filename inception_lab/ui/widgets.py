"""Widgets whose value is in the link under its own word, not under the text shown for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

import streamlit as st


def plain(text: object) -> str:
    """Text from outside (a file's name, a link) for places that read Markdown: every mark of it is escaped."""
    return re.sub(r"([\\`*_{}\[\]()#+.!|<>$~:-])", r"\\\1", str(text))


def linked(label: str, options: Mapping[str, str], *, key: str) -> str:
    """A selectbox over `options` (word to shown text), kept in the link as `?key=word`; the first is the default.

    A link with a word that is not among them is told so, and the default is shown.
    """
    _follow(options, key)
    return _write(
        str(st.selectbox(label, list(options), key=key, format_func=lambda word: options[word])), options, key
    )


def linked_segments(
    label: str,
    options: Mapping[str, str],
    *,
    key: str,
    label_visibility: Literal["visible", "hidden", "collapsed"] = "visible",
) -> str:
    """The same as a row of segments, for a few short words.

    A browser that came back after an interruption may say that none is picked; then the link has what was.
    """
    if key in st.session_state and st.session_state[key] not in options:
        del st.session_state[key]
    _follow(options, key)
    default = None if key in st.session_state else next(iter(options))
    chosen = st.segmented_control(
        label,
        list(options),
        default=default,
        key=key,
        format_func=lambda word: options[word],
        required=True,
        label_visibility=label_visibility,
    )
    return _write(str(chosen), options, key)


def linked_number(label: str, *, low: int, high: int, usual: int, key: str, help: str) -> int:
    """A whole number from `low` to `high`, kept in the link as `?key=n`; a link with anything else is told so.

    Streamlit's own binding stumbles over an infinite number in the link.
    """
    wanted = st.query_params.get(key)
    if key not in st.session_state:
        found = _number(key, low, high)
        st.session_state[key] = usual if found is None else found
    value = int(st.number_input(label, low, high, key=key, help=help))
    if value != usual:
        st.query_params[key] = str(value)
    elif wanted is not None:
        st.query_params.pop(key)
    return value


def handed_over(key: str, *, low: int, high: int) -> int | None:
    """What `linked_number` has under the key, taken out of session and link, for a page that keeps it itself."""
    found = st.session_state.pop(key) if key in st.session_state else _number(key, low, high)
    st.query_params.pop(key, None)
    return None if found is None else int(found)


def _number(key: str, low: int, high: int) -> int | None:
    """The whole number that the link has for a key; None, with a word, for anything else."""
    wanted = st.query_params.get(key)
    if wanted is None or (wanted.isascii() and wanted.isdigit() and low <= int(wanted[:9]) <= high):
        return None if wanted is None else int(wanted[:9])
    st.warning(
        f"The link asks for {key} '{plain(wanted[:40])}'; it is a whole number from {low} to {high}.",
        icon=":material/link_off:",
    )
    return None


def linked_now(options: Mapping[str, str], *, key: str) -> str:
    """The word that `linked` or `linked_segments` will have, for what stands above it on the page."""
    words = (st.session_state.get(key), st.query_params.get(key))
    return next((str(word) for word in words if word in options), next(iter(options)))


def _follow(options: Mapping[str, str], key: str) -> None:
    wanted = st.query_params.get(key)
    if key in st.session_state or wanted is None:
        return
    if wanted in options:
        st.session_state[key] = wanted
    else:
        st.warning(
            f"The link asks for {key} '{plain(wanted[:40])}'; there is {', '.join(options)}.",
            icon=":material/link_off:",
        )


def _write(value: str, options: Mapping[str, str], key: str) -> str:
    """`value`, after it has been written into the link; the default is left out of it."""
    if value != next(iter(options)):
        st.query_params[key] = value
    elif key in st.query_params:
        st.query_params.pop(key)
    return value
