"""Attribution of photographs: the embedded network, and the lab's own modules with random weights."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from inception_lab.errors import ImageError, LabError, SettingsError, UnknownAddress
from inception_lab.images import networks
from inception_lab.images.attribute import Attribution, attribute, cost, default_layer, estimate
from inception_lab.images.crops import pixels
from inception_lab.images.load import load
from inception_lab.images.methods import AT_LAYER, METHODS, Method
from inception_lab.images.networks import MODELS, Models, borrowed
from inception_lab.images.samples import samples
from inception_lab.models.build import build
from inception_lab.models.records import RECORDS
from inception_lab.nets.catalog import net

COFFEE = samples()[0].path


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def thin_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lab's modules, a sixteenth as wide and untrained, in place of the public weights."""

    def untrained(tag: str, *, progress: object) -> nn.Module:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return build(net(RECORDS[tag].network).thin(1 / 16)).eval().requires_grad_(False)

    monkeypatch.setattr(networks, "pretrained", untrained)
    monkeypatch.setattr(networks, "MODELS", Models())


def made(values: Any, method: Method = "occlusion", **fields: Any) -> Attribution:
    values = np.array(values, np.float32)
    grey = np.full((*values.shape, 3), 100, np.uint8)
    known: dict[str, Any] = {"file": "f", "network": "n", "target": 1, "label": "l", "probability": 0.5, "setting": "s"}
    return Attribution(values=values, pixels=grey, method=method, **{**known, **fields})


@pytest.mark.parametrize("method", ["integrated_gradients", "grad_cam"])
def test_the_espresso_is_in_the_cup(method: Method) -> None:
    seen: list[tuple[int, int]] = []
    found = attribute(COFFEE, method=method, progress=lambda done, total: seen.append((done, total)))
    assert (found.label, found.target, found.network) == ("espresso", 967, "efficientnet_lite0")
    assert found.probability == pytest.approx(0.954, abs=0.005)
    assert (found.values.shape, found.values.dtype) == ((224, 224), np.float32)
    square = pixels(load(COFFEE), RECORDS["efficientnet_lite0"])
    assert np.array_equal(found.pixels, np.asarray(square))
    cup = found.values[30:130, 40:160]
    assert cup.sum() > 0.5 * found.values.sum()  # 24 % of the pixels
    assert seen[-1] == (cost(method), cost(method)) == (found.forwards, found.forwards)
    assert found.seconds > 0


def test_integrated_gradients_add_up_to_the_difference_of_the_scores() -> None:
    found = attribute(COFFEE, target=968)
    assert found.label == "cup"
    assert found.difference is not None
    assert found.completeness_error is not None
    assert float(found.values.sum()) == pytest.approx(found.difference, abs=found.completeness_error + 1e-3)
    assert found.completeness_error < 0.03 * abs(found.difference)
    assert found.setting == "50 steps from a black image"


def test_occlusion_of_the_cup(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inception_lab.images.methods.window", lambda size: (56, 56))
    found = attribute(COFFEE, method="occlusion")
    assert found.forwards == cost("occlusion") == 2 + 16
    assert found.setting == "grey square of 56 pixels, moved by 56"
    row, column = np.unravel_index(found.values.argmax(), found.values.shape)
    assert (row // 56, column // 56) in [(0, 1), (1, 1), (0, 2), (1, 2)]
    assert len(np.unique(found.values)) <= 16


@pytest.mark.usefixtures("thin_networks")
@pytest.mark.parametrize(
    ("tag", "layer"),
    [
        ("inception_v3.tv_in1k", "inception_v3/C"),
        ("inception_v4.tf_in1k", "inception_v4/C"),
        ("inception_resnet_v2.tf_in1k", "inception_resnet_v2/conv2d_7b"),
    ],
)
def test_grad_cam_looks_at_the_last_stage(tag: str, layer: str) -> None:
    found = attribute(COFFEE, tag, method="grad_cam", target=3)
    assert (found.layer, found.network, found.target) == (layer, tag, 3)
    assert found.values.shape == (299, 299)
    assert found.values.min() >= 0


@pytest.mark.usefixtures("thin_networks")
def test_grad_cam_takes_any_address() -> None:
    tag = "inception_resnet_v2.tf_in1k"
    short = attribute(COFFEE, tag, method="grad_cam", at="B/07/add")
    full = attribute(COFFEE, tag, method="grad_cam", at="inception_resnet_v2/B/07/add")
    assert short.layer == full.layer == "inception_resnet_v2/B/07/add"
    assert np.array_equal(short.values, full.values)
    assert not np.array_equal(short.values, attribute(COFFEE, tag, method="grad_cam").values)
    with pytest.raises(UnknownAddress, match="There is no '99' in inception_resnet_v2/B"):
        attribute(COFFEE, tag, method="grad_cam", at="B/99")
    with pytest.raises(SettingsError, match="layer that puts out maps"):
        attribute(COFFEE, tag, method="grad_cam", at="head/classifier")


def test_layers_of_the_embedded_network() -> None:
    assert attribute(COFFEE, method="grad_cam").layer == "efficientnet_lite0/bn2"
    assert attribute(COFFEE, method="grad_cam", at="blocks/5").layer == "efficientnet_lite0/blocks/5"
    with pytest.raises(UnknownAddress, match="no 'B' in efficientnet_lite0; it has conv_stem, bn1, blocks"):
        attribute(COFFEE, method="grad_cam", at="B")


@pytest.mark.parametrize("method", AT_LAYER)
def test_a_layer_that_is_not_run_is_refused(method: Method) -> None:
    """Drop-path only trains; its place and the ReLUs that are folded away have addresses all the same."""
    with pytest.raises(UnknownAddress, match=r"efficientnet_lite0/blocks/1/0/drop_path is not run in a pass; choose"):
        attribute(COFFEE, method=method, at="blocks/1/0/drop_path")


def test_every_layer_has_a_map_or_a_sentence() -> None:
    modules = [name for name, _ in MODELS.get("efficientnet_lite0").model.named_modules() if name]
    said = []
    for name in modules:
        try:
            assert attribute(COFFEE, method="grad_cam", at=name, target=967).values.shape == (224, 224)
        except LabError as problem:
            said.append(str(problem))
    assert 0 < len(said) < 0.1 * len(modules)
    assert all("not run in a pass" in one or "layer that puts out maps" in one for one in said)


def test_a_cost_that_is_known_waits_for_nobody() -> None:
    """A page asks for the default layer and the cost at every click, also while another one works on the network."""
    known = estimate("saliency")
    with ThreadPoolExecutor(1) as pool, borrowed("efficientnet_lite0"):
        assert pool.submit(default_layer).result(timeout=20) == "efficientnet_lite0/bn2"
        assert pool.submit(estimate, "saliency").result(timeout=20) == known


@pytest.mark.parametrize("method", [m for m in METHODS if m not in ("integrated_gradients", "occlusion", "grad_cam")])
def test_every_method_answers_for_the_embedded_network(method: Method) -> None:
    """What is told before is what runs; the cup, 24 % of the pixels, has more than its share."""
    told: list[tuple[int, int]] = []
    before = estimate(method, image=COFFEE)
    found = attribute(COFFEE, method=method, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (before.images, before.images) == (found.forwards, found.forwards)
    assert found.values.shape == (224, 224)
    assert found.values.dtype == np.float32
    sizes = np.abs(found.values)
    if method != "input_x_gradient":  # which has 22 % there: it finds nothing on this photograph
        assert sizes[30:130, 40:160].sum() > 0.3 * sizes.sum()
    assert found.signed or found.values.min() >= 0
    assert found.setting
    if found.completeness_error is not None and found.difference is not None:
        assert found.completeness_error < 0.01 * found.difference


def test_a_contrast_explains_the_difference_of_two_logits() -> None:
    """Integrated gradients are linear in the score: the map of a contrast is the difference of the maps."""
    espresso, cup = (attribute(COFFEE, method="deeplift", target=target) for target in (967, 968))
    both = attribute(COFFEE, method="deeplift", target=967, against=968)
    assert np.allclose(both.values, espresso.values - cup.values, atol=2e-4)
    assert espresso.difference is not None
    assert cup.difference is not None
    assert both.difference == pytest.approx(espresso.difference - cup.difference, abs=1e-4)
    assert (both.question, both.against, both.against_label) == ("espresso rather than cup", 968, "cup")
    assert both.against_probability == pytest.approx(cup.probability)
    with pytest.raises(SettingsError, match="Class 967 against itself"):
        attribute(COFFEE, method="saliency", against=967)
    with pytest.raises(SettingsError, match="There is no class -1"):
        attribute(COFFEE, method="saliency", against=-1)


def test_two_at_once_get_what_one_alone_gets() -> None:
    """Two threads on one network: each map is the one a single thread gets, digit for digit."""
    asked: list[Method] = ["grad_cam", "guided_grad_cam", "deeplift", "saliency"] * 2
    alone = {method: attribute(COFFEE, method=method, target=967, threads=1).values for method in set(asked)}
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda method: attribute(COFFEE, method=method, target=967, threads=1), asked))
    for method, one in zip(asked, found, strict=True):
        assert np.array_equal(one.values, alone[method]), method


def test_the_default_layer_is_named() -> None:
    assert default_layer() == "efficientnet_lite0/bn2"
    assert default_layer(at="blocks/5") == "efficientnet_lite0/blocks/5"
    assert attribute(COFFEE, method="grad_cam").setting == "layer efficientnet_lite0/bn2 (the default)"
    assert attribute(COFFEE, method="grad_cam", at="bn2").setting == "layer efficientnet_lite0/bn2"


@pytest.mark.usefixtures("thin_networks")
@pytest.mark.parametrize("method", ["deeplift", "guided_grad_cam", "layer_conductance"])
def test_the_labs_own_networks_are_sound(method: Method) -> None:
    found = attribute(COFFEE, "inception_v4.tf_in1k", method=method, target=3, against=5)
    assert found.values.shape == (299, 299)


def test_wrong_requests() -> None:
    with pytest.raises(SettingsError, match="for grad_cam, guided_grad_cam, layer_conductance only"):
        attribute(COFFEE, at="bn2")
    with pytest.raises(SettingsError, match="There is no class 1000; efficientnet_lite0 has 0 to 999"):
        attribute(COFFEE, target=1000)
    with pytest.raises(SettingsError, match="There is no method 'lime'"):
        attribute(COFFEE, method="lime")  # type: ignore[arg-type]
    with pytest.raises(ImageError, match="0 bytes"):
        attribute(b"")


def test_a_cancelled_attribution_frees_the_model() -> None:
    class Cancelled(Exception):
        pass

    def stop(done: int, total: int) -> None:
        raise Cancelled

    for method in METHODS:
        with pytest.raises(Cancelled):
            attribute(COFFEE, method=method, progress=stop)
    model = MODELS.get("efficientnet_lite0").model
    assert sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules()) == 0
    assert attribute(COFFEE, method="grad_cam").label == "espresso"


def test_signed_overlay() -> None:
    """Nothing said: the grey pixel; fully for: purple; fully against: orange; in between: by its share."""
    picture = made([[0, 2], [-2, 1]]).overlay(alpha=1.0)
    assert picture.getpixel((0, 0)) == (100, 100, 100)
    assert picture.getpixel((1, 0)) == (45, 0, 75)
    assert picture.getpixel((0, 1)) == (127, 59, 8)
    lighter = made([[0, 2], [-2, 1]]).overlay(alpha=0.5)
    assert lighter.getpixel((1, 0)) == (72, 50, 88)


def test_unsigned_overlay() -> None:
    picture = made([[0, 4]], "grad_cam").overlay(alpha=1.0)
    assert [picture.getpixel((x, 0)) for x in (0, 1)] == [(0, 34, 78), (254, 232, 56)]


def test_an_empty_map_can_be_shown() -> None:
    assert made([[0, 0]]).limit == 1
    assert made([[0, 0]]).overlay().getpixel((0, 0)) == (100, 100, 100)


def test_the_limit_is_the_99th_percentile() -> None:
    values = np.arange(-100, 101).reshape(3, 67)
    assert made(values).limit == pytest.approx(np.percentile(np.abs(values), 99))


def test_what_machines_and_notebooks_get() -> None:
    found = made([[1, 2, 3]], completeness_error=0.5, difference=6.5)
    shape = json.loads(json.dumps(found.to_dict()))
    expected = {
        "network": "n",
        "method": "occlusion",
        "target": 1,
        "shape": [1, 3],
        "file": "f",
        "completeness_error": 0.5,
    }
    assert expected.items() <= shape.items()
    with Image.open(BytesIO(found._repr_png_())) as image:
        assert (image.format, image.size) == ("PNG", (3, 1))
