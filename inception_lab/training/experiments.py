"""The experiments the lab ships: arms that differ in stated settings, the same seeds and the same budget for each.

    micro      the residual scale alone, six values
    remedies   everything people try against a dying network, beside what the paper says of it (arXiv section 3.3)
    map        width by residual scale
    race       residual against pure Inception at equal cost, shallow and deep

An arm is known by the settings in which arms differ (`varied`); the others may be changed for all arms together, and a
run with such changes still belongs to its arm. Nothing here imports torch.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from itertools import product
from typing import Any, Literal

from inception_lab.errors import RunError, SettingsError
from inception_lab.training.presets import preset
from inception_lab.training.settings import FIELDS, Settings

Claim = Literal["helps", "fails", "silent"]

SILENT = "Not in the paper."
UNLIKE = frozenset({"preset", "seed", "device", "threads", "telemetry_every", "checkpoint_every", "fork"})
"""Fields that say how a run is kept and where it is made: two runs of one arm may differ in them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One way of an experiment: `paper` is what the paper says of it, `claim` the same as a word."""

    key: str
    label: str
    settings: Settings
    paper: str = SILENT
    claim: Claim = "silent"


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """Arms that answer one question. `seeds` is how many the shipped runs have, counted from 0; `caveat` belongs beside
    every result."""

    name: str
    title: str
    question: str
    arms: tuple[Arm, ...]
    seeds: int
    caveat: str

    @cached_property
    def varied(self) -> tuple[str, ...]:
        """The fields in which the arms differ."""
        kinds = [arm.settings for arm in self.arms]
        return tuple(name for name in FIELDS if len({repr(getattr(kind, name)) for kind in kinds}) > 1)

    def arm(self, key: str) -> Arm:
        """The arm called `key`. Raises `SettingsError` if there is none."""
        try:
            return next(arm for arm in self.arms if arm.key == key)
        except StopIteration:
            keys = [arm.key for arm in self.arms]
            raise SettingsError(f"{self.name} has no arm {key!r}. {_hint(key, keys)}") from None

    def arm_of(self, settings: Settings) -> Arm | None:
        """The arm a run belongs to, or None: it is told by the varied fields, and a fork belongs to no arm."""
        if settings.fork is not None:
            return None
        same = (arm for arm in self.arms if all(getattr(arm.settings, n) == getattr(settings, n) for n in self.varied))
        return next(same, None)

    def runs(self, *, seeds: int | Iterable[int] | None = None, **changes: Any) -> list[Settings]:
        """Settings of every run, all arms of one seed before the next; `changes` are made to all arms alike.

        Raises `SettingsError` for a change of a field in which the arms differ, and for what cannot be run.
        """
        if taken := [name for name in changes if name in self.varied]:
            raise SettingsError(f"The arms of {self.name} differ in {', '.join(taken)}; change what they share.")
        chosen = range(self.seeds if seeds is None else seeds) if seeds is None or isinstance(seeds, int) else seeds
        return [arm.settings.with_(**changes, seed=seed) for seed in chosen for arm in self.arms]

    def check_budget(self, runs: Iterable[Settings]) -> None:
        """Raise `RunError` if runs of its arms differ in more than arm, seed and `UNLIKE`: then no budget is equal."""
        kinds = [self.common(one) for one in runs]
        for one in kinds[1:]:
            if differ := [name for name, value in one.items() if value != kinds[0][name]]:
                raise RunError(
                    f"These runs differ in more than arm and seed ({', '.join(differ)}), so their budgets are not "
                    "equal. Compare runs of one sweep."
                )

    def common(self, settings: Settings) -> dict[str, Any]:
        """What every arm should share with `settings`: all fields but those varied and those of `UNLIKE`."""
        return {name: getattr(settings, name) for name in FIELDS if name not in (*self.varied, *UNLIKE)}


def experiment(name: str) -> Experiment:
    """The experiment called `name`. Raises `SettingsError` for a name there is not."""
    try:
        return EXPERIMENTS[name]
    except KeyError:
        raise SettingsError(f"There is no experiment {name!r}. {_hint(name, EXPERIMENTS)}") from None


def _hint(name: str, known: Iterable[str]) -> str:
    names = list(known)
    near = get_close_matches(name, names, n=1)
    return f"Did you mean {near[0]!r}?" if near else f"There are {', '.join(names)}."


SCALES = (1.0, 0.5, 0.3, 0.2, 0.1, 0.05)

MICRO = Experiment(
    name="micro",
    title="The residual scale",
    question="Do unscaled residual networks die, and does scaling the residuals save them?",
    arms=tuple(Arm(key=f"scale{s:g}", label=f"scale {s:g}", settings=preset("micro", scale=s)) for s in SCALES),
    seeds=5,
    caveat=(
        "A stress setting: 4.4 times the paper's rate, a quarter of its width. The death seen here is an overshoot of "
        "the first steps, the paper's came after tens of thousands."
    ),
)

NONE = "none"
_BENCH = preset("micro", scale=1.0, steps=160)
_SCALED = "Recommended: factors between 0.1 and 0.3 stabilised training and did not harm the final accuracy."
_RATE = "Tried and not enough: a lower learning rate did not prevent the death."


def _remedy(key: str, label: str, paper: str = SILENT, claim: Claim = "silent", **changes: Any) -> Arm:
    return Arm(key=key, label=label, settings=_BENCH.with_(**changes), paper=paper, claim=claim)


REMEDIES = Experiment(
    name="remedies",
    title="The remedies bench",
    question="What keeps an unscaled network from dying, and what does not?",
    arms=(
        _remedy(NONE, "no remedy", "What dies: more than 1000 filters, residuals unscaled.", "fails"),
        _remedy("scale-0.1", "scale 0.1", _SCALED, "helps", scale=0.1),
        _remedy("scale-0.2", "scale 0.2", _SCALED, "helps", scale=0.2),
        _remedy("scale-0.3", "scale 0.3", _SCALED, "helps", scale=0.3),
        _remedy("rate-10th", "rate ÷ 10 (0.02)", _RATE, "fails", rate=0.02),
        _remedy("rate-100th", "rate ÷ 100 (0.002)", _RATE, "fails", rate=0.002),
        _remedy(
            "rate-1e-5",
            "rate 0.00001",
            "Tried as the first phase of a warm-up, for very wide networks: even so low a rate was not enough.",
            "fails",
            rate=1e-5,
        ),
        _remedy(
            "warmup",
            "warm-up: 50 steps at 0.00001",
            "Tried (an idea of He et al.) and unreliable: the high rate that follows can undo the warm-up.",
            "fails",
            schedule="warmup",
            warmup_steps=50,
            warmup_rate=1e-5,
        ),
        _remedy("ramp", "ramp over 100 steps", schedule="ramp", warmup_steps=100),
        _remedy(
            "end-norm",
            "batch norm before pooling",
            "Tried and not enough: an extra batch norm on the last layer did not prevent the death.",
            "fails",
            end_norm=True,
        ),
        _remedy(
            "clip-1",
            "clipping at 1",
            "Not named against the death; the AAAI text says that clipping helped to stabilise training.",
            clip=1.0,
        ),
        _remedy("clip-5", "clipping at 5", "As clipping at 1; the paper names no threshold.", clip=5.0),
        _remedy("zero-gain", "zero-initialised gain", gain="zero"),
        _remedy("small-init", "closing 1×1 started at a tenth", closing=0.1),
        _remedy("learned-scale", "learned scale, from 1", gain="learned"),
        _remedy(
            "no-momentum",
            "no momentum",
            "The text states no momentum for RMSProp; the released training script has 0.9.",
            momentum=0.0,
        ),
    ),
    seeds=4,
    caveat=(
        "160 steps at a rate of 0.2 test an overshoot of the first steps. The paper's remedies failed over tens of "
        "thousands of steps; whether one that helps here would still help there was not tested."
    ),
)

WIDTHS = (0.0625, 0.125, 0.25, 0.5)
MAP = Experiment(
    name="map",
    title="Width by scale",
    question="Does a wider network need a smaller scale?",
    arms=tuple(
        Arm(
            key=f"width{width:g}-scale{scale:g}",
            label=f"width {width:g}, scale {scale:g}",
            settings=preset("micro", width=width, scale=scale),
        )
        for width, scale in product(WIDTHS, (1.0, 0.5, 0.3, 0.1))
    ),
    seeds=1,
    caveat=(
        "Widths from 134 to 1072 channels at the end of the trunk, all at the stress rate 0.2; the paper met the death "
        "above 1000 filters at 0.045. Depth, batch and steps are those of micro."
    ),
)

# Widths of the pure networks are chosen so that their multiply-adds are within 1 % of the residual network's; the
# tests work that out. Blocks, small stem and padded reductions are otherwise those of Inception-v4.
_RACERS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("residual-deep", "residual, 5/10/5, scale 0.2", {"repeats": (5, 10, 5), "scale": 0.2}),
    ("pure-deep", "pure, 5/10/5", {"network": "inception_v4", "repeats": (5, 10, 5), "width": 0.181}),
    ("pure-v4", "pure, Inception-v4's 4/7/3", {"network": "inception_v4", "repeats": (4, 7, 3), "width": 0.21}),
    ("residual-shallow", "residual, 1/2/1, scale 0.2", {"repeats": (1, 2, 1), "scale": 0.2}),
    ("pure-shallow", "pure, 1/2/1", {"network": "inception_v4", "repeats": (1, 2, 1), "width": 0.221}),
)
_FASTER = "Residual connections are reported to speed training up greatly, at a similar final accuracy."

RACE = Experiment(
    name="race",
    title="Residual against pure Inception",
    question="Do residual connections speed up training at equal cost?",
    arms=tuple(
        Arm(
            key=f"{key}-{rate:g}",
            label=f"{label}, rate {rate:g}",
            settings=preset("micro", init="xavier", rate=rate, steps=200, **changes),
            paper=_FASTER,
        )
        for rate, (key, label, changes) in product((0.045, 0.01), _RACERS)
    ),
    seeds=1,
    caveat=(
        "The direction is the paper's, the size is not: deep pure networks hardly train at all in 200 steps here, with "
        "small widths, batches of 32 on 2 × 2 grids and only two rates tried, while the paper's Inception-v4 trains "
        "well. Shallow ones differ little. Equal cost means multiply-adds: a step of the pure network takes about 1.4 "
        "times as long on a CPU, having more layers."
    ),
)

EXPERIMENTS: dict[str, Experiment] = {each.name: each for each in (MICRO, REMEDIES, MAP, RACE)}
