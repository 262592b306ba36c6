"""What holds for every question to a network: hooks, memory, threads, cancelling, awkward pictures, one frame."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from inception_lab.errors import ImageError
from inception_lab.images import methods
from inception_lab.images.agreement import agreement
from inception_lab.images.attribute import Attribution, attribute
from inception_lab.images.classify import classify
from inception_lab.images.comparison import compare_maps, correlation
from inception_lab.images.credit import credit
from inception_lab.images.crops import pixels
from inception_lab.images.load import load
from inception_lab.images.methods import METHODS, Method
from inception_lab.images.moved import moved
from inception_lab.images.networks import MODELS
from inception_lab.images.residuals import damage, rho
from inception_lab.images.samples import samples
from inception_lab.images.trained import known
from inception_lab.images.trust import trust
from inception_lab.models.records import RECORDS
from tests.trained import train

COFFEE = samples()[0].path
Ask = Callable[..., Any]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    methods.prepare()
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def cam() -> Attribution:
    return attribute(COFFEE, method="grad_cam", threads=1)


def questions(cam: Attribution, image: Any = COFFEE) -> dict[str, Ask]:
    """Everything that runs long, in its shortest form; each takes `progress`."""
    return {
        "attribute": lambda **more: attribute(image, method="saliency", **more),
        "classify": lambda progress=None: classify(image, forwards=progress),
        "trust": lambda **more: trust(cam, steps=2, seeds=3, kinds=("top",), draws=1, **more),
        "credit": lambda **more: credit(image, **more),
        "rho": lambda **more: rho(image, scales=(0.5,), target=967, **more),
        "damage": lambda **more: damage(image, **more),
        "agreement": lambda **more: agreement(image, methods=("saliency", "grad_cam"), steps=2, seeds=3, **more),
        "moved": lambda **more: moved(image, scales=0.5, method="grad_cam", target=967, **more),
    }


def model() -> nn.Module:
    return MODELS.get("efficientnet_lite0").model


def hooks() -> int:
    kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return sum(len(getattr(module, kind)) for module in model().modules() for kind in kinds)


def alive() -> int:
    """The bytes of all tensors that Python can reach or has yet to collect."""
    gc.collect()
    tensors = [thing for thing in gc.get_objects() if issubclass(type(thing), Tensor)]
    return sum({t.untyped_storage()._cdata: t.nbytes for t in tensors if t.layout is torch.strided}.values())


def untouched(before: dict[str, Tensor]) -> None:
    """No hook, no gradient, the same weights, and nobody at the lock."""
    loaded = MODELS.get("efficientnet_lite0")
    assert hooks() == 0
    assert all(p.grad is None and not p.requires_grad for p in loaded.model.parameters())
    assert not any(module.training for module in loaded.model.modules())
    assert all(torch.equal(before[name], tensor) for name, tensor in loaded.model.state_dict().items())
    with ThreadPoolExecutor(1) as other:  # the lock is this thread's again at any time, if it holds it
        assert other.submit(lambda: loaded.lock.acquire(blocking=False) and not loaded.lock.release()).result()


def weights() -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in model().state_dict().items()}


def repeated(ask: Ask, times: int) -> None:
    """What is alive after a few calls is alive after many."""
    before = weights()
    ask()
    first = alive()
    for _ in range(times):
        ask()
    assert alive() <= first
    untouched(before)


QUESTIONS = ["attribute", "classify", "trust", "credit", "rho", "damage", "agreement", "moved"]


@pytest.mark.parametrize("name", QUESTIONS)
def test_repeats_leave_nothing(name: str, cam: Attribution) -> None:
    repeated(questions(cam)[name], 3)


@pytest.mark.heavy
@pytest.mark.parametrize("name", QUESTIONS)
def test_fifty_repeats_leave_nothing(name: str, cam: Attribution) -> None:
    repeated(questions(cam)[name], 49)


@pytest.mark.parametrize("name", [name for name in QUESTIONS if name != "classify"])
def test_cancelled_anywhere_the_network_is_what_it_was(name: str, cam: Attribution) -> None:
    class Cancelled(Exception):
        pass

    ask, before, calls = questions(cam)[name], weights(), 0

    def count(done: int, total: int) -> None:
        nonlocal calls
        calls += 1
        assert 0 <= done <= total

    ask(progress=count)
    assert calls > 1
    for place in sorted({0, calls // 3, calls // 2, calls - 1}):
        left = place

        def stop(done: int, total: int) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise Cancelled

        with pytest.raises(Cancelled):
            ask(progress=stop)
        untouched(before)


FAMILIES: list[tuple[Method, Method]] = [
    ("input_x_gradient", "guided_backprop"),
    ("deeplift", "grad_cam"),
    ("guided_grad_cam", "smoothgrad"),
    ("layer_conductance", "occlusion"),
    ("feature_ablation", "integrated_gradients"),
    ("saliency", "deeplift"),
]


def test_two_methods_at_once_get_what_each_alone_gets(home: Path) -> None:
    """Of different pictures, so that an answer from the neighbour's hooks would show."""
    tag = f"run:{train(home)}"
    start = Barrier(2)

    def ask(path: Any, method: Method, target: int | None) -> Any:
        return attribute(path, tag, method=method, target=target).values

    def together(*asked: Any) -> Any:
        start.wait(30)
        return ask(*asked)

    with ThreadPoolExecutor(2) as pool:
        for one, other in FAMILIES:
            asked = [(COFFEE, one, None), (samples()[1].path, other, None)]
            alone = [ask(*each) for each in asked]
            assert all(np.abs(values).max() > 0 for values in alone), (one, other)
            for _ in range(3):
                both = [part.result() for part in [pool.submit(together, *each) for each in asked]]
                assert all(np.array_equal(a, b) for a, b in zip(alone, both, strict=True)), (one, other)


def test_different_questions_at_once_get_what_each_alone_gets(cam: Attribution) -> None:
    asked = questions(cam)
    kept: dict[str, Callable[[Any], Any]] = {
        "trust": lambda found: (found.sentence, found.rows()),
        "credit": lambda found: found.nodes,
        "rho": lambda found: found,
        "damage": lambda found: found.blocks,
        "agreement": lambda found: found.rows(),
        "moved": lambda found: found.values.tolist(),
    }
    alone = {name: keep(asked[name]()) for name, keep in kept.items()}
    with ThreadPoolExecutor(3) as pool:
        parts = {name: pool.submit(asked[name]) for name in kept}
        assert {name: kept[name](part.result()) for name, part in parts.items()} == alone


AWKWARD = {
    "black": Image.new("RGB", (224, 224)),
    "white": Image.new("RGB", (300, 200), "white"),
    "one pixel": Image.new("RGB", (1, 1), (9, 99, 200)),
}


@pytest.mark.parametrize("name", AWKWARD)
def test_pictures_of_one_colour_get_an_answer(name: str) -> None:
    picture = AWKWARD[name]
    for method in METHODS:
        if methods.passes(method, 224).images < 5:
            assert np.isfinite(attribute(picture, method=method).values).all()
    flat = attribute(picture, method="grad_cam")
    said = trust(flat, steps=4, seeds=3, kinds=("top",), draws=1)
    assert said.verdict == "untestable"
    assert np.isfinite(credit(picture).score)
    assert all(0 <= step.probability <= 1 for step in rho(picture, scales=(0, 1)))
    assert all(np.isfinite(block.fall) for block in damage(picture).blocks)
    both = agreement(picture, methods=("saliency", "grad_cam"), steps=4, seeds=3)
    assert np.isfinite(both.matrix).all()
    assert both.best is None
    assert both.sentence.startswith("The deletion test says nothing about this image")


def test_a_ribbon_is_refused_in_one_sentence_by_all(cam: Attribution) -> None:
    ribbon = Image.new("RGB", (20000, 10), "red")
    for name, ask in questions(cam, ribbon).items():
        if name not in ("trust", "classify"):  # has its pixels from the map; says it in its entry
            with pytest.raises(ImageError, match="too long and thin to cut a square from; crop it to at most 20 : 1"):
                ask()


def seen_by(tag: str, picture: Image.Image) -> Attribution:
    """A map that is the photograph itself as the network of this tag sees it."""
    square = np.asarray(pixels(load(picture), known(tag)))
    return Attribution(
        values=square[..., 0].astype(np.float32),
        pixels=square,
        file="photo",
        network=tag,
        method="occlusion",
        target=0,
        label="tench",
        probability=0.5,
        setting="the red channel",
    )


def test_networks_of_all_sizes_are_compared_in_the_photographs_frame() -> None:
    """What two networks agree on to the pixel has a correlation of 1 whatever their crops, and no difference."""
    coarse = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)
    picture = Image.fromarray(coarse).resize((640, 480), Image.Resampling.BICUBIC)
    maps = [seen_by(tag, picture) for tag in RECORDS]
    assert len({one.values.shape for one in maps}) > 1
    assert len({known(one.network).size / known(one.network).resize for one in maps}) > 1
    for a in maps:
        for b in maps:
            assert correlation(a, b) > 0.995, (a.network, b.network)
            beside = compare_maps(a, b)
            assert np.abs(beside.difference).mean() < 4, (a.network, b.network)
