"""The form of the Train page: what will be run, what it costs, what is expected of it, and the start."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from inception_lab.errors import LabError
from inception_lab.jobs import cost
from inception_lab.jobs.grid import grid, told
from inception_lab.jobs.launch import ensure_running
from inception_lab.jobs.runs import new_id
from inception_lab.jobs.sweep import BENCHES
from inception_lab.training import fields
from inception_lab.training.datasets import DATASETS, FOLDER, described
from inception_lab.training.experiments import Experiment
from inception_lab.training.folder_data import check_allowed
from inception_lab.training.presets import DESCRIPTIONS, PRESETS, preset
from inception_lab.training.settings import FIELDS, Settings
from inception_lab.ui import adds, cache, drawer, predict
from inception_lab.ui.links import linked_pills, say_unknown
from inception_lab.ui.widgets import linked_number, linked_segments, plain

SCALES = (1.0, 0.5, 0.3, 0.2, 0.1, 0.05)
OFFERED = tuple(name for name in FIELDS if name not in ("preset", "scale", "seed", "steps", "fork"))
FIRST_ARMS = 4
NAMES = {
    "micro": "Micro",
    "paper-rate": "Paper's rate",
    "wide": "Wide",
    "remedies": "Remedies bench",
    "map": "Map of width and scale",
    "race": "Race of two kinds",
}
LONG = 3600.0  # seconds of work above which the start is asked for once more


def form() -> list[Settings]:
    """Choose, read the cost, predict, start; returns the runs that are chosen, none where something is refused."""
    ensure_running(cache.store().home)  # it loads torch while people choose, so that a run starts at once
    with st.container(border=True):
        name = linked_segments("Experiment", NAMES, key="preset")
        try:
            runs = _bench(BENCHES[name]) if name in BENCHES else _preset(name)
            for shape in {one.with_(seed=0, scale=1.0) for one in runs}:
                cost.check(shape)
        except LabError as refused:
            st.error(plain(refused), icon=":material/block:")
            runs = []
        if runs:
            _start(runs)
    return runs


def _preset(name: str) -> list[Settings]:
    """Scales, seeds, steps and any other setting of a preset; several values of one make a grid."""
    st.caption(DESCRIPTIONS[name])
    left, middle, right = st.columns([4, 2, 2])
    with middle:
        seeds = linked_number("Seeds for each", low=1, high=20, usual=1, key="seeds", help="Seeds 0 and up.")
    with right:
        told_ = "Fewer than 40 are too few to judge, unless the network dies."
        steps = linked_number("Steps", low=5, high=5000, usual=PRESETS[name].steps, key=f"steps-{name}", help=told_)
    base = preset(name, steps=steps)
    others = _others(base)
    scaled, unscaled = adds.by_adds(base, others)
    with left:
        scales = [] if scaled is None else _scales()
        if unscaled is not None:
            st.caption(plain(adds.without(base, unscaled)))
    if scaled is not None and not scales:
        st.caption("Choose at least one scale.")
        return []
    runs = [] if scaled is None else grid(base, over={**scaled, "scale": scales}, seeds=seeds)
    runs += [] if unscaled is None else grid(base, over=unscaled, seeds=seeds)
    return sorted(runs, key=lambda run: run.seed)


def _scales() -> list[float]:
    shown = {f"{scale:g}": str(scale) for scale in SCALES}
    return [float(word) for word in linked_pills("Residual scales", shown, key="scales", usual=("1", "0.1"))]


def _bench(experiment: Experiment) -> list[Settings]:
    """Arms and seeds of an experiment the lab ships; what its arms share stays as it is."""
    st.caption(f"{experiment.question} {experiment.caveat}")
    labels = {arm.key: arm.label for arm in experiment.arms}
    left, right = st.columns([6, 2])
    with left:
        usual = list(labels)[:FIRST_ARMS]
        keys = linked_pills("Arms", labels, key=f"arms-{experiment.name}", usual=usual)
    with right:
        seeds = linked_number("Seeds for each", low=1, high=20, usual=1, key="seeds", help="Seeds 0 and up.")
    return [arm.settings.with_(seed=seed) for seed in range(seeds) for arm in experiment.arms if arm.key in keys]


def _others(base: Settings) -> dict[str, tuple[Any, ...]]:
    """Values of the other settings that are to be changed or varied, each a box that takes one value or several."""
    _follow_link()
    names = st.multiselect(
        "Other settings to change or vary",
        OFFERED,
        key="others",
        format_func=lambda name: name.replace("_", " "),
        placeholder="rate, clip, init, data …",
        help="One value changes the setting for all runs; several, with commas between them, make a grid.",
    )
    found = {}
    for place, name in enumerate(names):
        if place % 3 == 0:
            columns = st.columns(3)
        key = f"set-{name}"
        st.session_state.setdefault(key, told(getattr(base, name)))
        with columns[place % 3]:
            text = st.text_input(name.replace("_", " "), key=key, help=fields.HELP[name])
        st.query_params[key] = text
        found[name] = fields.values(name, text)
    for key in [key for key in st.query_params if key.startswith("set-") and key.removeprefix("set-") not in names]:
        st.query_params.pop(key)
    for data in found.get("data", ()):
        _check_allowed(data)
    _fetch(found.get("data", ()))
    return found


def _check_allowed(data: str) -> None:
    """Refuse a folder that this page may not read, before anything looks whether it is there."""
    if data.startswith(FOLDER):
        check_allowed(Path(data.removeprefix(FOLDER)), address=st.get_option("server.address"))


def _follow_link() -> None:
    """Settings a link names: `set-rate=0.02`, or `network=` and `design=` as Explore writes them."""
    if "others" in st.session_state:
        return
    for name in ("network", "design"):
        if name in st.query_params:
            st.query_params[f"set-{name}"] = st.query_params[name]
            st.query_params.pop(name)
    wanted = {key.removeprefix("set-"): st.query_params[key] for key in st.query_params if key.startswith("set-")}
    say_unknown("the settings", (name for name in wanted if name not in OFFERED), OFFERED)
    known = {name: text for name, text in wanted.items() if name in OFFERED}
    st.session_state["others"] = list(known)
    for name, text in known.items():
        st.session_state[f"set-{name}"] = text


def _fetch(names: Sequence[str]) -> None:
    """A button for each chosen data set that is not on this machine yet."""
    from inception_lab.training.download import fetch

    for name in names:
        if name not in DATASETS or described(name).present():
            continue
        found = described(name)
        if st.button(f"Fetch {found.title}, {found.download / 1e6:.0f} MB", key=f"fetch-{name}"):
            bar = st.progress(0.0, f"Asking for {found.title}")
            fetch(name, progress=drawer.meter(bar, unit=1_000_000, word="MB"))
            st.rerun()


def _start(runs: Sequence[Settings]) -> None:
    """The cost in words, and the button that asks for predictions."""
    count = len(runs)
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(f"Start {count} run{'s' * (count != 1)}", type="primary", key="start"):
            _predict(runs)
        st.caption(_cost(_written(runs))[0])


@st.dialog("Predict, then run", width="large")
def _predict(runs: Sequence[Settings]) -> None:
    ready = predict.unlocked(runs) & _meant(runs)
    if st.button("Run", type="primary", disabled=not ready, key="run", icon=":material/play_arrow:"):
        group = new_id()
        try:
            predict.keep(group, runs)  # first: what was said after a run began would be worth less
            cache.store().submit_many(runs, group=group)
        except LabError as refused:
            st.error(plain(refused), icon=":material/block:")
            return
        st.query_params["sweep"] = group
        st.rerun()


@st.cache_data(ttl=20, show_spinner=False)
def _cost(runs: tuple[str, ...]) -> tuple[str, float]:
    """What the start will take here, before it is pressed, in words and in seconds; read from the store at most every
    20 seconds."""
    settings = [Settings.from_dict(_mapping(text)) for text in runs]
    said = cost.sweep_cost(settings, cost.finished(cache.store()))
    return f"{str(said)[0].upper()}{str(said)[1:]}, if nothing else runs.", said.seconds


def _meant(runs: Sequence[Settings]) -> bool:
    """Whether so much work is meant: asked once more where it takes longer than `LONG`."""
    words, seconds = _cost(_written(runs))
    if seconds <= LONG:
        return True
    st.warning(f"{len(runs)} run{'s' * (len(runs) != 1)}: {words[0].lower()}{words[1:]}", icon=":material/schedule:")
    return st.checkbox(f"Yes, {cost.duration(seconds)} of work are meant", key="meant")


def _written(runs: Sequence[Settings]) -> tuple[str, ...]:
    return tuple(json.dumps(each.to_dict()) for each in runs)


def _mapping(text: str) -> Mapping[str, Any]:
    values: Mapping[str, Any] = json.loads(text)
    return values
