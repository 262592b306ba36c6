"""What a question will take, in the words of `images.announce`, and whether that is little enough to begin at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from inception_lab.images.trained import known
from inception_lab.ui import working
from inception_lab.ui.photos import Upload

if TYPE_CHECKING:
    from inception_lab.images.announce import Cost, Task

MEGABYTES = 25  # of weights that count as one embedded network: time grows about as they do


def load(networks: str | Sequence[str], images: float) -> float:
    """`images` through each of the networks, in images through the embedded one; the same on every machine.

    What begins without being asked must not hang on how busy the machine was when it was measured.
    """
    tags = (networks,) if isinstance(networks, str) else networks
    return images * sum(max(1.0, known(tag).megabytes / MEGABYTES) for tag in tags)


def little(networks: str | Sequence[str], images: float) -> bool:
    """Whether so much is done without being asked."""
    return load(networks, images) <= working.AT_ONCE


@st.cache_data(max_entries=256, show_spinner="Measuring one pass")
def cost(task: Task, network: str | tuple[str, ...], upload: Upload | None = None, **asked: Any) -> Cost:
    """`images.announce.announce` of the same arguments; of superpixels those of the photograph are counted."""
    from inception_lab.images.announce import announce
    from inception_lab.images.load import load as read

    photo = None if upload is None else read(upload.data, name=upload.name)
    return announce(task, network if isinstance(network, str) else list(network), image=photo, **asked)
