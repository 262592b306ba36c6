"""The facts on public weights, against timm's own configuration."""

import dataclasses
import math

import pytest
import timm
from torchvision.models import ResNet152_Weights

from inception_lab.errors import UnknownNetwork, WeightsUnavailable
from inception_lab.models.records import EMBEDDED, RECORDS, record
from inception_lab.nets.catalog import CATALOG

HUB = [tag for tag in RECORDS if tag != EMBEDDED]


@pytest.mark.parametrize("tag", HUB)
def test_record_equals_timms_configuration(tag: str) -> None:
    ours, theirs = RECORDS[tag], timm.get_pretrained_cfg(tag)
    assert theirs is not None
    assert ours.repository == theirs.hf_hub_id == f"timm/{tag}"
    assert (ours.mean, ours.std) == (theirs.mean, theirs.std)
    # where timm names a size to test with, the published figures are for that one
    assert ours.crop_pct == (theirs.test_crop_pct or theirs.crop_pct)
    assert (3, ours.size, ours.size) == (theirs.test_input_size or theirs.input_size)
    assert (ours.interpolation, ours.classes) == (theirs.interpolation, theirs.num_classes)
    assert ours.network == theirs.architecture
    assert ours.licence.lower() == theirs.license
    assert ours.resize == math.floor(ours.size / ours.crop_pct)
    assert (ours.module == "lab") == (ours.network in CATALOG)


def test_embedded_record() -> None:
    ours, theirs = RECORDS[EMBEDDED], timm.get_pretrained_cfg("tf_efficientnet_lite0.in1k")
    assert theirs is not None
    assert (ours.mean, ours.std, ours.crop_pct, ours.size) == (theirs.mean, theirs.std, theirs.crop_pct, 224)
    assert (ours.embedded, ours.repository, ours.resize) == (True, "", 256)


@pytest.mark.parametrize("tag", HUB)
def test_megabytes_are_what_the_tensors_take(tag: str) -> None:
    import torch

    with torch.device("meta"):
        model = timm.create_model(
            RECORDS[tag].network, **({"aux_logits": True} if tag == "inception_v3.tv_in1k" else {})
        )
    taken = sum(t.numel() * t.element_size() for t in model.state_dict().values()) / 1e6
    assert RECORDS[tag].megabytes == round(taken)


@pytest.mark.parametrize(("tag", "theirs"), [("tv", "IMAGENET1K_V1"), ("tv2", "IMAGENET1K_V2")])
def test_resnets_figures_are_torchvisions_for_the_same_file(tag: str, theirs: str) -> None:
    ours = RECORDS[f"resnet152.{tag}_in1k"]
    weights = ResNet152_Weights[theirs]
    configuration = timm.get_pretrained_cfg(ours.tag)
    assert configuration is not None
    assert configuration.url == weights.url
    measured = weights.meta["_metrics"]["ImageNet-1K"]
    assert (ours.top1, ours.top5) == (measured["acc@1"], measured["acc@5"])
    assert [ours.resize] == weights.transforms().resize_size


def test_what_nobody_states_is_said_and_not_invented() -> None:
    assert RECORDS["resnet152.a1_in1k"].accuracy.startswith("no figure ships with the lab")
    assert RECORDS["inception_v4.tf_in1k"].accuracy.startswith("top-1 80.1 %, top-5 95.0 % (timm, results")
    without = dataclasses.replace(RECORDS[EMBEDDED], top1=math.nan, accuracy_source="the run's own test images")
    assert without.accuracy == "none was measured (the run's own test images)"


def test_preprocessing_in_words() -> None:
    assert RECORDS["inception_v4.tf_in1k"].preprocessing == (
        "shorter side to 341 pixels (bicubic), the middle 299×299, (value / 255 − 0.5) / 0.5"
    )
    assert "(value / 255 − (0.485, 0.456, 0.406)) / (0.229," in RECORDS["resnet152.tv_in1k"].preprocessing


def test_a_bare_network_stands_for_its_first_tag() -> None:
    assert record("inception_v3").tag == "inception_v3.tv_in1k"
    assert record("resnet152").tag == "resnet152.tv_in1k"
    assert record("inception_resnet_v2").tag == "inception_resnet_v2.tf_in1k"


def test_networks_without_weights_say_so() -> None:
    with pytest.raises(WeightsUnavailable, match="Nobody has published ImageNet weights for inception_resnet_v1"):
        record("inception_resnet_v1")


def test_unknown_tag_names_the_nearest() -> None:
    with pytest.raises(UnknownNetwork, match=r"Did you mean 'inception_v4\.tf_in1k'"):
        record("inception_v4.tf_in1kk")
    with pytest.raises(UnknownNetwork, match="There are efficientnet_lite0, "):
        record("zzz")
