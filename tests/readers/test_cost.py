"""Costs of every op: totals of the reference and of torchinfo, memory as PyTorch itself counts it."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

import inception_lab as lab
from inception_lab.errors import ImpossibleAdd, LabError
from inception_lab.nets.ops import Concat, Conv, Net, Pool, Residual, Stage
from inception_lab.readers.cost import amount, cost
from inception_lab.readers.flow import flow
from inception_lab.readers.shapes import shapes
from tests.readers.strategies import nets
from tests.readers.test_shapes import BUILDABLE, STAGES, TOTALS


class Alive(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes of maps that are alive at a time; weights and statistics of one dimension are none."""

    def __init__(self, weights: set[int]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = self.most = 0
        self.known = set(weights)

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        made = func(*args, **(kwargs or {}))
        for tensor in made if isinstance(made, tuple) else (made,):
            if isinstance(tensor, Tensor) and tensor.dim() > 1:
                self.count(tensor.untyped_storage())
        return made

    def count(self, storage: torch.UntypedStorage) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key not in self.known:
            self.known.add(key)
            self.now += size
            self.most = max(self.most, self.now)
            weakref.finalize(storage, self.forget, key, size)

    def forget(self, key: int, size: int) -> None:
        self.known.discard(key)
        self.now -= size


def alive(net: Net, size: int) -> int:
    """The most bytes of maps at a time in a forward pass of one image, counted by PyTorch's dispatcher."""
    with torch.device("meta"):
        model = lab.build(net).eval()
    count = Alive({weight.untyped_storage()._cdata for weight in model.state_dict().values()})
    with torch.no_grad(), torch.device("meta"), count:
        model(torch.zeros(1, net.inputs, size, size))
    return count.most


def saved(net: Net, size: int, *, batch: int = 2) -> int:
    """Bytes that autograd keeps of a training pass, counted once each, without weights and without the images."""
    model = lab.build(net)
    images = torch.zeros(batch, net.inputs, size, size)
    own = {tensor.untyped_storage().data_ptr() for tensor in (images, *model.parameters(), *model.buffers())}
    found: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            found[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        logits = model(images)
    assert logits.requires_grad, "the graph, and with it what was saved, is still there"
    return sum(found.values())


def once(net: Net, size: int) -> int:
    """Of the bytes kept for one image, those that a larger batch does not repeat: statistics and learned scales."""
    rows = cost(net, size=size).rows
    norms = sum(8 * row.output[0] for row in rows if row.op in ("conv", "norm"))
    return norms + 4 * sum(row.op == "scale" and row.parameters for row in rows)


@pytest.mark.parametrize("name", BUILDABLE)
def test_totals_of_the_reference(name: str) -> None:
    found = cost(name)
    assert (found.total.parameters, found.total.multiply_adds) == TOTALS[name][:2]
    stages = {row.address: (row.parameters, row.multiply_adds) for row in found.level("stages")}
    assert stages == {f"{name}/{stage}": numbers for stage, numbers in STAGES[name].items()}


@pytest.mark.parametrize("name", BUILDABLE)
def test_totals_of_torchinfo(name: str) -> None:
    """torchinfo counts one multiply-add more for each number of batch norm and each bias it adds; nothing else."""
    net = lab.net(name)
    with torch.device("meta"):
        model = lab.build(net)
    told = lab.summary(model)
    found = cost(net)
    norms = sum(2 * row.output[0] for row in found.rows if row.op == "conv")
    biases = sum(row.output[0] * row.output[1] * row.output[2] for row in found.rows if row.op == "linear")
    assert told.total_params == found.total.parameters
    assert told.total_mult_adds == found.total.multiply_adds + norms + biases + net.classes


@pytest.mark.parametrize("name", BUILDABLE)
@pytest.mark.parametrize("size", [299, 139])
def test_peak_of_inference_is_what_pytorch_holds(name: str, size: int) -> None:
    assert cost(name, size=size).total.live_bytes == alive(lab.net(name), size)


@pytest.mark.parametrize("name", BUILDABLE)
def test_what_training_keeps_is_what_autograd_saves(name: str) -> None:
    net = lab.net(name)
    assert 2 * cost(net, size=75).total.kept_bytes - once(net, 75) == saved(net, 75)


ODD = Net(
    "odd",
    "",
    (
        Stage("s", (Conv(4, 3) >> Pool("max", stride=2) >> Pool("avg"), Pool("avg"))),
        Stage("t", (Residual(Concat(Conv(2, 1), Pool("max") >> Conv(3, (1, 3))), scale=0.5, relu=False),)),
        Stage("u", (Residual(Residual(Conv(2, 1)), gain="learned"), Residual(Conv(2, 1), gain="zero", relu=False))),
    ),
    size=16,
)


@pytest.mark.parametrize(
    "net",
    [ODD, ODD.with_(end_norm=True), ODD.with_(dropout=0.0), lab.net("inception_resnet_v2").small().thin(0.1)],
    ids=["odd", "norm", "no dropout", "small"],
)
def test_memory_of_unusual_networks(net: Net) -> None:
    assert cost(net, size=32).total.live_bytes == alive(net, 32)
    assert 2 * cost(net, size=32).total.kept_bytes - once(net, 32) == saved(net, 32)


def test_memory_of_a_convolution_by_hand() -> None:
    net = Net("toy", "", (Stage("s", (Conv(5, 3) >> Conv(7, 1),)),), inputs=2, size=10, classes=3)
    first, second, pool, dropout, classifier = cost(net).rows
    cell = 4 * 10 * 10
    assert first.live_bytes == cell * (2 + 5 + 5), "image, what batch norm reads or makes, what ReLU makes"
    assert second.live_bytes == cell * (2 + 5 + 7 + 7), "image, input, and two of its own"
    assert first.kept_bytes == cell * (5 + 5) + 8 * 5
    assert (pool.kept_bytes, dropout.kept_bytes, classifier.kept_bytes) == (0, 4 * 7 + 4 * 7, 0)
    assert (first.read_bytes, second.read_bytes, classifier.read_bytes) == (cell * 2, cell * 5, 4 * 7)


@settings(max_examples=60, deadline=None)
@given(nets)
def test_any_network_adds_up(net: Net) -> None:
    try:
        table = shapes(net, size=64)
    except LabError:
        return
    found = cost(net, size=64)
    assert [row.address for row in found.rows] == [row.address for row in table.rows] == list(flow(net).reads)
    for level in (found.rows, found.level("stages"), found.level("blocks")):
        assert sum(row.kept_bytes for row in level) == found.total.kept_bytes
        assert sum(row.output_bytes for row in level) == table.activation_bytes
        assert max(row.live_bytes for row in level) == found.total.live_bytes
    assert found.total.live_bytes <= 4 * net.inputs * 64 * 64 + 3 * found.total.output_bytes


def test_levels_under_an_address() -> None:
    found = cost("inception_resnet_v2")
    under = found.level("blocks", under="inception_resnet_v2/B")
    assert [row.address[-2:] for row in under] == [f"{n:02d}" for n in range(1, 21)]
    ops = found.level("ops", under="inception_resnet_v2/B/07")
    assert [row.address.rsplit("/", 1)[1] for row in ops[-4:]] == ["linear", "scale", "add", "relu"]
    assert found.level("ops", under="inception_resnet_v2") == found.rows


def test_receptive_field_of_a_total_is_that_of_its_last_op() -> None:
    assert cost("inception_resnet_v2").level("stages")[-2].receptive_field == (3039, 3039)


def test_the_printed_network_is_refused() -> None:
    with pytest.raises(ImpossibleAdd):
        cost("inception_resnet_v2_printed")


def test_the_table_hands_itself_on() -> None:
    found = cost("inception_v4")
    assert found.to_dict()["total"]["parameters"] == 42_679_816
    assert found.to_pandas().kept_bytes.sum() == found.total.kept_bytes
    html = found._repr_html_()
    assert "42,679,816" in html
    assert "12,253,974,624" in html


@pytest.mark.parametrize(
    ("value", "quantity", "words"),
    [
        (12_253_974_624, "multiply_adds", "12.25 G"),
        (999, "parameters", "999"),
        (1_500, "parameters", "1.50 k"),
        (3 * 2**20, "kept_bytes", "3.0 MiB"),
        (512, "live_bytes", "0.5 KiB"),
    ],
)
def test_amounts_in_words(value: int, quantity: Any, words: str) -> None:
    assert amount(value, quantity) == words
