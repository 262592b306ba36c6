"""What a forecast says, and the shipped map of forecasts, as data: nothing here imports torch.

The trunk's variance: a block computes relu(x + s F(x)), and F opens with convolution and batch norm, so its size does
not follow that of x. Then variances add along a stage, v_l = v_0 + sum of s² c over the blocks before, and do not
multiply; `Forecast.product` is what multiplying would say, kept beside it because it is often said, and it is wrong.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any, Self

from inception_lab.assets import asset
from inception_lab.errors import DataError
from inception_lab.training.events import jsonable, parsed
from inception_lab.training.presets import preset
from inception_lab.training.rule import Word, predict
from inception_lab.training.settings import Init, Settings

Repeats = tuple[int, int, int]

SCALES = (1.0, 0.7, 0.5, 0.3, 0.2, 0.1, 0.05)
DEPTHS: tuple[Repeats, ...] = ((1, 2, 1), (2, 4, 2), (3, 6, 3), (5, 10, 5), (10, 20, 10))
WIDTHS = (0.125, 0.25, 0.5)
INITS: tuple[Init, ...] = ("he", "xavier")
SEEDS = (0, 1, 2)
"""Seed 0 is on the whole map, the others on the column of the preset micro only."""

FILE = "map.json.gz"
_NUMBERS = ("loss", "gradient_norm", "shortcut", "residual")


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """One forward and backward pass at step 0 of a run with these settings.

    `loss` in nats and `gradient_norm`, that of all gradients together, on the first batch. `shortcut` and `residual`
    are the root mean squares of x and of s F(x) at each add, for the blocks in `addresses`.
    """

    settings: Settings
    addresses: tuple[str, ...]
    loss: float
    gradient_norm: float
    shortcut: tuple[float, ...]
    residual: tuple[float, ...]

    @property
    def p(self) -> float:
        """P = rate × gradient norm, with the rate of the first full-rate step: that after a warm-up or ramp."""
        return self.settings.rate * self.gradient_norm

    @property
    def word(self) -> Word:
        """What the rule expects, wherever it is valid."""
        return predict(self.p)

    @property
    def variance(self) -> tuple[float, ...]:
        """The mean square of what enters each block, as measured."""
        return tuple(x * x for x in self.shortcut)

    @property
    def additive(self) -> tuple[float, ...]:
        """What enters each block if variances add: that entering its stage, plus the residuals' of the blocks before.

        An upper bound in practice, since the ReLU after the add cuts something off.
        """
        return self._along(lambda entering, residuals: entering + sum(residuals))

    @property
    def product(self) -> tuple[float, ...]:
        """What would enter each block if all multiplied it by 1 + r² / v_0, as the first block of the stage does."""
        return self._along(lambda entering, residuals: entering * _power(entering, residuals))

    def to_dict(self) -> dict[str, Any]:
        """All but the settings, ready for strict JSON."""
        values = {"addresses": self.addresses, **{name: getattr(self, name) for name in _NUMBERS}}
        return dict(jsonable(values))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], settings: Settings) -> Self:
        """The forecast that `to_dict` wrote, of these settings. Raises `DataError` for anything else."""
        try:
            loss, norm, shortcut, residual = (parsed(values[name]) for name in _NUMBERS)
            return cls(
                settings=settings,
                addresses=tuple(values["addresses"]),
                loss=float(loss),
                gradient_norm=float(norm),
                shortcut=tuple(map(float, shortcut)),
                residual=tuple(map(float, residual)),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"This is no forecast ({type(error).__name__}: {error}). Make it again.") from None

    def _along(self, entering: Callable[[float, list[float]], float]) -> tuple[float, ...]:
        blocks = list(zip(self.addresses, self.variance, (r * r for r in self.residual), strict=True))
        found: list[float] = []
        for _, stage in groupby(blocks, key=lambda block: block[0].rsplit("/", 1)[0]):
            members = list(stage)
            residuals = [residual for _, _, residual in members]
            found += [entering(members[0][1], residuals[:place]) for place in range(len(members))]
        return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Map:
    """The shipped forecasts at the rate of the preset micro; P at another rate is that rate × `gradient_norm`.

    `points` go by their `initial` settings. `version` is the lab's and `libraries` those of the machine that made them.
    """

    points: Mapping[Settings, Forecast]
    version: str
    libraries: dict[str, str]

    def at(self, settings: Settings) -> Forecast | None:
        """The shipped forecast that is these settings' own, with their rate; None if there is none."""
        found = self.points.get(initial(settings))
        return None if found is None else replace(found, settings=settings)

    def spread(self, scale: float) -> tuple[float, ...]:
        """The gradient norms of the preset micro with this scale, one for each of `SEEDS`."""
        wanted = (preset("micro", scale=scale, seed=seed) for seed in SEEDS)
        return tuple(found.gradient_norm for found in map(self.at, wanted) if found is not None)


def plan() -> list[Settings]:
    """The settings of every point of the map: seed 0 everywhere, then the other seeds of the preset micro."""
    whole = [
        preset("micro", scale=scale, repeats=depth, width=width, init=init)
        for init in INITS
        for width in WIDTHS
        for depth in DEPTHS
        for scale in SCALES
    ]
    return whole + [preset("micro", scale=scale, seed=seed) for seed in SEEDS[1:] for scale in SCALES]


def initial(settings: Settings) -> Settings:
    """The settings with everything taken back that cannot be seen at step 0: what has equal ones has equal forecasts.

    A forecast is made on the processor in fp32 with one thread, so that it is the same number everywhere.
    """
    usual = Settings()
    later = (
        *("preset", "steps", "optimiser", "rate", "momentum", "decay", "eps", "schedule", "schedule_factor"),
        *("schedule_steps", "warmup_steps", "warmup_rate", "clip", "average", "precision", "threads"),
        *("telemetry_every", "checkpoint_every", "fork"),
    )
    return settings.with_(**{name: getattr(usual, name) for name in later}, device="cpu")


def load(folder: Path | None = None) -> Map:
    """The shipped map, read once a process for each folder. Raises `DataError` if it is missing or cannot be read."""
    return _load(asset("forecast") if folder is None else Path(folder))


def packed(points: Iterable[Forecast], *, version: str, libraries: Mapping[str, str]) -> bytes:
    """The map as a file: settings as what differs from micro's, block sizes with four digits."""
    usual = preset("micro").to_dict()
    rows = [
        {
            "settings": {name: value for name, value in one.settings.to_dict().items() if value != usual[name]},
            **one.to_dict(),
            "shortcut": [float(f"{value:.4g}") for value in one.shortcut],
            "residual": [float(f"{value:.4g}") for value in one.residual],
        }
        for one in points
    ]
    text = json.dumps({"version": version, "libraries": dict(libraries), "points": rows}, separators=(",", ":"))
    return gzip.compress(text.encode(), mtime=0)


@lru_cache(maxsize=4)
def _load(folder: Path) -> Map:
    file = folder / FILE
    try:
        kept = json.loads(gzip.decompress(file.read_bytes()))
        points = [Forecast.from_dict(row, preset("micro", **_changes(row["settings"]))) for row in kept["points"]]
        by_start = {initial(point.settings): point for point in points}
        return Map(points=by_start, version=kept["version"], libraries=dict(kept["libraries"]))
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"The shipped map {file} cannot be read ({type(error).__name__}: {error}). Restore it, or make it with "
            "`python -m inception_lab.training.forecast --map`."
        ) from None


def _changes(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}


def _power(entering: float, residuals: list[float]) -> float:
    return float((1 + residuals[0] / entering) ** len(residuals)) if residuals and entering else 1.0
