"""What settings shrink, exaggerate or leave out against the paper's experiment: computed, so that it cannot go stale.

The paper's side is arXiv 1602.07261, sections 3.3 and 4: ImageNet at 299 x 299, 20 replicas, RMSProp with decay 0.9 and
eps 1.0, rate 0.045 times 0.94 every two epochs, clipping without a threshold, a running average for evaluations.
"""

from __future__ import annotations

from functools import reduce

from inception_lab.nets.ops import Net, stage_channels
from inception_lab.training.settings import Init, Settings

_INIT: dict[Init, str] = {"he": "He", "xavier": "Xavier", "truncated": "truncated normal", "torch": "PyTorch's default"}


def deviations(settings: Settings) -> tuple[str, ...]:
    """What differs from the paper's experiment, a phrase each: what is here, then what the paper has."""
    return (*_task(settings), *_network(settings), *_optimiser(settings))


def _task(settings: Settings) -> list[str]:
    size = settings.image_size
    return [
        f"data: grey Fashion-MNIST at {size} × {size}; the paper: ImageNet at 299 × 299",
        f"length: {settings.steps} steps; the paper: death after tens of thousands, not by an early overshoot",
        f"batch: {settings.batch} on one machine; the paper: 20 replicas, batch not stated",
    ]


def _network(settings: Settings) -> list[str]:
    net, said = settings.net(), []
    if settings.network != "inception_resnet_v2_paper":
        said.append(f"network: {net.name}, {net.source}")
    if settings.width != 1:
        full = settings.with_(width=1.0).net()
        said.append(
            f"width: {settings.width:g} of the channels, {_last(net)} at the end of the trunk instead of {_last(full)}"
        )
    if settings.small:
        said.append("stem: three small convolutions; the paper: its own for 299 × 299")
    repeats = "/".join(str(len(stage.blocks)) for stage in net.stages if stage.name in "ABC")
    if settings.network.startswith("inception_resnet") and repeats != "5/10/5":
        said.append(f"depth: {repeats} blocks; the paper draws 5/10/5")
    released = " as in the released Inception-ResNet code" if settings.init == "xavier" else ""
    said.append(f"initialisation: {_INIT[settings.init]}{released}; the paper states none")
    return said


def _optimiser(settings: Settings) -> list[str]:
    said, paper = [], "the paper: RMSProp, decay 0.9, ε 1.0"
    match settings.optimiser:
        case "rmsprop_tf":
            if (settings.decay, settings.eps) != (0.9, 1.0):
                said.append(f"optimiser: RMSProp, decay {settings.decay:g}, ε {settings.eps:g}; {paper}")
            if settings.momentum:
                said.append(
                    f"momentum: {settings.momentum:g}; the paper states none for RMSProp, the released script has 0.9"
                )
        case "sgd":
            said.append(f"optimiser: SGD, momentum {settings.momentum:g}; {paper}")
        case "adam":
            said.append(f"optimiser: Adam, betas {settings.momentum:g} and 0.999; {paper}")
    if settings.rate != 0.045:
        said.append(f"rate: {settings.rate:g}, {settings.rate / 0.045:.2g} times the paper's 0.045")
    match settings.schedule:
        case "constant":
            said.append("schedule: constant rate; the paper: × 0.94 every two epochs")
        case "exponential":
            falls = f"× {settings.schedule_factor:g} every {settings.schedule_steps} steps"
            said.append(f"schedule: {falls}; the paper: × 0.94 every two epochs")
    clip = "none" if settings.clip is None else f"gradient norm at {settings.clip:g}"
    said.append(f"clipping: {clip}; the paper clips and names no threshold")
    if settings.average is None:
        said.append("evaluation: the last weights; the paper: a running average of them")
    return said


def _last(net: Net) -> int:
    return reduce(lambda inputs, stage: stage_channels(stage, inputs), net.stages, net.inputs)
