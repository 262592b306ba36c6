"""The data sets a run can take, described without reading them: nothing here imports torch or opens a file."""

from __future__ import annotations

from dataclasses import dataclass

from inception_lab.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A data set: its images have `channels` channels and a side of `size` pixels as they come; `classes` labels."""

    name: str
    channels: int
    classes: int
    size: int


SHIPPED = "fashion_mnist_extract"
DATASETS = {SHIPPED: Described(name=SHIPPED, channels=1, classes=10, size=28)}


def described(name: str) -> Described:
    """What is known of a data set. Raises `DataError` for a name there is not."""
    try:
        return DATASETS[name]
    except KeyError:
        raise DataError(f"There is no data set {name!r}. There are {', '.join(DATASETS)}.") from None
