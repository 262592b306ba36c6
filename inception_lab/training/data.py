"""The extract as tensors on the device, and the order in which a seed sees it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from inception_lab.training.extract import Extract


@dataclass(frozen=True, slots=True, eq=False)
class Images:
    """Images (N, 28, 28) as bytes and labels (N), whole on one device; they become numbers batch by batch."""

    pixels: Tensor
    labels: Tensor
    size: int

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, places: Tensor | slice) -> tuple[Tensor, Tensor]:
        """Images (n, 1, size, size) from -1 to 1, as the released code prepares them, and labels (n).

        They are resized bilinearly where `size` is not theirs.
        """
        x = self.pixels[places].unsqueeze(1).float() / 127.5 - 1
        if x.shape[-1] != self.size:
            x = functional.interpolate(x, size=(self.size, self.size), mode="bilinear", align_corners=False)
        return x, self.labels[places]


def training_images(extract: Extract, *, size: int, device: torch.device) -> Images:
    """The 12,000 images to train on."""
    return _images(torch.tensor(extract.train_images), torch.tensor(extract.train_labels), size, device)


def test_images(extract: Extract, *, size: int, device: torch.device) -> Images:
    """The 2,000 images to evaluate on."""
    return _images(torch.tensor(extract.test_images), torch.tensor(extract.test_labels), size, device)


def order(count: int, *, batch: int, seed: int) -> Iterator[Tensor]:
    """Places of `count` images, `batch` at a time, without end: each epoch in a new order, no short batch at its end.

    The order follows from the seed alone, by a generator of its own, so all arms of an experiment see the same one.
    """
    if batch > count:
        raise ValueError(f"A batch of {batch} from {count} images")
    chance = torch.Generator().manual_seed(seed)
    while True:
        epoch = torch.randperm(count, generator=chance)
        for first in range(0, count - batch + 1, batch):
            yield epoch[first : first + batch]


def _images(pixels: Tensor, labels: Tensor, size: int, device: torch.device) -> Images:
    return Images(pixels.to(device), labels.long().to(device), size)
