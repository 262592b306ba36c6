"""The Train page below its form: which runs are on screen, and the views of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from inception_lab.errors import LabError
from inception_lab.jobs.grid import told
from inception_lab.jobs.launch import ensure_running
from inception_lab.jobs.store import Run
from inception_lab.training.deviations import deviations
from inception_lab.training.experiments import RACE, REMEDIES, Experiment
from inception_lab.training.outcomes import DEFINITIONS
from inception_lab.training.presets import PRESETS
from inception_lab.training.settings import Settings
from inception_lab.ui import benches, cache, control, drawer, forecast, frame, outcomes, recipes, remedies, runs, watch
from inception_lab.ui.runs import Arm
from inception_lab.ui.watch import Choice
from inception_lab.ui.widgets import linked_segments, plain

SHIPPED = "shipped"
RUNS = {"curves": "Curves", "inside": "Inside one run", "outcomes": "Outcomes and verdict"}
VIEWS = {
    **RUNS,
    "forecast": "Forecast",
    "map": "Width × scale, results",
    "remedies": "Remedies, results",
    "race": "Race, results",
}


def views(chosen: Sequence[Settings]) -> None:
    """The view that is picked; only it is computed. `chosen` runs of the form are what the forecast speaks of."""
    view = linked_segments("View", VIEWS, key="view")
    match view:
        case "forecast":
            forecast.forecast_panel(chosen, finished=[runs.arm(run) for run in runs.of_group(_chosen())])
        case "map":
            outcomes.width_by_scale()
        case "remedies":
            _bench(REMEDIES, remedies.remedies)
        case "race":
            _bench(RACE, remedies.race)
        case _:
            group = _chosen()
            live = any(run.active for run in runs.of_group(group))
            st.fragment(_watch, run_every=1.0 if live else None)(group, live, view)


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
    watch.curves(arms, Choice(), key=key)
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


def _bench(bench: Experiment, show: Callable[[], None]) -> None:
    """A bench, drawn again while own runs of it are under way."""
    live = benches.live(bench)

    def part() -> None:
        with frame.sentences():
            show()
            if live and not benches.live(bench):
                st.rerun()  # once, so that the polling ends

    st.fragment(part, run_every=2.0 if live else None)()


def _watch(group: str | None, live: bool, view: str) -> None:
    with frame.sentences():
        _live(group, live, view)


def _live(group: str | None, live: bool, view: str) -> None:
    found = runs.of_group(group)
    if live and not found:
        st.rerun()  # somebody deleted them
    arms = [runs.arm(run) for run in found]
    if live:
        ensure_running(cache.store().home)  # should the supervisor have been killed, the queue goes on all the same
        _progress(found, arms)
    shown = arms or runs.shipped()
    match view:
        case "inside":
            _inside(found, shown)
        case "outcomes":
            outcomes.outcomes(found, shown)
        case _:
            _curves(arms, live=live)
    drawer.code(recipes.snippet(shown), name="train")
    if live and not any(run.active for run in found):
        st.rerun()  # once, so that the polling ends


def _progress(found: Sequence[Run], arms: Sequence[Arm]) -> None:
    total = sum(run.settings.steps for run in found)
    done = sum(len(arm.steps) if run.active else run.settings.steps for run, arm in zip(found, arms, strict=True))
    running, waiting = (sum(run.status == word for run in found) for word in ("running", "queued"))
    paused = sum(run.paused is not None for run in found)
    bar, stop = st.columns([5, 1], vertical_alignment="center")
    end = "" if done < total else "; measuring the accuracy on the test images"
    still = f", {paused} paused" if paused else ""
    text = f"Step {done} of {total}; {running - paused} running{still}, {waiting} waiting{end}"
    bar.progress(min(1.0, done / total), text=text)
    if stop.button("Stop all", key="stop", icon=":material/stop:"):
        for run in found:
            cache.store().cancel(run.id)


def _curves(arms: Sequence[Arm], *, live: bool) -> None:
    known = _beside() if arms else runs.shipped()
    behind = bool(arms) and st.toggle("Shipped runs behind, dotted", value=True, key="behind", bind="query-params")
    shipped = known if behind or not arms else []
    drawn = [*arms, *shipped]
    choice = watch.pickers(arms or drawn, pinned=known)
    watch.curves(drawn, choice)
    st.caption(" ".join(_origin(part) for part in (arms, shipped) if part))
    watch.death_meter(arms or drawn)
    if not live:  # while it grows, the table of differences is its twin
        watch.curve_table(drawn, choice)
    if arms:
        watch.differences(arms)


def _beside() -> list[Arm]:
    """The shipped runs beside own ones, which are shown without them too."""
    try:
        return runs.shipped()
    except LabError as error:
        st.warning(plain(error), icon=":material/inventory_2:")
        return []


def _inside(found: Sequence[Run], shown: Sequence[Arm]) -> None:
    watch.inside(shown)
    here = {run.id: run for run in found}
    if run := here.get(st.session_state.get("inside", "")):
        control.controls(run)
        control.onward(run)
        control.branch(run, next(arm for arm in shown if arm.name == run.id))
    else:
        st.caption("A shipped run can be watched, not steered: start runs above to pause, step and fork them.")


def _origin(arms: Sequence[Arm]) -> str:
    """n, seeds and settings, as every result carries them."""
    if not arms:
        return ""
    source = "Shipped" if arms[0].kind == "reference" else "Made here"
    one = arms[0].settings
    seeds = sorted({arm.settings.seed for arm in arms})
    varied = runs.differing(arms)
    kept = (f"{name} {told(getattr(one, name))}" for name in ("network", "width", "rate", "batch", "steps", "data"))
    return (
        f"{source}: n = {len(arms)} runs, seeds {', '.join(map(str, seeds))}; preset {one.preset}: "
        + ", ".join(part for part in kept if part.split()[0] not in varied)
        + (f"; varied: {', '.join(varied)}" if varied else "")
        + "."
    )
