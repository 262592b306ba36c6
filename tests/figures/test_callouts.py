"""Slow motion says the numbers of the step it is about, and the update's from the step after."""

from dataclasses import replace

from inception_lab.figures.callouts import LATER, MISSING, five, share
from inception_lab.training.events import Step

NOW = Step(
    step=7, loss=3.5, accuracy=0.25, rate=0.2, gradient_norm=12.0, zero_share=0.5, shortcut=(1.0, 2.0),
    residual=(0.5, 8.0), zeros=(0.25, 0.99999), cosine=(0.1, -0.2), gradient=(0.01, 0.0), update=(0.5, 0.5),
)  # fmt: skip
AFTER = replace(NOW, step=8, update=(0.001, 0.0025))


def numbers(steps: list[Step], block: int) -> dict[str, str]:
    return {
        name: value for card in five(steps, at=7, block=block, scale=0.1, classes=10) for name, value in card.numbers
    }


def test_each_number_is_the_blocks_own() -> None:
    assert numbers([NOW, AFTER], 1) == {
        "shortcut ‖x‖, RMS": "2",
        "residual ‖0.1 · F(x)‖, RMS": "8",
        "residual / shortcut": "4",
        "cosine between them": "-0.2",
        "zeros after the ReLU": "0.9999",
        "loss of the batch": "3.5",
        "accuracy of the batch": "0.2500",
        "gradient, RMS": "0",
        "norm over the whole network": "12",
        "learning rate": "0.2",
        "update / weights, norms": "0.0025",
    }


def test_sentences_follow_the_numbers() -> None:
    told = [card.sentence for card in five([NOW, AFTER], at=7, block=1, scale=0.1, classes=10)]
    assert "4 times as large" in told[1]
    assert "almost nothing through" in told[1]
    assert "costs 2.3; this batch is above" in told[2]
    assert told[3].startswith("Nothing comes back")
    assert "by 0.25% of their norm" in told[4]
    assert "corrects" in five([NOW], at=7, block=0, scale=0.1, classes=10)[1].sentence


def test_what_was_never_measured_is_said() -> None:
    old = replace(NOW, cosine=(), gradient=(), update=())
    assert numbers([old, replace(old, step=8)], 0)["cosine between them"] == MISSING
    assert numbers([old, replace(old, step=8)], 0)["update / weights, norms"] == MISSING
    assert numbers([NOW], 0)["update / weights, norms"] == LATER
    assert five([NOW], at=3, block=0, scale=1.0, classes=10) == ()


def test_no_share_is_rounded_up_to_all() -> None:
    assert [share(value) for value in (0.99999, 1.0, 0.5)] == ["0.9999", "1", "0.5000"]
