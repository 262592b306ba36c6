"""Several words of a link at once, beside `widgets.linked`, which takes one; and what of a link nobody knows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import streamlit as st

from inception_lab.ui.widgets import plain


def linked_pills(label: str, options: Mapping[str, str], *, key: str, usual: Sequence[str]) -> list[str]:
    """Pills over `options` (word to shown text), kept in the link as `?key=word&key=word`; `usual` is left out of it.

    A link may name the shown text instead of the word. What it names besides is said, and the rest of it holds.
    """
    if key not in st.session_state:
        st.session_state[key] = _followed(options, key) or list(usual)
    if gone := set(st.session_state[key]) - set(options):
        st.session_state[key] = [word for word in st.session_state[key] if word not in gone]
    chosen = st.pills(label, list(options), selection_mode="multi", key=key, format_func=lambda word: options[word])
    write(key, chosen, usual=usual)
    return [word for word in options if word in chosen]


def write(key: str, words: Sequence[str], *, usual: Sequence[str]) -> None:
    """`words` into the link; the usual ones are left out of it, and so is nothing at all."""
    if words and set(words) != set(usual):
        if st.query_params.get_all(key) != list(words):
            st.query_params[key] = list(words)
    elif key in st.query_params:
        st.query_params.pop(key)


def say_unknown(key: str, unknown: Iterable[str], known: Collection[str]) -> None:
    """A sentence on what the link asks for in vain."""
    if wrong := list(unknown):
        asked = ", ".join(f"'{plain(word[:40])}'" for word in wrong[:3])
        st.warning(
            f"The link asks for {key} {asked}; there is {plain(', '.join(known))}.",
            icon=":material/link_off:",
        )


def _followed(options: Mapping[str, str], key: str) -> list[str]:
    words = {shown: word for word, shown in options.items()} | {word: word for word in options}
    asked = st.query_params.get_all(key)
    say_unknown(key, (word for word in asked if word not in words), options)
    return list(dict.fromkeys(words[word] for word in asked if word in words))
