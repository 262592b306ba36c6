"""How near a network in bf16 stays to itself in fp32: `closeness("inception_v4.tf_in1k")`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from inception_lab.images import voting
from inception_lab.images.networks import borrowed, threads_set
from inception_lab.images.samples import samples
from inception_lab.models.records import EMBEDDED

TOP = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Closeness:
    """Of `images` photographs, one crop each: in how many the `first` guess is the same, and in how many the best
    five are the same classes (`five`), whatever their order; `shift` is the largest change of a probability."""

    network: str
    images: int
    first: int
    five: int
    shift: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    def __str__(self) -> str:
        return (
            f"{self.network} in bf16 against fp32 on the {self.images} shipped photographs: first guess the same in "
            f"{self.first}, best five in {self.five}, probabilities within {self.shift:.3f}."
        )


def closeness(network: str = EMBEDDED, *, threads: int | None = None) -> Closeness:
    """The network in both precisions on the photographs that ship with the lab.

    Raises `SettingsError` on a processor without bf16, and as `classify`.
    """
    photos = [sample.photo() for sample in samples()]
    with threads_set(threads):
        with borrowed(network, precision="bf16") as loaded:
            tag = loaded.record.tag
            near = [voting.votes(loaded, photo)[0] for photo in photos]
        with borrowed(network) as loaded:
            exact = [voting.votes(loaded, photo)[0] for photo in photos]
    pairs = list(zip(near, exact, strict=True))
    best = [[set(row.topk(min(TOP, len(row))).indices.tolist()) for row in pair] for pair in pairs]
    return Closeness(
        network=tag,
        images=len(pairs),
        first=sum(int(one.argmax()) == int(other.argmax()) for one, other in pairs),
        five=sum(one == other for one, other in best),
        shift=max((one - other).abs().max().item() for one, other in pairs),
    )
