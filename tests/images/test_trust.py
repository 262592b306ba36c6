"""The truth passes, a random map fails, and a map that takes no notice of the weights is caught."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from inception_lab.errors import SettingsError
from inception_lab.images import trust as tests_of_maps
from inception_lab.images.attribute import Attribution, attribute
from inception_lab.images.deletion import Curve, Curves, curves, regions_of
from inception_lab.images.explain import Explained
from inception_lab.images.methods import Map
from inception_lab.images.networks import MODELS, Loaded, borrowed
from inception_lab.images.randomised import KINDS, Remade, randomised
from inception_lab.images.ranks import ranked, spearman
from inception_lab.images.samples import samples
from inception_lab.images.trust import cost, trust
from inception_lab.images.verdict import DEFINITIONS, judged
from tests.images.test_deletion import CORNER, WHITE, asked

COFFEE = samples()[0].path


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def map_of_the_cup() -> Attribution:
    return attribute(COFFEE, method="grad_cam", threads=1)


def answer(values: Any) -> Curves:
    return curves(asked(), values, regions_of(WHITE, "squares"), steps=8, seeds=5)


def remade(top: float, whole: float) -> list[Remade]:
    none = np.zeros((1, 1), np.float32)
    return [
        Remade(kind="top", seed=0, values=none, correlation=top),
        Remade(kind="whole", seed=0, values=none, correlation=whole),
    ]


def test_the_true_map_is_trusted() -> None:
    said = judged(answer(CORNER), remade(0.2, 0.1))
    assert said.verdict == "trust"
    assert said.measure == "probability"
    assert said.sentence.startswith("Trust it: removing what it marks lowers the probability faster than chance (area")
    assert "n = 5 random orders" in said.sentence
    assert "but" not in said.sentence


def test_a_random_map_is_not() -> None:
    noise = np.random.default_rng(7).normal(size=WHITE.shape[:2])
    said = judged(answer(noise), remade(0.0, 0.0))
    assert said.verdict == "distrust"
    assert said.sentence.startswith("Do not trust it: removing what it marks lowers the probability no")
    refused = 0
    for seed in range(40):
        noise = np.random.default_rng(seed).normal(size=WHITE.shape[:2])
        refused += judged(answer(noise), remade(0.0, 0.0)).verdict == "distrust"
    assert refused >= 36  # by the rule 1 in 40 passes a curve by chance, and there are two curves


def test_a_random_map_of_a_photograph_is_told_so(map_of_the_cup: Attribution) -> None:
    noise = np.random.default_rng(0).random(map_of_the_cup.values.shape, np.float32)
    said = trust(replace(map_of_the_cup, values=noise), threads=1)
    assert said.verdict == "distrust"
    assert said.sentence.startswith("Do not trust it: removing what it marks")


@pytest.mark.parametrize(("last", "pace"), [(0.2, "faster"), (0.51, "not clearly faster"), (0.7, "no faster")])
def test_a_gain_within_chance_is_not_called_none(last: float, pace: str) -> None:
    """Chance has areas of 0.5, 0.55 and 0.6; its deviation is 0.05, so what counts is below 0.40."""

    def line(middle: float) -> Curve:
        return Curve(probability=np.array([1, middle, 0]), logit=np.array([1, middle, 0]))

    shares = np.linspace(0, 1, 3)
    chance = tuple(line(middle) for middle in (0.5, 0.6, 0.7))
    found = Curves(shares=shares, deletion=line(last), insertion=line(1.0), chance=chance)
    said = judged(found, remade(0.0, 0.0)).sentence
    assert f"removing what it marks lowers the probability {pace} than chance" in said
    assert "bringing it back raises the probability faster than chance" in said


@pytest.mark.parametrize(
    ("top", "whole", "verdict", "words"),
    [
        (0.79, 0.49, "trust", "the map changes on a network with a random classifier (correlation 0.79)"),
        (0.1, 0.82, "care", "but the map hardly changes on a network with random weights (correlation 0.82)"),
        (0.85, 0.1, "care", "but the map hardly changes on a network with a random classifier (correlation 0.85)"),
        (0.99, 0.1, "distrust", "Do not trust it: the map stays the same on a network with a random classifier"),
        (0.1, 0.96, "distrust", "though removing what it marks lowers"),
    ],
)
def test_what_random_weights_change(top: float, whole: float, verdict: str, words: str) -> None:
    said = judged(answer(CORNER), remade(top, whole))
    assert said.verdict == verdict
    assert words in said.sentence


def test_other_reasons_for_care() -> None:
    assert "but it was not tried on random weights" in judged(answer(CORNER), []).sentence
    missing = judged(answer(CORNER), remade(0.1, 0.1), missing=0.12)
    assert (missing.verdict, "misses 12% of the change" in missing.sentence) == ("care", True)
    assert judged(answer(CORNER), remade(0.1, 0.1), missing=0.05).verdict == "trust"


def test_a_score_that_does_not_fall_tests_nothing() -> None:
    flat = Curve(probability=np.full(5, 0.5), logit=np.zeros(5))
    found = Curves(shares=np.linspace(0, 1, 5), deletion=flat, insertion=flat, chance=(flat,) * 3)
    said = judged(found, remade(0, 0))
    assert said.verdict == "untestable"
    assert said.sentence.endswith("the probability is 0.50 with the whole image and 0.50 without any of it.")
    assert set(DEFINITIONS) == {"trust", "care", "distrust", "untestable"}


def test_an_unlikely_class_is_judged_by_its_logit() -> None:
    line = np.linspace(4, 0, 5)
    low = Curve(probability=line / 100, logit=line)
    found = Curves(shares=np.linspace(0, 1, 5), deletion=low, insertion=low.reversed, chance=(low,) * 3)
    assert judged(found, []).measure == "logit"


def test_ranks_with_equals_are_those_of_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    chance = np.random.default_rng(0)
    a, b = chance.integers(0, 6, 200), chance.integers(0, 9, 200)
    assert ranked(a).tolist() == (stats.rankdata(a) - 1).tolist()
    assert spearman(a, b) == pytest.approx(stats.spearmanr(a, b).statistic)
    assert spearman(a, np.ones(200)) == spearman(a, np.full(200, np.nan)) == 0


def test_the_map_of_the_cup_end_to_end(map_of_the_cup: Attribution) -> None:
    seen: list[tuple[int, int]] = []
    found = trust(map_of_the_cup, steps=4, seeds=3, progress=lambda *told: seen.append(told))
    assert found.forwards == cost(map_of_the_cup, steps=4, seeds=3) == 2 + 5 * 3 + 2 + len(samples())
    assert seen[-1] == (found.forwards, found.forwards)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert found.curves.deletion.probability[0] == pytest.approx(map_of_the_cup.probability, abs=1e-4)
    assert found.insertion_area > found.chance[0] + 3 * found.chance[1]
    assert [(one.kind, one.values.shape) for one in found.remade] == [("top", (224, 224)), ("whole", (224, 224))]
    assert found.missing is None
    assert json.loads(json.dumps(found.to_dict()))["random_orders"] == 3
    assert len(found.rows()) == 5
    assert trust(map_of_the_cup, steps=4, seeds=3, kinds=()).rows() == found.rows()


@pytest.mark.parametrize("method", ["saliency", "layer_conductance"])
def test_what_is_announced_is_what_runs(method: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every image through the networks of random weights belongs to the map: none measures their memory again."""
    mapped = attribute(COFFEE, method=method, threads=1)
    ran: list[int] = []

    def counted(*asked: Any, **more: Any) -> Loaded:
        random = randomised(*asked, **more)
        random.model.register_forward_pre_hook(lambda _, args: ran.append(len(args[0])))
        return random

    monkeypatch.setattr(tests_of_maps, "randomised", counted)
    trust(mapped, steps=2, seeds=3)
    assert sum(ran) == len(KINDS) * (mapped.forwards - 1)


def test_edges_that_do_not_ask_the_network_are_caught(
    map_of_the_cup: Attribution, monkeypatch: pytest.MonkeyPatch
) -> None:
    grey = map_of_the_cup.pixels.mean(axis=2)
    edges = np.hypot(*np.gradient(grey)).astype(np.float32)

    def detector(*asked: object, **options: object) -> Explained:
        return Explained(map=Map(edges), layer=None, setting="edges", images=1)

    monkeypatch.setattr(tests_of_maps, "explained", detector)
    found = trust(replace(map_of_the_cup, values=edges), steps=4, seeds=3)
    assert [one.correlation for one in found.remade] == [pytest.approx(1), pytest.approx(1)]
    assert found.verdict == "distrust"
    assert "the map stays the same on a network with random weights (correlation 1.00)" in found.sentence


def test_guided_backpropagation_hardly_asks_for_the_class() -> None:
    guided = attribute(COFFEE, method="guided_backprop")
    assert trust(guided, steps=2, seeds=3, kinds=["top"]).remade[0].correlation > 0.95


def test_random_weights_are_made_of_the_seed_and_leave_the_network_alone() -> None:
    state = torch.get_rng_state()
    with borrowed("efficientnet_lite0") as loaded:
        before = {name: tensor.clone() for name, tensor in loaded.model.state_dict().items()}
        one, same, other = (randomised(loaded, seed=seed).model.state_dict() for seed in (0, 0, 1))
        top = randomised(loaded, kind="top").model.state_dict()
        after = loaded.model.state_dict()
        x = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))
        logits = randomised(loaded).model(x)
    assert all(torch.equal(before[name], tensor) for name, tensor in after.items())
    assert [name for name in before if not torch.equal(before[name], top[name])] == [
        "classifier.weight",
        "classifier.bias",
    ]
    assert list(one) == list(before)
    assert all(torch.equal(one[name], same[name]) for name in one)
    weights = [name for name in one if name.endswith("weight") and one[name].dim() > 1]
    assert not any(torch.equal(one[name], other[name]) or torch.equal(one[name], before[name]) for name in weights)
    assert logits.isfinite().all()
    assert 0.1 < logits.std().item() < 10, "batch norm keeps a deep random network speaking"
    assert torch.equal(state, torch.get_rng_state())


def test_a_cancelled_test_leaves_nothing_behind(map_of_the_cup: Attribution) -> None:
    class Cancelled(Exception):
        pass

    for moment in (0, 20):

        def stop(done: int, total: int, moment: int = moment) -> None:
            if done >= moment:
                raise Cancelled

        with pytest.raises(Cancelled):
            trust(map_of_the_cup, steps=4, seeds=3, progress=stop)
    loaded = MODELS.get("efficientnet_lite0")
    assert sum(len(module._forward_hooks) + len(module._backward_hooks) for module in loaded.model.modules()) == 0
    assert loaded.lock.acquire(blocking=False)
    loaded.lock.release()


def test_wrong_requests(map_of_the_cup: Attribution) -> None:
    with pytest.raises(SettingsError, match="no kind 'half'"):
        trust(map_of_the_cup, kinds=["half"])  # type: ignore[list-item]
    with pytest.raises(SettingsError, match="0 draws"):
        trust(map_of_the_cup, draws=0)
