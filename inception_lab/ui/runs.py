"""Runs ready to draw: those of the store, read as they are written, and those that ship with the lab."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

import streamlit as st

from inception_lab.errors import UnknownRun
from inception_lab.figures.curves import Metric, Series
from inception_lab.jobs.store import Run
from inception_lab.training import reference
from inception_lab.training.events import Step
from inception_lab.training.outcomes import Judgement, judge
from inception_lab.training.settings import Settings
from inception_lab.ui import cache

LISTED = 500  # runs of which the page offers the sweeps; older ones open by their link


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One run: its settings, its steps so far, and what can be said of them."""

    name: str
    settings: Settings
    status: str
    steps: Sequence[Step]
    addresses: Sequence[str]
    judgement: Judgement | None
    kind: Literal["here", "reference"]
    note: str = ""

    @property
    def ended(self) -> bool:
        """Whether no more steps will come."""
        return self.status not in ("queued", "running")

    def series(self, metric: Metric) -> Series:
        """Its values of one metric; steps without a measurement are left out."""
        measured = [step for step in self.steps if getattr(step, metric) is not None]
        return Series(
            scale=self.settings.scale,
            seed=self.settings.seed,
            steps=[step.step for step in measured],
            values=[getattr(step, metric) for step in measured],
            died_at=self.judgement.died_at if self.judgement else None,
            kind=self.kind,
        )

    def row(self) -> dict[str, Any]:
        """Its line in the table of outcomes."""
        said = self.judgement
        return {
            "scale": self.settings.scale,
            "seed": self.settings.seed,
            "outcome": said.outcome if said and self.ended else "…",
            "died at step": said.died_at if said else None,
            "accuracy": said.accuracy if said else None,
            "zeros": said.zero_share if said else None,
            "loss": said.loss if said else None,
            "steps": len(self.steps),
            "status": self.status,
            "run": self.name,
            "note": self.note,
        }


def sweeps() -> dict[str, str]:
    """Sweeps and single runs in the store, newest first, each with preset, scales, number of runs and time in words."""
    found: dict[str, list[Run]] = {}
    for run in cache.store().runs(limit=LISTED):
        found.setdefault(run.group or run.id, []).append(run)
    return {group: _title(runs) for group, runs in found.items()}


def of_group(group: str | None) -> list[Run]:
    """The runs of a sweep, unscaled first, then by seed; a run without a sweep goes by its own id."""
    if group is None:
        return []
    found = cache.store().runs(group=group)
    if not found:
        with suppress(UnknownRun):
            found = [cache.store().run(group)]
    return sorted(found, key=lambda run: (-run.settings.scale, run.settings.seed))


def arm(run: Run) -> Arm:
    """A run of the store as it stands now."""
    steps = cache.follower().steps(run.folder)
    return Arm(
        name=run.id,
        settings=run.settings,
        status=run.status,
        steps=steps,
        addresses=cache.follower().addresses(run.folder),
        judgement=judge(steps) if steps else None,
        kind="here",
        note=run.error or "",
    )


@st.cache_resource(show_spinner=False)
def shipped() -> list[Arm]:
    """The reference runs in `assets/reference`."""
    return [
        Arm(
            name=f"reference {run.settings.scale:g}/{run.settings.seed}",
            settings=run.settings,
            status="finished",
            steps=run.steps,
            addresses=run.addresses,
            judgement=run.judgement,
            kind="reference",
        )
        for run in reference.load()
    ]


def series(arms: Iterable[Arm], metric: Metric) -> list[Series]:
    """One series for each run that has a measurement."""
    return [one for one in (arm.series(metric) for arm in arms) if one.steps]


def _title(found: Sequence[Run]) -> str:
    scales = ", ".join(f"{scale:g}" for scale in sorted({run.settings.scale for run in found}, reverse=True))
    when = time.strftime("%d %b %H:%M", time.localtime(min(run.created for run in found)))
    return f"{when} · {found[0].settings.preset} · scale {scales} · {len(found)} run{'s' * (len(found) != 1)}"
