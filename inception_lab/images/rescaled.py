"""What `rho` answers: the guesses of a network at each of several scales of its residuals, and how that prints."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, final

from inception_lab.images.classification import Prediction
from inception_lab.readers.columns import as_html, as_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Rho:
    """What a network says with its residuals scaled; `scale` as it was asked for, `blocks` the addresses it went to.

    `probability` and `logit` are those of `target`, the first choice of the network as it was built if none was named.
    """

    scale: float
    relative: bool
    blocks: tuple[str, ...]
    predictions: tuple[Prediction, ...]
    target: int
    label: str
    probability: float
    logit: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as JSON takes them."""
        return asdict(self)


@final
class Rhos(list[Rho]):
    """One `Rho` for each scale that was asked for; a list that prints and shows itself as a table."""

    def __str__(self) -> str:
        return as_text(*self._table())

    def _repr_html_(self) -> str:
        one = self[0]
        where = f"{len(one.blocks)} block{'s' * (len(one.blocks) != 1)}"
        means = "the scale is a multiple of the one they were built with" if one.relative else "the scale is theirs"
        return as_html(
            *self._table(), caption=f"{one.label} ({one.target}) with the residuals of {where} moved; {means}"
        )

    def _table(self) -> tuple[tuple[str, ...], list[list[Any]]]:
        rows: list[list[Any]] = [
            [
                one.scale,
                one.probability,
                one.logit,
                ", ".join(f"{guess.label} {guess.probability:.1%}" for guess in one.predictions[:3]),
            ]
            for one in self
        ]
        return ("scale", self[0].label, "logit", "first guesses"), rows
