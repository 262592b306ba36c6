"""The test of maps that stand beside each other: which of them is tested, and the word on each beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st

from inception_lab.ui import trust
from inception_lab.ui.widgets import linked_segments, plain

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from inception_lab.images.attribute import Attribution
    from inception_lab.images.trust import Trust

KEY = "tests"  # in the session: the last maps that were tested, each with what was found
KEPT = 8
UNTESTED = "Not tested yet."


def show(maps: Mapping[str, tuple[str, Attribution]], slots: Mapping[str, DeltaGenerator], *, key: str) -> None:
    """A choice among the maps (word to title and map), the test of that one, and in each slot the word on its map."""
    titles = {word: title for word, (title, _) in maps.items()}
    word = linked_segments("Map to test", titles, key=key) if len(maps) > 1 else next(iter(maps))
    trust.show(maps[word][1])
    _note()
    for word, (_, result) in maps.items():
        found = _found(result)
        if found is None:
            slots[word].caption(UNTESTED)
        else:
            slots[word].caption(f"{trust.ICONS[found.verdict]} {plain(found.sentence)}")


def _note() -> None:
    """Keeps what the last test found, for when another map has been tested."""
    last = st.session_state.get(trust.KEY)
    notes: list[tuple[Any, Trust]] = st.session_state.setdefault(KEY, [])
    if last is not None and not any(result is last[0] for result, _ in notes):
        st.session_state[KEY] = [*notes, last][-KEPT:]


def _found(result: Attribution) -> Trust | None:
    last = st.session_state.get(trust.KEY)
    known = [*st.session_state.get(KEY, []), *([last] if last else [])]
    return next((found for one, found in reversed(known) if one is result), None)
