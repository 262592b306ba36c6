"""The race as curves: accuracy over steps, a panel for each depth and rate, residual and pure in their colours.

Nothing is smoothed: a thin line is one seed's batches, the thick one the mean over seeds at each step.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from inception_lab.figures.colours import of_scale
from inception_lab.jobs.race import AT, GOAL, Raced, RaceRow, race_table
from inception_lab.training.events import Step
from inception_lab.training.experiments import RACE, Arm

PURE = "rgb(190, 70, 140)"
DASHES = {"pure-v4": "dash"}
DEPTHS = {"deep": "14 to 20 blocks", "shallow": "4 blocks"}


def race(runs: Iterable[Raced], *, own: Iterable[Raced] = ()) -> tuple[go.Figure, str]:
    """The figure and its words; runs that belong to no arm are left out, and of equal seeds the last counts. Beside
    this lab's `own` runs the shipped ones are drawn dotted and faint."""
    known, here = list(runs), list(own)
    rates = sorted({arm.settings.rate for arm in RACE.arms}, reverse=True)
    titles = [f"{DEPTHS[depth]}, rate {rate:g}" for rate in rates for depth in DEPTHS]
    figure = make_subplots(
        rows=len(rates),
        cols=len(DEPTHS),
        shared_xaxes=True,
        shared_yaxes=True,
        subplot_titles=titles,
        horizontal_spacing=0.04,
        vertical_spacing=0.1,
    )
    named: set[str] = set()
    for arm in RACE.arms:
        row, col = rates.index(arm.settings.rate) + 1, list(DEPTHS).index(_depth(arm)) + 1
        for found, origin in ((known, "shipped" if here else ""), (here, "here" if known else "")):
            if those := _steps(found, arm):
                name = ", ".join(filter(None, (_short(arm), origin)))
                for trace in _arm(arm, those, name=name, faint=origin == "shipped", legend=name not in named):
                    figure.add_trace(trace, row=row, col=col)
                named.add(name)
    figure.update_yaxes(range=[0, 1])
    figure.update_xaxes(title={"text": "step"}, row=len(rates))
    figure.update_yaxes(title={"text": "accuracy, batch"}, col=1)
    figure.update_layout(
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.08, "groupclick": "togglegroup"},
        margin={"l": 55, "r": 10, "t": 70, "b": 45},
        height=520,
        hovermode="closest",
    )
    return figure, describe(race_table(known), own=race_table(here))


def describe(rows: Sequence[RaceRow], *, own: Sequence[RaceRow] = ()) -> str:
    """The figure in words: how far each network had come, and how many runs reached the goal."""
    both = f"{_said(rows)}. Made here: {_said(own)}" if rows and own else _said([*rows, *own])
    return f"Accuracy over steps, residual against pure Inception at equal cost. {both or 'No run yet'}."


def _said(rows: Sequence[RaceRow]) -> str:
    said = []
    for row in rows:
        reached = sum(step is not None for step in row.goal)
        come = ", ".join(f"{value:.2f} at {step}" for step, value in zip(AT, row.accuracy, strict=True))
        said.append(f"{row.label} (n = {row.n}): accuracy {come}; {reached} of {row.n} reached {GOAL:g}")
    return "; ".join(said)


def _steps(runs: Iterable[Raced], arm: Arm) -> list[Sequence[Step]]:
    """The steps of the arm's runs, one for each seed."""
    return list(
        {run.settings.seed: run.steps for run in runs if run.steps and RACE.arm_of(run.settings) == arm}.values()
    )


def _arm(arm: Arm, runs: Sequence[Sequence[Step]], *, name: str, faint: bool, legend: bool) -> list[go.Scatter]:
    colour = of_scale(arm.settings.scale) if arm.key.startswith("residual") else PURE
    dash = "dot" if faint else DASHES.get(arm.key.rsplit("-", 1)[0], "solid")
    shared = {"mode": "lines", "legendgroup": name}
    thin = [
        go.Scatter(
            x=[step.step for step in steps],
            y=[step.accuracy for step in steps],
            line={"color": colour, "width": 1, "dash": dash},
            opacity=0.15 if faint else 0.3,
            showlegend=False,
            hoverinfo="skip",
            **shared,
        )
        for steps in runs
    ]
    shortest = min(map(len, runs))
    mean = go.Scatter(
        x=[step.step for step in runs[0][:shortest]],
        y=[fmean(steps[place].accuracy for steps in runs) for place in range(shortest)],
        line={"color": colour, "width": 2 if faint else 3, "dash": dash},
        opacity=0.6 if faint else 1,
        name=name,
        showlegend=legend,
        hovertemplate=f"{name}, mean of {len(runs)}<br>step %{{x}}: %{{y:.2f}}<extra></extra>",
        **shared,
    )
    return [*thin, mean]


def _depth(arm: Arm) -> str:
    return "shallow" if "shallow" in arm.key else "deep"


def _short(arm: Arm) -> str:
    return arm.label.rsplit(", rate", 1)[0]
