"""What a photograph shows, by the opinion of one or more networks: `classify("cat.jpg", crops=12)`."""

from __future__ import annotations

import html
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from inception_lab.errors import ImageError, SettingsError
from inception_lab.images.crops import protocol
from inception_lab.images.load import Photo, Source, load
from inception_lab.images.networks import borrowed, probabilities, threads_set
from inception_lab.images.trained import known
from inception_lab.models.hub import Progress
from inception_lab.models.records import EMBEDDED


@dataclass(frozen=True, slots=True)
class Prediction:
    """One class with its probability, 0 to 1; `index` is the network's (ImageNet-1k's, where two classes share some
    labels, or that of a run's own data)."""

    label: str
    index: int
    probability: float

    def to_dict(self) -> dict[str, Any]:
        return {"label": self.label, "index": self.index, "probability": self.probability}


@dataclass(frozen=True, slots=True)
class Classification:
    """What one network says of one image, most probable class first.

    `error` is the sentence for a file that is no readable photograph (then there are no predictions), `note` what was
    changed in reading it, `seconds` the time the network took, crops included.
    """

    file: str
    network: str
    crops: int
    predictions: tuple[Prediction, ...]
    error: str | None = None
    note: str | None = None
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as the command line prints them for one image."""
        return {
            "file": self.file,
            "error": self.error,
            "predictions": [prediction.to_dict() for prediction in self.predictions],
            "network": self.network,
            "crops": self.crops,
            "note": self.note,
            "seconds": self.seconds,
        }

    def __str__(self) -> str:
        if self.error:
            return self.error
        rows = (f"  {p.probability:6.1%}  {p.label}" for p in self.predictions)
        return "\n".join([f"{self.file}, {self.network}, {_crops(self.crops)}", *rows])

    def _repr_html_(self) -> str:
        caption = html.escape(f"{self.file}, {self.network}, {_crops(self.crops)}")
        if self.error:
            return f"<p>{html.escape(self.error)}</p>"
        rows = "".join(
            f"<tr><td style='text-align:left'>{html.escape(p.label)}</td><td>{p.probability:.1%}</td></tr>"
            for p in self.predictions
        )
        return f"<table><caption>{caption}</caption><tbody>{rows}</tbody></table>"


@final
class Classifications(list[Classification]):
    """A list that shows itself in a notebook and knows the command line's JSON."""

    def to_dict(self) -> dict[str, Any]:
        """`network` and `crops` of the call (several networks joined by commas) and one entry per image and network."""
        networks = dict.fromkeys(entry.network for entry in self)
        return {
            "network": ", ".join(networks),
            "crops": self[0].crops if self else None,
            "images": [entry.to_dict() for entry in self],
        }

    def __str__(self) -> str:
        return "\n".join(map(str, self))

    def _repr_html_(self) -> str:
        return "".join(entry._repr_html_() for entry in self)


def classify(
    images: Source | Photo | Sequence[Source | Photo],
    *,
    networks: Sequence[str] | str | None = None,
    crops: int = 1,
    top: int = 5,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Classifications:
    """The `top` classes of each image by each network, image by image; one image need not be in a list.

    An unreadable file becomes an entry with `error`, and the rest goes on. `networks` are tags of `RECORDS` or of
    runs ("run:<id>"), by default the embedded one; `threads` is torch's number for this call; `progress` hears of
    downloads. Raises `WeightsError`, `UnknownNetwork`, `RunError` or, for `crops` and `top`, `SettingsError`.
    """
    protocol(crops)
    if not 1 <= top <= 1000:
        raise SettingsError(f"The best {top} of 1000 classes cannot be listed; ask for 1 to 1000.")
    wanted = [networks] if isinstance(networks, str) else networks or [EMBEDDED]
    tags = [known(network).tag for network in wanted]
    found = Classifications()
    with threads_set(threads):
        for source in _listed(images):
            found += _opinions(source, tags, crops, top, progress)
    return found


def _opinions(
    source: Source | Photo, tags: list[str], crops: int, top: int, progress: Progress | None
) -> list[Classification]:
    try:
        photo = load(source)
    except ImageError as problem:
        return [Classification(_name(source), tag, crops, (), error=str(problem)) for tag in tags]
    return [_opinion(photo, _name(source), tag, crops, top, progress) for tag in tags]


def _opinion(photo: Photo, file: str, tag: str, crops: int, top: int, progress: Progress | None) -> Classification:
    with borrowed(tag, progress=progress) as loaded:
        start = time.perf_counter()
        shares = probabilities(loaded, photo, crops)
        seconds = time.perf_counter() - start
    best = shares.topk(min(top, len(shares)))
    predictions = tuple(
        Prediction(loaded.labels[index], index, share)
        for index, share in zip(best.indices.tolist(), best.values.tolist(), strict=True)
    )
    return Classification(file, tag, crops, predictions, note=photo.note, seconds=seconds)


def _listed(images: Source | Photo | Sequence[Source | Photo]) -> Sequence[Source | Photo]:
    if isinstance(images, Sequence) and not isinstance(images, str | bytes | bytearray | memoryview):
        return images
    return [images]  # type: ignore[list-item]


def _name(source: Source | Photo) -> str:
    """A path as it was given, so that two files of one name in two folders stay apart; else the upload's name."""
    if isinstance(source, str | Path):
        return str(source)
    return getattr(source, "name", None) or "the image"


def _crops(crops: int) -> str:
    return "1 crop" if crops == 1 else f"{crops} crops"
