"""Which runs a sweep has: every combination of some settings, or a list of changes, each with every seed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any

from inception_lab.errors import LabError, RunError, SettingsError
from inception_lab.training import runnable
from inception_lab.training.settings import FIELDS, Settings
from inception_lab.training.settings import told as told

MOST = 1000
Seeds = int | Sequence[int]


def grid(settings: Settings, *, over: Mapping[str, Sequence[Any]], seeds: Seeds) -> list[Settings]:
    """`settings` with every combination of the values in `over`, for each seed (a number means 0 and up).

    Seeds change slowest, so that arms can be compared early, and the last name of `over` fastest. Equal runs are made
    once. Raises `SettingsError`, naming the combination, for what cannot be run here, and `RunError` for no run or
    more than a thousand.
    """
    columns = {name: _values(name, values) for name, values in over.items()}
    chosen = _seeds(seeds)
    check_count(len(chosen) * math.prod(map(len, columns.values())))
    combinations = [dict(zip(columns, row, strict=True)) for row in product(*columns.values())]
    return _runs(settings, combinations, chosen)


def listed(settings: Settings, cases: Sequence[Mapping[str, Any]], seeds: Seeds) -> list[Settings]:
    """`settings` with the changes of each case, for each seed; otherwise as `grid`."""
    chosen = _seeds(seeds)
    check_count(len(chosen) * len(cases))
    return _runs(settings, [{name: _plain(name, value) for name, value in case.items()} for case in cases], chosen)


def differing(settings: Sequence[Settings]) -> tuple[str, ...]:
    """The names of the fields in which settings differ, in the order of the record; the preset's name never counts."""
    return tuple(name for name in FIELDS if name != "preset" and len({getattr(one, name) for one in settings}) > 1)


def described(changes: Mapping[str, Any]) -> str:
    """Changes in words, such as `width 0.25, scale 0.1`."""
    return ", ".join(f"{name} {told(value)}" for name, value in changes.items())


def _runs(settings: Settings, combinations: Sequence[Mapping[str, Any]], seeds: Sequence[int]) -> list[Settings]:
    arms = dict.fromkeys(_checked(settings, changes) for changes in combinations)
    runs = [arm.with_(seed=seed) for seed in seeds for arm in arms]
    if not runs:
        raise RunError("A sweep needs at least one scale and one seed, or one value of another setting.")
    return runs


def _checked(settings: Settings, changes: Mapping[str, Any]) -> Settings:
    """The settings with `changes`, known to run here."""
    try:
        changed = settings.with_(**changes)
        runnable.check(changed)
    except LabError as error:
        if not changes:
            raise
        raise SettingsError(f"With {described(changes)}: {error}") from None
    return changed


def _values(name: str, values: Any) -> list[Any]:
    """The values of one setting, each once."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise SettingsError(f"{name} needs the values it shall take, such as [{values!r}], not {values!r} alone.")
    plain = [_plain(name, value) for value in values]
    return list({repr(value): value for value in plain}.values())


def _plain(name: str, value: Any) -> Any:
    if name in ("seed", "preset"):
        instead = "Give seeds= instead." if name == "seed" else "A sweep starts from one preset; vary its settings."
        raise SettingsError(f"A sweep does not vary {name}. {instead}")
    return tuple(value) if isinstance(value, list) else value


def _seeds(seeds: Seeds) -> Sequence[int]:
    return range(seeds) if isinstance(seeds, int) else tuple(dict.fromkeys(seeds))


def check_count(count: int) -> None:
    """Raise `RunError` for more runs than are queued at once."""
    if count > MOST:
        raise RunError(
            f"A sweep of {count:,} runs is more than the {MOST:,} this lab queues at once. Take fewer seeds or values."
        )
