"""What each residual block is worth on the Classify page: every block off by itself, ranked."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from inception_lab.errors import LabError
from inception_lab.figures.damage import ranked
from inception_lab.ui import announcing, drawer, working
from inception_lab.ui.photos import Upload
from inception_lab.ui.widgets import plain

if TYPE_CHECKING:
    from inception_lab.images.parts import Damage


def show(upload: Upload, network: str, target: int, *, alone: bool) -> Damage | None:
    """The bars, at once or when asked for; `alone` if another class is compared with."""
    st.subheader("What each block is worth", anchor=False)
    cost = announcing.cost("damage", network)
    st.caption(
        f"Each residual block switched off by itself; what comes before it is not run again. Cost: {cost}."
        + " The damage is that to the first class alone, not to its lead over the other." * alone
    )
    try:
        found = working.answer(
            "damage",
            (upload, network, target),
            partial(_measured, upload, network, target),
            load=announcing.load(network, cost.images),
            label="Measure the damage",
            icon=":material/content_cut:",
            word="steps",
        )
    except LabError as error:
        st.error(plain(error), icon=":material/block:")
        return None
    if found is not None:
        _ranked(found)
    return found


def _measured(upload: Upload, network: str, target: int, progress: working.Meter | None) -> Damage:
    from inception_lab.images.load import load
    from inception_lab.images.residuals import damage

    return damage(load(upload.data, name=upload.name), network, target=target, progress=progress)


def _ranked(found: Damage) -> None:
    figure, alt = ranked(found)
    st.plotly_chart(figure, key="damage-bars", alt=alt)
    st.caption(f"{plain(alt)} One image, {found.seconds:.1f} s.")
    drawer.table(pd.DataFrame(found.to_rows()), name="damage", title="Damage as a table", alt=alt)
    drawer.download("JSON", lambda: json.dumps(found.to_dict(), indent=1), "damage.json", "application/json")
