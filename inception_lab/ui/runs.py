"""Runs ready to draw: those of the store, read as they are written, and those that ship with the lab."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any, Literal

import numpy as np
import streamlit as st

from inception_lab.errors import UnknownRun
from inception_lab.figures.curves import Metric, Series
from inception_lab.jobs.store import Run
from inception_lab.training import reference
from inception_lab.training.control import Change
from inception_lab.training.events import Step
from inception_lab.training.outcomes import CLASSES, Judgement, first_silent, judge
from inception_lab.training.settings import FIELDS, Fork, Settings
from inception_lab.ui import cache

ALIKE = ("scale", "seed", "preset", "steps", "device", "threads", "telemetry_every", "checkpoint_every")
"""Settings that tell no two arms apart: colour and seeds have a place of their own, the others change no curve."""

SHORT = 5  # letters of an id that tell runs apart: they are drawn at random
LISTED = 500  # runs of which the page offers the sweeps; older ones open by their link


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One run: its settings, its steps so far, and what can be said of them; its data have so many `classes`."""

    name: str
    settings: Settings
    status: str
    steps: Sequence[Step]
    addresses: Sequence[str]
    judgement: Judgement | None
    kind: Literal["here", "reference"]
    note: str = ""
    changes: Sequence[Change] = ()
    classes: int = CLASSES

    @property
    def ended(self) -> bool:
        """Whether no more steps will come."""
        return self.status not in ("queued", "running")

    @property
    def label(self) -> str:
        """The run in a few words."""
        fork = f", fork of {self.settings.fork.run}" if self.settings.fork else ""
        shipped = ", shipped" if self.kind == "reference" else ""
        stages = self.settings.stage_scales
        scale = f"scale {self.settings.scale:g}" if stages is None else f"scales {value_in_words(stages)}"
        return f"{scale}, seed {self.settings.seed}{fork}{shipped}"

    @property
    def steered(self) -> tuple[Change, ...]:
        """What was changed while it went on, or before a fork left it: without these it is what its settings say.

        A fork's own change stands in its settings.
        """
        fork = self.settings.fork
        return tuple(change for change in self.changes if fork is None or change.step != fork.step)

    def series(self, metric: Metric, *, other: str = "", dash: str | None = None) -> Series:
        """Its values of one metric; steps without a measurement are left out."""
        read = attrgetter("step", metric)
        measured = np.array([pair for pair in map(read, self.steps) if pair[1] is not None], dtype=float).reshape(-1, 2)
        died_at = self.judgement.died_at if self.judgement else None
        return Series(
            scale=self.settings.scale,
            seed=self.settings.seed,
            steps=measured[:, 0].astype("i4"),
            values=measured[:, 1],
            died_at=died_at,
            died_in="" if died_at is None else first_silent(self.steps, self.addresses),
            kind=self.kind,
            other=other,
            dash=dash,
            fork=self.settings.fork.step if self.settings.fork else None,
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
    steps, classes = cache.follower().steps(run.folder), cache.follower().classes(run.folder)
    return Arm(
        name=run.id,
        settings=run.settings,
        status=run.status,
        steps=steps,
        addresses=cache.follower().addresses(run.folder),
        judgement=judge(steps, classes) if steps else None,
        kind="here",
        note=run.error or "",
        changes=cache.follower().changes(run.folder),
        classes=classes,
    )


@st.cache_resource(show_spinner=False)
def shipped() -> list[Arm]:
    """The reference runs in `assets/reference`. Raises `DataError` as long as there are none."""
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


def series(
    arms: Sequence[Arm], metric: Metric, *, dash: Sequence[str] | None = None, baseline: Arm | None = None
) -> list[Series]:
    """One series for each run that has a measurement, the pinned `baseline` last.

    Runs that differ in any setting but scale and seed are told apart; `dash` names the settings that choose the dash,
    None: all of them. A fork begins at the last point of the run it branched off, if that is on screen.
    """
    tell = differing(arms)
    drawn = [
        arm.series(metric, other=told_apart(arm, tell), dash=None if dash is None else words(arm, dash)) for arm in arms
    ]
    stems = {arm.name: one for arm, one in zip(arms, drawn, strict=True)}
    found = [_joined(one, arm, stems) for arm, one in zip(arms, drawn, strict=True) if len(one.steps)]
    return [*found, *([replace(baseline.series(metric), kind="baseline")] if baseline else ())]


def draws(arms: Iterable[Arm]) -> list[Arm]:
    """One run for each seed, the longest: a seed that was made twice is no second draw."""
    return list({arm.settings.seed: arm for arm in sorted(arms, key=lambda arm: len(arm.steps))}.values())


def differing(arms: Iterable[Arm]) -> tuple[str, ...]:
    """The settings, besides scale and seed, that are not the same in all runs made here and say what was computed."""
    here = [arm.settings for arm in arms if arm.kind == "here"]
    return tuple(name for name in FIELDS if name not in ALIKE and len({getattr(one, name) for one in here}) > 1)


def words(arm: Arm, names: Iterable[str]) -> str:
    """The values of some settings of a run, in words: "rate 0.02, clip 1"; a run that is no fork need not say so."""
    values = {name: getattr(arm.settings, name) for name in names}
    return ", ".join(
        f"{name.replace('_', ' ')} {value_in_words(value)}" for name, value in values.items() if name != "fork" or value
    )


def told_apart(arm: Arm, names: Iterable[str]) -> str:
    """`words`, and what was changed on the way: such a run is no further draw of the arm it began as."""
    return ", ".join(filter(None, (words(arm, names), changed(arm.steered))))


def changed(changes: Iterable[Change]) -> str:
    """Changes on the way in words: "rate 0.02 from step 40"."""
    return ", ".join(
        f"{name.replace('_', ' ')} {value_in_words(value)} from step {change.step}"
        for change in changes
        for name, value in change.settings.items()
    )


def labels(arms: Iterable[Arm]) -> dict[str, str]:
    """What a picker calls each run, by the run's name, no two alike.

    Where scale and seed do not tell runs apart, the settings that do are added; where those do not either, the end of
    the run's id.
    """
    known = {arm.name: arm for arm in arms}
    names = [name for name in differing(known.values()) if name not in ("fork", "stage_scales")]
    found = {name: arm.label for name, arm in known.items()}
    for round_ in range(3):
        for group in _equal(found):
            tell = names if not round_ else _told_by([known[name].settings for name in group])
            for name in group:
                told = told_apart(known[name], tell) if round_ < 2 else f"run {name[-SHORT:]}"
                found[name] = ", ".join(filter(None, (known[name].label, told)))
    return found


def _equal(found: Mapping[str, str]) -> list[list[str]]:
    """The names that share a text with another."""
    by_text: dict[str, list[str]] = {}
    for name, text in found.items():
        by_text.setdefault(text, []).append(name)
    return [names for names in by_text.values() if len(names) > 1]


def _told_by(settings: Sequence[Settings]) -> tuple[str, ...]:
    return tuple(name for name in FIELDS if name != "fork" and len({getattr(one, name) for one in settings}) > 1)


def value_in_words(value: Any) -> str:
    """A setting's value in words."""
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case Fork():
            return f"of {value.run} at {value.step}"
        case float():
            return f"{value:g}"
        case tuple():
            return "/".join(map(value_in_words, value))
        case _:
            return str(value)


def _joined(one: Series, arm: Arm, stems: Mapping[str, Series]) -> Series:
    """A fork's curve from the last point it shares with its stem on."""
    stem = stems.get(arm.settings.fork.run) if arm.settings.fork else None
    if stem is None:
        return one
    last = np.flatnonzero(np.asarray(stem.steps) == one.steps[0] - 1)[:1]
    steps = np.concatenate([np.asarray(stem.steps)[last], one.steps])
    return replace(one, steps=steps, values=np.concatenate([np.asarray(stem.values)[last], one.values]))


def _title(found: Sequence[Run]) -> str:
    scales = ", ".join(f"{scale:g}" for scale in sorted({run.settings.scale for run in found}, reverse=True))
    when = time.strftime("%d %b %H:%M", time.localtime(min(run.created for run in found)))
    return f"{when} · {found[0].settings.preset} · scale {scales} · {len(found)} run{'s' * (len(found) != 1)}"
