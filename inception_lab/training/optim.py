"""The paper's way of taking a step (section 4), each part an option: RMSProp as TensorFlow wrote it, gradient clipping,
exponential decay of the rate, a running average of the weights.

TensorFlow's RMSProp differs from PyTorch's: its mean square starts at 1, eps stands inside the root, and the rate
enters the momentum buffer. With eps = 1 that decides the first steps.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from inception_lab.training.rmsprop import RMSProp
from inception_lab.training.settings import Settings

Parameters = Iterable[nn.Parameter]


def optimiser(settings: Settings, parameters: Parameters) -> torch.optim.Optimizer:
    """The optimiser of the settings. SGD takes rate and momentum; Adam takes rate, momentum as its first beta, and
    PyTorch's other defaults."""
    rate, momentum = settings.rate, settings.momentum
    match settings.optimiser:
        case "rmsprop_tf":
            return RMSProp(parameters, lr=rate, alpha=settings.decay, eps=settings.eps, momentum=momentum)
        case "sgd":
            return torch.optim.SGD(parameters, lr=rate, momentum=momentum)
        case "adam":
            return torch.optim.Adam(parameters, lr=rate, betas=(momentum, 0.999))
        case _:
            assert_never(settings.optimiser)


def rate_at(settings: Settings, step: int) -> float:
    """The rate of a step: constant; a staircase that falls by `schedule_factor` every `schedule_steps` steps; the two
    phases `warmup_rate`, then `rate`; or a line up to `rate` over `warmup_steps` steps."""
    match settings.schedule:
        case "constant":
            return settings.rate
        case "exponential":
            return settings.rate * float(settings.schedule_factor ** (step // settings.schedule_steps))
        case "warmup":
            return settings.warmup_rate if step < settings.warmup_steps else settings.rate
        case "ramp":
            return settings.rate * min(1.0, (step + 1) / settings.warmup_steps)
        case _:
            assert_never(settings.schedule)


def set_rate(chosen: torch.optim.Optimizer, rate: float) -> None:
    """Let the next steps of the optimiser use `rate`."""
    for group in chosen.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate)  # in place: a CUDA graph reads this tensor
        else:
            group["lr"] = rate


def adjust(chosen: torch.optim.Optimizer, settings: Settings) -> None:
    """Let the next steps use the momentum, decay and eps of `settings`; what the optimiser remembers stays.

    But SGD whose momentum becomes 0 forgets its velocity: PyTorch leaves the buffer alone at momentum 0, so a momentum
    given back later would set the weights moving along a gradient of many steps ago.
    """
    for group in chosen.param_groups:
        match settings.optimiser:
            case "rmsprop_tf":
                group |= {"momentum": settings.momentum, "alpha": settings.decay, "eps": settings.eps}
            case "sgd":
                group["momentum"] = settings.momentum
                if settings.momentum == 0:
                    for parameter in group["params"]:
                        chosen.state.get(parameter, {}).pop("momentum_buffer", None)
            case "adam":
                group["betas"] = (settings.momentum, 0.999)
            case _:
                assert_never(settings.optimiser)


def clip(parameters: Parameters, limit: float) -> Tensor:
    """Scale all gradients so that their common norm is at most `limit`; returns the norm they had."""
    return nn.utils.clip_grad_norm_(parameters, limit)


def gradient_norm(parameters: Parameters) -> Tensor:
    """The norm of all gradients together."""
    norms = torch._foreach_norm([p.grad for p in parameters if p.grad is not None])
    norm: Tensor = torch.linalg.vector_norm(torch.stack(list(norms)))
    return norm  # nn.utils.get_total_norm does the same, and sorts the tensors by device first


def average(model: nn.Module, decay: float) -> AveragedModel:
    """A running average of the weights and of batch norm's statistics, decayed by `decay` at each `update_parameters`.

    The first update copies the weights as they are.
    """
    averaging = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
    return AveragedModel(model, multi_avg_fn=averaging, use_buffers=True)


def without_compiler() -> None:
    """Let optimisers start without PyTorch's compiler, for a process that compiles nothing.

    The first optimiser of a process imports `torch._dynamo` only to be marked as "not to be compiled": 2 to 4 seconds.
    Marked beforehand, it does not. (PyTorch's own SGD and Adam import it again at their first step, RMSProp does not.)
    Where PyTorch does this differently, nothing happens here.
    """
    register = getattr(torch.optim.Optimizer.add_param_group, "__wrapped__", None)
    if register is not None:
        setattr(register, "__dynamo_disable", register)
