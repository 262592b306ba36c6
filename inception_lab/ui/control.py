"""One run in hand: pause, single steps, another rate, stop; and a fork, the same run with one knob turned."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from inception_lab.errors import LabError
from inception_lab.jobs.fork import fork
from inception_lab.jobs.grid import told
from inception_lab.jobs.store import Run
from inception_lab.training import fields
from inception_lab.ui import cache
from inception_lab.ui.runs import Arm
from inception_lab.ui.widgets import plain

KNOBS = {
    "scale": "residual scale",
    "rate": "learning rate",
    "clip": "clipping of the gradient",
    "momentum": "momentum",
    "schedule": "schedule of the rate",
    "stage_scales": "scales of the stages A, B and C",
    "eps": "RMSProp's ε",
    "decay": "RMSProp's decay",
}
USUAL = {"scale": "0.1", "rate": "0.02", "clip": "1", "momentum": "0", "schedule": "ramp", "stage_scales": "1/0.3/0.1"}


def controls(run: Run) -> None:
    """The buttons of a run that is queued or running; what they say is heard at its next step."""
    if not run.active:
        return
    store, paused = cache.store(), run.paused is not None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if paused:
            _button("Go on", "play_arrow", lambda: store.go(run.id))
        else:
            _button("Pause", "pause", lambda: store.pause(run.id))
        _button("1 step", "skip_next", lambda: store.step(run.id), help="Make one step, then pause.")
        _button("25 steps", "fast_forward", lambda: store.step(run.id, steps=25), help="Make 25 steps, then pause.")
        _button("Stop", "stop", lambda: store.cancel(run.id))
        rate = st.text_input("Rate", value=f"{run.settings.rate:g}", key=f"rate-{run.id}", width=110)
        _button("Change the rate", "tune", lambda: store.change(run.id, rate=fields.parse("rate", rate)))
    if paused:
        st.caption(f"Paused before step {run.paused}. It keeps its place and memory until it goes on or is stopped.")


def onward(run: Run) -> None:
    """Where a finished run's network can go."""
    if run.status != "finished":
        return
    with st.container(horizontal=True):
        to = {"network": f"run:{run.id}"}
        st.page_link("pages/classify.py", label="Classify with it", icon=":material/image_search:", query_params=to)
        to = {"run": run.id}
        st.page_link("pages/explore.py", label="Explore its network", icon=":material/account_tree:", query_params=to)


def branch(run: Run, arm: Arm) -> None:
    """Ask for a step and a knob, and queue the fork in the same group, so that its curve leaves this one's."""
    if not arm.steps:
        return
    last = arm.steps[-1].step
    died = arm.judgement.died_at if arm.judgement else None
    title = "Fork this run: the same past, one knob turned"
    # Its key keeps it open when a line comes or goes above it, as one does with a pause.
    with st.expander(title, icon=":material/call_split:", key=f"forking-{run.id}", on_change="rerun"):
        st.caption(
            "Weights, optimiser and order of the images are the run's own up to the step, digit for digit; the fork "
            "starts at its nearest checkpoint, or makes the steps again and compares."
        )
        left, middle, right = st.columns([2, 3, 3])
        with left:
            step = _step(run, usual=min(last, max(0, died - 3 if died else last // 2)))
        knob = middle.selectbox("Knob", list(KNOBS), format_func=lambda name: KNOBS[name], key=f"fork-knob-{run.id}")
        now = told(getattr(run.settings, knob))
        value = right.text_input(
            f"From {now} to", value=USUAL.get(knob, now), key=f"fork-value-{run.id}-{knob}", help=fields.HELP[knob]
        )
        made = step <= last + 1
        label = f"Fork at step {step}"
        if st.button(label, key=f"fork-{run.id}", icon=":material/call_split:", type="primary", disabled=not made):
            _fork(run, step, knob, value)
        if not made:
            st.caption(f"Step {step} is not there yet: this run has come to {last}. Take {last + 1} or an earlier one.")


def _step(run: Run, *, usual: int) -> int:
    """The step asked for; until somebody asks, the `usual` one, which moves as the run goes on.

    Its bounds are those of the run's settings, not of the steps so far: a box whose bounds move would be emptied.
    """
    key, touched = f"fork-step-{run.id}", f"fork-touched-{run.id}"
    if not st.session_state.get(touched) and st.session_state.get(key) != usual:
        st.session_state[key] = usual
    most = run.settings.steps - 1
    return int(st.number_input(f"At step (0 to {most})", 0, most, key=key, on_change=_touch, args=(touched,)))


def _touch(key: str) -> None:
    st.session_state[key] = True


def _fork(run: Run, step: int, knob: str, value: str) -> None:
    try:
        fork(cache.store(), run.id, step=step, group=run.group, **{knob: fields.parse(knob, value)})
    except LabError as refused:
        st.toast(plain(refused), icon=":material/block:")
        return
    st.rerun()


def _button(label: str, icon: str, act: Callable[[], None], *, help: str | None = None) -> None:
    """A button whose refusal (the run has just ended) is a sentence."""
    if st.button(label, key=f"control-{label}", icon=f":material/{icon}:", help=help):
        try:
            act()
        except LabError as refused:
            st.toast(plain(refused), icon=":material/block:")  # it outlives the next tick
