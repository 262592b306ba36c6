"""The error rates of the paper's Tables 2 to 5 (arXiv numbers), to stand beside what was measured here."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from typing import Any

from inception_lab.assets import asset
from inception_lab.images.ensemble import PAPER

NETWORKS = {
    "inception_v3": "Inception-v3",
    "inception_v4": "Inception-v4",
    "inception_resnet_v1": "Inception-ResNet-v1",
    "inception_resnet_v2": "Inception-ResNet-v2",
    "resnet152": "ResNet-152",
    "bn_inception": "BN-Inception",
}
"""The record's network, and what the paper calls it."""

_COLUMNS = {1: "single", 10: "few", 12: "few", 144: "many"}
_ENSEMBLE = "1 × Inception-v4 + 3 × Inception-ResNet-v2"
_WEIGHTS = "public weights, not the paper's own training"


@dataclass(frozen=True, slots=True)
class Printed:
    """Errors in per cent as printed; `table` says where, `note` how the two differ."""

    network: str
    table: str
    top1: float
    top5: float
    note: str


def printed(network: str, crops: int, *, blacklisted: bool = False) -> Printed | None:
    """What the paper prints for a network (a record's `network`, or the paper's ensemble) with so many crops.

    None where it prints nothing: another network, or an ensemble of other crops than 144. `blacklisted` says whether
    the images with poor boxes are left out, as the paper does for one crop only.
    """
    if network == PAPER:
        return _ensemble(blacklisted) if crops == 144 else None
    name, column = NETWORKS.get(network), _COLUMNS.get(crops, "")
    rows: list[dict[str, Any]] = [row for row in _facts()["results"] if row["network"] == name and column in row]
    if not rows:
        return None
    top1, top5 = rows[0][column]
    notes = [_WEIGHTS]
    if network == "inception_resnet_v2":
        notes.append("the released network (10/20/10), and the paper draws another (5/10/5)")
    if network == "resnet152" and crops == 144:
        notes.append("the paper's is a dense evaluation, not 144 crops")
    if crops == 12 and network == "resnet152":
        notes.append("the paper's is of 10 crops")
    if crops == 10 and network != "resnet152":
        notes.append("the paper's is of 12 crops")
    notes += _images(crops, blacklisted)
    return Printed(str(name), str(_facts()["protocols"][column]), top1, top5, "; ".join(notes))


def _images(crops: int, blacklisted: bool) -> list[str]:
    """How the images differ: the paper leaves the blacklisted ones out for one crop, and uses all for more."""
    if blacklisted == (crops == 1):
        return []
    return [
        "the paper uses the blacklisted images too" if blacklisted else "the paper leaves the blacklisted images out"
    ]


def _ensemble(blacklisted: bool) -> Printed:
    row = next(row for row in _facts()["ensembles"] if row["models"] == _ENSEMBLE)
    note = (
        f"{_WEIGHTS}; two trainings of Inception-ResNet-v2, one of them adversarial, in place of three. {row['note']}"
    )
    note = "; ".join((note, *_images(144, blacklisted)))
    return Printed(_ENSEMBLE, "144 crops, arXiv Table 5 = AAAI Table 4", row["top1"], row["top5"], note)


@cache
def _facts() -> dict[str, Any]:
    return tomllib.loads(asset("paper", "paper.toml").read_text(encoding="utf-8"))
