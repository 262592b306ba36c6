"""Built networks against what the descriptions declare, against timm and torchvision, and the paper."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor, fx, nn

from inception_lab.errors import ImpossibleAdd, UnknownAddress, UnknownNetwork
from inception_lab.models.build import InceptionNet, build, summary
from inception_lab.models.layers import Add, Concat, ConvBnRelu, Scale, ScaledResidual
from inception_lab.nets.address import blocks, children
from inception_lab.nets.catalog import CATALOG, net
from inception_lab.nets.ops import Concat as ConcatOp
from inception_lab.nets.ops import Conv, Net, Op, Pool, Residual, Stage
from inception_lab.readers.shapes import shapes

BUILDABLE = [name for name in CATALOG if not name.endswith("printed")]
SIZES = [75, 96, 224, 299, 331, (400, 600)]
MODULES = {
    "conv": ConvBnRelu,
    "max pool": nn.MaxPool2d,
    "avg pool": (nn.AvgPool2d, nn.AdaptiveAvgPool2d),
    "concat": Concat,
    "linear": nn.Conv2d,
    "scale": Scale,
    "add": Add,
    "relu": nn.ReLU,
    "dropout": nn.Dropout,
    "classifier": nn.Linear,
}


@cache
def on_meta(name: str) -> InceptionNet:
    """The network without the cost of its numbers."""
    with torch.device("meta"):
        return build(name).eval()


def path(address: str) -> str:
    return ".".join(address.split("/")[1:])


@pytest.mark.parametrize("name", BUILDABLE)
def test_every_row_is_a_module_with_the_declared_parameters(name: str) -> None:
    model = on_meta(name)
    table = shapes(name)
    for row in table.rows:
        module = model.get_submodule(path(row.address))
        assert isinstance(module, MODULES[row.op]), row.address
        assert sum(parameter.numel() for parameter in module.parameters()) == row.parameters, row.address
    assert sum(parameter.numel() for parameter in model.parameters()) == table.parameters


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("name", BUILDABLE)
def test_declared_shapes_are_the_real_ones(name: str, size: int | tuple[int, int]) -> None:
    model = on_meta(name)
    table = shapes(name, size=size)
    found: dict[str, tuple[int, ...]] = {}

    def note(address: str) -> Any:
        return lambda module, inputs, output: found.__setitem__(address, tuple(output.shape[1:]))

    hooks = [model.get_submodule(path(row.address)).register_forward_hook(note(row.address)) for row in table.rows]
    with torch.no_grad():
        model(torch.empty(2, 3, *table.size, device="meta"))
    for hook in hooks:
        hook.remove()
    declared = {row.address: row.output for row in table.rows}
    assert {address: (*shape, 1, 1)[:3] for address, shape in found.items()} == declared


@pytest.mark.parametrize("name", BUILDABLE)
def test_the_table_lists_every_module_that_computes(name: str) -> None:
    inside = (nn.Conv2d, nn.BatchNorm2d, nn.Linear, nn.MaxPool2d, nn.AvgPool2d, Concat, Add, Scale)
    computing = {at for at, module in on_meta(name).named_modules() if isinstance(module, inside)}
    listed = {path(row.address) for row in shapes(name).rows}
    assert {at for at in computing if at not in listed and at.rsplit(".", 1)[0] not in listed} == set()


@pytest.mark.parametrize("name", BUILDABLE)
def test_traced_joins_are_the_declared_ones(name: str) -> None:
    def count(op: Op, kind: type) -> int:
        return isinstance(op, kind) + sum(count(child, kind) for _, child in children(op))

    traced = fx.symbolic_trace(on_meta(name))
    calls = [getattr(node.target, "__name__", "") for node in traced.graph.nodes if node.op == "call_function"]
    concats = sum(count(block, ConcatOp) for _, block in blocks(net(name)))
    residuals = sum(count(block, Residual) for _, block in blocks(net(name)))
    assert (calls.count("cat"), calls.count("mul"), calls.count("add")) == (concats, residuals, residuals)
    pools = [node for node in traced.graph.nodes if node.op == "call_module" and node.target.endswith("head.pool")]
    assert len(pools) == 1


def test_the_released_network_has_43_concats_and_40_adds() -> None:
    rows = [row.op for row in shapes("inception_resnet_v2").rows]
    assert (rows.count("concat"), rows.count("add"), rows.count("scale"), rows.count("relu")) == (43, 40, 40, 39)


def randomise(model: nn.Module) -> None:
    """Weights that keep signals alive, and batch-norm statistics that are not the ones of a new network."""
    draw = torch.Generator().manual_seed(0)
    for module in model.modules():
        match module:
            case nn.Conv2d() | nn.Linear():
                fan = module.weight[0].numel()
                module.weight.data.normal_(0, (2 / fan) ** 0.5, generator=draw)
                if module.bias is not None:
                    module.bias.data.normal_(0, 0.1, generator=draw)
            case nn.BatchNorm2d():
                module.weight.data.uniform_(0.5, 1.5, generator=draw)
                module.bias.data.normal_(0, 0.1, generator=draw)
                assert module.running_mean is not None
                assert module.running_var is not None
                module.running_mean.normal_(0, 0.2, generator=draw)
                module.running_var.uniform_(0.5, 1.5, generator=draw)
            case _:
                pass


def carried(theirs: nn.Module, ours: nn.Module) -> None:
    """Copies weights by order of appearance; the two lists of tensor shapes must agree one by one."""
    kinds = (nn.Conv2d, nn.BatchNorm2d, nn.Linear)
    pairs = [[module for module in model.modules() if isinstance(module, kinds)] for model in (theirs, ours)]
    states = [[tensor for module in modules for tensor in module.state_dict().values()] for modules in pairs]
    assert [tensor.shape for tensor in states[0]] == [tensor.shape for tensor in states[1]]
    for source, target in zip(*states, strict=True):
        target.copy_(source)


def timm_network(name: str) -> nn.Module:
    import timm

    model: nn.Module = timm.create_model(name, pretrained=False)
    return model


def torchvision_v3(name: str) -> nn.Module:
    from torchvision.models import inception_v3

    model: nn.Module = inception_v3(weights=None, aux_logits=False, transform_input=False, init_weights=False)
    return model


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("inception_v3", timm_network),
        ("inception_v3", torchvision_v3),
        ("inception_v4", timm_network),
        ("inception_resnet_v2", timm_network),
    ],
)
@pytest.mark.parametrize("size", [(139, 107)], ids=str)
def test_logits_equal_the_reference(name: str, reference: Any, size: tuple[int, int]) -> None:
    theirs = reference(name).eval()
    randomise(theirs)
    with torch.device("meta"):
        ours = build(name)
    ours = ours.to_empty(device="cpu").eval()
    with torch.no_grad():
        carried(theirs, ours)
        images = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(1))
        expected, found = theirs(images), ours(images)
    assert expected.std() > 1e-3
    assert ((found - expected).abs().max() / expected.abs().max()).item() < 1e-5


@pytest.mark.parametrize("name", BUILDABLE)
def test_every_parameter_gets_a_gradient(name: str) -> None:
    torch.manual_seed(0)
    model = build(net(name).thin(0.125), classes=7).train()
    model(torch.randn(2, 3, 139, 139)).logsumexp(1).sum().backward()
    missing = [at for at, parameter in model.named_parameters() if parameter.grad is None]
    broken = [at for at, parameter in model.named_parameters() if not bool(torch.isfinite(parameter.grad).all())]  # type: ignore[arg-type]
    silent = [at for at, parameter in model.named_parameters() if not bool(parameter.grad.any())]  # type: ignore[union-attr]
    assert (missing, broken, silent) == ([], [], [])


def residual_blocks(model: InceptionNet) -> list[tuple[str, ScaledResidual]]:
    return [(at, module) for at, module in model.named_modules() if isinstance(module, ScaledResidual)]


@pytest.mark.parametrize("name", ["inception_resnet_v1", "inception_resnet_v2", "inception_resnet_v2_paper"])
def test_scaled_to_zero_each_block_is_relu(name: str) -> None:
    torch.manual_seed(0)
    model = build(net(name).thin(0.125).scaled(0)).eval()
    found = residual_blocks(model)
    assert len(found) == (40 if name == "inception_resnet_v2" else 20)
    with torch.no_grad():
        for at, block in found:
            x = torch.randn(1, block.linear.out_channels, 5, 5)
            is_open = at == "C.10"
            assert torch.equal(block(x), x if is_open else x.clamp(min=0)), at


def test_linear_in_the_scale_before_the_relu() -> None:
    toy = Net("toy", "", (Stage("A", (Residual(ConcatOp(Conv(4, 1), Conv(4, 1) >> Conv(4, 3))),)),), inputs=6)
    torch.manual_seed(0)
    state = build(toy).state_dict()
    x = torch.randn(2, 6, 7, 7, dtype=torch.float64)

    def sums(scale: float) -> Tensor:
        model = build(toy.scaled(scale)).double().eval()
        model.load_state_dict(state)
        seen: list[Tensor] = []
        model.at("A/01/add").register_forward_hook(lambda module, inputs, output: seen.append(output))
        model(x)
        return seen[0] - x

    assert sums(1.0).abs().max() > 0.1
    for scale in (0.1, 0.3, 2.0, -1.0):
        torch.testing.assert_close(sums(scale), scale * sums(1.0))


@pytest.mark.parametrize("name", ["inception_v4", "inception_resnet_v2"])
def test_derived_networks_are_built_as_declared(name: str) -> None:
    derived = net(name).thin(0.25).repeats(2, 3, 2).small().with_(classes=10, inputs=1)
    model = build(derived).eval()
    table = shapes(derived, size=28)
    assert sum(parameter.numel() for parameter in model.parameters()) == table.parameters
    with torch.no_grad():
        images = torch.randn(2, 1, 28, 28)
        last = [row for row in table.rows if "/head/" not in row.address][-1]
        assert tuple(model.forward_features(images).shape[1:]) == last.output
        assert tuple(model(images).shape) == (2, 10)


def test_two_names_of_a_pool_border() -> None:
    x = torch.ones(1, 1, 3, 3)
    for counted, corner in ((True, 4 / 9), (False, 1.0)):
        toy = Net("toy", "", (Stage("A", (Pool("avg", count_border=counted),)),), inputs=1)
        assert build(toy).at("A/01")(x)[0, 0, 0, 0].item() == pytest.approx(corner)


def test_at_and_classes() -> None:
    with torch.device("meta"):
        model = build("inception_resnet_v2", classes=10)
    assert model.net.classes == 10
    assert model.head.classifier.out_features == 10
    assert model.at("B/07/add") is model.get_submodule("B.07.add")
    assert model.at("inception_resnet_v2/B/07/body/branch2/conv1/bn") is model.get_submodule(
        "B.07.body.branch2.conv1.bn"
    )
    assert isinstance(model.at("C/10/scale"), Scale)
    with pytest.raises(UnknownAddress, match="There is no '21' in inception_resnet_v2/B"):
        model.at("B/21/add")


def test_what_cannot_be_built() -> None:
    with pytest.raises(ImpossibleAdd, match="B/01/add cannot add: the shortcut brings 1152 channels"):
        build("inception_resnet_v2_printed")
    with pytest.raises(UnknownNetwork):
        build("inception_v9")


def test_the_seed_decides_the_weights() -> None:
    states = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        states.append(build(net("inception_resnet_v1").thin(0.05)).state_dict()["A.03.linear.weight"])
    assert torch.equal(states[0], states[1])
    assert not torch.equal(states[0], states[2])


def test_summary_agrees_with_the_table() -> None:
    model = build(net("inception_resnet_v1").thin(0.05))
    found = summary(model, size=96)
    assert found.total_params == shapes(model.net).parameters
    assert tuple(found.input_size[-2:]) == (96, 96)
