"""A data set as tensors on the device, the order in which a seed sees it, and what augmentation does to a batch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from inception_lab.errors import DataError
from inception_lab.training.datasets import bytes_needed, described
from inception_lab.training.prepared import Progress, arrays

BLACK = -1.0
FARTHEST = 8  # images are shifted by up to an eighth of their side
_AUGMENTATION = 0x0A06  # keeps these numbers apart from others drawn for the same seed and step


@dataclass(frozen=True, slots=True, eq=False)
class Images:
    """Images (N, channels, side, side) as bytes and labels (N), whole on one device; they become numbers by batches."""

    pixels: Tensor
    labels: Tensor
    size: int

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, places: Tensor | slice) -> tuple[Tensor, Tensor]:
        """Images (n, channels, size, size) from -1 to 1, as the released code prepares them, and labels (n).

        They are resized bilinearly where `size` is not theirs.
        """
        x = self.pixels[places].float() / 127.5 - 1
        if x.shape[-1] != self.size:
            x = functional.interpolate(x, size=(self.size, self.size), mode="bilinear", align_corners=False)
        return x, self.labels[places]


def load(
    name: str,
    *,
    size: int,
    device: torch.device,
    home: Path | str | None = None,
    progress: Progress | None = None,
) -> tuple[Images, Images]:
    """The images to train on and those to test with, for runs whose image size is `size`.

    Raises `DataError` if the set is not on this machine, is damaged, or is too large for the device.
    """
    if device.type == "cuda":
        need, (free, _) = bytes_needed(name, size), torch.cuda.mem_get_info(device)
        if need > free:
            raise DataError(
                f"{described(name).title} takes {need / 1e9:.1f} GB on the GPU, which has {free / 1e9:.1f} GB free. "
                "Take a smaller image size, or the device cpu."
            )
    found = arrays(name, size=size, home=home, progress=progress)
    return (
        _images(found.train_images, found.train_labels, size, device),
        _images(found.test_images, found.test_labels, size, device),
    )


def order(count: int, *, batch: int, seed: int, start: int = 0) -> Iterator[Tensor]:
    """Places of `count` images, `batch` at a time, without end: each epoch in a new order, no short batch at its end.

    The order follows from the seed alone, by a generator of its own, so all arms of an experiment see the same one.
    With `start` it begins at that step, with what that step would have had anyway.
    """
    if batch > count:
        raise ValueError(f"A batch of {batch} from {count} images")
    chance = torch.Generator().manual_seed(seed)
    skipped, within = divmod(start, count // batch)
    for _ in range(skipped):
        torch.randperm(count, generator=chance)
    first = within * batch
    while True:
        epoch = torch.randperm(count, generator=chance)
        for place in range(first, count - batch + 1, batch):
            yield epoch[place : place + batch]
        first = 0


def augmented(x: Tensor, *, seed: int, step: int) -> Tensor:
    """Images (n, channels, side, side) flipped left to right, each with an even chance, and shifted by up to an eighth
    of their side in both directions; what comes in at an edge is black (-1).

    What is done follows from seed and step alone and is the same on every device, so no state needs to be kept for a
    fork, and all arms of an experiment see the same.
    """
    return moved(x, moves(len(x), side=x.shape[-1], seed=seed, step=step).to(x.device))


def moves(count: int, *, side: int, seed: int, step: int) -> Tensor:
    """What `augmented` does to each of `count` images: (count, 3) of flip (0 or 1), pixels down, pixels right."""
    chance = np.random.Generator(np.random.PCG64([_AUGMENTATION, seed, step]))
    far = side // FARTHEST
    flips = chance.integers(0, 2, (count, 1))
    return torch.from_numpy(np.concatenate((flips, chance.integers(-far, far + 1, (count, 2))), axis=1))


def moved(x: Tensor, moves: Tensor) -> Tensor:
    """Images with the `moves` (n, 3) made, on the device of both: first the flip, then the shift."""
    height, width = x.shape[-2:]
    flip, down, right = moves.unbind(1)
    rows = torch.arange(height, device=x.device) - down[:, None]
    columns = torch.arange(width, device=x.device) - right[:, None]
    seen = ((rows >= 0) & (rows < height))[:, None, :, None] & ((columns >= 0) & (columns < width))[:, None, None, :]
    columns = torch.where(flip[:, None] == 1, width - 1 - columns, columns)
    image = torch.arange(len(x), device=x.device)[:, None, None]
    picked = x.movedim(1, -1)[image, rows.clamp(0, height - 1)[:, :, None], columns.clamp(0, width - 1)[:, None, :]]
    return torch.where(seen, picked.movedim(-1, 1), BLACK).contiguous()


def _images(pixels: NDArray[np.uint8], labels: NDArray[np.uint8], size: int, device: torch.device) -> Images:
    return Images(torch.from_numpy(pixels).to(device), torch.from_numpy(labels).long().to(device), size)
