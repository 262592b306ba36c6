"""The truth passes, a random map fails, and a map that takes no notice of the weights is caught."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pytest
import torch

from inception_lab.errors import SettingsError
from inception_lab.images import redrawn
from inception_lab.images.attribute import Attribution, attribute
from inception_lab.images.deletion import Curve, Curves, curves, regions_of
from inception_lab.images.explain import Explained
from inception_lab.images.methods import Map
from inception_lab.images.moved import moved
from inception_lab.images.networks import MODELS, Loaded, borrowed
from inception_lab.images.randomised import KINDS, Kind, randomised
from inception_lab.images.ranks import ranked, spearman
from inception_lab.images.redrawn import Remade, drawn
from inception_lab.images.samples import samples
from inception_lab.images.trust import checked, cost, trust
from inception_lab.images.verdict import DEFINITIONS, Judged, Verdict, judged, spread
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


def drawings(kind: Kind, *correlations: float | None) -> list[Remade]:
    none = np.zeros((1, 1), np.float32)
    return [Remade(kind=kind, seed=n, values=none, correlation=one) for n, one in enumerate(correlations)]


def remade(top: float, whole: float) -> list[Remade]:
    return drawings("top", *5 * [top]) + drawings("whole", *3 * [whole])


def reasons(said: Judged) -> list[tuple[bool, str]]:
    return [(one.good, one.text) for one in said.findings]


def line(*values: float) -> Curve:
    return Curve(probability=np.array(values), logit=np.array(values))


def beside_chance(deletion: float, insertion: float = 1.0) -> Curves:
    """A score that falls from 1 over the value in the middle to 0; chance has areas of 0.5, 0.55 and 0.6."""
    chance = tuple(line(1, middle, 0) for middle in (0.5, 0.6, 0.7))
    shares = np.linspace(0, 1, 3)
    return Curves(shares=shares, deletion=line(1, deletion, 0), insertion=line(0, insertion, 1), chance=chance)


def test_the_true_map_is_trusted() -> None:
    said = judged(answer(CORNER), remade(0.2, 0.1))
    assert (said.verdict, said.measure) == ("trust", "probability")
    assert said.sentence == (
        "This map can be used: what it marks counts for more than random parts do, and random weights change it."
    )
    removed, returned, top, whole = reasons(said)
    assert removed[0]
    assert removed[1].startswith("removing what it marks hurts more than removing random parts: area under the prob")
    assert "(n = 5)" in removed[1]
    assert returned[1].startswith("bringing back what it marks helps more than bringing back random parts: area")
    assert top == (True, "random classifiers change it: size of the correlation 0.20 ± 0.00 (n = 5)")
    assert whole == (True, "random weights change it: size of the correlation 0.10 ± 0.00 (n = 3)")


def test_a_random_map_is_not() -> None:
    noise = np.random.default_rng(7).normal(size=WHITE.shape[:2])
    said = judged(answer(noise), remade(0.0, 0.0))
    assert said.verdict == "distrust"
    assert said.sentence == "Do not use this map: what it marks counts for no more than random parts do."
    refused = 0
    for seed in range(40):
        noise = np.random.default_rng(seed).normal(size=WHITE.shape[:2])
        refused += judged(answer(noise), remade(0.0, 0.0)).verdict == "distrust"
    assert refused >= 36  # by the rule 1 in 40 passes a curve by chance, and there are two curves


def test_a_random_map_of_a_photograph_is_told_so(map_of_the_cup: Attribution) -> None:
    noise = np.random.default_rng(0).random(map_of_the_cup.values.shape, np.float32)
    said = trust(replace(map_of_the_cup, values=noise), threads=1, draws=1)
    assert said.verdict == "distrust"
    assert said.sentence == "Do not use this map: what it marks counts for no more than random parts do."


@pytest.mark.parametrize(
    ("middle", "much", "verdict"), [(0.2, "more", "trust"), (0.51, "hardly more", "care"), (0.7, "no more", "care")]
)
def test_a_gain_within_chance_is_not_called_none(middle: float, much: str, verdict: str) -> None:
    """The deviation of chance is 0.05 around 0.55, so what counts is below 0.40."""
    said = judged(beside_chance(middle), remade(0.0, 0.0))
    hurts = f"removing what it marks hurts {much} than removing random parts"
    assert said.verdict == verdict
    assert said.findings[
        0
    ].text == f"{hurts}: area under the probability {0.25 + middle / 2:.3f}, of random orders " + (
        "0.550 ± 0.050 (n = 3)"
    )
    assert verdict == "trust" or said.sentence == f"Use this map with care: {hurts}."
    back = judged(beside_chance(0.2, 1 - middle if middle > 0.5 else 0.9), remade(0.0, 0.0))
    assert back.verdict == verdict or "bringing back what it marks helps" in back.sentence


@pytest.mark.parametrize(
    ("top", "whole", "verdict", "sentence"),
    [
        (0.79, 0.49, "trust", "This map can be used: what it marks"),
        (0.1, 0.82, "care", "Use this map with care: random weights hardly change it."),
        (0.85, 0.1, "care", "Use this map with care: random classifiers hardly change it."),
        (-0.85, 0.1, "care", "Use this map with care: random classifiers hardly change it."),
        (0.99, 0.1, "distrust", "Do not use this map: random classifiers give the same map."),
        (0.1, -0.96, "distrust", "Do not use this map: random weights give the same map."),
    ],
)
def test_what_random_weights_change(top: float, whole: float, verdict: str, sentence: str) -> None:
    """The size counts: a map upside down draws the same regions."""
    said = judged(answer(CORNER), remade(top, whole))
    assert said.verdict == verdict
    assert said.sentence.startswith(sentence)


CLOCK = [0.96, 0.54, 0.91, -0.78, 0.47, 0.84, 0.88, 0.82, 0.65, -0.42, -0.85, 0.92]
"""Correlations that twelve random classifiers gave for Grad-CAM of the clock."""


def test_one_draw_settles_nothing() -> None:
    whole = drawings("whole", 0.1, 0.1, 0.1)
    for seed in range(12):
        assert judged(answer(CORNER), [*drawings("top", CLOCK[seed]), *whole]).verdict != "distrust"
    assert {judged(answer(CORNER), [*drawings("top", *some), *whole]).verdict for some in (CLOCK[:6], CLOCK[6:])} == {
        "trust"
    }
    every = judged(answer(CORNER), [*drawings("top", 0.96, 0.97, -0.98), *whole])
    assert every.verdict == "distrust"
    assert judged(answer(CORNER), [*drawings("top", 0.96, 0.97, 0.94), *whole]).verdict == "care", "one is not like it"
    assert judged(answer(CORNER), [*drawings("top", 0.96, 0.97), *whole]).verdict == "care", "too few to be final"


def test_a_random_network_without_a_map_is_left_out() -> None:
    (one,) = drawn(drawings("top", 0.9, None, -0.9))
    assert (one.sizes, one.none, one.mean, one.deviation) == ((0.9, 0.9), 1, pytest.approx(0.9), pytest.approx(0))
    said = judged(answer(CORNER), drawings("top", 0.9, None, -0.9, 0.9))
    assert said.verdict == "care", "with a 0 in it the mean would be below 0.8"
    assert reasons(said)[2][1].endswith("size of the correlation 0.90 ± 0.00 (n = 3); 1 more gave no map")
    none = judged(answer(CORNER), drawings("top", None, None))
    assert none.sentence == "Use this map with care: it was not compared with maps of random weights."
    assert reasons(none)[2][1].endswith("; 2 more gave no map")


def test_other_reasons_for_care() -> None:
    assert judged(answer(CORNER), []).sentence == (
        "Use this map with care: it was not compared with maps of random weights."
    )
    missing = judged(answer(CORNER), remade(0.1, 0.1), missing=0.12)
    assert missing.sentence == "Use this map with care: it does not add up to what it promises."
    assert reasons(missing)[-1] == (
        False,
        "it does not add up to what it promises: it misses 12.0% of the change of the score",
    )
    complete = judged(answer(CORNER), remade(0.1, 0.1), missing=0.05)
    assert complete.verdict == "trust"
    assert reasons(complete)[-1] == (True, "it adds up to what it promises, but for 5.0% of the change of the score")


def test_what_is_wrong_with_the_marks_comes_first_and_the_rest_is_listed() -> None:
    said = judged(beside_chance(0.7), remade(0.9, 0.7), missing=0.2)
    assert said.sentence == "Use this map with care: removing what it marks hurts no more than removing random parts."
    assert [one.good for one in said.findings] == [False, True, False, False, False]


def test_a_score_that_does_not_fall_tests_nothing() -> None:
    flat = Curve(probability=np.full(5, 0.5), logit=np.zeros(5))
    found = Curves(shares=np.linspace(0, 1, 5), deletion=flat, insertion=flat, chance=(flat,) * 3)
    said = judged(found, remade(0, 0))
    assert said.verdict == "untestable"
    assert said.sentence == "This map cannot be tested: the network is hardly less sure without the whole image."
    assert reasons(said) == [(False, "the probability is 0.5 with the whole image and 0.5 without any of it")]
    assert tuple(sorted(DEFINITIONS)) == tuple(sorted(get_args(Verdict)))


def test_every_sentence_is_short() -> None:
    """As many words as a pupil reads at a glance, and no numbers."""
    cases = [judged(beside_chance(0.2), remade(top, whole)) for top in (0.1, 0.9, 0.99) for whole in (0.1, 0.7, 0.99)]
    cases += [judged(beside_chance(middle, back), []) for middle in (0.2, 0.51, 0.7) for back in (0.3, 0.45, 0.9)]
    for said in cases:
        assert len(said.sentence.split()) <= 20, said.sentence
        assert not any(letter.isdigit() for letter in said.sentence), said.sentence


def test_numbers_have_the_digits_that_tell_them_apart() -> None:
    assert spread(0.01234, 0.00087) == "0.01234 ± 0.00087"
    assert spread(0.5, 0.0) == "0.50 ± 0.00"
    assert spread(7.123, 1.9) == "7.12 ± 1.90"


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
    found = trust(map_of_the_cup, steps=4, seeds=3, draws=1, progress=lambda *told: seen.append(told))
    assert found.forwards == cost(map_of_the_cup, steps=4, seeds=3, draws=1) == 2 + 5 * 3 + 2 + len(samples())
    assert seen[-1] == (found.forwards, found.forwards)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert found.curves is not None
    assert found.chance is not None
    assert found.curves.deletion.probability[0] == pytest.approx(map_of_the_cup.probability, abs=1e-4)
    assert (found.insertion_area or 0) > found.chance[0] + 3 * found.chance[1]
    assert [(one.kind, one.values.shape) for one in found.remade] == [("top", (224, 224)), ("whole", (224, 224))]
    assert found.missing is None
    plain = json.loads(json.dumps(found.to_dict()))
    assert (plain["random_orders"], plain["scales"]) == (3, None)
    assert [one["maps"] for one in plain["random_kinds"]] == [1, 1]
    assert len(found.rows()) == 5
    assert trust(map_of_the_cup, steps=4, seeds=3, kinds=()).rows() == found.rows()


@pytest.mark.parametrize(("method", "classifiers"), [("saliency", 10), ("layer_conductance", 5)])
def test_what_is_announced_is_what_runs(method: Any, classifiers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every image through the networks of random weights belongs to the map: none measures their memory again."""
    mapped = attribute(COFFEE, method=method, threads=1)
    ran: list[int] = []
    made: list[tuple[Kind, int]] = []

    def counted(*asked: Any, **more: Any) -> Loaded:
        random = randomised(*asked, **more)
        random.model.register_forward_pre_hook(lambda _, args: ran.append(len(args[0])))
        made.append((more["kind"], more["seed"]))
        return random

    monkeypatch.setattr(redrawn, "randomised", counted)
    few: Any = {} if method == "saliency" else {"kinds": ("top",)}
    found = trust(mapped, steps=2, seeds=3, **few)
    networks = classifiers + (0 if few else 3)
    assert made == [("top", n) for n in range(classifiers)] + [("whole", n) for n in range(0 if few else 3)]
    assert sum(ran) == networks * mapped.passes == networks * (mapped.forwards - 1)
    calibrated = 0 if few else 3 * len(samples())
    assert found.forwards == cost(mapped, steps=2, seeds=3, **few) == 2 + 5 + sum(ran) + calibrated


def test_edges_that_do_not_ask_the_network_are_caught(
    map_of_the_cup: Attribution, monkeypatch: pytest.MonkeyPatch
) -> None:
    grey = map_of_the_cup.pixels.mean(axis=2)
    edges = np.hypot(*np.gradient(grey)).astype(np.float32)

    def detector(*asked: object, **options: object) -> Explained:
        return Explained(map=Map(edges), layer=None, setting="edges", images=1)

    monkeypatch.setattr(redrawn, "explained", detector)
    found = trust(replace(map_of_the_cup, values=edges), steps=4, seeds=3, draws=3)
    assert [one.correlation for one in found.remade] == 6 * [pytest.approx(1)]
    assert found.verdict == "distrust"
    assert found.sentence == "Do not use this map: random classifiers give the same map."


def test_a_map_of_zeros_is_said_to_be_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a black picture the last layer holds nothing for most classes; found here by trying some."""
    nothing = next(
        one
        for target in range(0, 1000, 7)
        if not (one := attribute(COFFEE, method="grad_cam", at="blocks/6", target=target)).values.any()
    )
    why = f"othing at efficientnet_lite0/blocks/6 speaks for {nothing.label}"
    assert nothing.note == f"N{why}: the map is 0 everywhere."
    assert nothing.to_dict()["note"] == nothing.note
    assert nothing.note in str(nothing)
    assert nothing.note in nothing._repr_html_()
    assert "matters for" not in nothing._repr_html_(), "no legend of a map that is not there"
    grey = np.rint(nothing.pixels.mean(axis=2)).astype(np.uint8)
    assert np.array_equal(np.asarray(nothing.overlay())[..., 0], grey), "the photograph, in no colours"
    assert cost(nothing) == 0
    found = trust(nothing)
    assert (found.verdict, found.forwards, found.rows(), found.remade) == ("untestable", 0, [], ())
    assert found.sentence == f"This map cannot be tested: n{why}."
    assert json.loads(json.dumps(found.to_dict()))["deletion_area"] is None
    assert found.sentence in str(found)
    assert found.sentence in found._repr_html_()


def test_a_random_map_of_zeros_is_no_evidence(map_of_the_cup: Attribution, monkeypatch: pytest.MonkeyPatch) -> None:
    maps = iter([np.zeros((224, 224), np.float32), map_of_the_cup.values, np.full((224, 224), 2, np.float32)])

    def detector(*asked: object, **options: object) -> Explained:
        return Explained(map=Map(next(maps)), layer=None, setting="", images=1)

    monkeypatch.setattr(redrawn, "explained", detector)
    found = trust(map_of_the_cup, steps=2, seeds=3, kinds=("top",), draws=3)
    assert [one.correlation for one in found.remade] == [None, pytest.approx(1), None]
    assert any(one.text.endswith("(n = 1); 2 more gave no map") for one in found.findings)


def test_a_changed_network_is_tested_as_it_was_changed() -> None:
    off = moved(COFFEE, scales=0.0, relative=True, method="grad_cam", target=967)
    seen: list[tuple[int, int]] = []
    found = trust(off, steps=2, seeds=3, draws=1, progress=lambda *told: seen.append(told))
    assert found.curves is not None
    assert off.probability < 0.1
    assert found.curves.deletion.probability[0] == pytest.approx(off.probability, abs=1e-4)
    assert seen[-1] == (found.forwards, found.forwards)
    built = trust(attribute(COFFEE, method="grad_cam", target=967), steps=2, seeds=3, draws=1)
    assert [one.correlation for one in found.remade] != [one.correlation for one in built.remade]
    assert (found.to_dict()["scales"], found.to_dict()["relative"]) == (0.0, True)
    assert "residuals × 0" in str(found)
    with borrowed("efficientnet_lite0") as loaded:
        assert not any(module._forward_hooks for module in loaded.model.modules())


def verdicts(path: Any, sets: int, kinds: tuple[Kind, ...]) -> set[str]:
    """The verdicts on a sample's Grad-CAM by the default number of random networks, of disjoint seeds."""
    mapped = attribute(path, method="grad_cam")
    found = trust(mapped, kinds=())
    assert found.curves is not None
    said = set()
    for number in range(sets):
        random = trust(mapped, steps=2, seeds=3, kinds=kinds, seed=10 * number).remade
        said.add(judged(found.curves, random).sentence)
    return said


def test_the_clock_has_one_verdict_whatever_the_seeds() -> None:
    """The sample whose random classifiers scatter most: of single ones, 1 in 12 would have called it worthless."""
    assert len(verdicts(samples()[5].path, 3, ("top",))) == 1


@pytest.mark.heavy
@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.path.stem)
def test_every_sample_has_one_verdict_whatever_the_seeds(sample: Any) -> None:
    assert len(verdicts(sample.path, 6, KINDS)) == 1


def test_guided_backpropagation_hardly_asks_for_the_class() -> None:
    guided = attribute(COFFEE, method="guided_backprop")
    (one,) = drawn(trust(guided, steps=2, seeds=3, kinds=["top"], draws=3).remade)
    assert one.mean > 0.95


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
            trust(map_of_the_cup, steps=4, seeds=3, draws=1, progress=stop)
    loaded = MODELS.get("efficientnet_lite0")
    assert sum(len(module._forward_hooks) + len(module._backward_hooks) for module in loaded.model.modules()) == 0
    assert loaded.lock.acquire(blocking=False)
    loaded.lock.release()


def test_wrong_requests(map_of_the_cup: Attribution) -> None:
    for wrong, said in (
        ({"kinds": ["half"]}, "no kind 'half'"),
        ({"draws": 0}, "0 draws"),
        ({"draws": 21}, "21 draws"),
        ({"seed": -1}, "-1 is no seed"),
        ({"steps": 1}, "1 steps make no curve"),
    ):
        with pytest.raises(SettingsError, match=said):
            checked(**wrong)  # type: ignore[arg-type]
        with pytest.raises(SettingsError, match=said):
            trust(map_of_the_cup, **wrong)  # type: ignore[arg-type]
