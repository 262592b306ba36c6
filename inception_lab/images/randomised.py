"""The same network with weights that know nothing: what a map still shows of it, it did not learn from the network.

The sanity check of Adebayo et al. 2018: a method whose map hardly changes when the weights are drawn at random shows
the picture, its edges mostly, and not what the network does with it. Two kinds: the classifier alone drawn anew, and
every layer. Fresh layers are He normal (variance 2 / fan_in), biases 0, batch norm at 1 and 0; its means and variances
are then those of the lab's own sample photographs, since left at 0 and 1 a deep network of random weights says nothing
at all. Everything is drawn from a generator of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Literal, assert_never, get_args

import torch
from PIL import Image
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from inception_lab.errors import SettingsError
from inception_lab.images.crops import pixels as cut
from inception_lab.images.networks import Grey, Loaded, tensor
from inception_lab.images.samples import samples
from inception_lab.models.build import build
from inception_lab.models.fused import fused

Kind = Literal["top", "whole"]
KINDS: tuple[Kind, ...] = get_args(Kind)
WORDS: dict[Kind, str] = {"top": "random classifier", "whole": "random weights in every layer"}


def randomised(loaded: Loaded, *, kind: Kind = "whole", seed: int = 0) -> Loaded:
    """A network like `loaded` with random weights of `seed`, for the caller alone; `loaded` stays as it is.

    It takes the memory of its weights again. The caller holds the lock of `loaded`. Raises `SettingsError` for a
    network without a classifier to draw.
    """
    chance = torch.Generator().manual_seed(seed)
    match kind:
        case "top":
            model = deepcopy(loaded.model)
            top = [module for module in model.modules() if isinstance(module, nn.Linear)]
            if not top:
                raise SettingsError(f"{loaded.record.tag} has no linear classifier whose weights could be drawn anew.")
            _draw(top[-1], chance)
        case "whole":
            model = _fresh(loaded)
            for module in model.modules():
                _draw(module, chance)
            _calibrate(model, loaded)
            model = _as_loaded(model)
        case _:
            assert_never(kind)
    return Loaded(loaded.record, model.eval().requires_grad_(False))


def _fresh(loaded: Loaded) -> nn.Module:
    """The module without its weights, on the CPU; from its description, as the one in use may be folded."""
    with torch.device("meta"):
        inner = _timm(loaded) if loaded.own is None else build(loaded.own.net)
    inner.to_empty(device="cpu")
    grey = isinstance(loaded.model, Grey) and loaded.own is not None
    return Grey(inner) if grey else inner  # type: ignore[arg-type]


def _timm(loaded: Loaded) -> nn.Module:
    import timm

    model: nn.Module = timm.create_model(loaded.record.network, num_classes=loaded.record.classes)
    return model


def _as_loaded(model: nn.Module) -> nn.Module:
    """Folded as `images.networks` keeps them, so that a method finds the same modules at the same addresses."""
    if isinstance(model, Grey):
        fused(model.network)
        return model
    return fused(model)


def _draw(module: nn.Module, chance: torch.Generator) -> None:
    """Fresh weights for one module that has any of its own."""
    match module:
        case nn.Conv2d() | nn.Linear():
            nn.init.kaiming_normal_(module.weight, generator=chance)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        case _BatchNorm():
            module.reset_parameters()
        case _ if any(True for _ in module.parameters(recurse=False)):
            module.reset_parameters()  # type: ignore[operator]  # the lab's learned scale


def _calibrate(model: nn.Module, loaded: Loaded) -> None:
    """Batch norm's means and variances over the sample photographs, all in one batch as training has it."""
    norms = [module for module in model.eval().modules() if isinstance(module, _BatchNorm)]
    with _learning(norms), torch.no_grad():
        model(tensor(_squares(loaded), loaded.record))


@contextmanager
def _learning(norms: list[_BatchNorm]) -> Iterator[None]:
    """Batch norm takes the batch's own mean and variance, and keeps them."""
    before = [norm.momentum for norm in norms]
    for norm in norms:
        norm.train()
        norm.momentum = None  # a plain mean over the batches: of one, its own
    yield
    for norm, momentum in zip(norms, before, strict=True):
        norm.eval()
        norm.momentum = momentum


def _squares(loaded: Loaded) -> list[Image.Image]:
    return [cut(sample.photo(), loaded.record) for sample in samples()]


def calibration() -> int:
    """How many sample photographs a network of random weights sees before it is asked."""
    return len(samples())
