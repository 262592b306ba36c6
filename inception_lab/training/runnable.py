"""Whether settings can be run here: asked before anything starts, so that the answer is a sentence and not a crash."""

from __future__ import annotations

import os
from functools import lru_cache

from inception_lab.errors import SettingsError
from inception_lab.readers.shapes import shapes
from inception_lab.training import accelerator, bounds
from inception_lab.training.datasets import ready
from inception_lab.training.settings import Settings


def check(settings: Settings) -> None:
    """Raise what stands in the way: `InputTooSmall` or `ImpossibleAdd` with the op's address, `DataError` for images
    that are not on this machine, or `SettingsError`."""
    cores = os.cpu_count() or 1
    if settings.threads > cores:
        raise SettingsError(
            f"{settings.threads} threads are more than the {cores} cores of this machine; they would only wait for "
            f"each other. Take {cores} or fewer."
        )
    if settings.device == "cuda" and not accelerator.present() and not os.environ.get("RAY_ADDRESS"):
        raise SettingsError(
            "device cuda asks for a GPU and this machine has none that torch could use. Take device auto, which uses "
            "one where there is one, or cpu."
        )
    bounds.check_scaling(settings)
    ready(settings.data, batch=settings.batch)
    _fits(settings.with_(scale=1.0, seed=0))


@lru_cache(maxsize=64)
def _fits(settings: Settings) -> None:
    shapes(settings.net())
