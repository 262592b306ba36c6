"""The bench's figure shows the rows and nothing else."""

import re
from collections.abc import Sequence

import pytest

from inception_lab.figures.remedies import COLOURS, FADED, remedies
from inception_lab.intervals import wilson
from inception_lab.jobs.remedies import Ended, remedies_table
from inception_lab.training.experiments import REMEDIES
from inception_lab.training.outcomes import Judgement, Outcome


def arm(key: str, *ends: tuple[Outcome, float]) -> list[Ended]:
    return [
        Ended(
            REMEDIES.arm(key).settings.with_(seed=seed),
            Judgement(outcome=word, died_at=None, loss=1.0, accuracy=accuracy, zero_share=0.5, window=20),
        )
        for seed, (word, accuracy) in enumerate(ends)
    ]


def test_dots_intervals_and_words() -> None:
    none, scaled = 4 * [("dies", 0.1)], [("slow", 0.5), ("trains", 0.7), ("trains", 0.6), ("trains", 0.6)]
    rows = remedies_table([*arm("none", *none), *arm("scale-0.1", *scaled), *arm("ramp", ("short", 0.2))])  # type: ignore[arg-type]
    figure, words = remedies(rows)
    good, good_accuracy, open_, open_accuracy = figure.data
    assert (good.name, list(good.y), list(good.x)) == ("prevents", ["scale 0.1"], [0])
    assert good.error_x.array == pytest.approx([wilson(0, 4)[1]])
    assert list(good_accuracy.x) == pytest.approx([0.6])
    assert (good_accuracy.error_x.array[0], good_accuracy.error_x.arrayminus[0]) == pytest.approx((0.1, 0.1))
    assert (open_.name, list(open_.y), list(open_.x)) == ("undecided", ["no remedy"], [1])
    assert open_.error_x.arrayminus == pytest.approx([1 - wilson(4, 4)[0]])
    assert list(open_accuracy.x) == pytest.approx([0.1])
    assert figure.layout.yaxis.categoryarray == ("scale 0.1", "no remedy")
    assert words == (
        "Remedies against the death of unscaled networks. no remedy: 4 of 4 failed, mean accuracy 0.10; "
        "scale 0.1: 0 of 4 failed, mean accuracy 0.60 (prevents)."
    )
    assert remedies([])[1].endswith("No run yet.")


@pytest.mark.parametrize("ground", [(255, 255, 255), (14, 18, 24)], ids=["light", "dark"])
def test_what_is_set_back_can_still_be_seen(ground: tuple[int, int, int]) -> None:
    """WCAG's 3 to 1 for graphics, over the grounds of both themes."""
    for colour in COLOURS.values():
        channels = map(int, re.findall(r"\d+", colour))
        drawn = [FADED * over + (1 - FADED) * under for over, under in zip(channels, ground, strict=True)]
        brighter, darker = sorted(map(luminance, (drawn, ground)), reverse=True)
        assert (brighter + 0.05) / (darker + 0.05) >= 3


def luminance(channels: Sequence[float]) -> float:
    linear = [c / 3294.6 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
