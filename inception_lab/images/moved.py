"""A map of pixels with the residuals' scales changed: `moved("cat.jpg", "inception_resnet_v2.tf_in1k", scales=0.0)`."""

from __future__ import annotations

from collections.abc import Mapping

from inception_lab.images.attribute import Ask, Attribution, Method, Progress, asked
from inception_lab.images.load import Photo, Source
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

    `target` is by default the first choice of the network as it was built, as for `rho`: what is asked is what became
    of that class. The map knows its scales, so that its test is one of the changed network. Raises as both.
    """
    ask = Ask(method=method, target=target, against=against, at=at, progress=progress, scales=scales, relative=relative)
    return asked(image, network, ask, threads=threads)
