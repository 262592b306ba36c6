"""What is said to differ from the paper follows from the settings, and nothing else."""

import pytest

from inception_lab.nets import catalog
from inception_lab.readers.notation import notation
from inception_lab.training.deviations import deviations
from inception_lab.training.presets import PRESETS
from inception_lab.training.settings import Fork, Settings

DESIGN = notation(catalog.net("inception_resnet_v2_paper"))


def topics(settings: Settings) -> list[str]:
    return [line.partition(":")[0] for line in deviations(settings)]


def test_micro_in_full() -> None:
    assert deviations(PRESETS["micro"]) == (
        "data: grey Fashion-MNIST at 28 × 28; the paper: ImageNet at 299 × 299",
        "length: 120 steps; the paper: death after tens of thousands, not by an early overshoot",
        "batch: 32 on one machine; the paper: 20 replicas, batch not stated",
        "width: 0.25 of the channels, 536 at the end of the trunk instead of 2144",
        "stem: three small convolutions; the paper: its own for 299 × 299",
        "dropout: none; the paper keeps 0.8",
        "initialisation: He; the paper states none",
        "momentum: 0.9; the paper states none for RMSProp, the released script has 0.9",
        "rate: 0.2, 4.4 times the paper's 0.045",
        "schedule: constant rate; the paper: × 0.94 every two epochs",
        "clipping: none; the paper clips and names no threshold",
        "evaluation: the last weights; the paper: a running average of them",
    )


def test_the_other_presets_differ_in_what_they_say() -> None:
    micro, rate, wide = (set(topics(PRESETS[name])) for name in ("micro", "paper-rate", "wide"))
    assert micro - rate == {"rate"}
    assert rate - micro == {"depth"}
    assert micro - wide == {"rate", "width"}
    assert "depth: 10/20/10 blocks; the paper draws 5/10/5" in deviations(PRESETS["paper-rate"])


@pytest.mark.parametrize(
    ("changes", "said", "silent"),
    [
        ({"optimiser": "sgd"}, "optimiser: SGD, momentum 0.9; the paper: RMSProp, decay 0.9, ε 1.0", "decay 0.5"),
        ({"optimiser": "adam", "decay": 0.5}, "optimiser: Adam, betas 0.9 and 0.999; the paper: RMSProp", "decay 0.5"),
        ({"decay": 0.5}, "optimiser: RMSProp, decay 0.5, ε 1; the paper", "SGD"),
        ({"momentum": 0.0}, "initialisation", "momentum"),
        ({"rate": 0.045, "average": 0.99}, "clipping: none", "evaluation"),
        ({"schedule": "exponential"}, "schedule: × 0.94 every 100 steps; the paper: × 0.94", "constant"),
        ({"clip": 2.0}, "clipping: gradient norm at 2; the paper clips", "clipping: none"),
        ({"network": "inception_v4", "repeats": None}, "network: inception_v4, as drawn", "depth"),
        ({"small": False, "image_size": 96}, "at 96 × 96", "stem"),
        ({"network": "inception_v4", "width": 0.181}, "depth: 5/10/5 blocks; the paper draws 4/7/3", "resnet"),
        ({"design": DESIGN, "repeats": None}, "network: a design of one's own", "depth"),
        ({"width": 2.0}, "width: 2 times the channels, 4288 at the end of the trunk instead of 2144", "of the ch"),
        ({"stage_scales": (1.0, 0.3, 0.1)}, "scale: 1 in A, 0.3 in B, 0.1 in C; the paper: factors", "gain:"),
        ({"gain": "learned"}, "gain: the scale is trained", "starts at 0"),
        ({"gain": "zero"}, "gain: a trained number that starts at 0", "is trained;"),
        ({"closing": 0.1}, "closing 1 × 1: started at 0.1 of that", "gain:"),
        ({"end_norm": True}, "batch norm before the pooling; the paper tried it", "gain:"),
        ({"dropout": 0.2}, "initialisation", "dropout"),
        ({"dropout": 0.5}, "dropout: 0.5 dropped; the paper keeps 0.8", "none; the paper keeps"),
        ({"augment": True}, "augmentation: flips and shifts", "gain:"),
        ({"precision": "bf16"}, "precision: bf16 in the forward pass", "fp16"),
        ({"schedule": "warmup"}, "schedule: two phases, 50 steps at 1e-05, then 0.2; the paper tried", "constant"),
        ({"schedule": "ramp"}, "schedule: a line up to the rate over 50 steps", "constant"),
        ({"fork": Fork(run="r1", step=7)}, "start: branched from run r1 at step 7", "gain:"),
        ({"init": "xavier"}, "Xavier as in the released Inception-ResNet code", "He;"),
    ],
)
def test_each_setting_is_said_once_and_only_if_it_differs(changes: dict[str, object], said: str, silent: str) -> None:
    text = " | ".join(deviations(PRESETS["micro"].with_(**changes)))
    assert text.count(said) == 1
    assert silent not in text
