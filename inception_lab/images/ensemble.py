"""Several networks as one: their softmax outputs averaged, as the paper averages those of its four models.

The paper's best result is one Inception-v4 and three Inception-ResNet-v2, trained apart, 144 crops each (arXiv Table
5). Three such trainings are not public: there is one, and one trained against adversarial examples. The preset gives
Inception-v4 the paper's quarter and lets the two that exist share the other three, so its numbers are not the
paper's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from inception_lab.errors import SettingsError
from inception_lab.images.trained import known
from inception_lab.models.records import WeightRecord

PAPER = "paper-ensemble"
JOINED = "ensemble"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ensemble:
    """Networks by tag with the share of each in the average; shares add up to 1. `note` says what it stands for."""

    name: str
    members: tuple[tuple[str, float], ...]
    note: str

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags of its networks."""
        return tuple(tag for tag, _ in self.members)


PAPERS = Ensemble(
    name=PAPER,
    members=(
        ("inception_v4.tf_in1k", 0.25),
        ("inception_resnet_v2.tf_in1k", 0.375),
        ("inception_resnet_v2.tf_ens_adv_in1k", 0.375),
    ),
    note=(
        "The paper averages one Inception-v4 and three separately trained Inception-ResNet-v2. Three such trainings "
        "are not public: the two that are, one of them adversarial, share the three quarters here."
    ),
)


def asked(networks: Sequence[str] | str | None, default: str, *, together: bool) -> tuple[list[str], Ensemble | None]:
    """The tags to ask, in full and each once, and how to average them (None: not at all).

    `paper-ensemble` among `networks` stands for its members. Raises `SettingsError` for an empty list, for an
    ensemble of one network or of different class lists, and as `known` for tags.
    """
    wanted = [networks] if isinstance(networks, str) else list([default] if networks is None else networks)
    if not wanted:
        raise SettingsError(f"The list of networks is empty; name one or more, such as {default}.")
    if PAPER in wanted:
        if len(wanted) > 1:
            raise SettingsError(f"{PAPER} is itself an ensemble of {len(PAPERS.members)}; ask for it alone.")
        return list(PAPERS.tags), PAPERS
    tags = list(dict.fromkeys(known(network).tag for network in wanted))
    return tags, joined(tags) if together else None


def joined(tags: Sequence[str]) -> Ensemble:
    """Networks that count equally. Raises `SettingsError` as `asked`."""
    if len(tags) < 2:
        raise SettingsError("An ensemble needs two networks or more; this is one. Name another one too.")
    records = [known(tag) for tag in tags]
    for record in records[1:]:
        _alike(records[0], record)
    note = f"Softmax outputs of {len(tags)} networks averaged, each counting the same."
    return Ensemble(name=JOINED, members=tuple((tag, 1 / len(tags)) for tag in tags), note=note)


def alike(one: WeightRecord, other: WeightRecord) -> bool:
    """Whether two networks know the same classes in the same order."""
    return (one.classes, one.labels) == (other.classes, other.labels)


def _alike(one: WeightRecord, other: WeightRecord) -> None:
    if not alike(one, other):
        raise SettingsError(
            f"{one.tag} and {other.tag} cannot be averaged: they know different classes ({one.classes} and "
            f"{other.classes}). Take networks of one list of classes."
        )
