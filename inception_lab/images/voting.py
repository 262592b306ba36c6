"""What a network says of every crop of a photograph: one softmax each, to be averaged over crops and over networks.

The picture is decoded once and resized once per scale; crops that fall on each other run once. Crops run a few at a
time: on a processor larger batches are no faster (their activations leave the cache), on a GPU they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from PIL import Image
from torch import Tensor

from inception_lab.images.crops import Reading, crops
from inception_lab.images.ensemble import Ensemble
from inception_lab.images.load import Photo
from inception_lab.images.methods import BATCH
from inception_lab.images.networks import Loaded, shares, tensor

BATCH_GPU = 64

Tick = Callable[[int], None]
"""Called with the number of crops that have just been through a network; what it raises ends the work."""


def votes(loaded: Loaded, photo: Photo, n: int = 1, reading: Reading = "timm", *, tick: Tick | None = None) -> Tensor:
    """Softmax of each crop of a protocol, float32 (n, classes), in the order of `crops.boxes`; the caller holds the
    lock. Raises `RunError` for a network that diverged."""
    return of_squares(loaded, crops(photo, loaded.record, n, reading), tick=tick)


def of_squares(loaded: Loaded, squares: Sequence[Image.Image], *, tick: Tick | None = None) -> Tensor:
    """Softmax of each square, (N, classes); one and the same object runs once."""
    alone = {id(square): square for square in squares}
    place = {key: number for number, key in enumerate(alone)}
    different, batch = list(alone.values()), batch_for(loaded)
    found: list[Tensor] = []
    with torch.inference_mode():
        for start in range(0, len(different), batch):
            some = different[start : start + batch]
            found.append(softmax_of(loaded, some))
            if tick is not None:
                ran = {id(square) for square in some}
                tick(sum(id(square) in ran for square in squares))
    return torch.cat(found)[[place[id(square)] for square in squares]]


def softmax_of(loaded: Loaded, squares: list[Image.Image]) -> Tensor:
    """Softmax of one batch of squares, (N, classes), back on the processor."""
    values = tensor(squares, loaded.record, device_of(loaded))
    return shares(loaded.model(values).float(), loaded.record).cpu()


def averaged(together: Ensemble, means: Mapping[str, Tensor]) -> Tensor:
    """The ensemble's probabilities, (..., classes), from those of its networks by tag, each averaged over its crops."""
    return torch.stack([share * means[tag] for tag, share in together.members]).sum(dim=0)


def batch_for(loaded: Loaded) -> int:
    """How many squares run at a time."""
    return BATCH if device_of(loaded).type == "cpu" else BATCH_GPU


def device_of(loaded: Loaded) -> torch.device:
    """Where the network is; one without tensors is on the processor."""
    first = next(loaded.model.parameters(), None)
    return torch.device("cpu") if first is None else first.device
