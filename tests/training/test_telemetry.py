"""What the hooks say is what a forward pass by hand says, and they leave nothing behind."""

import pytest
import torch
from torch.nn import functional

from inception_lab.models.build import InceptionNet
from inception_lab.nets import catalog
from inception_lab.training.initialise import initialised
from inception_lab.training.telemetry import Telemetry, _zero_share, residual_blocks
from tests.training.tiny import tiny


def model(scale: float = 0.3) -> InceptionNet:
    return initialised(tiny(scale=scale).net(), init="he", seed=0)


def hooks(net: InceptionNet) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in net.modules())


def test_numbers_equal_a_pass_by_hand() -> None:
    net = model()
    x = torch.randn(8, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    with torch.no_grad(), Telemetry(net) as seen:
        net(x)
    shortcuts, residuals, cosines, zeros = [], [], [], []
    with torch.no_grad():
        for stage in net.net.stages:
            for block in net.get_submodule(stage.name).children():
                y = block(x)
                if stage.name in "ABC":
                    residual = 0.3 * block.linear(block.body(x))
                    shortcuts.append(x.square().mean().sqrt())
                    residuals.append(residual.square().mean().sqrt())
                    cosines.append(functional.cosine_similarity(x.flatten(), residual.flatten(), dim=0))
                    zeros.append((y == 0).float().mean())
                x = y
    zeros.append((x == 0).float().mean())
    assert seen.numbers().tolist() == pytest.approx(
        torch.stack(shortcuts + residuals + cosines + zeros).tolist(), rel=1e-5
    )
    assert 0 < float(seen.numbers()[-1]) < 1


def test_addresses_are_those_of_the_residual_blocks() -> None:
    name = "inception_resnet_v2_paper"
    assert residual_blocks(tiny().net()) == (f"{name}/A/01", f"{name}/B/01", f"{name}/B/02", f"{name}/C/01")
    assert residual_blocks(catalog.net("inception_v4")) == ()
    assert len(residual_blocks(catalog.net("inception_resnet_v2"))) == 40


def test_a_released_last_block_without_relu_is_measured_too() -> None:
    net = initialised(tiny(network="inception_resnet_v2", scale=1.0).net(), init="he", seed=0)
    with torch.no_grad(), Telemetry(net) as seen:
        net(torch.randn(4, 1, 28, 28, generator=torch.Generator().manual_seed(0)))
    numbers = seen.numbers()
    assert len(numbers) == 4 * 4 + 1
    assert float(numbers[-2]) == 0  # a sum without ReLU is hardly ever exactly zero


def test_an_all_zero_tensor_is_all_zeros() -> None:
    net = model()
    torch.nn.init.zeros_(net.get_submodule("C.01.linear").weight)  # type: ignore[arg-type]
    torch.nn.init.constant_(net.get_submodule("C.01.linear").bias, -1e6)  # type: ignore[arg-type]
    with torch.no_grad(), Telemetry(net) as seen:
        net(torch.randn(4, 1, 28, 28))
    assert seen.numbers()[-2:].tolist() == [1.0, 1.0]


def test_hooks_are_gone_after_the_block_and_after_an_error() -> None:
    net = model()
    with Telemetry(net):
        assert hooks(net) == 2 * 4 + 1
    assert hooks(net) == 0
    with pytest.raises(RuntimeError), Telemetry(net):
        net(torch.zeros(4, 3, 28, 28))
    assert hooks(net) == 0


def test_a_gradient_passes_unchanged() -> None:
    x = torch.randn(4, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    watched, bare = model(), model()
    with Telemetry(watched):
        y = watched(x)
    y.sum().backward()
    bare(x).sum().backward()
    for (name, p), q in zip(watched.named_parameters(), bare.parameters(), strict=True):
        assert torch.equal(p.grad, q.grad), name  # type: ignore[arg-type]


def test_the_gradient_at_each_sum_is_the_one_autograd_gives() -> None:
    net = model()
    x = torch.randn(8, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(8)
    sums: list[torch.Tensor] = []
    handles = [
        net.at(f"{address}/add").register_forward_hook(lambda module, sides, total: sums.append(total))
        for address in residual_blocks(net.net)
    ]
    with Telemetry(net) as seen:
        loss = functional.cross_entropy(net(x), labels)
    loss.backward(retain_graph=True)  # type: ignore[no-untyped-call]
    for handle in handles:
        handle.remove()
    expected = [gradient.square().mean().sqrt() for gradient in torch.autograd.grad(loss, sums)]
    assert seen.numbers()[-4:].tolist() == pytest.approx(torch.stack(expected).tolist(), rel=1e-5)


def test_channels_last_gives_the_same_numbers() -> None:
    net = model().double()
    x = torch.randn(4, 1, 28, 28, dtype=torch.double, generator=torch.Generator().manual_seed(0))
    with torch.no_grad(), Telemetry(net) as rows:
        net(x)
    with torch.no_grad(), Telemetry(net.to(memory_format=torch.channels_last)) as pixels:
        net(x.to(memory_format=torch.channels_last))
    assert pixels.numbers().tolist() == pytest.approx(rows.numbers().tolist(), rel=1e-5)


def test_zeros_are_counted_exactly_and_a_nan_is_told() -> None:
    x = torch.zeros(2, 3, 4, 5)
    x[0, 0, 0] = torch.tensor([1e-40, -1.0, torch.inf, -torch.inf, 3.0])
    assert float(_zero_share(x)) == pytest.approx(115 / 120)
    assert float(_zero_share(torch.zeros(4, 4, 2, 2))) == 1.0
    x[1, 1, 1, 1] = torch.nan
    assert torch.isnan(_zero_share(x))
