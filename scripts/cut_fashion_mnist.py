"""Cut the extract of Fashion-MNIST that the lab ships: 12,000 training and 2,000 test images, balanced.

    python scripts/cut_fashion_mnist.py FOLDER [OUT]

FOLDER holds the four original files (train-images-idx3-ubyte.gz and so on), for example
/usr/share/datasets/fashion-mnist from Debian's package dataset-fashion-mnist, or a download of
github.com/zalandoresearch/fashion-mnist. OUT is assets/data unless given. Which images are taken, and their order,
follows from SEED, so the same originals give the same extract.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))  # for a checkout that is not installed

from inception_lab.training.datasets import DATASETS, SHIPPED

SEED = 20170225
TRAIN, TEST = 12_000, 2_000
CLASSES = DATASETS[SHIPPED].labels
Bytes = NDArray[np.uint8]


def originals(folder: Path, part: str) -> tuple[Bytes, Bytes]:
    """Images (N, 28, 28) and labels (N) of "train" or "t10k", out of the IDX format's 16 and 8 bytes of head."""
    images = gzip.decompress((folder / f"{part}-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((folder / f"{part}-labels-idx1-ubyte.gz").read_bytes())
    return np.frombuffer(images, np.uint8, offset=16).reshape(-1, 28, 28), np.frombuffer(labels, np.uint8, offset=8)


def balanced(labels: Bytes, count: int, chance: np.random.Generator) -> NDArray[np.int64]:
    """`count` places in mixed order, equally many of each class."""
    each = count // len(CLASSES)
    places = [chance.permutation(np.flatnonzero(labels == label))[:each] for label in range(len(CLASSES))]
    return chance.permutation(np.concatenate(places))


def cut(folder: Path) -> dict[str, Bytes]:
    """The arrays of the extract."""
    chance = np.random.Generator(np.random.PCG64(SEED))
    arrays: dict[str, Bytes] = {}
    for name, part, count in (("train", "train", TRAIN), ("test", "t10k", TEST)):
        images, labels = originals(folder, part)
        taken = balanced(labels, count, chance)
        arrays[f"{name}_images"], arrays[f"{name}_labels"] = images[taken], labels[taken]
    return arrays


def card(file: Path) -> dict[str, Any]:
    """What is in the file, where it is from, and how to know that it is whole."""
    return {
        "name": "fashion_mnist_extract",
        "source": "Fashion-MNIST (Xiao, Rasul, Vollgraf 2017), https://github.com/zalandoresearch/fashion-mnist",
        "licence": "MIT, Copyright 2017 Zalando SE; see fashion_mnist_extract.LICENSE",
        "cut": f"{TRAIN:,} of the 60,000 training and {TEST:,} of the 10,000 test images, balanced, seed {SEED}",
        "classes": list(CLASSES),
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
    }


def main() -> None:
    """The command."""
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    out = Path(sys.argv[2]) if len(sys.argv) == 3 else Path(__file__).parent.parent / "assets" / "data"
    arrays = cut(Path(sys.argv[1]))
    file = out / "fashion_mnist_extract.npz"
    out.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(file, **arrays)
    text = json.dumps(card(file), indent=2, ensure_ascii=False)
    (out / "fashion_mnist_extract.json").write_text(text + "\n")
    print(f"{file}: {file.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
