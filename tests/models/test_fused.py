"""Folded networks say what they said, at every address, and bf16 is near it."""

from copy import deepcopy
from typing import TypeVar

import pytest
import timm
import torch
from torch import Tensor, nn

from inception_lab.errors import NetworkError
from inception_lab.images.samples import samples
from inception_lab.models.build import InceptionNet, build
from inception_lab.models.fused import fused, has_bf16, in_bf16
from inception_lab.models.layers import ConvBnRelu
from inception_lab.models.weights import EMBEDDED, RECORDS, pretrained
from inception_lab.nets.catalog import CATALOG, net

Model = TypeVar("Model", bound=nn.Module)

THIN = 1 / 8
IMAGES = torch.rand(2, 3, 139, 139, generator=torch.Generator().manual_seed(1)) * 2 - 1
BUILT = [name for name in CATALOG if net(name).inputs == 3 and not name.endswith("_printed")]  # which cannot add


def thin(name: str) -> InceptionNet:
    torch.manual_seed(0)
    chosen = net(name)
    model = build(chosen.thin(THIN) if chosen.size > 100 else chosen)
    return alive(model)


def alive(model: Model) -> Model:
    """Weights with which signals live to the end, and batch norm as training leaves it: measured, then shifted."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.3)
            module.momentum = None
    with torch.no_grad():
        model.train()(IMAGES)
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d) and module.running_var is not None:
                # two images alone give channels that hardly vary, which no trained network has
                module.running_var.clamp_(min=float(module.running_var.mean()) / 2)
    return model.eval().requires_grad_(False)


@pytest.mark.parametrize("name", BUILT)
def test_logits_stay(name: str) -> None:
    model = thin(name)
    with torch.inference_mode():
        exact = deepcopy(model).double()(IMAGES.double())
        expected = model(IMAGES)
        found = fused(model)(IMAGES)
    assert float((expected[0] - expected[1]).std()) > 1e-3, "logits that hardly vary would agree whatever happened"
    # random weights carry a rounding on to the logits, at times beyond 1e-4; folding adds no more than there was
    rounding = float((expected - exact).abs().max())
    assert float((found - exact).abs().max()) < max(1e-4, 3 * rounding)
    assert rounding < 1e-2 * float(exact.std())
    left = [name for name, module in model.named_modules() if isinstance(module, nn.BatchNorm2d)]
    assert all(path.startswith("head.norm") for path in left), "only what follows no convolution is left"


@pytest.mark.parametrize("name", ["resnet26", "tf_efficientnet_lite0"])
def test_timms_modules_stay(name: str) -> None:
    torch.manual_seed(0)
    model = alive(timm.create_model(name))
    with torch.inference_mode():
        expected = model(IMAGES)
        found = fused(model)(IMAGES)
    assert float((expected[0] - expected[1]).std()) > 1e-3
    assert float((found - expected).abs().max()) < 1e-4 * max(1.0, float(expected.abs().max()))
    assert not [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    assert not [module for module in model.modules() if getattr(module, "inplace", False)]


def test_one_unit_by_hand() -> None:
    unit = ConvBnRelu(1, 1, (1, 1), stride=1, padding=(0, 0)).eval()
    with torch.no_grad():
        unit.conv.weight.fill_(3.0)
        unit.bn.weight.fill_(2.0)
        unit.bn.bias.fill_(1.0)
        unit.bn.running_mean.fill_(5.0)  # type: ignore[union-attr]
        unit.bn.running_var.fill_(4.0 - unit.bn.eps)  # type: ignore[union-attr]
    fused(unit)
    assert float(unit.conv.weight) == pytest.approx(3.0)  # 3 * 2 / sqrt(4)
    assert unit.conv.bias is not None
    assert float(unit.conv.bias) == pytest.approx(-4.0)  # (0 - 5) * 2 / 2 + 1
    assert isinstance(unit.bn, nn.Identity)


def test_addresses_put_out_the_same_maps() -> None:
    model = thin("inception_resnet_v2")
    paths = ["stem.01", "A.01.body.branch2.02.bn", "A.01.add", "B.02.scale", "red-A.01.concat", "C.01"]
    before = maps(model, [path for path in paths if path in dict(model.named_modules())])
    assert len(before) >= 4
    after = maps(fused(model), list(before))
    for path, expected in before.items():
        assert torch.allclose(after[path], expected, atol=1e-4, rtol=1e-4), path


def test_the_embedded_networks_last_map_is_still_bn2s() -> None:
    model = pretrained(EMBEDDED)
    before = maps(model, ["bn2", "blocks.3.1.bn3"])
    after = maps(fused(model), ["bn2", "blocks.3.1.bn3"])
    assert float(before["bn2"].max()) > 1
    assert all(torch.allclose(after[path], before[path], atol=2e-4) for path in before)


def test_the_embedded_network_keeps_its_guesses_on_the_samples(photographs: Tensor) -> None:
    with torch.inference_mode():
        plain = pretrained(EMBEDDED)(photographs)
        folded = fused(pretrained(EMBEDDED))(photographs)
    assert torch.equal(folded.topk(5).indices, plain.topk(5).indices)
    assert float((folded - plain).abs().max()) < 1e-4


def test_gradients_stay() -> None:
    model = thin("inception_v4")
    before = gradient(model)
    after = gradient(fused(model))
    assert float(before.norm()) > 1e-3
    same = torch.cosine_similarity(after.flatten(), before.flatten(), dim=0)
    assert float(same) > 0.99  # a ReLU at its kink may fall on either side


def test_a_network_in_training_is_refused() -> None:
    with pytest.raises(NetworkError, match=r"call eval\(\) first"):
        fused(build("inception_v3", classes=2).train())


@pytest.mark.skipif(not has_bf16(), reason="this processor has no bf16 arithmetic")
def test_bf16_takes_and_gives_float32_and_keeps_the_first_guess(photographs: Tensor) -> None:
    with torch.inference_mode():
        exact = fused(pretrained(EMBEDDED))(photographs)
        near = in_bf16(fused(pretrained(EMBEDDED)))(photographs)
    assert near.dtype == torch.float32
    same = [
        len(set(a) & set(b)) for a, b in zip(exact.topk(5).indices.tolist(), near.topk(5).indices.tolist(), strict=True)
    ]
    assert torch.equal(exact.argmax(1), near.argmax(1))
    assert sum(same) >= 4 * len(same)
    assert 1e-4 < float((exact - near).abs().max()) < 1


@pytest.fixture(scope="module")
def photographs() -> Tensor:
    from inception_lab.images.crops import pixels
    from inception_lab.images.load import load
    from inception_lab.images.networks import tensor

    record = RECORDS[EMBEDDED]
    return tensor([pixels(load(sample.path), record) for sample in samples()], record)


def maps(model: nn.Module, paths: list[str]) -> dict[str, Tensor]:
    seen: dict[str, Tensor] = {}
    handles = [
        model.get_submodule(path).register_forward_hook(
            lambda _, args, out, path=path: seen.update({path: out.clone()})
        )
        for path in paths
    ]
    try:
        with torch.inference_mode():
            model(IMAGES)
    finally:
        for handle in handles:
            handle.remove()
    return seen


def gradient(model: nn.Module) -> Tensor:
    images = IMAGES.clone().requires_grad_()
    model(images)[:, 3].sum().backward()
    assert images.grad is not None
    return images.grad
