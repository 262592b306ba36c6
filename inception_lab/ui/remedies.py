"""Parts of the Train page: the remedies bench beside what the paper says, and the race against pure Inception."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from inception_lab.figures.race import race as race_figure
from inception_lab.figures.remedies import remedies as remedies_figure
from inception_lab.jobs.race import AT, GOAL, RaceRow, race_table
from inception_lab.jobs.remedies import WORDS, RemedyRow, against_paper, ended, remedies_table
from inception_lab.jobs.store import Run
from inception_lab.training.experiments import NONE, RACE, REMEDIES, Experiment
from inception_lab.training.outcomes import DEFINITIONS
from inception_lab.training.reference import ReferenceRun
from inception_lab.ui import benches, components, drawer, runs
from inception_lab.ui.widgets import plain

_BENCH_CODE = """
from inception_lab.figures.remedies import remedies
from inception_lab.jobs.remedies import ended, remedies_table
from inception_lab.jobs.store import Store
from inception_lab.training import reference

shipped = remedies_table({shipped})
own = remedies_table(ended(Store().run(id) for id in {ids!r}))
figure, words = remedies(shipped, own=own)
figure.show()
"""
_RACE_CODE = """
from types import SimpleNamespace

from inception_lab.figures.race import race
from inception_lab.jobs.store import Store
from inception_lab.training import reference
from inception_lab.training.events import read_steps

own = [Store().run(id) for id in {ids!r}]
made = [SimpleNamespace(settings=run.settings, steps=read_steps(run.folder / "events.jsonl")) for run in own]
figure, words = race({shipped}, own=made)
figure.show()
"""
SHIPPED, HERE = "Shipped runs", "Runs made here"


def remedies() -> None:
    """The bench over the shipped runs and this lab's own, each counted for itself."""
    st.subheader(REMEDIES.title, anchor=False)
    st.markdown(REMEDIES.question)
    found = benches.counted(REMEDIES)
    own = benches.newest(found.own)
    shipped, here = remedies_table(found.shipped), remedies_table(ended(own))
    if not shipped and not here:
        st.info("No run of this experiment yet.", icon=":material/hourglass_empty:")
        return
    for rows, where in ((shipped, "Shipped"), (here, "Made here")):
        if rows and (sentence := against_paper(rows)):
            st.markdown(f"**{where}.** {plain(sentence)}")
    figure, alt = remedies_figure(shipped, own=here)
    components.live_plot(figure, alt=alt, key="remedies-figure", height=figure.layout.height, name="remedies")
    _origins(REMEDIES, found.shipped, own)
    order = [arm.key for arm in REMEDIES.arms]
    both = [*((row, "shipped") for row in shipped), *((row, "here") for row in here)]
    both.sort(key=lambda pair: order.index(pair[0].key))
    words = pd.DataFrame([{**_words(row), "runs": where} for row, where in both])
    with st.container(key="remedies-words"):  # whose last column the pages' style keeps wide enough on a phone
        st.table(words.set_index(["remedy", "runs"] if shipped and here else "remedy"))  # unlike a dataframe it wraps
    numbers = pd.DataFrame([{**_numbers(row), "runs": where} for row, where in both])
    drawer.table(numbers, name="remedies", title="All numbers as a table", alt=alt)
    _notes(REMEDIES, {**WORDS, **DEFINITIONS})
    drawer.code(_code(_BENCH_CODE, "remedies", found.shipped, own), name="remedies")


def race() -> None:
    """The race over the shipped runs and this lab's own; those under way are drawn as far as they have come."""
    st.subheader(RACE.title, anchor=False)
    st.markdown(RACE.question)
    found = benches.counted(RACE)
    own = benches.newest([*found.active, *found.own])
    here = [runs.arm(run) for run in own]
    if not found.shipped and not any(arm.steps for arm in here):
        st.info("No run of this experiment yet.", icon=":material/hourglass_empty:")
        return
    figure, alt = race_figure(found.shipped, own=here)
    components.live_plot(figure, alt=alt, key="race-figure", height=figure.layout.height, name="race")
    st.caption("Thin: single seeds. Thick: their mean." + " Dotted: shipped." * bool(here and found.shipped))
    _origins(RACE, found.shipped, own)
    tables = ((race_table(found.shipped), "shipped"), (race_table(here), "here"))
    frame = pd.DataFrame([{"made": where, **_racer(row)} for rows, where in tables for row in rows])
    st.dataframe(frame, hide_index=True, key="race-table", alt=alt)
    drawer.download("CSV", lambda: frame.to_csv(index=False), "race.csv", "text/csv")
    _notes(RACE, {})
    drawer.code(_code(_RACE_CODE, "race", found.shipped, own), name="race")


def _origins(bench: Experiment, shipped: Sequence[ReferenceRun], own: Sequence[Run]) -> None:
    told = [
        benches.origin(bench, [run.settings for run in shipped], where=SHIPPED),
        benches.origin(bench, [run.settings for run in own], where=HERE),
    ]
    st.caption(" ".join(filter(None, told)))


def _code(text: str, name: str, shipped: Sequence[ReferenceRun], own: Sequence[Run]) -> str:
    return text.format(shipped=f'reference.load("{name}")' if shipped else "[]", ids=[run.id for run in own])


def _words(row: RemedyRow) -> dict[str, str]:
    """A row to read: what happened here beside what the paper says."""
    return {
        "remedy": row.label,
        "failed, 95 % interval": f"{row.failed} of {row.n}, {row.low:.2f} to {row.high:.2f}",
        "outcomes": ", ".join(f"{word} {count}" for word, count in row.outcomes.most_common()),
        "accuracy, range": f"{row.accuracy:.2f}, {row.worst:.2f} to {row.best:.2f}",
        "zeros": f"{row.zero_share:.4f}",
        "verdict": "–" if row.key == NONE else row.word,
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
        "verdict": row.word,
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
