"""The photographs that come with the lab, each with its author, licence and source."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from inception_lab.assets import asset
from inception_lab.images.load import Photo, load


@dataclass(frozen=True, slots=True)
class Sample:
    """One shipped photograph; `file` is its name in `assets/samples`, `note` what to look for."""

    file: str
    title: str
    author: str
    licence: str
    source: str
    note: str = ""

    @property
    def path(self) -> Path:
        """Where the file lies."""
        return asset("samples", self.file)

    def photo(self) -> Photo:
        """The picture, named by its title."""
        return load(self.path, name=self.title)


@cache
def samples() -> tuple[Sample, ...]:
    """All shipped photographs, the cup of coffee first."""
    return tuple(Sample(**entry) for entry in json.loads(asset("samples", "samples.json").read_text(encoding="utf-8")))
