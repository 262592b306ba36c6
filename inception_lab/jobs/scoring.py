"""How good predictions were: Brier scores and calibration.

A person who taps a word gives it a probability (1 unless a confidence was chosen), the rest is spread evenly over the
other four. For each finished run the Brier score (Brier 1950, its form for several classes) is the sum over the five
words of (probability - what happened)², where what happened is 1 for the outcome and 0 for the others: 0 is perfect, 2
is sure and wrong, 0.8 is what saying 0.2 for everything gets. "nan" counts as "diverges". A run is counted only if it
finished and was long enough to judge, and a prediction only if it was made before the first run of its arm ended.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from inception_lab.intervals import wilson
from inception_lab.jobs.predictions import WORDS, Prediction, Word, arm_key
from inception_lab.jobs.store import Run
from inception_lab.training.outcomes import LEAST as FEWEST_STEPS
from inception_lab.training.rule import THRESHOLD, predict

CONFIDENCE: dict[str, float] = {"certain": 1.0, "sure": 0.9, "likely": 0.7, "guess": 0.5}
FORMULA = (
    "Brier score: the sum over the five words of (probability said − what happened)², averaged over the runs that "
    f"finished and were long enough to judge ({FEWEST_STEPS} steps; NaN and death show sooner). 0 is perfect, 2 is "
    "certain and wrong, 0.8 is what an equal chance for every word gets."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A finished run as predictions see it; `first` is when the first run of its arm ended, by whatever end."""

    arm: str
    word: Word
    first: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A person's, or everybody's, mean Brier score over `n` pairs of a prediction and a run, in `right` of which the
    tapped word came true; the words were for `arms` different arms. `low` to `high` is the Wilson interval of the
    share that came true."""

    who: str
    brier: float
    right: int
    n: int
    arms: int
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Of `n` pairs of a prediction and a run with the probability `said`, `true` came true; with the Wilson interval.

    Pairs that share a run are not independent, so the interval is narrower than it should be.
    """

    said: float
    n: int
    true: int
    low: float
    high: float


def brier(said: Mapping[Word, float], happened: Word) -> float:
    """The sum over the five words of (probability - what happened)²."""
    return sum((said[word] - (word == happened)) ** 2 for word in WORDS)


def spread(word: Word, probability: float) -> dict[Word, float]:
    """The probability for the word, the rest evenly over the other four."""
    rest = (1 - probability) / (len(WORDS) - 1)
    return {each: probability if each == word else rest for each in WORDS}


def ended(runs: Iterable[Run]) -> list[Ended]:
    """The finished runs that can be held against predictions."""
    known = [(arm_key(run.settings), run) for run in runs]
    first: dict[str, float] = {}
    for arm, run in known:
        if run.ended is not None:
            first[arm] = min(first.get(arm, run.ended), run.ended)
    return [
        Ended(arm=arm, word=word, first=first[arm])
        for arm, run in known
        if run.pure and arm in first and (word := _word(run.result or {})) is not None
    ]


def too_short(runs: Iterable[Run]) -> str:
    """In a sentence, how many runs finished but say nothing about a prediction; empty if none did."""
    count = sum(run.pure and (run.result or {}).get("outcome") == "short" for run in runs)
    if not count:
        return ""
    they = "1 run finished and was" if count == 1 else f"{count} runs finished and were"
    return f"{they} too short to judge, so no prediction is scored on it: {FEWEST_STEPS} steps or more can be judged."


def late(predictions: Iterable[Prediction], runs: Iterable[Ended]) -> list[Prediction]:
    """The predictions that do not count, as a run of their arm had ended when they were made."""
    first = {run.arm: run.first for run in runs}
    return [one for one in predictions if one.arm in first and one.made >= first[one.arm]]


def scores(predictions: Iterable[Prediction], runs: Sequence[Ended]) -> list[Score]:
    """A score for each person who predicted something that has ended, best first, then by name."""
    by_person: dict[str, list[tuple[Prediction, Word]]] = defaultdict(list)
    for one, word in _pairs(predictions, runs):
        by_person[one.who].append((one, word))
    found = [_score(who, pairs) for who, pairs in by_person.items()]
    return sorted(found, key=lambda score: (score.brier, score.who))


def class_score(predictions: Iterable[Prediction], runs: Sequence[Ended]) -> Score:
    """Everybody together, each pair of a prediction and a run once; nan if there is none."""
    return _score("everybody", _pairs(predictions, runs))


def calibration(predictions: Iterable[Prediction], runs: Sequence[Ended]) -> list[Bin]:
    """For each probability that was said of a tapped word: how often it came true."""
    hits: dict[float, list[bool]] = defaultdict(list)
    for one, word in _pairs(predictions, runs):
        hits[one.probability].append(one.word == word)
    return [
        Bin(said=said, n=len(came), true=sum(came), low=low, high=high)
        for said, came in sorted(hits.items())
        for low, high in [wilson(sum(came), len(came))]
    ]


def rule_brier(cases: Sequence[tuple[float, bool]], *, threshold: float = THRESHOLD) -> float:
    """The rule's Brier score over its own two words, fails and holds, said with certainty: 0 perfect, 2 always wrong,
    0.5 for an equal chance. Two words are easier than five, so it is no race with people; nan of no case."""
    wrong = [(predict(p, threshold=threshold) == "fails") != failed for p, failed in cases]
    return 2 * fmean(wrong) if wrong else float("nan")


def _pairs(predictions: Iterable[Prediction], runs: Sequence[Ended]) -> list[tuple[Prediction, Word]]:
    return [
        (one, run.word)
        for one in predictions
        for run in runs
        if one.word is not None and run.arm == one.arm and one.made < run.first
    ]


def _score(who: str, pairs: Sequence[tuple[Prediction, Word]]) -> Score:
    right = sum(one.word == happened for one, happened in pairs)
    low, high = wilson(right, len(pairs))
    each = [brier(spread(one.word, one.probability), happened) for one, happened in pairs if one.word is not None]
    return Score(
        who=who,
        brier=fmean(each) if each else float("nan"),
        right=right,
        n=len(pairs),
        arms=len({one.arm for one, _ in pairs}),
        low=low,
        high=high,
    )


def _word(result: Mapping[str, Any]) -> Word | None:
    outcome = result.get("outcome")
    if outcome == "nan":
        return "diverges"
    return next((word for word in WORDS if word == outcome), None)
