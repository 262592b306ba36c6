"""The runs on screen as Python to type: the sweep they are, and each fork and steered run as a script of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from inception_lab.errors import LabError
from inception_lab.jobs.grid import differing
from inception_lab.jobs.sweep import BENCHES
from inception_lab.training import recipe, replay
from inception_lab.training.control import Change
from inception_lab.training.presets import PRESETS
from inception_lab.training.settings import FIELDS, Settings
from inception_lab.ui import cache
from inception_lab.ui.runs import Arm

MOST = 4  # scripts of single runs; a page of them would be read by nobody


def snippet(arms: Sequence[Arm]) -> str:
    """A sweep for the runs as they began, and what forks and changes on the way made of them."""
    began = list(dict.fromkeys(arm.settings for arm in arms if arm.settings.fork is None))
    apart = [arm for arm in arms if arm.settings.fork or arm.steered]
    parts = [sweep(began)] if began else []
    parts += [_alone(arm) for arm in apart[:MOST]]
    if len(apart) > MOST:
        parts.append(f"# {len(apart) - MOST} more runs are forks or were changed on their way.\n")
    return "\n".join(parts)


def sweep(began: Sequence[Settings]) -> str:
    """These settings as one expression: a shipped bench, a grid, or a list of cases."""
    seeds = tuple(dict.fromkeys(one.seed for one in began))
    kinds = list(dict.fromkeys(one.with_(seed=0) for one in began))
    if bench := _bench(kinds):
        return f'sweep = lab.sweep("{bench}", seeds={seeds!r})\nsweep.plot()\n'
    name = began[0].preset if began[0].preset in PRESETS else "micro"
    varied = [one for one in differing(kinds) if one != "fork"]
    usual = PRESETS[name]
    fixed = {
        field: getattr(began[0], field)
        for field in FIELDS
        if field not in ("preset", "scale", "seed", "fork", *varied)
        and getattr(began[0], field) != getattr(usual, field)
    }
    values = {field: tuple(dict.fromkeys(getattr(one, field) for one in kinds)) for field in varied}
    scales = tuple(dict.fromkeys(one.scale for one in kinds))
    given: dict[str, Any] = {"scales": scales, "seeds": seeds, **fixed}
    if others := {field: found for field, found in values.items() if field != "scale"}:
        given["over"] = others
    if math.prod(map(len, values.values())) != len(kinds):
        cases = [{field: getattr(one, field) for field in varied} for one in kinds]
        alone = {} if "scale" in varied else {"scale": scales[0]}
        given = {"cases": cases, "seeds": seeds, **alone, **fixed}
    words = ", ".join(f"{key}={value!r}" for key, value in given.items())
    return f'sweep = lab.sweep("{name}", {words})\nsweep.plot()\nsweep.verdict()\n'


def _bench(kinds: Sequence[Settings]) -> str:
    """The shipped experiment whose arms these are, all of them and unchanged; empty if there is none."""
    for name, bench in BENCHES.items():
        if {arm.settings.with_(seed=0) for arm in bench.arms} == set(kinds):
            return name
    return ""


def _alone(arm: Arm) -> str:
    """One run again, digit for digit where threads and machine are alike."""
    what = f"# {arm.label} (run {arm.name})"
    try:
        began, changes = _history(arm)
    except LabError as error:
        return f"{what}: {error}\n"
    made = [(each.step, each.settings) for each in changes]
    return f"{what}\n{recipe.python(began, changes=made, fork=arm.settings.fork)}"


def _history(arm: Arm) -> tuple[Settings, Sequence[Change]]:
    """The settings with which the first of its ancestors began, and every change since."""
    if arm.settings.fork is None:
        return arm.settings, arm.changes
    past = replay.read(cache.store().folder(arm.name), arm.settings)
    known = (*past.changes, *replay.own_changes(arm.settings, past))
    return past.settings, (*known, *arm.changes[len(known) :])
