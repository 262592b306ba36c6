"""Whether a map is to be trusted, in one sentence, by rules whose thresholds stand here and nowhere else.

None of the papers that propose these tests draws a line, so the lines are the lab's own; what each is to keep out:

- `DEVIATIONS`, 3: an order of regions that knows nothing lies 3 standard deviations of five random orders better than
  their mean in 1 case of 40 (Student's t of 3 / sqrt(1 + 1/5) = 2.74 with 4 degrees of freedom: 0.026); 2 would let
  1 in 14 through. A map whose areas miss it may still be better than the mean of chance: "hardly more".
- `LEAST_GAIN`, 2 % of the whole fall: random orders that happen to be alike make 3 deviations next to nothing.
- `LEAST_DROP`, 0.05 of probability or 0.5 logits (odds by a factor of 1.6): a smaller fall is of the size of what the
  ground itself does to a score. `CLEAR_PROBABILITY`, 0.1: from less there is hardly room for that fall.
- `ALIKE`, a mean size of the rank correlation of 0.5 with all weights random, that is a quarter of the ranks' variance
  in common; 0.8 with a random classifier, as the layers below, which place the map, are the same. `SAME`, 0.95: the two
  maps look alike. Only if every random network gives such a map, `FEWEST` at least, can the map not be about the
  trained one: a single one may do so by chance. Sizes, as a map upside down draws the same regions.
- `COMPLETE`, 5 %: the error at which more steps of integrated gradients are called for (Sundararajan et al. 2017,
  section 5).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, assert_never

from inception_lab.images.attribution import Attribution
from inception_lab.images.deletion import Curves, Measure
from inception_lab.images.randomised import Kind
from inception_lab.images.redrawn import Drawn, Remade, drawn

Verdict = Literal["trust", "care", "distrust", "untestable"]

DEVIATIONS = 3.0
LEAST_GAIN = 0.02
CLEAR_PROBABILITY = 0.1
LEAST_DROP: dict[Measure, float] = {"probability": 0.05, "logit": 0.5}
ALIKE: dict[Kind, float] = {"top": 0.8, "whole": 0.5}
SAME = 0.95
FEWEST = 3
COMPLETE = 0.05

DEFINITIONS: dict[Verdict, str] = {
    "untestable": (
        "The map is 0 everywhere; or without the whole image the score falls by less than "
        f"{LEAST_DROP['probability']} of probability ({LEAST_DROP['logit']} logits where the probability begins below "
        f"{CLEAR_PROBABILITY}): there is no fall to tell maps apart by."
    ),
    "distrust": (
        "Neither deletion nor insertion clearly beats random orders; or every one of at least "
        f"{FEWEST} networks with random weights gives a map whose rank correlation with this one has a size of at "
        f"least {SAME}."
    ),
    "care": (
        "One of deletion and insertion does not clearly beat random orders; or the mean size of the correlation with "
        f"the maps of random weights is at least {ALIKE['whole']} ({ALIKE['top']} where the classifier alone is "
        "random), or was not measured; or a method that promises to add up misses by more than "
        f"{COMPLETE:.0%} of the change of the score."
    ),
    "trust": (
        f"Both areas are at least {DEVIATIONS:g} standard deviations of the random orders, and {LEAST_GAIN:.0%} of the "
        "whole fall, better than their mean, and none of the above holds."
    ),
}
"""In the order in which they are tried. Three deviations are about the 95 % prediction interval of five orders."""

_HEADS: dict[Verdict, str] = {
    "trust": "This map can be used",
    "care": "Use this map with care",
    "distrust": "Do not use this map",
    "untestable": "This map cannot be tested",
}
_GOOD = "what it marks counts for more than random parts do, and random weights change it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One reason, for the map or against it: `short` for the verdict's sentence, `text` with its numbers."""

    good: bool
    short: str
    text: str
    final: bool = False  # settles the matter: the map cannot be about the network

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {"good": self.good, "text": self.text}

    def __str__(self) -> str:
        return f"{'+' if self.good else '−'} {self.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The verdict, its sentence with the first of its reasons, all of these, and the measure whose areas decided: the
    probability unless it began too low."""

    verdict: Verdict
    sentence: str
    findings: tuple[Finding, ...]
    measure: Measure


def measure_of(curves: Curves) -> Measure:
    """The probability, or the logit where the probability of the whole image is too low for a fall to show."""
    return "probability" if curves.deletion.probability[0] >= CLEAR_PROBABILITY else "logit"


def better(curves: Curves, measure: Measure) -> tuple[bool, bool]:
    """Whether deletion and insertion clearly beat the random orders."""
    chance = curves.chance_areas(measure)
    need = max(DEVIATIONS * float(chance.std(ddof=1)), LEAST_GAIN * abs(curves.drop(measure)))
    mean = float(chance.mean())
    return mean - curves.deletion.area(measure) >= need, curves.insertion.area(measure) - mean >= need


def testable(curves: Curves, measure: Measure) -> bool:
    """Whether the score falls enough, from the whole image to the ground alone, for orders to be told apart."""
    return curves.drop(measure) >= LEAST_DROP[measure]


def blank(result: Attribution) -> Judged:
    """The verdict on a map of zeros, whose `Attribution.note` is the reason."""
    note = (result.note or "").partition(":")[0]
    sentence = _said("untestable", note[:1].lower() + note[1:])
    return Judged(verdict="untestable", sentence=sentence, findings=(), measure="probability")


def judged(curves: Curves, remade: Sequence[Remade], *, missing: float | None = None) -> Judged:
    """The verdict by `DEFINITIONS`. `missing` is the completeness error as a share of the change of the score."""
    measure = measure_of(curves)
    if not testable(curves, measure):
        return _no_fall(curves, measure)
    marks = _marks(curves, measure)
    findings = (*marks, *_weights(remade), *_completeness(missing))
    verdict, why = _verdict(marks, findings)
    return Judged(verdict=verdict, sentence=_said(verdict, why), findings=findings, measure=measure)


def _verdict(marks: Sequence[Finding], findings: Sequence[Finding]) -> tuple[Verdict, str]:
    """The verdict, and the reason that its sentence gives."""
    bad = [one.short for one in findings if not one.good]
    if final := [one.short for one in findings if one.final]:
        return "distrust", final[0]
    if not any(one.good for one in marks):
        return "distrust", "what it marks counts for no more than random parts do"
    return ("care", bad[0]) if bad else ("trust", _GOOD)


def _no_fall(curves: Curves, measure: Measure) -> Judged:
    whole, ground = (curves.deletion.of(measure)[place] for place in (0, -1))
    text = f"the {measure} is {whole:.3g} with the whole image and {ground:.3g} without any of it"
    short = "the network is hardly less sure without the whole image"
    finding = Finding(good=False, short=short, text=text)
    return Judged(verdict="untestable", sentence=_said("untestable", short), findings=(finding,), measure=measure)


def _marks(curves: Curves, measure: Measure) -> list[Finding]:
    chance = curves.chance_areas(measure)
    mean, deviation = float(chance.mean()), float(chance.std(ddof=1))
    removed, returned = better(curves, measure)
    areas = curves.deletion.area(measure), curves.insertion.area(measure)
    beside = f"of random orders {spread(mean, deviation)} (n = {len(chance)})"
    numbers = [f"area under the {measure} {near(area, deviation)}, {beside}" for area in areas]
    numbers[1] += ", the same orders read backwards"
    hurts = f"removing what it marks hurts {_much(removed, mean - areas[0])} than removing random parts"
    helps = f"bringing back what it marks helps {_much(returned, areas[1] - mean)} than bringing back random parts"
    return [
        Finding(good=removed, short=hurts, text=f"{hurts}: {numbers[0]}"),
        Finding(good=returned, short=helps, text=f"{helps}: {numbers[1]}"),
    ]


def _much(clear: bool, gain: float) -> str:
    """A gain that the rule does not count is still a gain."""
    if clear:
        return "more"
    return "hardly more" if gain > 0 else "no more"


def _weights(remade: Sequence[Remade]) -> list[Finding]:
    every = drawn(remade)
    if not any(one.sizes for one in every):
        short = "it was not compared with maps of random weights"
        empty = sum(one.none for one in every)
        return [Finding(good=False, short=short, text=f"{short}{_none(empty)}")]
    return [_of_kind(one) for one in every if one.sizes]


def _of_kind(one: Drawn) -> Finding:
    same = one.least >= SAME and len(one.sizes) >= FEWEST
    alike = one.mean >= ALIKE[one.kind]
    what = _random(one.kind)
    short = f"{what} give the same map" if same else f"{what} {'hardly change' if alike else 'change'} it"
    size = spread(one.mean, one.deviation) if len(one.sizes) > 1 else f"{one.mean:.2f}"
    text = f"{short}: size of the correlation {size} (n = {len(one.sizes)}){_none(one.none)}"
    return Finding(good=not alike, short=short, text=text, final=same)


def _none(count: int) -> str:
    return f"; {count} more gave no map" if count else ""


def _random(kind: Kind) -> str:
    match kind:
        case "top":
            return "random classifiers"
        case "whole":
            return "random weights"
        case _:
            assert_never(kind)


def _completeness(missing: float | None) -> list[Finding]:
    if missing is None:
        return []
    good = missing <= COMPLETE
    verb = "adds up to what it promises, but for" if good else "does not add up to what it promises: it misses"
    text = f"it {verb} {missing:.1%} of the change of the score"
    return [Finding(good=good, short="it does not add up to what it promises", text=text)]


def _said(verdict: Verdict, why: str) -> str:
    return f"{_HEADS[verdict]}: {why}."


def spread(mean: float, deviation: float) -> str:
    """A mean with its deviation, both to the deviation's second digit: `0.0123 ± 0.0009` rather than `0.01 ± 0.00`."""
    return f"{near(mean, deviation)} ± {near(deviation, deviation)}"


def near(value: float, deviation: float) -> str:
    """A number to the second digit of the deviation it is read beside, two places at least."""
    places = max(2, 1 - math.floor(math.log10(deviation))) if deviation > 1e-6 else 2  # below that it is rounding
    return f"{value:.{places}f}"
