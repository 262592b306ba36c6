"""How far an update moved the weights of each residual block, relative to their size."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from inception_lab.models.build import InceptionNet
from inception_lab.training.settings import Settings
from inception_lab.training.telemetry import module


class Updates:
    """`before()`, the optimiser's step, `after()`: then `numbers()` holds, for each residual block, the norm of the
    update of its convolutions' weights over the norm those had before it; still on the device.

    With momentum the optimisers of the lab step by a buffer they keep (RMSProp by the buffer itself, SGD by the rate
    times it), so only norms are taken; otherwise the weights are copied first.
    """

    def __init__(self, model: InceptionNet, addresses: Sequence[str], settings: Settings) -> None:
        weights = [_weights(module(model, name)) for name in addresses]
        self._weights = [weight for block in weights for weight in block]
        places = [place for place, block in enumerate(weights) for _ in block]
        self._blocks = len(weights)
        self._places = torch.tensor(places, device=next(model.parameters()).device)
        self._settings = settings
        self._norms: list[Tensor] = []
        self._copies: list[Tensor] = []
        self.ratio: Tensor | None = None  # part of a run's state: the next step tells it

    def before(self) -> None:
        """Look at the weights an update will meet."""
        if not self._weights:
            return
        with torch.no_grad():
            self._norms = list(torch._foreach_norm(self._weights))
            self._copies = [] if self._buffered else [weight.clone() for weight in self._weights]

    def after(self, optimiser: torch.optim.Optimizer, rate: float) -> None:
        """Look at what the update did, made at `rate`."""
        if not self._weights:
            return
        with torch.no_grad():
            if self._copies:
                torch._foreach_sub_(self._copies, self._weights)
                moves = torch._foreach_norm(self._copies)
            else:
                moves = torch._foreach_norm([optimiser.state[weight]["momentum_buffer"] for weight in self._weights])
            factor = rate if self._settings.optimiser == "sgd" else 1.0
            moved = self._by_block(moves) * (1.0 if self._copies else factor)
            self.ratio = moved / self._by_block(self._norms)
            self._copies = []

    def numbers(self) -> Tensor | None:
        """The ratio of each block for the last update; None before the first."""
        return self.ratio

    @property
    def _buffered(self) -> bool:
        known = self._settings.momentum > 0 and self._settings.optimiser in ("rmsprop_tf", "sgd")
        return known and self._settings.precision != "fp16"  # which skips an update that overflows: the buffer is older

    def _by_block(self, norms: Sequence[Tensor]) -> Tensor:
        squares = torch.stack(list(norms)).float().square()
        return torch.zeros(self._blocks, device=squares.device).index_add_(0, self._places, squares).sqrt()


def _weights(block: nn.Module) -> list[Tensor]:
    return [module.weight for module in block.modules() if isinstance(module, nn.Conv2d)]
