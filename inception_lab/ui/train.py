"""The parts of the Train page: the form, the live picture over the shipped runs, the outcomes and their words."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from inception_lab.figures.curves import TITLES, Metric, curves, describe
from inception_lab.jobs.executors import at_once
from inception_lab.jobs.launch import ensure_running
from inception_lab.jobs.store import Run
from inception_lab.jobs.sweep import Case, submit_sweep, weigh
from inception_lab.training.deviations import deviations
from inception_lab.training.outcomes import DEFINITIONS
from inception_lab.training.presets import DESCRIPTIONS, PRESETS, SECONDS_PER_STEP, preset
from inception_lab.ui import cache, components, drawer, frame, runs
from inception_lab.ui import watch as watch_parts
from inception_lab.ui.runs import Arm
from inception_lab.ui.widgets import linked_number, plain

SCALES = (1.0, 0.5, 0.3, 0.2, 0.1, 0.05)
SHIPPED = "shipped"
CURVES: dict[Metric, str] = {
    "zero_share": "Zeros",
    "accuracy": "Accuracy",
    "loss": "Loss",
    "gradient_norm": "Gradient",
    "rate": "Rate",
}


def form() -> None:
    """Choose scales and seeds, read the cost, start."""
    ensure_running(cache.store().home)  # it loads torch while people choose, so that a run starts at once
    with st.container(border=True):
        name = st.segmented_control(
            "Preset", list(PRESETS), default="micro", key="preset", required=True, bind="query-params"
        )
        st.caption(DESCRIPTIONS[name])
        left, middle, right = st.columns([4, 2, 2])
        scales = left.pills(
            "Residual scales", SCALES, selection_mode="multi", default=(1.0, 0.1), key="scales", bind="query-params"
        )
        with middle:
            seeds = linked_number("Seeds for each", low=1, high=20, usual=1, key="seeds", help="Seeds 0 and up.")
        usual = PRESETS[name].steps
        with right:
            told = "Fewer than 40 are too few to judge, unless the network dies."
            steps = linked_number("Steps", low=5, high=5000, usual=usual, key=f"steps-{name}", help=told)
        count = len(scales) * seeds
        with st.container(horizontal=True, vertical_alignment="center"):
            start = st.button(f"Start {count} run{'s' * (count != 1)}", type="primary", disabled=not count, key="start")
            st.caption(_cost(name, count, steps) if count else "Choose at least one scale.")
        if start:
            group = submit_sweep(cache.store(), preset(name, steps=steps), scales=scales, seeds=range(seeds))
            st.query_params["sweep"] = group


def watch() -> None:
    """The live picture; it polls only while something runs."""
    group = _chosen()
    live = any(run.active for run in runs.of_group(group))
    st.fragment(_watch, run_every=1.0 if live else None)(group, live)


def definitions() -> None:
    """What the words mean, and what was shrunk against the paper."""
    with st.expander("What the outcomes mean", icon=":material/menu_book:"):
        st.markdown("\n".join(f"- **{word}**: {text}" for word, text in DEFINITIONS.items()))
    with st.expander("What was shrunk or exaggerated against the paper", icon=":material/compress:"):
        for name, settings in PRESETS.items():
            st.markdown(f"**{name}**\n" + "\n".join(f"- {line}" for line in deviations(settings)))


def reference_picture(*, key: str) -> None:
    """The shipped runs of the micro preset: share of zeros before the pooling, per scale."""
    arms = runs.shipped()
    shown = runs.series(arms, "zero_share")
    components.live_plot(curves(shown, metric="zero_share"), alt=describe(shown, metric="zero_share"), key=key)
    st.caption(_origin(arms))


def _chosen() -> str | None:
    """The sweep on screen, None for the shipped runs: just started, else the link's, else the newest; and its box."""
    names = {**runs.sweeps(), SHIPPED: "the runs that ship with the lab"}
    wanted = st.query_params.get("sweep")
    if wanted and wanted not in names and runs.of_group(wanted):
        names = {wanted: f"{wanted}, from the link", **names}
    if wanted and wanted not in names:
        st.warning(f"The runs '{plain(wanted)}' of the link are not in this lab's store.", icon=":material/link_off:")
    elif wanted and wanted != st.session_state.get("shown-written"):  # a link, not what this page wrote last
        st.session_state["shown"] = wanted
    if st.session_state.get("shown") not in names:
        st.session_state["shown"] = next(iter(names))
    shown = st.selectbox("Runs on screen", list(names), key="shown", format_func=lambda name: names[name])
    st.query_params["sweep"] = st.session_state["shown-written"] = shown
    return None if shown == SHIPPED else shown


def _watch(group: str | None, live: bool) -> None:
    with frame.sentences():
        _live(group, live)


def _live(group: str | None, live: bool) -> None:
    found = runs.of_group(group)
    if live and not found:
        st.rerun()  # somebody deleted them
    if live:
        ensure_running(cache.store().home)  # should the supervisor have been killed, the queue goes on all the same
    arms = [runs.arm(run) for run in found]
    if live:
        _progress(found, arms)
    metric: Metric = st.segmented_control(
        "Curve",
        list(TITLES),
        default="zero_share",
        key="metric",
        format_func=lambda word: CURVES[word],
        required=True,
        bind="query-params",
    )
    behind = bool(arms) and st.toggle("Shipped runs behind, dotted", value=True, key="behind", bind="query-params")
    drawn = [*arms, *(runs.shipped() if behind or not arms else ())]
    _picture(drawn, metric)
    if shown := arms or runs.shipped():
        if not live:  # while it grows, the table of outcomes is its twin
            _curve_table(drawn, metric)
        _outcomes(found, shown)
        _blocks(shown)
        _code(shown)
    if live and not any(run.active for run in found):
        st.rerun()  # once, so that the polling ends


def _progress(found: Sequence[Run], arms: Sequence[Arm]) -> None:
    total = sum(run.settings.steps for run in found)
    done = sum(len(arm.steps) if run.active else run.settings.steps for run, arm in zip(found, arms, strict=True))
    running, waiting = (sum(run.status == word for run in found) for word in ("running", "queued"))
    bar, stop = st.columns([5, 1], vertical_alignment="center")
    end = "" if done < total else "; measuring the accuracy on the test images"
    bar.progress(min(1.0, done / total), text=f"Step {done} of {total}; {running} running, {waiting} waiting{end}")
    if stop.button("Stop all", key="stop", icon=":material/stop:"):
        for run in found:
            cache.store().cancel(run.id)


def _picture(arms: Sequence[Arm], metric: Metric) -> None:
    shown = runs.series(arms, metric)
    components.live_plot(curves(shown, metric=metric), alt=describe(shown, metric=metric), key="curves", height=420)
    st.caption("Thin: single seeds. Thick: their mean. Dotted: shipped. ✕: death. ▲: NaN or infinite. " + _origin(arms))


def _curve_table(arms: Sequence[Arm], metric: Metric) -> None:
    rows = [
        {"scale": one.scale, "seed": one.seed, "runs": one.kind, "step": step, metric: value}
        for one in runs.series(arms, metric)
        for step, value in zip(one.steps, one.values, strict=True)
    ]
    drawer.table(pd.DataFrame(rows), name=f"curves-{metric}", title="These curves as a table")


def _outcomes(found: Sequence[Run], arms: Sequence[Arm]) -> None:
    st.subheader("Outcomes", anchor=False)
    cases = [Case(arm.settings, arm.judgement.outcome) for arm in arms if arm.status == "finished" and arm.judgement]
    if cases:
        said = weigh(cases)
        icon = {"supported": ":material/check_circle:", "not supported": ":material/cancel:"}.get(
            said.word, ":material/help:"
        )
        st.info(f"**{said.word.capitalize()}.** {said.sentence[0].upper()}{said.sentence[1:]}", icon=icon)
        with st.expander("What these runs shrink or exaggerate against the paper", icon=":material/compress:"):
            st.markdown("\n".join(f"- {line}" for line in said.shrunk))
    frame = pd.DataFrame([arm.row() for arm in arms])
    columns = {
        "accuracy": st.column_config.NumberColumn(format="%.2f", help="mean of the last 20 training batches"),
        "zeros": st.column_config.NumberColumn(format="%.4f", help="share of zeros before the pooling, last 20 steps"),
        "loss": st.column_config.NumberColumn(format="%.3f"),
    }
    st.dataframe(frame, hide_index=True, column_config=columns, key="outcomes", alt="Outcome of every run on screen")
    drawer.download("CSV", lambda: frame.to_csv(index=False), "outcomes.csv", "text/csv")
    for run in found:
        if run.status in ("interrupted", "failed"):
            _again(run)


def _again(run: Run) -> None:
    text, button = st.columns([5, 1], vertical_alignment="center")
    text.warning(
        f"Scale {run.settings.scale:g}, seed {run.settings.seed}: {plain(run.error)}", icon=":material/warning:"
    )
    if button.button("Run again", key=f"again-{run.id}"):
        cache.store().resume(run.id)
        st.rerun()


def _blocks(arms: Sequence[Arm]) -> None:
    st.subheader("Inside one run, block by block", anchor=False)
    watch_parts.inside(arms)


def _code(arms: Sequence[Arm]) -> None:
    """The sweep on screen as one expression: its scales, its seeds, and whatever differs from the preset."""
    one = arms[0].settings
    usual = PRESETS.get(one.preset, PRESETS["micro"]).to_dict()
    given = {
        "scales": tuple(dict.fromkeys(arm.settings.scale for arm in arms)),
        "seeds": tuple(dict.fromkeys(arm.settings.seed for arm in arms)),
        **{name: getattr(one, name) for name, value in one.to_dict().items() if value != usual[name]},
    }
    words = ", ".join(f"{name}={value!r}" for name, value in given.items() if name not in ("preset", "scale", "seed"))
    drawer.code(f'sweep = lab.sweep("{one.preset}", {words})\nsweep.plot()\nsweep.verdict()\n', name="train")


def _cost(name: str, count: int, steps: int) -> str:
    """What the start will take here, before it is pressed."""
    together = min(count, at_once(PRESETS[name]))
    seconds = SECONDS_PER_STEP[name] * steps * count / together
    length = f"{seconds:.0f} seconds" if seconds < 100 else f"{seconds / 60:.0f} minutes"
    return f"About {length} if this machine is idle, {together} at a time."


def _origin(arms: Sequence[Arm]) -> str:
    """n, seeds and settings, as every result carries them."""
    if not arms:
        return ""
    one = arms[0].settings
    seeds = sorted({arm.settings.seed for arm in arms})
    return (
        f"n = {len(arms)} runs, seeds {', '.join(map(str, seeds))}; preset {one.preset}: {one.network}, "
        f"width {one.width:g}, rate {one.rate:g}, batch {one.batch}, {one.steps} steps, {one.data}."
    )
