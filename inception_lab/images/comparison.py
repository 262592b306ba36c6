"""Two maps of one photograph beside each other: one scale, their difference, how far they agree.

Maps of different networks cover different parts of a photograph (their crops differ) at different sizes: they are cut
to the part that both saw, which lies in the centre of each, and brought to one size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from PIL import Image

from inception_lab.errors import SettingsError
from inception_lab.images import deletion, shown
from inception_lab.images.attribution import Attribution
from inception_lab.images.methods import Method
from inception_lab.images.overlay import full_colour, overlaid
from inception_lab.images.ranks import spearman
from inception_lab.images.trained import known

Array = np.ndarray[Any, np.dtype[Any]]
PER_PIXEL: tuple[Method, ...] = ("input_x_gradient", "integrated_gradients", "deeplift")
"""Methods whose pixels add up to something; the others' say what a whole window, region or cell is worth."""

Scale = Literal["logits", "own strength"]

THUMB = 16  # pixels of the thumbnails by which two photographs are held for one
FAR = 24.0  # mean difference of grey levels, of 255, above which they are not


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """Two maps of one photograph, (H, W) each on the part both networks saw, in one unit; `names` tell them apart.

    `scale` is "logits" where both came from one method that gives signed logits: then `first` and `second` are the
    values as they are, or, where the pixels of a map add up (`PER_PIXEL`), logits per pixel of the smaller map. Else it
    is "own strength", each divided by the value that its own overlay shows in full colour. `difference` is first less
    second, `limit` the end of the colour scale of both, `correlation` Spearman's over
    squares.
    """

    names: tuple[str, str]
    first: Array
    second: Array
    difference: Array
    limit: float
    scale: Scale
    signed: bool
    correlation: float
    pixels: Array
    setting: str

    @property
    def difference_limit(self) -> float:
        """The end of the difference's own colour scale; the few larger values (1 in 100) look the same."""
        return float(np.percentile(np.abs(self.difference), 99)) or float(np.abs(self.difference).max()) or 1.0

    def to_dict(self) -> dict[str, Any]:
        """Plain values without the maps."""
        named = ("limit", "difference_limit", "scale", "signed", "correlation", "setting")
        plain = {name: getattr(self, name) for name in named}
        return {"shape": list(self.first.shape), "names": list(self.names), **plain}

    def __str__(self) -> str:
        return "\n".join((*self.names, self._words))

    def _repr_html_(self) -> str:
        unit = "logits" if self.scale == "logits" else "of its own strength"
        maps = [(values, name, self.limit, self.signed) for values, name in zip(self._maps, self.names, strict=True)]
        maps.append((self.difference, "first less second", self.difference_limit, True))
        columns = (
            shown.column(
                shown.paragraph(name),
                shown.picture(overlaid(values, self.pixels, limit=limit, signed=signed), f"Map: {name}"),
                shown.legend(f"{-limit:.3g}" if signed else "0", f"{limit:.3g} {unit}", signed=signed),
                width=shown.SIDE,
            )
            for values, name, limit, signed in maps
        )
        return shown.row(*columns) + shown.paragraph(self._words)

    @property
    def _maps(self) -> tuple[Array, Array]:
        return self.first, self.second

    @property
    def _words(self) -> str:
        return f"rank correlation {self.correlation:.3f} ({self.setting}), scale: {self.scale}"


def compare_maps(first: Attribution, second: Attribution) -> Comparison:
    """Two maps of the same photograph on one scale. Raises `SettingsError` for maps of different photographs."""
    (a, pixels), (b, other) = _aligned(first, second)
    if _far(pixels, other) > FAR:
        raise SettingsError(
            f"{first.file} under {first.network} and {second.file} under {second.network} show different pictures, so "
            "their maps have no difference; compare two maps of one photograph."
        )
    signed = first.signed and second.signed
    a, b, limit, scale = _scaled(first, second, a, b, signed=signed)
    return Comparison(
        names=(first.named, second.named),
        first=a,
        second=b,
        difference=a - b,
        limit=limit,
        scale=scale,
        signed=signed,
        correlation=_alike(a, b),
        pixels=pixels,
        setting=f"Spearman over squares, {len(a)}×{len(a)} pixels that both networks saw",
    )


def _scaled(
    first: Attribution, second: Attribution, a: Array, b: Array, *, signed: bool
) -> tuple[Array, Array, float, Scale]:
    """Both maps, aligned as `a` and `b`, in one unit, with the end of their colours and the unit's name."""
    limits = first.limit, second.limit
    if signed and first.method == second.method:
        if first.method in PER_PIXEL:
            one, two = ((side / len(a)) ** 2 for side in _sides(first, second))  # of its own pixels under one drawn
            a, b = a * one, b * two
            limits = full_colour(a), full_colour(b)
        return a, b, max(limits), "logits"
    a, b = a / limits[0], b / limits[1]
    if not signed:
        a, b = np.abs(a), np.abs(b)
    return a, b, 1.0, "own strength"


def correlation(a: Attribution, b: Attribution) -> float:
    """Spearman's over squares of the part both saw: of the values where both are signed, else of their sizes."""
    if a is b:
        return 1.0
    (first, _), (second, _) = _aligned(a, b)
    return _alike(first, second) if a.signed and b.signed else _alike(np.abs(first), np.abs(second))


def _alike(a: Array, b: Array) -> float:
    regions = deletion.regions_of(a, "squares")
    return spearman(deletion.means(a, regions), deletion.means(b, regions))


def _aligned(a: Attribution, b: Attribution) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Both maps with their pixels, on the centre that both networks saw, at the smaller of the two sizes."""
    sides = _sides(a, b)
    one, two = (_centre(given, side, round(min(sides))) for given, side in zip((a, b), sides, strict=True))
    return one, two


def _sides(a: Attribution, b: Attribution) -> tuple[float, float]:
    """How many of its own pixels the common centre is wide in each map."""
    one, two = _seen(a), _seen(b)
    share = min(one, two)
    return len(a.values) * (share / one), len(b.values) * (share / two)  # of its own view exactly all


def _seen(result: Attribution) -> float:
    """The side of the crop over the shorter side of the resized photograph."""
    record = known(result.network)
    return record.size / record.resize


def _centre(result: Attribution, side: float, size: int) -> tuple[Array, Array]:
    """The centre of `side` pixels, at `size`; between pixels where that is where the other network's view ends."""
    whole = result.values.shape[0]
    if size == whole == side:
        return result.values, result.pixels
    near, far = (whole - side) / 2, (whole + side) / 2  # a half more or less is what the crop itself was rounded by
    values = Image.fromarray(np.ascontiguousarray(result.values, dtype=np.float32))
    one, two = (
        picture.resize((size, size), Image.Resampling.BILINEAR, box=(near, near, far, far))
        for picture in (values, Image.fromarray(result.pixels))
    )
    return np.asarray(one), np.asarray(two)


def _far(a: Array, b: Array) -> float:
    """The mean difference of two pictures' grey thumbnails."""
    small = [
        np.asarray(Image.fromarray(one).convert("L").resize((THUMB, THUMB), Image.Resampling.BOX), float)
        for one in (a, b)
    ]
    return float(np.abs(small[0] - small[1]).mean())
