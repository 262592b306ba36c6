"""A map of pixels with the residuals' scales changed: `moved("cat.jpg", "inception_resnet_v2.tf_in1k", scales=0.0)`."""

from __future__ import annotations

from collections.abc import Mapping

from inception_lab.errors import RunError
from inception_lab.images.attribute import Attribution, Method, Progress, attribute
from inception_lab.images.joints import scaled
from inception_lab.images.load import Photo, Source
from inception_lab.images.networks import MODELS, borrowed
from inception_lab.models.records import EMBEDDED


def moved(
    image: Source | Photo,
    network: str = EMBEDDED,
    *,
    scales: float | Mapping[str, float],
    relative: bool = False,
    method: Method = "grad_cam",
    target: int | None = None,
    against: int | None = None,
    at: str | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Attribution:
    """`images.attribute.attribute` on the network with other scales (`images.joints.scaled`), digit for digit.

    Raises as both, and `RunError` if the network was let go of meanwhile.
    """
    with borrowed(network) as loaded, scaled(loaded, scales, relative=relative):
        found = attribute(
            image,
            network,
            method=method,
            target=target,
            against=against,
            at=at,
            threads=threads,
            progress=progress,
        )
        if MODELS.get(network) is not loaded:  # another thread needed its room: the map is of an unchanged copy
            raise RunError(f"{loaded.record.tag} was let go of while it was asked; ask again.")
    return found
