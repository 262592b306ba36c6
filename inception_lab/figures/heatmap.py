"""One run as a picture: residual blocks from stem to head on one axis, steps on the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from inception_lab.training.events import Step

Quantity = Literal["zeros", "ratio", "shortcut", "residual", "cosine", "gradient", "update"]
Kind = Literal["share", "log", "signed"]

MARK = "rgb(204, 94, 20)"  # seen on both ends of cividis and beside it

TITLES: dict[Quantity, str] = {
    "zeros": "share of zeros after the block's ReLU",
    "ratio": "residual / shortcut, root mean squares",
    "shortcut": "root mean square of the shortcut",
    "residual": "root mean square of the scaled residual",
    "cosine": "cosine between residual and shortcut",
    "gradient": "root mean square of the gradient at the add",
    "update": "last update / weights, norms",
}

KINDS: dict[Quantity, Kind] = {"zeros": "share", "cosine": "signed"}
"""Shares run from 0 to 1, signed values evenly to both sides of 0; all others are coloured by their log10."""


@dataclass(frozen=True, slots=True)
class Cells:
    """One quantity of a run: `values` has a row for each of `steps` and a column for each of the blocks `names`.

    `low` and `high` are the ends of the colour scale, in log10 for the kind "log".
    """

    quantity: Quantity
    names: tuple[str, ...]
    steps: NDArray[Any]
    values: NDArray[Any]
    kind: Kind
    low: float
    high: float

    @property
    def measured(self) -> bool:
        """Whether there is anything to draw; runs of an older lab lack cosine, gradient and update."""
        return bool(len(self.steps) and self.names)

    @property
    def places(self) -> NDArray[Any]:
        """Where each value stands between `low` and `high`, in their unit; NaN if it has no place there."""
        with np.errstate(divide="ignore", invalid="ignore"):
            found = np.log10(self.values) if self.kind == "log" else self.values
        return np.where(np.isfinite(found), found, np.nan)

    @property
    def odd(self) -> NDArray[Any]:
        """Which values are NaN or infinite."""
        return np.asarray(~np.isfinite(self.values))

    @property
    def none(self) -> NDArray[Any]:
        """Which values are exactly zero where the scale is logarithmic."""
        return np.asarray((self.values == 0) & (self.kind == "log"))

    @property
    def words(self) -> str:
        """The picture in words."""
        if not self.measured:
            never = "this run did not measure it" if len(self.names) else "nothing measured yet"
            return f"Heatmap of {TITLES[self.quantity]}: {never}."
        odd, none = int(self.odd.sum()), int(self.none.sum())
        marks = f"; {odd} cells are NaN or infinite" * bool(odd) + f"; {none} cells are exactly zero" * bool(none)
        return (
            f"Heatmap of {TITLES[self.quantity]} for {len(self.names)} blocks and {len(self.steps)} steps; at step "
            f"{self.steps[-1]} block {self.names[0]} has {self.values[-1, 0]:.3g} and block {self.names[-1]} "
            f"{self.values[-1, -1]:.3g}{marks}."
        )


def cells(addresses: Sequence[str], steps: Sequence[Step], *, quantity: Quantity) -> Cells:
    """The numbers of one quantity; steps without a measurement are left out."""
    names = tuple(address.split("/", 1)[1] for address in addresses)
    there = [step for step in steps if getattr(step, "zeros" if quantity == "ratio" else quantity)]
    values = np.array([getattr(step, quantity) for step in there], dtype=float).reshape(len(there), len(names))
    kind = KINDS.get(quantity, "log")
    low, high = _ends(values, kind)
    return Cells(quantity, names, np.array([step.step for step in there], dtype="i4"), values, kind, low, high)


def _ends(values: NDArray[Any], kind: Kind) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    match kind:
        case "share":
            return 0.0, 1.0
        case "signed":
            far = float(np.abs(finite).max()) if len(finite) else 0.0
            return (-far, far) if far else (-1.0, 1.0)
        case "log":
            found = np.log10(finite[finite > 0])
            low, high = (float(found.min()), float(found.max())) if len(found) else (0.0, 1.0)
            return (low, high) if high > low else (low - 0.5, high + 0.5)
