"""What a photograph shows, by the opinion of one or more networks: `classify("cat.jpg", crops=12)`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from torch import Tensor

from inception_lab.errors import ImageError, SettingsError
from inception_lab.images.classification import Classification, Classifications, Prediction, Vote
from inception_lab.images.crops import Reading, boxes, protocol
from inception_lab.images.ensemble import Ensemble, asked
from inception_lab.images.load import Photo, Source, load
from inception_lab.images.networks import Precision, borrowed, threads_set
from inception_lab.images.trained import known
from inception_lab.images.voting import averaged, votes
from inception_lab.models.hub import Progress
from inception_lab.models.records import EMBEDDED
from inception_lab.models.weights import labels

__all__ = ["Classification", "Classifications", "Prediction", "Vote", "classify"]


def classify(
    images: Source | Photo | Sequence[Source | Photo],
    *,
    networks: Sequence[str] | str | None = None,
    crops: int = 1,
    reading: Reading = "timm",
    ensemble: bool = False,
    each: bool = False,
    top: int = 5,
    precision: Precision = "fp32",
    threads: int | None = None,
    progress: Progress | None = None,
    forwards: Progress | None = None,
) -> Classifications:
    """The `top` classes of each image by each network, image by image; one image need not be in a list.

    An unreadable file becomes an entry with `error`, and the rest goes on. `networks` are tags of `RECORDS` or of
    runs ("run:<id>"), by default the embedded one, or "paper-ensemble"; with that or with `ensemble` one more entry per
    image is the average of the networks' softmax. `each` keeps what every crop said. `precision` "bf16" takes about
    half the time where the processor has it; close guesses may change places (`images.precision.closeness` says how
    often). `threads` is torch's number for this call; `progress` hears of downloads, `forwards` of (crops through,
    crops in all) and may raise to cancel.
    Raises `WeightsError`, `UnknownNetwork`, `RunError` or, for wrong numbers and for networks that cannot be averaged,
    `SettingsError`.
    """
    protocol(crops, reading)
    if not 1 <= top <= 1000:
        raise SettingsError(f"The best {top} of 1000 classes cannot be listed; ask for 1 to 1000.")
    tags, together = asked(networks, EMBEDDED, together=ensemble)
    sources = _listed(images)
    counted = _Counted(forwards, len(sources) * len(tags) * crops)
    ask = _Ask(tags, together, crops, reading, each, top, progress, counted, precision)
    found = Classifications()
    with threads_set(threads):
        for source in sources:
            found += ask.of(source)
    return found


@final
class _Counted:
    """Crops that went through, of all."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress = progress
        self._done, self._total = 0, total
        self.add(0)

    def add(self, more: int) -> None:
        self._done += more
        if self._progress is not None:
            self._progress(self._done, self._total)


@dataclass(frozen=True, slots=True)
class _Ask:
    """One question, put to every image in turn."""

    tags: list[str]
    together: Ensemble | None
    crops: int
    reading: Reading
    each: bool
    top: int
    progress: Progress | None
    counted: _Counted
    precision: Precision

    def of(self, source: Source | Photo) -> list[Classification]:
        """One entry per network, then that of the ensemble."""
        file, last = _name(source), [self.together.name] if self.together else []
        try:
            photo = load(source)
        except ImageError as problem:
            self.counted.add(len(self.tags) * self.crops)
            return [
                Classification(file, name, self.crops, (), str(problem), reading=self.reading, precision=self.precision)
                for name in (*self.tags, *last)
            ]
        said = {tag: self._asked(photo, tag) for tag in self.tags}
        found = [self._one(photo, file, tag, *said[tag]) for tag in self.tags]
        return [*found, *([self._average(photo, file, said, self.together)] if self.together else [])]

    def _asked(self, photo: Photo, tag: str) -> tuple[Tensor, float]:
        """Softmax per crop, (crops, classes), and the seconds it took."""
        with borrowed(tag, progress=self.progress, precision=self.precision) as loaded:
            start = time.perf_counter()
            rows = votes(loaded, photo, self.crops, self.reading, tick=self.counted.add)
            return rows, time.perf_counter() - start

    def _one(self, photo: Photo, file: str, tag: str, rows: Tensor, seconds: float) -> Classification:
        record = known(tag)
        names = record.labels or labels()
        best = _best(rows.mean(dim=0), names, self.top)
        kept: tuple[Vote, ...] = ()
        if self.each:
            chosen = rows[:, [one.index for one in best]].tolist()
            kept = tuple(
                Vote(box, names[first], first, tuple(shares))
                for box, first, shares in zip(
                    boxes(photo, record, self.crops, self.reading), rows.argmax(dim=1).tolist(), chosen, strict=True
                )
            )
        return Classification(
            file,
            tag,
            self.crops,
            best,
            None,
            photo.note,
            seconds,
            self.reading,
            votes=kept,
            precision=self.precision,
        )

    def _average(
        self, photo: Photo, file: str, said: dict[str, tuple[Tensor, float]], together: Ensemble
    ) -> Classification:
        mean = averaged(together, {tag: rows.mean(dim=0) for tag, (rows, _) in said.items()})
        best = _best(mean, known(self.tags[0]).labels or labels(), self.top)
        seconds = sum(taken for _, taken in said.values())
        return Classification(
            file,
            together.name,
            self.crops,
            best,
            None,
            photo.note,
            seconds,
            self.reading,
            together.members,
            precision=self.precision,
        )


def _best(shares: Tensor, names: Sequence[str], top: int) -> tuple[Prediction, ...]:
    best = shares.topk(min(top, len(shares)))
    return tuple(
        Prediction(names[index], index, share)
        for index, share in zip(best.indices.tolist(), best.values.tolist(), strict=True)
    )


def _listed(images: Source | Photo | Sequence[Source | Photo]) -> Sequence[Source | Photo]:
    if isinstance(images, Sequence) and not isinstance(images, str | bytes | bytearray | memoryview):
        return images
    return [images]  # type: ignore[list-item]


def _name(source: Source | Photo) -> str:
    """A path as it was given, so that two files of one name in two folders stay apart; else the upload's name."""
    if isinstance(source, str | Path):
        return str(source)
    return getattr(source, "name", None) or "the image"
