"""The modules, each against the same arithmetic written out."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from inception_lab.models.layers import Add, Concat, ConvBnRelu, Head, Parallel, Scale, ScaledResidual


def test_convolution_is_conv_norm_relu() -> None:
    torch.manual_seed(0)
    layer = ConvBnRelu(3, 5, (1, 7), stride=2, padding=(0, 3)).eval()
    layer.bn.running_mean.uniform_(-1, 1)  # type: ignore[union-attr, operator]
    x = torch.randn(2, 3, 8, 9)
    y = F.conv2d(x, layer.conv.weight, stride=2, padding=(0, 3))
    y = (y - layer.bn.running_mean.view(1, -1, 1, 1)) / (1 + 1e-3) ** 0.5  # type: ignore[union-attr, operator]
    torch.testing.assert_close(layer(x), y.clamp(min=0))
    assert layer.conv.bias is None
    assert (layer.bn.eps, layer.bn.momentum) == (1e-3, 0.1)
    assert tuple(layer(x).shape) == (2, 5, 4, 5)


def test_branches_are_joined_in_order() -> None:
    x = torch.randn(1, 2, 4, 4)
    parallel = Parallel([nn.Identity(), nn.ReLU()])
    assert [name for name, _ in parallel.named_children()] == ["branch1", "branch2", "concat"]
    assert torch.equal(parallel(x), torch.cat([x, x.clamp(min=0)], 1))
    assert torch.equal(Concat()([x, x]), torch.cat([x, x], 1))


def test_residual_arithmetic() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 3, 4, 4)
    block = ScaledResidual(nn.Identity(), 3, 3, factor=0.3, relu=True)
    linear = F.conv2d(x, block.linear.weight, block.linear.bias)
    torch.testing.assert_close(block(x), (x + 0.3 * linear).clamp(min=0))
    open_end = ScaledResidual(nn.Identity(), 3, 3, factor=0.3, relu=False)
    open_end.load_state_dict(block.state_dict())
    torch.testing.assert_close(open_end(x), x + 0.3 * linear)
    assert isinstance(open_end.relu, nn.Identity)


def test_hooks_see_shortcut_residual_and_sum() -> None:
    block = ScaledResidual(nn.Identity(), 3, 3, factor=0.5, relu=True)
    seen: dict[str, tuple[Tensor, ...]] = {}
    block.add.register_forward_hook(lambda _, inputs, output: seen.update(add=(*inputs, output)))
    block.relu.register_forward_hook(lambda _, inputs, output: seen.update(relu=(*inputs, output)))
    x = torch.randn(1, 3, 2, 2)
    kept = x.clone()
    y = block(x)
    shortcut, residual, total = seen["add"]
    assert torch.equal(shortcut, kept)
    torch.testing.assert_close(residual, 0.5 * block.linear(x))
    assert torch.equal(total, shortcut + residual)
    assert torch.equal(seen["relu"][0], total)
    assert torch.equal(seen["relu"][1], y)
    assert torch.equal(x, kept)
    assert bool((total < 0).any())


def test_nothing_is_in_place() -> None:
    x = torch.randn(1, 2, 3, 3)
    kept = x.clone()
    Scale(0.1)(x)
    Add()(x, x)
    ConvBnRelu(2, 2, (1, 1), stride=1, padding=(0, 0)).eval()(x)
    assert torch.equal(x, kept)
    assert repr(Scale(0.1)) == "Scale(factor=0.1)"


def test_head() -> None:
    torch.manual_seed(0)
    head = Head(4, 3, dropout=0.5)
    x = torch.randn(2, 4, 5, 6)
    expected = F.linear(x.mean((2, 3)), head.classifier.weight, head.classifier.bias)
    torch.testing.assert_close(head.eval()(x), expected)
    torch.manual_seed(1)
    assert not torch.allclose(head.train()(x), expected)
