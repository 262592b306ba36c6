"""Ordered weights: the numbers of the plain convolution, whatever the shape, and after the weights changed."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from torch import nn

from inception_lab.models.fused import fused
from inception_lab.models.packed import PackedConv2d, available, packed
from tests.models.hubfolder import randomised

pytestmark = pytest.mark.skipif(not available(), reason="this PyTorch was built without oneDNN")


def pair(**options: object) -> tuple[nn.Conv2d, nn.Conv2d]:
    torch.manual_seed(0)
    plain = nn.Conv2d(8, 16, 3, **options)  # type: ignore[arg-type]
    return plain, packed(nn.Sequential(deepcopy(plain)))[0]  # type: ignore[return-value]


@pytest.mark.parametrize(
    "options",
    [{}, {"stride": 2}, {"padding": 1}, {"padding": (0, 3)}, {"groups": 8}, {"bias": False}],
    ids=str,
)
def test_numbers_are_those_of_the_plain_convolution(options: dict[str, object]) -> None:
    plain, ordered = pair(**options)
    assert isinstance(ordered, PackedConv2d)
    with torch.no_grad():
        for batch, side in ((1, 17), (3, 17), (1, 9), (1, 17)):
            x = torch.randn(batch, 8, side, side)
            torch.testing.assert_close(ordered(x), plain(x), rtol=1e-5, atol=1e-5)


def test_a_whole_network_gives_the_same_logits() -> None:
    model = fused(randomised("resnet18").requires_grad_(False))
    x = torch.randn(2, 3, 96, 96)
    with torch.inference_mode():
        before = model(x)
        after = packed(model)(x)
    assert sum(isinstance(module, PackedConv2d) for module in model.modules()) == 20
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-4 * float(before.abs().max()))


def test_changed_weights_are_ordered_anew() -> None:
    plain, ordered = pair()
    x = torch.randn(1, 8, 9, 9)
    with torch.no_grad():
        first = ordered(x)
        ordered.weight.mul_(2)
        plain.weight.mul_(2)
        assert not torch.allclose(ordered(x), first)
        torch.testing.assert_close(ordered(x), plain(x), rtol=1e-5, atol=1e-5)


def test_a_copy_has_its_own_weights() -> None:
    _, ordered = pair()
    x = torch.randn(1, 8, 9, 9)
    with torch.no_grad():
        first = ordered(x)
        other = deepcopy(ordered)
        other.weight.zero_()
        assert (other(x) == other.bias.view(1, -1, 1, 1)).all()  # type: ignore[union-attr]
        assert (ordered(x) == first).all()


def test_gradients_and_other_precisions_go_the_plain_way() -> None:
    plain, ordered = pair()
    x = torch.randn(1, 8, 9, 9, requires_grad=True)
    ordered(x).square().sum().backward()
    there, x.grad = x.grad, None
    plain(x).square().sum().backward()
    torch.testing.assert_close(there, x.grad)
    with torch.no_grad():
        assert ordered.double()(x.double()).dtype == torch.float64
