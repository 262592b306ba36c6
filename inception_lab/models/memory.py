"""What a network takes in memory, announced before it runs: worked out without running it."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from typing import Any, final

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

SCRATCH = 48 * 2**20  # bytes for the convolutions' own workspace and what the allocator keeps, beside their weights


def weight_bytes(model: nn.Module) -> int:
    """The bytes of a module's tensors."""
    return sum(tensor.numel() * tensor.element_size() for tensor in model.state_dict().values())


def activation_bytes(model: nn.Module, *, size: int, channels: int = 3) -> int:
    """The most bytes of maps that one image of `size` keeps at a time in inference.

    `model` is on the meta device, where a forward pass allocates nothing: each map is counted as it is made and
    uncounted as it is let go.
    """
    count = _Live(model)
    with torch.no_grad(), torch.device("meta"), count:
        model(torch.zeros(1, channels, size, size))
    return count.most


def announced(model: nn.Module, *, size: int, channels: int = 3, batch: int = 1) -> int:
    """The cap, in bytes, on what `batch` images in inference add to a process that has loaded nothing yet.

    `model` is on the meta device. Loading holds the weights two times, one of them from the file; running holds them
    two times as well (`models.packed`), with the maps, a copy of the largest convolution's input as columns or in
    another order, and scratch space. Folding writes the weights where they stand and adds nothing.
    """
    weights, maps = weight_bytes(model), activation_bytes(model, size=size, channels=channels)
    return 2 * weights + 2 * batch * maps + SCRATCH


@final
class _Live(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes of the tensors that are alive, and the most there were, a model's weights left out."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = self.most = 0
        self._seen = {weight.untyped_storage()._cdata for weight in model.state_dict().values()}

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Runs the op and counts what it made; a view shares its storage and adds nothing."""
        made = func(*args, **(kwargs or {}))
        for tensor in made if isinstance(made, tuple | list) else (made,):
            if isinstance(tensor, Tensor):
                self._count(tensor.untyped_storage())
        return made

    def _count(self, storage: torch.UntypedStorage) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key in self._seen:
            return
        self._seen.add(key)
        self.now += size
        self.most = max(self.most, self.now)
        weakref.finalize(storage, self._forget, key, size)

    def _forget(self, key: int, size: int) -> None:
        self._seen.discard(key)
        self.now -= size
