"""Networks trained on this machine, as the pages offer them: which there are, what they know, pictures they were tested
on. Nothing here loads torch."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from itertools import islice

import numpy as np
import streamlit as st
from PIL import Image

from inception_lab.errors import LabError
from inception_lab.images.trained import MODEL, PREFIX, is_run, trained
from inception_lab.jobs.store import Run
from inception_lab.training import extract
from inception_lab.training.datasets import DATASETS, SHIPPED
from inception_lab.ui import cache
from inception_lab.ui.widgets import plain

FASHION = (SHIPPED, "fashion_mnist")
LISTED = 20  # the newest; older ones open by their link
_SEARCHED = 100
_NAMED = 20  # classes, before the sentence says only how many more there are


@dataclass(frozen=True, slots=True)
class Test:
    """One picture of the test images that ship with the lab; `code` is the Python that makes it."""

    name: str
    label: str
    data: bytes
    code: str


def described(run: Run) -> str:
    """A run in a few words."""
    accuracy = (run.result or {}).get("test_accuracy")
    settings = run.settings
    scale = f"scale {settings.scale:g}" if settings.stage_scales is None else f"scales {settings.stage_scales}"
    tested = f", test accuracy {accuracy:.2f}" if isinstance(accuracy, int | float) else ""
    return f"run {run.id}: {settings.preset}, {scale}, seed {settings.seed}{tested}"


def networks() -> dict[str, str]:
    """Tags of the newest runs with weights, and of the one that link or session ask for, each with its words.

    Runs whose weights cannot be read are not offered; one that link or session ask for is said in one sentence, and
    they forget it.
    """
    found: dict[str, str] = {}
    with suppress(LabError):  # no store, no runs; the Train page says why
        kept = (
            r for r in cache.store().runs(limit=_SEARCHED) if r.status == "finished" and (r.folder / MODEL).exists()
        )
        found = {f"{PREFIX}{run.id}": described(run) for run in islice(filter(_readable, kept), LISTED)}
    for state in (st.query_params, st.session_state):
        tag = str(state.get("network") or "")
        if not is_run(tag):
            continue
        try:
            trained(tag)
            found.setdefault(tag, described(cache.store().run(tag.removeprefix(PREFIX))))
        except LabError as error:
            st.warning(f"This network cannot be opened. {plain(error)}", icon=":material/link_off:")
            found.pop(tag, None)
            _forget(tag)
    return found


def caption(tag: str) -> None:
    """What a network trained here is, and how little it knows."""
    found = trained(tag)
    record, settings = found.record, found.settings
    data = str(settings.get("data"))
    set_ = DATASETS.get(data)
    title, tested = (set_.title, f"{set_.test:,} ") if set_ else (plain(data), "")
    few = ", ".join(map(plain, record.labels[:_NAMED])) + (" and more" if record.classes > _NAMED else "")
    st.caption(
        f"{plain(record.tag)}: {record.network}, seed {settings.get('seed')}, trained here for {settings.get('steps')} "
        f"steps on {title}. It gets {record.top1:.1f} % of its {tested}test images right. It sees "
        f"{record.size}×{record.size} {'grey ' if record.channels == 1 else ''}pixels.\n\n"
        f"It knows only these {record.classes} kinds of picture and answers with one of them whatever a photograph "
        f"shows: {few}."
        + (
            " It was shown light things on black, so a dark thing on white is strange to it until it is inverted."
            if data in FASHION
            else ""
        )
    )


def tests(tag: str) -> dict[str, Test]:
    """One shipped test image of each class for a network trained on Fashion-MNIST; none for others."""
    if not is_run(tag) or trained(tag).settings.get("data") not in FASHION:
        return {}
    return _tests()


@st.cache_data(show_spinner=False)
def _tests() -> dict[str, Test]:
    cut = extract.load()
    found = {}
    for label, name in enumerate(cut.classes):
        place = int(np.flatnonzero(cut.test_labels == label)[0])
        out = BytesIO()
        Image.fromarray(cut.test_images[place]).save(out, "PNG")
        code = (
            "from PIL import Image\nfrom inception_lab.training import extract\n\n"
            f"photo = Image.fromarray(extract.load().test_images[{place}])"
        )
        found[f"test-{label}"] = Test(f"test image {place}", name, out.getvalue(), code)
    return found


def _forget(tag: str) -> None:
    if st.session_state.get("network") == tag:
        st.session_state.pop("network")
    if st.query_params.get("network") == tag:
        st.query_params.pop("network")


def _readable(run: Run) -> bool:
    """Whether the weights of a run say which network they are: an older version of the lab did not note it."""
    try:
        trained(run.folder)
    except LabError:
        return False
    return True
