"""The instant forecast: one number of the network as initialised says whether a short run will fail.

P = rate × the norm of the gradient at step 0. Above `THRESHOLD` a run is expected to fail. The number 3.6 was fitted
before this lab was written, on 156 runs of the same experiment (momentum 0.9, unclipped, small Inception-ResNet-v2 on
Fashion-MNIST, failure called at step 100): 97 % right there, then 20 of 20 held-out random settings, of which only four
were expected to fail. It is an empirical rule, no theorem; `valid` says where it does not speak, `refit` what it scores
on other runs.

A run has failed when the mean accuracy of its last 20 training batches is below 0.5, counted at step 120 (at its end
if that comes sooner; a run of fewer than 100 steps is no case). So runs that stall have failed, those that train have
not, and "slow" is divided.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal, NamedTuple, Protocol

from inception_lab.errors import RunError
from inception_lab.intervals import wilson
from inception_lab.training.events import Step
from inception_lab.training.outcomes import WINDOW
from inception_lab.training.settings import Settings

Word = Literal["fails", "holds"]

THRESHOLD = 3.6
FAILED_ACCURACY = 0.5
CALLED_AT = 120
FEWEST_STEPS = 100
FITTED_ON = (
    "fitted elsewhere on 156 runs (97 % right on those); then frozen, and right on 20 of 20 random settings, 4 of them "
    "expected to fail, and on 25 of 27 later runs"
)

ASIDE = (
    *("preset", "steps", "telemetry_every", "checkpoint_every", "average"),
    *("schedule_factor", "schedule_steps", "warmup_steps", "warmup_rate"),
)
"""Settings that leave the path of a run within `valid` as it is: a label, a length, what is measured or kept, and what
only other schedules read."""


class Case(NamedTuple):
    """A finished run as the rule sees it: P at its step 0, and whether it failed."""

    p: float
    failed: bool


class Ran(Protocol):
    """A run with its settings and the steps it made: a shipped one or one of the store."""

    @property
    def settings(self) -> Settings: ...

    @property
    def steps(self) -> Sequence[Step]: ...


@dataclass(frozen=True, slots=True)
class Score:
    """`right` of `n` forecasts, with the 95 % Wilson interval `low` to `high`."""

    right: int
    n: int
    low: float
    high: float

    @property
    def accuracy(self) -> float:
        """The share that was right; nan of none."""
        return self.right / self.n if self.n else math.nan

    def __str__(self) -> str:
        return f"{self.right} of {self.n}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """The threshold that sorts some runs best, and what it and the frozen one score on them.

    `fitted` is the score on the runs it was fitted on, so it flatters; `left_out` forecasts each run from a fit to all
    the others. `frozen` is that of `THRESHOLD`. `auc` is the share of pairs of a failed and a held run in which the
    failed one has the larger P; ties count half.
    """

    threshold: float
    fitted: Score
    left_out: Score
    frozen: Score
    auc: float

    @property
    def n(self) -> int:
        """How many runs there were."""
        return self.fitted.n


def predict(p: float, *, threshold: float = THRESHOLD) -> Word:
    """What the rule expects of a run with this P; a P that is no number fails, as its gradient cannot be followed."""
    return "holds" if p <= threshold else "fails"


def valid(settings: Settings) -> tuple[str, ...]:
    """Why the rule does not speak of these settings, a phrase each; empty where it does."""
    return tuple(reason for holds, reason in (*_learning(settings), *_material(settings)) if not holds)


def failed(steps: Sequence[Step]) -> bool:
    """Whether a run failed, as the module defines it. Raises `RunError` for a run too short to be a case."""
    if len(steps) < FEWEST_STEPS:
        raise RunError(
            f"{len(steps)} steps are too few to call a failure; the rule speaks of runs of {FEWEST_STEPS} or more."
        )
    accuracy = fmean(step.accuracy for step in steps[:CALLED_AT][-WINDOW:])
    return not accuracy >= FAILED_ACCURACY


def cases_of(runs: Iterable[Ran]) -> list[Case]:
    """The runs that the rule can be scored on: within `valid`, long enough, measured at step 0, at one rate until the
    call. Runs of one path count once, since they give equal numbers: those whose settings differ only in `ASIDE`. Of
    these the longest counts, of equally long ones the last given."""
    found: dict[Settings, Ran] = {}
    for run in runs:
        if _counts(run):
            path = _path(run.settings)
            known = found.get(path)
            if known is None or len(run.steps) >= len(known.steps):
                found[path] = run
    return [Case(_p(run.settings, run.steps), failed(run.steps)) for run in found.values()]


def score(cases: Sequence[tuple[float, bool]], *, threshold: float = THRESHOLD) -> Score:
    """What a threshold scores on these runs."""
    right = sum((predict(p, threshold=threshold) == "fails") == failed for p, failed in cases)
    return Score(right, len(cases), *wilson(right, len(cases)))


def refit(cases: Sequence[tuple[float, bool]]) -> Fit:
    """The best threshold for these runs, by trying every way to divide them; of several equally good the middle one.

    Between two runs the threshold is their geometric mean. Raises `RunError` unless some failed and some held.
    """
    known = [(math.inf if math.isnan(p) else p, bool(failed)) for p, failed in cases]
    held = [p for p, failed in known if not failed]
    lost = [p for p, failed in known if failed]
    if not held or not lost:
        raise RunError(
            f"Of {len(known)} runs {len(lost)} failed: a threshold can be fitted only to runs of which some fail and "
            "some hold. Add runs with a larger or a smaller scale."
        )
    threshold = _best(known)
    others = (known[:place] + known[place + 1 :] for place in range(len(known)))
    right = sum(
        (predict(p, threshold=_best(rest)) == "fails") == failed
        for (p, failed), rest in zip(known, others, strict=True)
    )
    wins = sum((a > b) + 0.5 * (a == b) for a in lost for b in held)
    return Fit(
        threshold=threshold,
        fitted=score(known, threshold=threshold),
        left_out=Score(right, len(known), *wilson(right, len(known))),
        frozen=score(known),
        auc=wins / (len(lost) * len(held)),
    )


def _best(cases: Sequence[tuple[float, bool]]) -> float:
    """Exact, in one pass: from "all fail" upwards, each run passed over turns from failing to holding."""
    ordered = sorted(cases)
    right = sum(failed for _, failed in ordered)
    cuts = [(right, 0.0)]
    for place, (p, failed) in enumerate(ordered):
        right += -1 if failed else 1
        after = ordered[place + 1][0] if place + 1 < len(ordered) else p
        if after > p or place + 1 == len(ordered):
            cuts.append((right, math.sqrt(p * after) if math.isfinite(after) else p))
    most = max(right for right, _ in cuts)
    equal = [threshold for right, threshold in cuts if right == most]
    return equal[(len(equal) - 1) // 2]


def _counts(run: Ran) -> bool:
    steps = run.steps
    return (
        len(steps) >= FEWEST_STEPS
        and steps[0].step == 0
        and steps[0].gradient_norm is not None
        and not valid(run.settings)
        and all(math.isclose(step.rate, run.settings.rate, rel_tol=1e-3) for step in steps[:CALLED_AT])
    )


def _path(settings: Settings) -> Settings:
    usual = Settings()
    unread = (*ASIDE, "decay", "eps") if settings.optimiser == "sgd" else ASIDE
    return settings.with_(**{name: getattr(usual, name) for name in unread})


def _p(settings: Settings, steps: Sequence[Step]) -> float:
    return settings.rate * (steps[0].gradient_norm or 0.0)


def _learning(s: Settings) -> list[tuple[bool, str]]:
    classic = s.optimiser == "sgd" or (s.optimiser == "rmsprop_tf" and (s.decay, s.eps) == (0.9, 1.0))
    return [
        (classic, "the optimiser is neither momentum SGD nor RMSProp with decay 0.9 and ε 1"),
        (s.momentum == 0.9, f"momentum is {s.momentum:g}, not 0.9; without it the threshold is about ten times higher"),
        (s.clip is None, "the gradient is clipped"),
        (s.batch == 32, f"the batch is {s.batch}, not 32"),
        (0.01 <= s.rate <= 0.2, f"the rate {s.rate:g} is outside the fit, 0.01 to 0.2"),
        (s.schedule == "constant", "the rate does not stay constant"),
        (s.steps >= FEWEST_STEPS, f"the run ends before step {FEWEST_STEPS}, where failure is called"),
        (s.fork is None, "the run begins from another's weights"),
    ]


def _material(s: Settings) -> list[tuple[bool, str]]:
    drawn = s.network == "inception_resnet_v2_paper" and s.design is None and s.small
    depth = sum(s.repeats or (5, 10, 5))
    return [
        (drawn, "the network is not Inception-ResNet-v2 as drawn, with the small stem"),
        (0.05 <= s.scale <= 1, f"the scale {s.scale:g} is outside the fit, 0.05 to 1"),
        (0.125 <= s.width <= 1, f"the width {s.width:g} is outside the fit, 0.125 to 1"),
        (4 <= depth <= 40, f"{depth} blocks are outside the fit, 4 to 40"),
        (s.stage_scales is None, "the stages have scales of their own"),
        (s.gain == "fixed", "the scale is trained"),
        (s.closing == 1, "the closing 1x1 starts from other weights"),
        (s.init in ("he", "xavier", "torch"), "the initialisation was not in the fit"),
        (not s.end_norm, "there is a batch norm before the pooling"),
        (s.dropout == 0, "there is dropout"),
        (s.data.startswith("fashion_mnist") and s.image_size == 28, "the data are not Fashion-MNIST at 28 pixels"),
        (not s.augment, "the images are augmented"),
        (s.precision == "fp32", f"the precision is {s.precision}, not fp32"),
    ]
