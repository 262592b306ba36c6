"""Credit per branch: by hand on toys, as an identity on every kind of block, and as whole calls."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor

from inception_lab.errors import SettingsError, UnknownAddress
from inception_lab.images.credit import credit, score, split
from inception_lab.images.joints import joints, scaled
from inception_lab.images.networks import MODELS, Grey, Loaded
from inception_lab.images.parts import TOLERANCE, Node, weighed
from inception_lab.images.pictures import drawing
from inception_lab.images.samples import samples
from inception_lab.nets.address import blocks, locate
from inception_lab.readers.graph import graph
from tests.images.branches import loaded, picture, resnet, thin, two_branches, two_residuals
from tests.trained import train

COFFEE = samples()[0].path
X = torch.tensor([[[[1.0, 2.0], [3.0, 6.0]]]])  # mean 3


def nodes(one: Loaded, x: Tensor, target: int | None = 0, against: int | None = None) -> tuple[Node, ...]:
    return split(one.model, joints(one), x, lambda row: score(one, row, target, against))[1]


def test_a_concatenation_splits_by_channel() -> None:
    (node,) = nodes(loaded(two_branches()), X)
    assert node.address == "toy/A/01/concat"
    assert [(part.name, part.address) for part in node.parts] == [
        ("branch1", "toy/A/01/branch1"),
        ("branch2", "toy/A/01/branch2"),
    ]
    assert [part.credit for part in node.parts] == pytest.approx([2 * 3, 10 * 3 * 3])
    assert node.whole == pytest.approx(96)
    assert node.share(node.parts[0]) == pytest.approx(6 / 96)


def test_two_classes_are_told_apart_by_the_difference_of_their_logits() -> None:
    (node,) = nodes(loaded(two_branches()), X, 0, 1)
    assert [part.credit for part in node.parts] == pytest.approx([0, 11 * 9])
    (other,) = nodes(loaded(two_branches()), X, 1)
    assert [part.credit for part in other.parts] == pytest.approx([6, -9])
    assert other.share(other.parts[1]) == pytest.approx(-9 / 15)


def test_an_add_splits_into_shortcut_and_scaled_residual() -> None:
    first, second = nodes(loaded(two_residuals()), X)
    assert [part.credit for part in first.parts] == pytest.approx([4 * 3, 4 * 2 * 3])  # 12x = 4 * (x + 2x)
    assert [part.credit for part in second.parts] == pytest.approx([3 * 3, 9 * 3])
    assert [part.address for part in first.parts] == ["toy", "toy/A/01/scale"]
    assert [part.address for part in second.parts] == ["toy/A/01", "toy/A/02/scale"]
    assert (first.whole, second.whole) == pytest.approx((36, 36))


KINDS = ["inception_v3", "inception_v4", "inception_resnet_v1", "inception_resnet_v2", "inception_resnet_v2_paper"]


@pytest.mark.parametrize("name", KINDS)
def test_the_parts_of_every_node_add_up_to_the_whole(name: str) -> None:
    one = loaded(thin(name))
    one.model.double()
    found = nodes(one, picture(32, dtype=torch.float64), 3, 5)
    for node in found:
        assert abs(node.error) <= 1e-9 * abs(node.whole) + 1e-12 * node.gross
        assert node.gross > 0
    one.model.float()
    for node in nodes(one, picture(32), 3, 5):
        assert abs(node.error) <= TOLERANCE * node.gross
    assert one.own is not None
    assert {node.block for node in found} <= {at for at, _ in blocks(one.own.net)}
    assert all(locate(one.own.net, node.address) == node.address for node in found)
    adds = sum(node.kind == "add" for node in found)
    assert adds == (6 if "resnet" in name else 0)


def test_a_residual_is_credited_with_what_its_scale_does_to_the_logit() -> None:
    """The logit's derivative by rho, times rho, is the residual's credit: measured by moving rho."""
    one = loaded(thin("inception_resnet_v2"))
    one.model.double()
    x, step = picture(32, dtype=torch.float64), 1e-6
    for node in nodes(one, x):
        if node.kind == "add":
            ends = []
            for factor in (1 + step, 1 - step):
                with scaled(one, {node.block: factor}, relative=True), torch.no_grad():
                    ends.append(one.model(x)[0, 0].item())
            assert node.parts[1].credit == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-4, abs=1e-7)


def test_an_add_in_place_is_heard_before_it_happens() -> None:
    one = loaded(resnet(), tag="resnet18", size=64)
    one.model.double()
    x = picture(64, dtype=torch.float64)
    with torch.no_grad():
        before = one.model(x)
    found = nodes(one, x, 4)
    assert [node.block for node in found] == [f"resnet18/layer{n}/{k}" for n in (1, 2, 3, 4) for k in (0, 1)]
    for node in found:
        assert abs(node.error) <= 1e-9 * abs(node.whole) + 1e-12 * node.gross
        assert all(part.credit for part in node.parts)
    with torch.no_grad():
        assert torch.equal(one.model(x), before)


def test_a_network_of_one_channel_is_asked_with_three() -> None:
    one = loaded(Grey(two_branches()))
    (node,) = nodes(one, X.expand(1, 3, 2, 2).clone())
    assert [part.credit for part in node.parts] == pytest.approx([6, 90])


def test_the_espresso_in_the_embedded_network() -> None:
    seen: list[tuple[int, int]] = []
    found = credit(COFFEE, progress=lambda done, total: seen.append((done, total)))
    assert (found.label, found.target, found.network) == ("espresso", 967, "efficientnet_lite0")
    assert found.probability == pytest.approx(0.954, abs=0.005)
    assert [node.block.split("/", 1)[1] for node in found.nodes] == [
        "blocks/1/1", "blocks/2/1", "blocks/3/1", "blocks/3/2", "blocks/4/1", "blocks/4/2", "blocks/5/1", "blocks/5/2",
        "blocks/5/3",
    ]  # fmt: skip
    assert all(abs(node.error) <= TOLERANCE * node.gross for node in found.nodes)
    assert seen[-1] == (18, 18)
    assert len(found.to_rows()) == 18
    one = credit(COFFEE, at="blocks/2/1", target=967)
    assert one.nodes == found.under("efficientnet_lite0/blocks/2/1")
    drawn = weighed(drawing(at="blocks/2/1"), one.nodes)
    assert [edge.is_shortcut for edge in drawn.edges if edge.weight is not None] == [False, True]
    assert sum(abs(edge.weight or 0) for edge in drawn.edges) == pytest.approx(1)


def test_a_run_trained_here(home: Path) -> None:
    tag = f"run:{train(home)}"
    found = credit(COFFEE, tag, threads=1)
    assert [node.kind for node in found.ends if node.kind == "add"] == 4 * ["add"]
    assert all(abs(node.error) <= TOLERANCE * node.gross for node in found.nodes)
    name = found.nodes[0].address.split("/")[0]
    block = found.under("B/02")
    assert [node.address for node in block] == [f"{name}/B/02/body/concat", f"{name}/B/02/add"]
    drawn = weighed(drawing(tag, at="B/02"), block)
    widths = {
        (edge.tail.removeprefix(f"{name}/"), edge.head.removeprefix(f"{name}/")): edge.weight for edge in drawn.edges
    }
    add = block[1]
    assert widths["B/01", "B/02/add"] == add.share(add.parts[0])
    assert widths["B/02/scale", "B/02/add"] == add.share(add.parts[1])
    assert [weight for (_, head), weight in widths.items() if head == "B/02/body/concat"] == [
        block[0].share(part) for part in block[0].parts
    ]


@pytest.mark.parametrize("name", ["inception_v4", "inception_resnet_v2"])
def test_every_node_has_its_edges_in_the_drawing(name: str) -> None:
    one = loaded(thin(name))
    assert one.own is not None
    found = nodes(one, picture(32))
    for at in dict.fromkeys(node.block for node in found):
        here = [node for node in found if node.block == at]
        for depth in ("block", "ops"):
            drawn = weighed(graph(one.own.net, at=at, depth=depth), here)
            assert sum(edge.weight is not None for edge in drawn.edges) == sum(len(node.parts) for node in here)
            for node in here:
                tails = [edge.tail for edge in drawn.edges if edge.head == node.address and not edge.is_shortcut]
                named = [part.address for part in node.parts if part.name != "shortcut"]
                assert all(tail.startswith(place) for tail, place in zip(tails, named, strict=True))


def test_what_is_asked_in_vain() -> None:
    with pytest.raises(UnknownAddress, match=r"Nothing is joined or added at 'blocks/0/0'.*blocks/1/1"):
        credit(COFFEE, at="blocks/0/0")
    with pytest.raises(SettingsError, match="no class 1000"):
        credit(COFFEE, target=1000)
    with pytest.raises(SettingsError, match="no class -1"):
        credit(COFFEE, against=-1)
    with pytest.raises(SettingsError, match="Class 5 against itself is always 0"):
        credit(COFFEE, target=5, against=5)


def test_cancelled_forward_or_back_it_leaves_no_hook() -> None:
    model = MODELS.get("efficientnet_lite0").model

    def stop_at(step: int, done: int, _: int) -> None:
        if done == step:
            raise KeyboardInterrupt

    for step in (3, 12):  # nine nodes forward, nine back
        with pytest.raises(KeyboardInterrupt):
            credit(COFFEE, progress=partial(stop_at, step))
        assert not any(one._forward_hooks or one._forward_pre_hooks for one in model.modules())


def test_two_threads_get_what_one_gets() -> None:
    asked = [(COFFEE, 967, None), (COFFEE, 968, None), (COFFEE, 967, 968), (samples()[1].path, None, None)] * 2
    alone = [credit(file, target=target, against=against).nodes for file, target, against in asked]
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda one: credit(one[0], target=one[1], against=one[2]).nodes, asked))
    assert both == alone
