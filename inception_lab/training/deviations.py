"""What settings shrink, exaggerate or leave out against the paper's experiment: computed, so that it cannot go stale.

The paper's side is arXiv 1602.07261, sections 3.3 and 4 and its figures: ImageNet at 299 x 299, 20 replicas, RMSProp
with decay 0.9 and eps 1.0, rate 0.045 times 0.94 every two epochs, clipping without a threshold, a running average for
evaluations, and dropout that keeps 0.8 (Fig 9).
"""

from __future__ import annotations

from functools import reduce
from typing import assert_never

from inception_lab.nets.ops import Net, stage_channels
from inception_lab.training.datasets import SHIPPED, described
from inception_lab.training.settings import Init, Settings

_INIT: dict[Init, str] = {"he": "He", "xavier": "Xavier", "truncated": "truncated normal", "torch": "PyTorch's default"}


_DEPTHS = {"inception_v4": "4/7/3", "inception_resnet_v1": "5/10/5"}
_DRAWN = "5/10/5"  # of Inception-ResNet-v2, whichever of its three forms
_DROPOUT = 0.2


def deviations(settings: Settings) -> tuple[str, ...]:
    """What differs from the paper's experiment, a phrase each: what is here, then what the paper has."""
    return (*_task(settings), *_network(settings), *_start(settings), *_optimiser(settings), *_rate(settings),
            *_rest(settings))  # fmt: skip


def _task(settings: Settings) -> list[str]:
    size = settings.image_size
    said = [
        f"data: {_data(settings.data)} at {size} × {size}; the paper: ImageNet at 299 × 299",
        f"length: {settings.steps} steps; the paper: death after tens of thousands, not by an early overshoot",
        f"batch: {settings.batch} on one machine; the paper: 20 replicas, batch not stated",
    ]
    if settings.augment:
        said.append("augmentation: flips and shifts; the paper states none")
    return said


def _data(name: str) -> str:
    if name == SHIPPED:
        return "grey Fashion-MNIST"
    if name.startswith("folder:"):
        return "a folder of images"
    return ("grey " if described(name).channels == 1 else "") + name


def _network(settings: Settings) -> list[str]:
    net, said = settings.net(), []
    if settings.design is not None:
        said.append("network: a design of one's own; the paper has four networks")
    elif settings.network != "inception_resnet_v2_paper":
        said.append(f"network: {net.name}, {net.source}")
    if settings.width != 1:
        full, times = settings.with_(width=1.0).net(), "times" if settings.width > 1 else "of"
        said.append(
            f"width: {settings.width:g} {times} the channels, {_last(net)} at the end of the trunk instead of "
            f"{_last(full)}"
        )
    if settings.small:
        said.append("stem: three small convolutions; the paper: its own for 299 × 299")
    repeats = "/".join(str(len(stage.blocks)) for stage in net.stages if stage.name in "ABC")
    drawn = _DEPTHS.get(settings.network, _DRAWN)
    if settings.design is None and settings.network != "inception_v3" and repeats != drawn:
        said.append(f"depth: {repeats} blocks; the paper draws {drawn}")
    return said + _residuals(settings)


def _residuals(settings: Settings) -> list[str]:
    said = []
    if settings.stage_scales is not None:
        each = ", ".join(f"{scale:g} in {name}" for name, scale in zip("ABC", settings.stage_scales, strict=True))
        said.append(f"scale: {each}; the paper: factors from 0.1 to 0.3, none given for a stage")
    match settings.gain:
        case "learned":
            said.append("gain: the scale is trained; the paper: a constant")
        case "zero":
            said.append("gain: a trained number that starts at 0; the paper: a constant")
        case "fixed":
            pass
        case _:
            assert_never(settings.gain)
    if settings.end_norm:
        said.append("batch norm before the pooling; the paper tried it against the death, without success")
    if settings.dropout != _DROPOUT:
        drops = f"{settings.dropout:g} dropped" if settings.dropout else "none"
        said.append(f"dropout: {drops}; the paper keeps 0.8")
    return said


def _start(settings: Settings) -> list[str]:
    released = " as in the released Inception-ResNet code" if settings.init == "xavier" else ""
    said = [f"initialisation: {_INIT[settings.init]}{released}; the paper states none"]
    if settings.closing != 1:
        said.append(f"closing 1 × 1: started at {settings.closing:g} of that; the paper states none")
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
    return said


def _rate(settings: Settings) -> list[str]:
    said, paper = [], "the paper: × 0.94 every two epochs"
    if settings.rate != 0.045:
        said.append(f"rate: {settings.rate:g}, {settings.rate / 0.045:.2g} times the paper's 0.045")
    match settings.schedule:
        case "constant":
            said.append(f"schedule: constant rate; {paper}")
        case "exponential":
            falls = f"× {settings.schedule_factor:g} every {settings.schedule_steps} steps"
            said.append(f"schedule: {falls}; {paper}")
        case "warmup":
            phases = f"{settings.warmup_steps} steps at {settings.warmup_rate:g}, then {settings.rate:g}"
            said.append(f"schedule: two phases, {phases}; the paper tried two against the death, without success")
        case "ramp":
            said.append(f"schedule: a line up to the rate over {settings.warmup_steps} steps; {paper}")
        case _:
            assert_never(settings.schedule)
    return said


def _rest(settings: Settings) -> list[str]:
    clip = "none" if settings.clip is None else f"gradient norm at {settings.clip:g}"
    said = [f"clipping: {clip}; the paper clips and names no threshold"]
    if settings.average is None:
        said.append("evaluation: the last weights; the paper: a running average of them")
    if settings.precision != "fp32":
        said.append(f"precision: {settings.precision} in the forward pass; the paper states none")
    if settings.fork is not None:
        said.append(f"start: branched from run {settings.fork.run} at step {settings.fork.step}; the paper: from none")
    return said


def _last(net: Net) -> int:
    return reduce(lambda inputs, stage: stage_channels(stage, inputs), net.stages, net.inputs)
