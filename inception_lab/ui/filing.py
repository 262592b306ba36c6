"""A design as notation, out of the designer and back in: as a file or as text."""

from __future__ import annotations

import streamlit as st

from inception_lab.errors import LabError, NetworkError
from inception_lab.nets.ops import Net
from inception_lab.readers.notation import notation, parse
from inception_lab.ui import cache, drawer, editing, selection
from inception_lab.ui.steps import Step
from inception_lab.ui.widgets import plain

MOST = 1  # megabytes of a file; the longest network of the catalogue has six thousandths of one
_ROUND = "design-file-round"


def show(net: Net) -> None:
    """The notation to copy and to save, and two ways to load another, each one step of the design."""
    # Its key keeps it open when a line comes or goes above it, as one does with each change.
    with st.expander("Save and load as notation", icon=":material/save:", key="filing", on_change="rerun"):
        text = notation(net)
        st.code(text, language="python", height=320)
        drawer.download("Save the notation", lambda: text, f"{net.name}.txt", "text/plain")
        key = f"design-file-{st.session_state.get(_ROUND, 0)}"  # a file that was read makes way for the next
        st.file_uploader(
            "Load a file with the notation of one network",
            ["txt", "py"],
            key=key,
            max_upload_size=MOST,
            on_change=_from_file,
            args=(key,),
        )
        st.text_area("Or paste a notation", key="design-text", placeholder='Net("mine", "", (Stage("stem", …')
        st.button("Load the text", key="design-load", icon=":material/upload:", on_click=_from_text)
        refusal()


def refusal() -> None:
    """What was refused of something loaded, where it was loaded."""
    found = editing.refused()
    if found is None or found.drawn:
        return
    st.error(f"{plain(found.error)} The design stays as it is.", icon=":material/error:")
    ways(found.ways)


def ways(found: tuple[tuple[str, Step], ...]) -> None:
    """A button for each way out of a refusal."""
    if not found:
        return
    with st.container(horizontal=True):
        for place, (words, step) in enumerate(found):
            icon = ":material/build:"
            st.button(words, key=f"way-out-{place}", icon=icon, on_click=editing.step, args=(step,))


def _from_file(key: str) -> None:
    """The file that was just given becomes the design; for callbacks."""
    file = st.session_state[key]
    if file is None:  # it was taken away again
        return
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1
    data, name = file.getvalue(), file.name
    try:
        if len(data) > MOST * 1_000_000:
            raise NetworkError(f"{name} has {len(data) / 1e6:.1f} MB; a notation is read up to {MOST} MB.")
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return editing.refuse(NetworkError(f"{name} is no text in UTF-8, as a notation is."), drawn=False)
    except LabError as error:
        return editing.refuse(error, drawn=False)
    _load(text, name)


def _from_text() -> None:
    """The pasted notation becomes the design; for callbacks."""
    _load(st.session_state["design-text"], "the pasted text")


def _load(text: str, name: str) -> None:
    try:
        net = parse(text) if text.strip() else None
        if not isinstance(net, Net):
            what = "is empty" if net is None else f"describes a single {type(net).__name__}"
            raise NetworkError(f"{name} {what}; a design is a whole network, Net(...).")
    except LabError as error:
        said = error if name in str(error) else NetworkError(f"{name} is no notation of a network. {error}")
        return editing.refuse(said, drawn=False)
    editing.step(Step(net, f"\n{selection.made(cache.key(net))}", name, whole=True), drawn=False)
