"""What came of the runs on screen: verdict, table, predictions, autopsies, exports, and the map of two settings."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pandas as pd
import streamlit as st

from inception_lab.errors import LabError
from inception_lab.figures.outcome_map import cells, outcome_map
from inception_lab.jobs.export import Format, export
from inception_lab.jobs.store import Run
from inception_lab.jobs.sweep import cases_of
from inception_lab.jobs.verdicts import Case, Verdict, arms, weigh_groups
from inception_lab.training.autopsy import deserves
from inception_lab.training.files import AUTOPSY
from inception_lab.ui import cache, components, drawer, predict, runs
from inception_lab.ui.benches import shipped
from inception_lab.ui.runs import Arm
from inception_lab.ui.widgets import plain

ICONS = {"supported": ":material/check_circle:", "not supported": ":material/cancel:"}
FORMATS: dict[Format, tuple[str, str]] = {
    "csv": (".csv", "text/csv"),
    "parquet": (".parquet", "application/vnd.apache.parquet"),
    "jsonl": (".jsonl", "application/jsonl"),
}


def outcomes(found: Sequence[Run], shown: Sequence[Arm]) -> None:
    """All of it for the arms on screen; `found` are those of the store, which can be started again and exported."""
    _verdicts(cases_of(found) if found else _cases(shown), live=any(run.active for run in found))
    table(shown)
    titles = runs.labels(shown)
    for run in found:
        if run.status in ("interrupted", "failed"):
            _again(run, titles[run.id])
    _autopsies(found, shown)
    _exports(found)
    if found and (group := found[0].group):
        predict.scores(group, shown)


def table(shown: Sequence[Arm]) -> None:
    """A line for each run, with the settings in which the runs differ."""
    tell = runs.differing(shown)
    rows = [{**arm.row(), **{name: runs.value_in_words(getattr(arm.settings, name)) for name in tell}} for arm in shown]
    frame = pd.DataFrame(rows)
    columns = {
        "accuracy": st.column_config.NumberColumn(format="%.2f", help="mean of the last 20 training batches"),
        "zeros": st.column_config.NumberColumn(format="%.4f", help="share of zeros before the pooling, last 20 steps"),
        "loss": st.column_config.NumberColumn(format="%.3f"),
    }
    st.dataframe(frame, hide_index=True, column_config=columns, key="outcomes", alt="Outcome of every run on screen")
    drawer.download("CSV", lambda: frame.to_csv(index=False), "outcomes.csv", "text/csv")


def width_by_scale() -> None:
    """The shipped map of width and scale; runs made here with the same settings are counted in."""
    own = [case for case in cases_of(_finished()) if case.outcome]
    known = [Case(run.settings, run.outcome) for run in shipped("map")]
    alike = {case.settings.with_(scale=1.0, width=1.0, seed=0, device="auto") for case in known}
    added = [case for case in own if case.settings.with_(scale=1.0, width=1.0, seed=0, device="auto") in alike]
    if not known and not added:
        st.info("No run of this experiment yet. Choose the experiment map above.", icon=":material/hourglass_empty:")
        return
    rows = cells(arms([*known, *added]), x="scale", y="width")
    figure, alt = outcome_map(rows, x="scale", y="width")
    components.live_plot(figure, alt=alt, key="outcome-map", height=460)
    seeds = sorted({case.settings.seed for case in (*known, *added)})
    st.caption(
        f"Share of runs that failed, with the outcomes counted; n = {sum(row.n for row in rows)} runs, {len(known)} "
        f"shipped and {len(added)} made here (of equal settings one counts), seeds {', '.join(map(str, seeds))}, rate "
        "0.2 and 120 steps as in micro. Width 0.25 ends in 536 channels."
    )
    frame = pd.DataFrame(
        {"scale": c.x, "width": c.y, "n": c.n, "failed": c.failed, "low": c.low, "high": c.high, **c.outcomes}
        for c in rows
    )
    drawer.table(frame, name="outcome-map", title="This map as a table", alt=alt)


def _cases(arms: Sequence[Arm]) -> list[Case]:
    return [Case(arm.settings, arm.judgement.outcome) for arm in arms if arm.judgement]


def _verdicts(cases: Sequence[Case], *, live: bool) -> None:
    """A run that was changed on its way, or is a fork, is no arm of any settings and counts for none."""
    own = [case for case in cases if case.outcome is not None]
    if not own:
        words = "Verdict and table fill as runs end." if live else "No verdict: no run here finished as it was started."
        st.info(words, icon=":material/hourglass_top:" if live else ":material/info:")
        return
    for said in weigh_groups(own):
        _verdict(said)


def _verdict(said: Verdict) -> None:
    where = ", ".join(f"{name.replace('_', ' ')} {runs.value_in_words(value)}" for name, value in said.group.items())
    head = f"**{said.word.capitalize()}{f' ({plain(where)})' if where else ''}.**"
    sentence = said.sentence[0].upper() + said.sentence[1:]
    st.info(f"{head} {plain(sentence)}", icon=ICONS.get(said.word, ":material/help:"))
    with st.expander("What these runs shrink or exaggerate against the paper", icon=":material/compress:"):
        st.markdown("\n".join(f"- {line}" for line in said.shrunk))


def _again(run: Run, title: str) -> None:
    text, button = st.columns([5, 1], vertical_alignment="center")
    text.warning(f"{plain(title.capitalize())}: {plain(run.error)}", icon=":material/warning:")
    if button.button("Run again", key=f"again-{run.id}"):
        cache.store().resume(run.id)
        st.rerun()


def _autopsies(found: Sequence[Run], shown: Sequence[Arm]) -> None:
    titles = runs.labels(shown)
    dead = {arm.name for arm in shown if arm.judgement and deserves(arm.judgement)}
    files = [(run, run.folder / AUTOPSY) for run in found if run.id in dead and (run.folder / AUTOPSY).is_file()]
    if not files:
        return
    st.markdown("**Autopsies**: first block, first step, the last 50 steps, and the code to see it again.")
    with st.container(horizontal=True):
        for run, file in files:
            drawer.download(titles[run.id], file.read_bytes, f"autopsy-{run.id}.html", "text/html")


def _exports(found: Sequence[Run]) -> None:
    if not found:
        return
    with st.popover("Export every step", icon=":material/download:"):
        for form, (suffix, mime) in FORMATS.items():
            name = f"runs-{found[0].group or found[0].id}{suffix}"
            drawer.download(form, partial(_packed, found, form, suffix), name, mime)
        st.caption(
            "For TensorBoard: `python -m inception_lab runs export "
            f"{found[0].group or found[0].id} --format tensorboard -o FOLDER`"
        )


def _packed(found: Sequence[Run], form: Format, suffix: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"runs{suffix}"
        export(found, file, format=form)
        return file.read_bytes()


def _finished() -> list[Run]:
    try:
        return [run for run in cache.store().runs(limit=runs.LISTED) if run.status == "finished"]
    except LabError:
        return []
