"""The error rates of a network on a folder of labelled photographs, in ImageNet's layout: one folder per class.

A class folder is named by WordNet id (n07920052), by index (967) or by label (espresso); for a network trained here by
index or label, with _ for a slash. Every pixel of a file is used,
as for the published numbers; the paper's own single-crop numbers leave out some 1,700 images with poor boxes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inception_lab.errors import DataError, ImageError
from inception_lab.images.crops import protocol
from inception_lab.images.load import load
from inception_lab.images.networks import borrowed, probabilities, threads_set
from inception_lab.images.trained import known
from inception_lab.intervals import wilson
from inception_lab.models.records import EMBEDDED, WeightRecord
from inception_lab.models.weights import labels, wnids

SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"))
Progress = Callable[[int, int], None]
"""Called with (images done, images in all); what it raises ends the evaluation."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Shares of images (0 to 1) whose class was not first, or not among the first five, with 95 % Wilson intervals.

    `images` counts those that were read; `skipped` holds the sentences for those that were not.
    """

    network: str
    crops: int
    images: int
    top1_error: float
    top5_error: float
    interval: tuple[float, float]
    top5_interval: tuple[float, float]
    skipped: tuple[str, ...] = ()
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as the command line prints them; `interval` is that of the top-1 error."""
        return {
            "network": self.network,
            "crops": self.crops,
            "images": self.images,
            "top1_error": self.top1_error,
            "top5_error": self.top5_error,
            "interval": list(self.interval),
            "top5_interval": list(self.top5_interval),
            "skipped": list(self.skipped),
            "seconds": self.seconds,
        }

    def __str__(self) -> str:
        return (
            f"{self.network}, {self.images:,} images, {self.crops} crop{'s' if self.crops > 1 else ''}: "
            f"top-1 error {_percent(self.top1_error, self.interval)}, "
            f"top-5 error {_percent(self.top5_error, self.top5_interval)}"
        )


def evaluate(
    folder: str | Path,
    *,
    network: str = EMBEDDED,
    crops: int = 1,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Error rates on all photographs below `folder`; unreadable ones are skipped and named.

    Raises `DataError` for a folder without classes or readable images, and as `classify` for network and crops.
    """
    protocol(crops)
    chosen = known(network)
    tag, files = chosen.tag, list(_labelled(Path(folder).expanduser(), chosen))
    wrong1 = wrong5 = 0
    skipped: list[str] = []
    start = time.perf_counter()
    with threads_set(threads):
        for done, (path, target) in enumerate(files):
            if progress is not None:
                progress(done, len(files))
            try:
                photo = load(path, longest=None)
            except ImageError as problem:
                skipped.append(str(problem))
                continue
            with borrowed(tag) as loaded:
                best = probabilities(loaded, photo, crops).topk(min(5, chosen.classes)).indices.tolist()
            wrong1 += target != best[0]
            wrong5 += target not in best
    if progress is not None:
        progress(len(files), len(files))
    images = len(files) - len(skipped)
    if not images:
        raise DataError(f"None of the {len(files)} files below {folder} is a photograph the lab can read: {skipped[0]}")
    shares = (wrong1 / images, wrong5 / images)
    intervals = (wilson(wrong1, images), wilson(wrong5, images))
    return Evaluation(tag, crops, images, *shares, *intervals, tuple(skipped), time.perf_counter() - start)


def class_index(name: str, own: Sequence[str] = ()) -> int:
    """The class a folder stands for, of ImageNet's or of a run's `own`; raises `DataError` for a name that fits none,
    or two."""
    if not own and name in wnids():
        return wnids().index(name)
    if name.isdecimal() and int(name) < len(own or wnids()):
        return int(name)
    fitting = [index for index, label in enumerate(own or labels()) if _spoken(label) == _spoken(name)]
    if len(fitting) == 1:
        return fitting[0]
    if own:
        raise DataError(
            f"The folder {name!r} is no class of this network: name it by index, 0 to {len(own) - 1}, or "
            f"by label: {', '.join(own[:20])}."
        )
    if fitting:
        raise DataError(f"Two classes are called {name!r}; name the folder {' or '.join(wnids()[i] for i in fitting)}.")
    raise DataError(
        f"The folder {name!r} is no class: name it by WordNet id (n07920052), index (967) or label (espresso)."
    )


def _spoken(name: str) -> str:
    """A label as the name of a folder can say it: without capitals, and what no folder may hold is a space."""
    return name.replace("_", " ").replace("/", " ").casefold()


def _labelled(folder: Path, network: WeightRecord) -> Iterator[tuple[Path, int]]:
    """Every picture file with its class, in the order of the names."""
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder; give one with a folder of photographs per class.")
    found = False
    for place in sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")):
        files = sorted(path for path in place.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
        if files:
            found, index = True, class_index(place.name, network.labels)
            yield from ((path, index) for path in files)
    if not found:
        raise DataError(
            f"{folder} has no class folders with photographs; it needs one folder per class, e.g. n07920052/."
        )


def _percent(share: float, interval: tuple[float, float]) -> str:
    return f"{share:.1%} ({interval[0]:.1%} to {interval[1]:.1%})"
