"""What `attribute` answers: a map over the pixels that entered a network, and how it names, prints and shows itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from inception_lab.images import shown
from inception_lab.images.methods import SIGNED, TITLES, Method
from inception_lab.images.overlay import Array, full_colour, overlaid
from inception_lab.images.parts import Scales, in_words


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Attribution:
    """A map over the pixels that entered the network.

    `values` float32 (H, W): signed logits per pixel for the methods of `methods.SIGNED` (at a layer: per cell), else 0
    and more. `pixels` uint8 (H, W, 3). The score is the logit of `target`, or, with a class `against`, the difference
    of the two. `layer` is the address of a layer's map. `completeness_error` is the error in logits of a method that
    promises completeness, to be read against `difference`, the score of the image less that of a black one. `setting`
    says in words what was run. `scales` are those the residuals had, None for a network as it was built; then
    everything here, probabilities too, is of the changed network. Of the `forwards` images that went through,
    `passes` are the method's own, the others found the classes.
    """

    values: Array
    pixels: Array
    file: str
    network: str
    method: Method
    target: int
    label: str
    probability: float
    setting: str
    against: int | None = None
    against_label: str | None = None
    against_probability: float | None = None
    layer: str | None = None
    completeness_error: float | None = None
    difference: float | None = None
    scales: Scales | None = None
    relative: bool = False
    passes: int = 0
    forwards: int = 0
    seconds: float = 0.0

    @property
    def signed(self) -> bool:
        """Whether negative values mean something: pixels that speak against the class."""
        return self.method in SIGNED

    @property
    def question(self) -> str:
        """The class that is explained: `espresso`, or `espresso rather than cup`."""
        return self.label if self.against_label is None else f"{self.label} rather than {self.against_label}"

    @property
    def changed(self) -> str:
        """What was done to the network, in words; empty for one as it was built."""
        return "" if self.scales is None else in_words(self.scales, relative=self.relative)

    @property
    def named(self) -> str:
        """The map in a few words, as lists tell it from others: method, network and what was changed in it, class."""
        parts = (TITLES[self.method], self.network, self.changed, self.question)
        return ", ".join(part for part in parts if part)

    @property
    def note(self) -> str | None:
        """Why there is nothing to see, for a map of zeros; None for any other."""
        if self.values.any():
            return None
        where = f"Nothing at {self.layer} speaks" if self.layer else f"{TITLES[self.method]} finds no pixel that speaks"
        return f"{where} for {self.question}: the map is 0 everywhere."

    @property
    def limit(self) -> float:
        """The size at which `overlay` reaches its full colour; the few larger values (1 in 100) look the same."""
        return full_colour(self.values)

    @property
    def ends(self) -> tuple[str, str]:
        """What stands at the ends of the colours: their values, and what those speak for."""
        other = "against" if self.against_label is None else f"for {self.against_label}"
        low = f"−{self.limit:.3g} {other}" if self.signed else "0"
        return low, f"{self.limit:.3g} {'for' if self.signed else 'matters for'} {self.label}"

    def overlay(self, alpha: float = 0.7) -> Image.Image:
        """The map over the greyed pixels: PuOr (purple for, orange against) if signed, else cividis from 0."""
        return overlaid(self.values, self.pixels, limit=self.limit, signed=self.signed, alpha=alpha)

    def to_dict(self) -> dict[str, Any]:
        """Plain values without the map itself, as the command line prints them; `note` says it of a map of zeros."""
        plain = {name: getattr(self, name) for name in self.__slots__ if name not in ("values", "pixels")}
        scales = dict(self.scales) if isinstance(self.scales, Mapping) else self.scales
        return {"shape": list(self.values.shape)} | plain | {"scales": scales, "note": self.note}

    def __str__(self) -> str:
        classes = f"{self.label} ({self.target}), {self.probability:.1%}"
        if self.against is not None and self.against_probability is not None:
            classes += f", rather than {self.against_label} ({self.against}), {self.against_probability:.1%}"
        lines = [f"{classes}: {self.network}, {self.method}, {self.setting}"]
        if self.completeness_error is not None and self.difference is not None:
            lines.append(f"completeness error {self.completeness_error:.3g} of {self.difference:.3g} logits")
        return "\n".join([*lines, *([self.note] if self.note else [])])

    def _repr_png_(self) -> bytes:
        return shown.png(self.overlay())

    def _repr_html_(self) -> str:
        caption = shown.paragraph(f"{TITLES[self.method]} for {self.question}, {self.setting}. {self.network}.")
        picture = shown.picture(self.overlay(), f"{self.named}, over {self.file}")
        if self.note:
            return shown.column(picture, shown.paragraph(self.note), caption)
        return shown.column(picture, shown.legend(*self.ends, signed=self.signed), caption)


def blank(values: Array) -> bool:
    """Whether a map ranks nothing: the same everywhere, zeros above all, or no numbers at all."""
    return not np.isfinite(values).all() or not np.ptp(values)
