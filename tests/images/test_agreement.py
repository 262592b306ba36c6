"""Maps on one scale, their difference, and who the deletion test favours."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from inception_lab.errors import SettingsError
from inception_lab.images.agreement import agreement, cost
from inception_lab.images.attribute import Attribution
from inception_lab.images.comparison import compare_maps
from inception_lab.images.samples import samples

COFFEE = samples()[0].path
LITE, V4 = "efficientnet_lite0", "inception_resnet_v2.tf_in1k"


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def ramp(size: int) -> Any:
    return np.broadcast_to(np.linspace(-1, 1, size, dtype=np.float32), (size, size))


def made(values: Any, method: str = "occlusion", network: str = LITE, pixels: Any = None) -> Attribution:
    values = np.array(values, np.float32)
    grey = np.full((*values.shape, 3), 100, np.uint8) if pixels is None else pixels
    return Attribution(
        values=values, pixels=grey, method=method, file="f", network=network, target=1, label="l",
        probability=0.5, setting="s",
    )  # type: ignore[arg-type]  # fmt: skip


def test_one_method_is_compared_in_logits() -> None:
    a, b = made(ramp(224)), made(-2 * ramp(224))
    found = compare_maps(a, b)
    assert (found.scale, found.signed, found.limit) == ("logits", True, b.limit)
    assert np.allclose(found.difference, 3 * ramp(224))
    assert found.correlation == pytest.approx(-1)
    assert json.loads(json.dumps(found.to_dict()))["shape"] == [224, 224]


def test_two_methods_are_compared_by_their_own_strength() -> None:
    a, b = made(ramp(224)), made(5 * np.abs(ramp(224)), "grad_cam")
    found = compare_maps(a, b)
    assert (found.scale, found.signed, found.limit) == ("own strength", False, 1)
    assert np.allclose(found.difference, 0, atol=1e-5)
    assert found.correlation == pytest.approx(1)


def test_networks_with_other_crops_are_cut_to_what_both_saw() -> None:
    """Lite0 sees 224 of 256, Inception-ResNet-v2 299 of 333 of the same side: the same ramp in the photograph."""
    wide = 299 / 333 / (224 / 256)
    found = compare_maps(made(ramp(224)), made(wide * ramp(299), network=V4))
    assert found.first.shape == found.second.shape == (224, 224)
    assert np.abs(found.difference).max() < 0.02
    assert found.correlation == pytest.approx(1)


@pytest.mark.parametrize("method", ["input_x_gradient", "integrated_gradients", "deeplift"])
def test_pixels_that_add_up_do_so_at_the_other_networks_size(method: str) -> None:
    """What the common centre of the larger map adds up to is not changed by drawing it with fewer pixels."""
    side = 299 * (224 / 256) / (299 / 333)  # of the centre that Lite0 sees too, in the larger map's pixels
    wave = np.sin(np.linspace(0, 3, 299)) + 1.5
    large = np.outer(wave, wave)
    found = compare_maps(made(ramp(224), method), made(large, method, network=V4))
    edge = (299 - side) / 2
    inside = np.clip(np.minimum(np.arange(299) + 1 - edge, 299 - edge - np.arange(299)), 0, 1)
    assert found.scale == "logits"
    assert found.second.sum() == pytest.approx((large * np.outer(inside, inside)).sum(), rel=0.01)
    assert np.allclose(found.first, ramp(224))
    assert found.limit == pytest.approx(np.percentile(found.second, 99))


def test_two_photographs_have_no_difference() -> None:
    black = np.zeros((224, 224, 3), np.uint8)
    with pytest.raises(SettingsError, match="show different pictures"):
        compare_maps(made(ramp(224)), made(ramp(224), pixels=black))


def test_the_arbiter_and_the_matrix_of_the_cup() -> None:
    seen: list[tuple[int, int]] = []
    methods = ("saliency", "grad_cam")
    found = agreement(COFFEE, methods=methods, steps=8, seeds=3, progress=lambda *told: seen.append(told))
    assert seen[-1] == (found.forwards, found.forwards)
    assert found.forwards == cost(methods=methods, steps=8, seeds=3)
    assert np.allclose(found.matrix, found.matrix.T)
    assert np.diag(found.matrix).tolist() == [1, 1]
    saliency, cam = found.ranked
    assert cam.chance == saliency.chance, "one network and class has one set of random orders"
    assert cam.area < saliency.area
    gains = [one.gain if one.passes else -1 for one in found.ranked]
    assert found.best == (None if max(gains) < 0 else int(np.argmax(gains)))
    assert (saliency.title, cam.title) == ("Saliency of efficientnet_lite0", "Grad-CAM of efficientnet_lite0")
    assert found.best is None or f"favours {found.ranked[found.best].title}: area" in found.sentence
    assert "grad_cam" not in found.sentence
    assert json.loads(json.dumps(found.to_dict()))["maps"][1]["map"] == "grad_cam, efficientnet_lite0"


def test_a_contrast_is_agreed_on_as_one() -> None:
    asked = {"steps": 4, "seeds": 3, "methods": ("saliency", "grad_cam")}
    alone, both = agreement(COFFEE, **asked), agreement(COFFEE, against=968, **asked)  # type: ignore[arg-type]
    assert [one["class"] for one in both.rows()] == 2 * ["espresso rather than cup"]
    assert both.ranked[0].result.against == 968
    assert both.matrix[0, 1] != alone.matrix[0, 1]
    assert both.forwards == alone.forwards


def test_one_map_agrees_with_nothing() -> None:
    with pytest.raises(SettingsError, match="at least two different maps"):
        agreement(Image.new("RGB", (8, 8)), methods=("saliency",))
