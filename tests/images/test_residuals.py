"""The scale of residuals on trained weights: by hand, against whole forward passes, and given back exactly."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
import torch

from inception_lab.errors import SettingsError, UnknownAddress
from inception_lab.images import networks, residuals
from inception_lab.images.attribute import attribute
from inception_lab.images.classify import classify
from inception_lab.images.credit import credit
from inception_lab.images.joints import residues, trunk
from inception_lab.images.moved import moved
from inception_lab.images.networks import MODELS, Grey, Loaded, Models
from inception_lab.images.residuals import blocks, cost, damage, rho, scaled
from inception_lab.images.samples import samples
from tests.images.branches import loaded, picture, resnet, set_, thin, two_branches, two_residuals
from tests.trained import train

COFFEE = samples()[0].path
X = torch.tensor([[[[1.0, 2.0], [3.0, 6.0]]]])  # mean 3


def asked(one: Loaded, x: torch.Tensor = X) -> list[float]:
    with torch.no_grad():
        logits: list[float] = one.model(x)[0].tolist()
    return logits


def test_scales_by_hand() -> None:
    one = loaded(two_residuals())
    assert asked(one) == pytest.approx([36, 4])  # 3 * (1 + .5 * 4) * (1 + .5 * 6)
    with scaled(one, {"A/01": 0}):
        assert asked(one) == pytest.approx([12, 28])
        with scaled(one, {"toy/A/02": 1}):
            assert asked(one) == pytest.approx([21, 19])
        assert asked(one) == pytest.approx([12, 28])
    with scaled(one, 1.0):
        assert asked(one) == pytest.approx([3 * 5 * 7, 40 - 105])
    with scaled(one, {"A": 0}):
        assert asked(one) == pytest.approx([3, 37])
    with scaled(one, 2.0, relative=True):
        assert asked(one) == pytest.approx([3 * 5 * 7, 40 - 105])
    assert asked(one) == pytest.approx([36, 4])


def test_a_learned_scale_is_the_number_times_what_was_learned() -> None:
    model = two_residuals(gain="learned")
    with torch.no_grad():
        for gain in (model.at("A/01/scale"), model.at("A/02/scale")):
            gain.get_parameter("gain").fill_(0.5)
    one = loaded(model)
    assert [residue.built for residue in residues(one)] == [0.25, 0.25]
    assert asked(one)[0] == pytest.approx(3 * 2 * 2.5)
    with scaled(one, 0.5):
        assert asked(one)[0] == pytest.approx(36)
    with scaled(one, 2, relative=True):
        assert asked(one)[0] == pytest.approx(36)


@pytest.mark.parametrize(
    "make", [lambda: thin("inception_resnet_v2"), lambda: thin("inception_resnet_v1", learned=True)]
)
def test_its_own_scale_changes_no_digit(make: object) -> None:
    one = loaded(make())  # type: ignore[operator]
    own = {residue.address: residue.built for residue in residues(one)}
    x = picture(32)
    before = asked(one, x)
    with scaled(one, own):
        assert asked(one, x) == before
    with scaled(one, 1.0, relative=True):
        assert asked(one, x) == before
    with scaled(one, 0.0):
        assert asked(one, x) != before
    assert asked(one, x) == before


def test_an_exception_gives_everything_back() -> None:
    one = loaded(two_residuals())
    state = {name: value.clone() for name, value in one.model.state_dict().items()}
    factors = [module.factor for module in one.model.modules() if hasattr(module, "factor")]
    with pytest.raises(ZeroDivisionError), scaled(one, 0.0):
        raise ZeroDivisionError
    with pytest.raises(UnknownAddress), scaled(one, {"A/01": 0, "A/03": 0}):
        pass
    assert asked(one) == pytest.approx([36, 4])
    assert not any(module._forward_hooks for module in one.model.modules())
    assert [module.factor for module in one.model.modules() if hasattr(module, "factor")] == factors
    assert all(torch.equal(state[name], value) for name, value in one.model.state_dict().items())
    assert one.lock.acquire(blocking=False)
    one.lock.release()


def test_what_cannot_be_scaled() -> None:
    with pytest.raises(SettingsError, match="run:toy has no residual connections"), scaled(loaded(two_branches()), 0.0):
        pass
    one = loaded(two_residuals())
    with (
        pytest.raises(UnknownAddress, match=r"no residual at 'A/07' in run:toy; they are at A/01, A/02\."),
        scaled(one, {"A/07": 0}),
    ):
        pass
    with pytest.raises(SettingsError, match="finite number, not nan"), scaled(one, float("nan")):
        pass


KINDS = {
    "ours": lambda: loaded(thin("inception_resnet_v2")),
    "learned": lambda: loaded(thin("inception_resnet_v2_paper", learned=True)),
    "plain": lambda: loaded(thin("inception_v4")),
    "resnet": lambda: loaded(resnet(), tag="resnet18"),
    "embedded": lambda: MODELS.get("efficientnet_lite0"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_trunk_is_the_network(kind: str) -> None:
    one, x = KINDS[kind](), picture(64)
    rows = x.clone()
    with torch.no_grad():
        for module in trunk(one):
            rows = module(rows)
        assert torch.equal(rows, one.model(x))


def test_the_trunk_of_a_network_of_one_channel() -> None:
    one, x = loaded(Grey(two_residuals())), X.expand(1, 3, 2, 2).clone()
    rows = x
    for module in trunk(one):
        rows = module(rows)
    assert torch.equal(rows, one.model(x))
    assert asked(one, x) == pytest.approx([36, 4])


@pytest.mark.parametrize("kind", ["ours", "learned", "resnet", "embedded"])
@pytest.mark.parametrize("scale", [0.0, 0.5])
def test_one_pass_finds_what_whole_passes_find(kind: str, scale: float, monkeypatch: pytest.MonkeyPatch) -> None:
    one = KINDS[kind]()
    monkeypatch.setattr(residuals, "ROWS", 3)
    monkeypatch.setattr(residuals, "borrowed", lambda _: _borrowed(one))
    found = damage(COFFEE, "efficientnet_lite0", scale=scale, relative=True, target=2)
    photograph = residuals.tensor([residuals.pixels(residuals.load(COFFEE), one.record)], one.record)
    before = one.model(photograph)[0]
    assert [block.address for block in found.blocks] == [residue.address for residue in residues(one)]
    for block in found.blocks:
        with scaled(one, {block.address: scale}, relative=True), torch.no_grad():
            after = one.model(photograph)[0]
        assert block.logit_fall == pytest.approx((before - after)[2].item(), abs=2e-5 * before.abs().max().item())
        assert block.fall == pytest.approx((before.softmax(0) - after.softmax(0))[2].item(), abs=1e-5)
        assert block.changed == (int(after.argmax()) != int(before.argmax()))
        assert block.top == int(after.argmax())


class _borrowed:
    """A network of the test's own in place of the cache's."""

    def __init__(self, one: Loaded) -> None:
        self.one = one

    def __enter__(self) -> Loaded:
        return self.one

    def __exit__(self, *_: object) -> None:
        pass


def test_damage_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(residuals, "tensor", lambda *_: X)
    monkeypatch.setattr(residuals, "borrowed", lambda _: _borrowed(loaded(two_residuals(), size=2)))
    seen: list[tuple[int, int]] = []
    found = damage(COFFEE, progress=lambda done, total: seen.append((done, total)))
    assert (found.target, found.label, found.logit) == (0, "class 0", pytest.approx(36))
    assert [block.logit_fall for block in found.blocks] == pytest.approx([24, 27])
    assert [block.changed for block in found.blocks] == [True, True]  # 12 against 28, 9 against 31
    assert [block.address for block in found.ranked()] == ["toy/A/02", "toy/A/01"]
    assert seen == [(0, 8), (2, 8), (5, 8), (8, 8)]  # 2 + 3 + 3 images through block, block and head


def test_the_scale_of_the_embedded_network() -> None:
    found = rho(COFFEE, scales=(0, 0.5, 1))
    assert [step.scale for step in found] == [0, 0.5, 1]
    assert [(p.index, p.probability) for p in found[2].predictions] == [
        (p.index, p.probability) for p in classify(COFFEE)[0].predictions
    ]
    assert found[0].predictions[0].label != "espresso" == found[2].label == found[0].label
    assert found[0].logit < found[1].logit
    one = rho(COFFEE, scales=[0], at="blocks/4/1")[0]
    assert one.blocks == ("efficientnet_lite0/blocks/4/1",)
    assert len(found[0].blocks) == len(blocks()) == cost()[0] == 9
    assert 4 < cost()[1] < 7
    whole = damage(COFFEE)
    worst = whole.ranked()[0]
    assert worst.address == "efficientnet_lite0/blocks/4/1"
    assert whole.logit - worst.logit_fall == pytest.approx(one.logit, abs=1e-4)


def test_a_named_class_saves_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    model = two_residuals()
    runs: list[int] = []
    model.register_forward_hook(lambda *_: runs.append(1))
    monkeypatch.setattr(residuals, "tensor", lambda *_: X)
    monkeypatch.setattr(residuals, "borrowed", lambda _: _borrowed(loaded(model, size=2)))
    assert [step.logit for step in rho(COFFEE, scales=(0, 1), target=1)] == pytest.approx([37, 40 - 105])
    assert len(runs) == 2
    assert [step.logit for step in rho(COFFEE, scales=(0, 1))] == pytest.approx([3, 105])  # its first choice is class 0
    assert len(runs) == 5
    with pytest.raises(SettingsError, match="no class 2; run:toy has 0 to 1"):
        rho(COFFEE, target=2)
    assert len(runs) == 5


def test_a_moved_map_of_two_classes_is_that_of_attribute() -> None:
    espresso, cup = 967, 968
    same = moved(COFFEE, scales=1.0, relative=True, method="input_x_gradient", target=espresso, against=cup)
    built = attribute(COFFEE, method="input_x_gradient", target=espresso, against=cup)
    assert np.array_equal(same.values, built.values)
    assert same.against_label == built.against_label == "cup"
    other = moved(COFFEE, scales=0.5, method="input_x_gradient", target=espresso, against=cup)
    assert not np.array_equal(other.values, built.values)


def test_without_a_class_everything_asks_for_the_first_choice_as_built() -> None:
    """With every residual off the network prefers another class; what is asked is what became of the first one."""
    off: dict[str, Any] = {"scales": 0.0, "relative": True}
    map_ = moved(COFFEE, method="grad_cam", **off)
    (step,) = rho(COFFEE, scales=(0,), relative=True)
    assert step.predictions[0].index != step.target
    assert map_.target == step.target == credit(COFFEE, **off).target == damage(COFFEE).target == 967
    assert map_.probability == pytest.approx(step.probability, abs=1e-6)
    assert credit(COFFEE, **off).probability == pytest.approx(step.probability, abs=1e-6)
    named = moved(COFFEE, method="grad_cam", target=967, **off)
    assert np.array_equal(map_.values, named.values)
    assert (map_.forwards, named.forwards, map_.passes) == (3, 2, 1)


def test_a_moved_map_knows_its_scales() -> None:
    built = attribute(COFFEE, method="grad_cam")
    off = moved(COFFEE, scales={"blocks/4/1": 0.5}, method="grad_cam", target=967)
    assert (built.scales, built.changed) == (None, "")
    assert (off.to_dict()["scales"], off.to_dict()["relative"]) == ({"blocks/4/1": 0.5}, False)
    assert off.setting == f"{built.setting}; residuals at blocks/4/1 = 0.5"
    assert off.named == "Grad-CAM, efficientnet_lite0, residuals at blocks/4/1 = 0.5, espresso"


@pytest.mark.parametrize(
    ("scales", "said"),
    [
        ((), r"\(\) holds no scales to try; give a list of numbers"),
        (0.5, "0.5 holds no scales to try"),
        ("abc", "'abc' holds no scales to try"),
        (("a",), "A residual's scale is a finite number, not 'a'"),
        ((None,), "A residual's scale is a finite number, not None"),
        ((float("nan"),), "A residual's scale is a finite number, not nan"),
    ],
)
def test_scales_that_are_none(scales: Any, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        rho(COFFEE, scales=scales)


def test_scales_may_be_an_array() -> None:
    assert [one.scale for one in rho(COFFEE, scales=np.linspace(0, 1, 2), target=967)] == [0, 1]


def test_a_run_trained_here_and_one_of_its_blocks(home: Path) -> None:
    tag = f"run:{train(home)}"
    built = blocks(tag)
    assert len(built) == 4
    name = next(iter(built)).split("/")[0]
    same, off = rho(COFFEE, tag, scales=(1, 0), at="B", relative=True, threads=1)
    assert same.blocks == (f"{name}/B/01", f"{name}/B/02")
    assert [(p.index, p.probability) for p in same.predictions] == [
        (p.index, p.probability) for p in classify(COFFEE, networks=tag)[0].predictions
    ]
    assert off.logit != same.logit
    assert len(damage(COFFEE, tag).blocks) == 4


def test_nobody_else_meets_the_changed_network() -> None:
    before = classify(COFFEE)[0].predictions
    inside, others = Event(), []

    def change() -> None:
        one = MODELS.get("efficientnet_lite0")
        with scaled(one, 0.0):
            inside.set()
            deadline = time.monotonic() + 0.3  # the other one waits at the lock meanwhile
            while time.monotonic() < deadline and not others:
                time.sleep(0.01)
            assert not others

    with ThreadPoolExecutor(2) as pool:
        changing = pool.submit(change)
        assert inside.wait(10)
        asking = pool.submit(lambda: others.append(classify(COFFEE)[0].predictions))
        changing.result()
        asking.result()
    assert others == [before]


def test_two_threads_get_what_one_gets() -> None:
    alone = (damage(COFFEE).blocks, credit(COFFEE).nodes, rho(COFFEE, scales=(0.5,)))
    with ThreadPoolExecutor(2) as pool:
        for _ in range(2):
            a, b, c = (
                pool.submit(damage, COFFEE),
                pool.submit(credit, COFFEE),
                pool.submit(rho, COFFEE, scales=(0.5,)),
            )
            assert (a.result().blocks, b.result().nodes, c.result()) == alone


def test_cancelled_it_leaves_no_hook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "MODELS", Models())

    def stop(done: int, _: int) -> None:
        if done > 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        damage(COFFEE, progress=stop)
    model = networks.MODELS.get("efficientnet_lite0").model
    assert not any(module._forward_hooks for module in model.modules())


def test_numbers_that_overflow_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    model = two_residuals()
    set_(model, "A/01/linear", 1e38)
    monkeypatch.setattr(residuals, "tensor", lambda *_: X)
    monkeypatch.setattr(residuals, "borrowed", lambda _: _borrowed(loaded(model, size=2)))
    with pytest.raises(SettingsError, match="nan or infinity"):
        rho(COFFEE, scales=[0.0, 1e5], target=1)
