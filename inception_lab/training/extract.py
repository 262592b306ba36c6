"""The images the lab trains on: a shipped, balanced extract of Fashion-MNIST, as NumPy arrays and without torch.

Fashion-MNIST: Xiao, Rasul, Vollgraf 2017, MIT licence (Zalando SE); `scripts/cut_fashion_mnist.py` cut the extract.
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from inception_lab.assets import asset
from inception_lab.errors import DataError

FILE = "fashion_mnist_extract.npz"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Extract:
    """12,000 training and 2,000 test images, (N, 28, 28) of 0 to 255, with labels (N) that count into `classes`."""

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.uint8]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.uint8]
    classes: tuple[str, ...]
    source: str
    licence: str


@lru_cache(maxsize=1)
def load() -> Extract:
    """The extract, its checksum verified. Raises `DataError` if a file is missing or damaged."""
    file = asset("data", FILE)
    try:
        packed = file.read_bytes()
        card = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError(
            f"There is no {error.filename}. Set INCEPTION_LAB_ASSETS to the assets folder of a checkout."
        ) from None
    found = hashlib.sha256(packed).hexdigest()
    if found != card["sha256"]:
        raise DataError(
            f"{file} is damaged: its SHA-256 is {found[:12]}…, not {card['sha256'][:12]}…. Check it out again."
        )
    with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
        return Extract(
            train_images=arrays["train_images"],
            train_labels=arrays["train_labels"],
            test_images=arrays["test_images"],
            test_labels=arrays["test_labels"],
            classes=tuple(card["classes"]),
            source=card["source"],
            licence=card["licence"],
        )
