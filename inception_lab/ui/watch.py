"""Watching runs: the pickers of the curves, the curves, what differs, the death meter, and one run from within.

Nothing here starts or changes a run. All of it may stand in a fragment that is run every second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, cast

import pandas as pd
import streamlit as st

from inception_lab.figures import curves as figures
from inception_lab.figures.curves import TITLES, Metric
from inception_lab.figures.heatmap import TITLES as QUANTITIES
from inception_lab.figures.heatmap import Quantity
from inception_lab.figures.meter import DEFINITION, Level, meter
from inception_lab.figures.panels import height
from inception_lab.training.story import story
from inception_lab.ui import components, drawer, runs
from inception_lab.ui.callouts import callouts
from inception_lab.ui.links import linked_pills, write
from inception_lab.ui.replay import replay, table
from inception_lab.ui.runs import Arm
from inception_lab.ui.widgets import linked, plain

NAMES: dict[Metric, str] = {
    "zero_share": "Zeros",
    "accuracy": "Accuracy",
    "loss": "Loss",
    "gradient_norm": "Gradient norm",
    "rate": "Rate",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the pickers say: the panels, the settings that choose the dash (None: all that differ), the baseline."""

    metrics: tuple[Metric, ...] = ("zero_share",)
    dash: tuple[str, ...] | None = None
    baseline: Arm | None = None


def pickers(arms: Sequence[Arm], *, pinned: Sequence[Arm] = ()) -> Choice:
    """Panels, dash and baseline. A run of `arms` or, behind them, of `pinned` may be the baseline."""
    left, middle, right = st.columns([4, 2, 2])
    with left:
        shown: dict[str, str] = {word: NAMES[word] for word in TITLES}
        panels = linked_pills("Curves", shown, key="metrics", usual=("zero_share",))
    names = runs.differing(arms)
    dash = middle.multiselect("Dash", names, key="dash", placeholder="all that differs") if names else []
    found = {arm.name: arm for arm in (*arms, *pinned)}
    titles = runs.labels(found.values())
    if st.session_state.get("baseline") not in found:
        st.session_state["baseline"] = None
    chosen = right.selectbox(
        "Baseline, grey", list(found), key="baseline", format_func=lambda name: titles[name], placeholder="none"
    )
    order = tuple(metric for metric in TITLES if metric in panels)
    return Choice(metrics=order or ("zero_share",), dash=tuple(dash) or None, baseline=found.get(chosen))


def curves(arms: Sequence[Arm], choice: Choice, *, key: str = "curves") -> None:
    """The panels and how to read them; a picture to which nothing was added is not built again."""
    drawn = _Picture.of(arms, choice, key=key)
    components.live_plot(drawn.figure, alt=drawn.alt, key=key, height=height(len(choice.metrics)))
    st.caption(drawn.caption)


def curve_table(arms: Sequence[Arm], choice: Choice) -> None:
    """The table twin of the curves: a row for each run and step, a column for each panel."""
    rows = [
        {"run": arm.name, **_arm_columns(arm), "runs": arm.kind, "step": step.step}
        | {metric: getattr(step, metric) for metric in choice.metrics}
        for arm in arms
        for step in arm.steps
    ]
    drawer.table(pd.DataFrame(rows), name=f"curves-{'-'.join(choice.metrics)}", title="These curves as a table")


def differences(arms: Sequence[Arm], *, key: str = "differences") -> None:
    """The settings that differ between the runs, with the numbers of each run's newest step."""
    names = ("scale", "seed", *runs.differing(arms))
    rows = [
        {name.replace("_", " "): _cell(getattr(arm.settings, name)) for name in names}
        | {"status": arm.status, "runs": arm.kind}
        | _newest(arm)
        for arm in arms
    ]
    if not rows:
        return
    shares = st.column_config.NumberColumn(format="%.5f")
    columns = {"zeros": shares, "accuracy": st.column_config.NumberColumn(format="%.2f")}
    alt = "Settings that differ between the runs on screen, and the numbers of their newest step"
    st.dataframe(pd.DataFrame(rows), hide_index=True, column_config=columns, key=key, alt=alt)
    st.caption(
        "Settings that are the same in all of these runs are left out; the numbers are those of the newest step."
    )


def death_meter(arms: Sequence[Arm]) -> None:
    """The share of zeros before the pooling, one large number for each arm."""
    tell = runs.differing(arms)
    by_arm = sorted((arm for arm in arms if _zeros(arm) is not None), key=lambda arm: _arm_words(arm, tell))
    by_arm.sort(key=lambda arm: -arm.settings.scale)
    levels = []
    for label, group in groupby(by_arm, lambda arm: _arm_words(arm, tell)):
        members = runs.draws(group)
        dead = sum(bool(arm.judgement and arm.judgement.died_at is not None) for arm in members)
        shares = tuple(share for arm in members if (share := _zeros(arm)) is not None)
        levels.append(Level(label, members[0].settings.scale, shares, dead))
    if levels:
        st.html(meter(levels))
        st.caption(DEFINITION)


def inside(arms: Sequence[Arm]) -> None:
    """One run block by block: drawing, heatmap, replay, slow motion, its story and its table."""
    left, right = st.columns(2)
    with left:
        arm = _picked(arms)
    with right:
        words = {str(word): title for word, title in QUANTITIES.items()}
        quantity = cast(Quantity, linked("Quantity", words, key="quantity"))
    replay(arm, quantity, key="replay", on_slow=lambda step, block: _slow_motion(arm.name, step, block))
    asked = st.session_state.get("slow motion")
    if asked and asked[0] == arm.name:
        callouts(arm, step=asked[1], block=asked[2])
    st.markdown(story(arm.steps, arm.addresses, classes=arm.classes))
    if arm.ended:  # while it grows the table would be sent with every tick
        table(arm, quantity)


def _picked(arms: Sequence[Arm]) -> Arm:
    """The run to look into: the link's `?inside=`, else the first."""
    found, titles = {arm.name: arm for arm in arms}, runs.labels(arms)
    first = next(iter(found))
    wanted = st.query_params.get("inside")
    if "inside" not in st.session_state and wanted is not None:  # a link, or this page's own words
        if wanted in found:
            st.session_state["inside"] = wanted
        else:
            st.session_state["inside-refused"] = wanted  # a live page's next tick would take a sentence away
    if st.session_state.get("inside") not in found:
        st.session_state["inside"] = first
    if refused := st.session_state.get("inside-refused"):
        sentence = f"The run '{plain(str(refused)[:40])}' of the link is not among the runs on screen."
        st.warning(sentence, icon=":material/link_off:")
    name = st.selectbox(
        "Run",
        list(found),
        key="inside",
        format_func=lambda name: titles[name],
        on_change=lambda: st.session_state.pop("inside-refused", None),
    )
    write("inside", [name], usual=[first])
    return found[name]


def _slow_motion(name: str, step: int, block: int) -> None:
    st.session_state["slow motion"] = (name, step, block)


@dataclass(frozen=True, slots=True)
class _Picture:
    """A picture of curves, and what it was made from."""

    made_from: tuple[Any, ...]
    figure: dict[str, Any]
    alt: str
    caption: str

    @staticmethod
    def of(arms: Sequence[Arm], choice: Choice, *, key: str) -> _Picture:
        """The last picture under `key` of this session if no run went on since, else a new one."""
        pinned = choice.baseline
        state = tuple((arm.name, len(arm.steps), arm.status) for arm in (*arms, *((pinned,) if pinned else ())))
        made_from = (state, choice.metrics, choice.dash, pinned and pinned.name)
        last: _Picture | None = st.session_state.get(f"picture {key}")
        if last is None or last.made_from != made_from:
            shown = {metric: runs.series(arms, metric, dash=choice.dash, baseline=pinned) for metric in choice.metrics}
            alt = " ".join(figures.describe(series, metric=metric) for metric, series in shown.items())
            last = _Picture(made_from, figures.drawn(shown), alt, figures.caption(shown))
            st.session_state[f"picture {key}"] = last
        return last


def _arm_words(arm: Arm, tell: Sequence[str]) -> str:
    parts = [f"scale {arm.settings.scale:g}", runs.told_apart(arm, tell), "shipped" * (arm.kind == "reference")]
    return ", ".join(part for part in parts if part)


def _arm_columns(arm: Arm) -> dict[str, Any]:
    return {"scale": arm.settings.scale, "seed": arm.settings.seed}


def _zeros(arm: Arm) -> float | None:
    return next((step.zero_share for step in reversed(arm.steps) if step.zero_share is not None), None)


def _newest(arm: Arm) -> dict[str, Any]:
    last = arm.steps[-1] if arm.steps else None
    return {
        "step": last and last.step,
        "zeros": _zeros(arm),
        "accuracy": last and last.accuracy,
        "loss": last and last.loss,
        "gradient norm": last and last.gradient_norm,
        "rate now": last and last.rate,
        "run": arm.name,
    }


def _cell(value: Any) -> Any:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else runs.value_in_words(value)
