"""What `trust` answers: the verdict on a map, what it follows from, and how that prints and shows itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from inception_lab.images import shown
from inception_lab.images.attribution import Attribution
from inception_lab.images.deletion import Curves, Measure
from inception_lab.images.redrawn import Remade, drawn
from inception_lab.images.verdict import Finding, Verdict


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trust:
    """What the tests of one map, `result`, found.

    `verdict` and `sentence` follow from the rest by `images.verdict.DEFINITIONS`; `findings` are the reasons for and
    against with their numbers, `measure` is what their areas are of. `curves` is None for a map of zeros. `missing` is
    the completeness error as a share of the change of the score, None for a method that promises nothing.
    """

    result: Attribution
    verdict: Verdict
    sentence: str
    findings: tuple[Finding, ...]
    measure: Measure
    curves: Curves | None
    remade: tuple[Remade, ...]
    missing: float | None
    setting: str
    forwards: int = 0
    seconds: float = 0.0

    @property
    def deletion_area(self) -> float | None:
        """The area under the deletion curve of `measure`; the smaller, the better."""
        return None if self.curves is None else self.curves.deletion.area(self.measure)

    @property
    def insertion_area(self) -> float | None:
        """The area under the insertion curve of `measure`; the larger, the better."""
        return None if self.curves is None else self.curves.insertion.area(self.measure)

    @property
    def chance(self) -> tuple[float, float] | None:
        """Mean and standard deviation of the area over the random orders, the same for both curves."""
        if self.curves is None:
            return None
        found = self.curves.chance_areas(self.measure)
        return float(found.mean()), float(found.std(ddof=1))

    def rows(self) -> list[dict[str, float]]:
        """The curves as a table: share of the regions, both curves, mean and deviation of the random deletions."""
        if self.curves is None:
            return []
        chance = np.array([curve.of(self.measure) for curve in self.curves.chance])
        columns = {
            "share": self.curves.shares,
            "deletion": self.curves.deletion.of(self.measure),
            "insertion": self.curves.insertion.of(self.measure),
            "random deletion": chance.mean(axis=0),
            "random deletion sd": chance.std(axis=0, ddof=1),
            "random insertion": chance[:, ::-1].mean(axis=0),
            "random insertion sd": chance[:, ::-1].std(axis=0, ddof=1),
        }
        names = list(columns)
        return [dict(zip(names, map(float, row), strict=True)) for row in zip(*columns.values(), strict=True)]

    def to_dict(self) -> dict[str, Any]:
        """Plain values without the maps, as machines read them."""
        result, (mean, deviation) = self.result, self.chance or (None, None)
        named = ("verdict", "sentence", "measure", "setting", "missing")
        scales = result.to_dict()["scales"]
        return {
            **{name: getattr(result, name) for name in ("network", "method", "target")},
            "label": result.question,
            "scales": scales,
            "relative": result.relative,
            **{name: getattr(self, name) for name in named},
            "findings": [one.to_dict() for one in self.findings],
            "deletion_area": self.deletion_area,
            "insertion_area": self.insertion_area,
            "chance_area": mean,
            "chance_deviation": deviation,
            "random_orders": 0 if self.curves is None else len(self.curves.chance),
            "random_weights": [one.to_dict() for one in self.remade],
            "random_kinds": [one.to_dict() for one in drawn(self.remade)],
            "curves": self.rows(),
            "forwards": self.forwards,
            "seconds": self.seconds,
        }

    def __str__(self) -> str:
        lines = [self.result.named, self.sentence, *(f"  {one}" for one in self.findings)]
        return "\n".join([*lines, f"({self.setting})"])

    def _repr_html_(self) -> str:
        words = [
            shown.paragraph(self.sentence, strong=True),
            shown.bullets([str(one) for one in self.findings]),
        ]
        if rows := self.rows():
            words.append(shown.curves(rows, measure=self.measure))
        words.append(shown.paragraph(f"{self.setting}. {self.forwards:,} images in {self.seconds:.1f} s."))
        return shown.row(self.result._repr_html_(), shown.column(*words))
