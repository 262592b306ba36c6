"""Whether a map is to be trusted, in one sentence, by rules whose thresholds stand here and nowhere else.

None of the papers that propose these tests draws a line, so the lines are the lab's own; what each is to keep out:

- `DEVIATIONS`, 3: an order of regions that knows nothing lies 3 standard deviations of five random orders better than
  their mean in 1 case of 40 (Student's t of 3 / sqrt(1 + 1/5) = 2.74 with 4 degrees of freedom: 0.026); 2 would let
  1 in 14 through. A map whose areas miss it may still be better than the mean of chance: "not clearly faster".
- `LEAST_GAIN`, 2 % of the whole fall: random orders that happen to be alike make 3 deviations next to nothing.
- `LEAST_DROP`, 0.05 of probability or 0.5 logits (odds by a factor of 1.6): a smaller fall is of the size of what the
  ground itself does to a score. `CLEAR_PROBABILITY`, 0.1: from less there is hardly room for that fall.
- `ALIKE`, rank correlation 0.5 with all weights random, that is a quarter of the ranks' variance in common; 0.8 with a
  random classifier, as the layers below, which place the map, are the same. `SAME`, 0.95: the two maps look alike.
- `COMPLETE`, 5 %: the error at which more steps of integrated gradients are called for (Sundararajan et al. 2017,
  section 5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, assert_never

from inception_lab.images.deletion import Curves, Measure
from inception_lab.images.randomised import Kind, Remade

Verdict = Literal["trust", "care", "distrust", "untestable"]

DEVIATIONS = 3.0
LEAST_GAIN = 0.02
CLEAR_PROBABILITY = 0.1
LEAST_DROP: dict[Measure, float] = {"probability": 0.05, "logit": 0.5}
ALIKE: dict[Kind, float] = {"top": 0.8, "whole": 0.5}
SAME = 0.95
COMPLETE = 0.05

DEFINITIONS: dict[Verdict, str] = {
    "untestable": (
        f"Without the whole image the score falls by less than {LEAST_DROP['probability']} of probability "
        f"({LEAST_DROP['logit']} logits where the probability begins below {CLEAR_PROBABILITY}): there is no fall to "
        "tell maps apart by."
    ),
    "distrust": (
        "Neither deletion nor insertion clearly beats random orders, or the map has a rank correlation of at least "
        f"{SAME} with the one of a network with random weights."
    ),
    "care": (
        "One of deletion and insertion does not clearly beat random orders; or the correlation with the map of random "
        f"weights is at least {ALIKE['whole']} ({ALIKE['top']} where the classifier alone is random), or was not "
        f"measured; or a method that promises to add up misses by more than {COMPLETE:.0%} of the change of the score."
    ),
    "trust": (
        f"Both areas are at least {DEVIATIONS:g} standard deviations of the random orders, and {LEAST_GAIN:.0%} of the "
        "whole fall, better than their mean, and none of the above holds."
    ),
}
"""In the order in which they are tried. Three deviations are about the 95 % prediction interval of five orders."""

_HEADS: dict[Verdict, str] = {
    "trust": "Trust it",
    "care": "Trust it with care",
    "distrust": "Do not trust it",
    "untestable": "It cannot be tested on this image",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The verdict, its sentence, and the measure whose areas decided: the probability unless it began too low."""

    verdict: Verdict
    sentence: str
    measure: Measure


@dataclass(frozen=True, slots=True)
class _Clause:
    good: bool
    text: str
    final: bool = False  # settles the matter: the map cannot be about the network


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


def judged(curves: Curves, remade: Sequence[Remade], *, missing: float | None = None) -> Judged:
    """The verdict by `DEFINITIONS`. `missing` is the completeness error as a share of the change of the score."""
    measure = measure_of(curves)
    if not testable(curves, measure):
        whole, ground = (curves.deletion.of(measure)[place] for place in (0, -1))
        why = f"the {measure} is {whole:.2f} with the whole image and {ground:.2f} without any of it"
        return Judged(verdict="untestable", sentence=f"{_HEADS['untestable']}: {why}.", measure=measure)
    marks = _marks(curves, measure)
    others = [*_remade(remade), *_completeness(missing)]
    clauses = [*marks, *others]
    if not any(clause.good for clause in marks) or any(clause.final for clause in others):
        verdict: Verdict = "distrust"
    else:
        verdict = "trust" if all(clause.good for clause in clauses) else "care"
    return Judged(verdict=verdict, sentence=_sentence(verdict, clauses), measure=measure)


def _marks(curves: Curves, measure: Measure) -> list[_Clause]:
    chance = curves.chance_areas(measure)
    beside = f"against {chance.mean():.2f} ± {chance.std(ddof=1):.2f}"
    removed, returned = better(curves, measure)
    areas = curves.deletion.area(measure), curves.insertion.area(measure)
    falls, rises = _pace(removed, chance.mean() - areas[0]), _pace(returned, areas[1] - chance.mean())
    return [
        _Clause(
            removed,
            f"removing what it marks lowers the {measure} {falls} than chance (area "
            f"{areas[0]:.2f} {beside}, n = {len(chance)} random orders)",
        ),
        _Clause(
            returned,
            f"bringing it back raises the {measure} {rises} than chance (area "
            f"{areas[1]:.2f} {beside}, n = {len(chance)})",
        ),
    ]


def _pace(clear: bool, gain: float) -> str:
    """A gain that the rule does not count is still a gain."""
    if clear:
        return "faster"
    return "not clearly faster" if gain > 0 else "no faster"


def _remade(remade: Sequence[Remade]) -> list[_Clause]:
    if not remade:
        return [_Clause(False, "it was not tried on random weights")]
    by_kind: dict[Kind, list[float]] = {}
    for one in remade:
        by_kind.setdefault(one.kind, []).append(one.correlation)
    means = {kind: sum(found) / len(found) for kind, found in by_kind.items()}
    alike = {kind: mean for kind, mean in means.items() if mean >= ALIKE[kind]}
    if not alike:
        kind = max(means, key=lambda kind: means[kind])
        return [_Clause(True, f"the map changes on {_network(kind)} (correlation {means[kind]:.2f})")]
    return [
        _Clause(
            False,
            f"the map {'stays the same' if mean >= SAME else 'hardly changes'} on {_network(kind)} "
            f"(correlation {mean:.2f})",
            final=mean >= SAME,
        )
        for kind, mean in alike.items()
    ]


def _network(kind: Kind) -> str:
    match kind:
        case "top":
            return "a network with a random classifier"
        case "whole":
            return "a network with random weights"
        case _:
            assert_never(kind)


def _completeness(missing: float | None) -> list[_Clause]:
    if missing is None or missing <= COMPLETE:
        return []
    return [_Clause(False, f"it misses {missing:.0%} of the change of the score it promises to add up to")]


def _sentence(verdict: Verdict, clauses: Sequence[_Clause]) -> str:
    """What speaks for the verdict first, what speaks against it after "but"."""
    good = [clause.text for clause in clauses if clause.good]
    bad = [clause.text for clause in clauses if not clause.good]
    first, second = (bad, good) if verdict == "distrust" else (good, bad)
    link = ", though " if verdict == "distrust" else ", but "
    return f"{_HEADS[verdict]}: {link.join(_listed(part) for part in (first, second) if part)}."


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
