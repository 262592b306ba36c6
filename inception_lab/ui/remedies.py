"""Parts of the Train page: the remedies bench beside what the paper says, and the race against pure Inception."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from inception_lab.errors import LabError
from inception_lab.figures.race import race as race_figure
from inception_lab.figures.remedies import remedies as remedies_figure
from inception_lab.jobs.race import AT, GOAL, Raced, RaceRow, race_table
from inception_lab.jobs.remedies import WORDS, RemedyRow, Tried, against_paper, remedies_table
from inception_lab.training import reference
from inception_lab.training.experiments import NONE, RACE, REMEDIES, Experiment
from inception_lab.training.outcomes import DEFINITIONS
from inception_lab.ui import components, drawer
from inception_lab.ui.widgets import plain

_REMEDIES_CODE = """
from inception_lab.figures.remedies import remedies
from inception_lab.jobs.remedies import remedies_table
from inception_lab.training import reference

rows = remedies_table(reference.load("remedies"))
figure, words = remedies(rows)
figure.show()
"""
_RACE_CODE = """
from inception_lab.figures.race import race
from inception_lab.training import reference

figure, words = race(reference.load("race"))
figure.show()
"""


@st.cache_resource(show_spinner=False)
def shipped(name: str) -> list[reference.ReferenceRun]:
    """The shipped runs of an experiment; none if this checkout has none."""
    try:
        return reference.load(name)
    except LabError:
        return []


def remedies(runs: Iterable[Tried] | None = None, *, key: str = "remedies") -> None:
    """The bench over `runs`, which share everything but remedy and seed; by default the shipped ones."""
    st.subheader(REMEDIES.title, anchor=False)
    st.markdown(REMEDIES.question)
    known: Sequence[Tried] = shipped("remedies") if runs is None else list(runs)
    try:
        rows = remedies_table(known)
    except LabError as error:
        st.warning(plain(error), icon=":material/balance:")
        return
    if not rows:
        st.info("No run of this experiment yet.", icon=":material/hourglass_empty:")
        return
    st.markdown(plain(against_paper(rows)))
    figure, alt = remedies_figure(rows)
    components.live_plot(figure, alt=alt, key=f"{key}-figure", height=figure.layout.height, name="remedies")
    st.caption(_origin(REMEDIES, [row.seeds for row in rows], known, shipped_=runs is None))
    st.table(pd.DataFrame([_words(row) for row in rows]).set_index("remedy"))  # unlike a dataframe it wraps sentences
    drawer.table(pd.DataFrame([_numbers(row) for row in rows]), name=key, title="All numbers as a table", alt=alt)
    _notes(REMEDIES, {**WORDS, **DEFINITIONS})
    drawer.code(_REMEDIES_CODE, name="remedies")


def race(runs: Iterable[Raced] | None = None, *, key: str = "race") -> None:
    """The race over `runs`; by default the shipped ones."""
    st.subheader(RACE.title, anchor=False)
    st.markdown(RACE.question)
    known: Sequence[Raced] = shipped("race") if runs is None else list(runs)
    rows = race_table(known)
    if not rows:
        st.info("No run of this experiment yet.", icon=":material/hourglass_empty:")
        return
    figure, alt = race_figure(known)
    components.live_plot(figure, alt=alt, key=f"{key}-figure", height=figure.layout.height, name="race")
    st.caption(
        f"Thin: single seeds. Thick: their mean. {_origin(RACE, [r.seeds for r in rows], known, shipped_=runs is None)}"
    )
    frame = pd.DataFrame([_racer(row) for row in rows])
    st.dataframe(frame, hide_index=True, key=f"{key}-table", alt=alt)
    drawer.download("CSV", lambda: frame.to_csv(index=False), "race.csv", "text/csv")
    _notes(RACE, {})
    drawer.code(_RACE_CODE, name="race")


def _words(row: RemedyRow) -> dict[str, str]:
    """A row to read: what happened here beside what the paper says."""
    return {
        "remedy": row.label,
        "failed, 95 % interval": f"{row.failed} of {row.n}, {row.low:.2f} to {row.high:.2f}",
        "outcomes": ", ".join(f"{word} {count}" for word, count in row.outcomes.most_common()),
        "accuracy, range": f"{row.accuracy:.2f}, {row.worst:.2f} to {row.best:.2f}",
        "zeros": f"{row.zero_share:.4f}",
        "here": "–" if row.key == NONE else row.word,
        "the paper (arXiv 3.3)": row.paper,
    }


def _numbers(row: RemedyRow) -> dict[str, Any]:
    return {
        "remedy": row.label,
        "n": row.n,
        "failed": row.failed,
        "low": row.low,
        "high": row.high,
        **{word: row.outcomes[word] for word in DEFINITIONS},
        "accuracy": row.accuracy,
        "worst": row.worst,
        "best": row.best,
        "zeros": row.zero_share,
        "died at, median": row.died_at,
        "fewer failures": row.effect.difference,
        "fewer, low": row.effect.low,
        "fewer, high": row.effect.high,
        "here": row.word,
    }


def _racer(row: RaceRow) -> dict[str, Any]:
    reached = sorted(step for step in row.goal if step is not None)
    words = f"{len(reached)} of {row.n}" + (f", at {', '.join(map(str, reached))}" if reached else "")
    return {
        "network": row.label,
        "million multiply-adds": round(row.multiply_adds / 1e6, 2),
        "million parameters": round(row.parameters / 1e6, 2),
        "runs": row.n,
        **{f"accuracy at {step}": round(value, 2) for step, value in zip(AT, row.accuracy, strict=True)},
        "range": f"{row.worst:.2f} to {row.best:.2f}",
        f"reached {GOAL:g}, at step": words,
    }


def _notes(experiment: Experiment, words: dict[Any, str]) -> None:
    st.info(experiment.caveat, icon=":material/info:")
    if words:
        with st.expander("What the words mean", icon=":material/menu_book:"):
            st.markdown("\n".join(f"- **{word}**: {text}" for word, text in words.items()))


def _origin(
    experiment: Experiment, seeds: Iterable[tuple[int, ...]], runs: Sequence[Tried] | Sequence[Raced], *, shipped_: bool
) -> str:
    """n, seeds and settings, as every result carries them."""
    own = [run.settings for run in runs if experiment.arm_of(run.settings)]
    used = sorted({seed for each in seeds for seed in each})
    one = own[0]
    source = "Shipped runs" if shipped_ else "Runs made here"
    return (
        f"{source}: n = {len(own)}, seeds {', '.join(map(str, used))}; {one.steps} steps, batch {one.batch}, "
        f"{one.data}, {one.init} weights; all else as in micro."
    )
