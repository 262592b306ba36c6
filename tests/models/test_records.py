"""The facts on public weights, against timm's own configuration."""

import math

import pytest
import timm

from inception_lab.errors import UnknownNetwork, WeightsUnavailable
from inception_lab.models.records import EMBEDDED, RECORDS, record

HUB = [tag for tag in RECORDS if tag != EMBEDDED]


@pytest.mark.parametrize("tag", HUB)
def test_record_equals_timms_configuration(tag: str) -> None:
    ours, theirs = RECORDS[tag], timm.get_pretrained_cfg(tag)
    assert theirs is not None
    assert ours.repository == theirs.hf_hub_id == f"timm/{tag}"
    assert (ours.mean, ours.std, ours.crop_pct) == (theirs.mean, theirs.std, theirs.crop_pct)
    assert (3, ours.size, ours.size) == theirs.input_size
    assert (ours.interpolation, ours.classes) == (theirs.interpolation, theirs.num_classes)
    assert ours.network == theirs.architecture
    assert ours.licence.lower() == theirs.license
    assert ours.resize == math.floor(ours.size / theirs.crop_pct)


def test_embedded_record() -> None:
    ours, theirs = RECORDS[EMBEDDED], timm.get_pretrained_cfg("tf_efficientnet_lite0.in1k")
    assert theirs is not None
    assert (ours.mean, ours.std, ours.crop_pct, ours.size) == (theirs.mean, theirs.std, theirs.crop_pct, 224)
    assert (ours.embedded, ours.repository, ours.resize) == (True, "", 256)


@pytest.mark.parametrize("tag", HUB)
def test_megabytes_are_what_the_tensors_take(tag: str) -> None:
    import torch

    with torch.device("meta"):
        model = timm.create_model(RECORDS[tag].network, **({"aux_logits": True} if tag.endswith("tv_in1k") else {}))
    taken = sum(t.numel() * t.element_size() for t in model.state_dict().values()) / 1e6
    assert RECORDS[tag].megabytes == round(taken)


def test_a_bare_network_stands_for_its_first_tag() -> None:
    assert record("inception_v3").tag == "inception_v3.tv_in1k"
    assert record("inception_resnet_v2").tag == "inception_resnet_v2.tf_in1k"


def test_networks_without_weights_say_so() -> None:
    with pytest.raises(WeightsUnavailable, match="Nobody has published ImageNet weights for inception_resnet_v1"):
        record("inception_resnet_v1")


def test_unknown_tag_names_the_nearest() -> None:
    with pytest.raises(UnknownNetwork, match=r"Did you mean 'inception_v4\.tf_in1k'"):
        record("inception_v4.tf_in1kk")
    with pytest.raises(UnknownNetwork, match="There are efficientnet_lite0, "):
        record("zzz")
