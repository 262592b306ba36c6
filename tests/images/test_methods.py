"""Attribution on toy networks whose weights are set by hand, so that the right map is arithmetic."""

import gc
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from inception_lab.errors import SettingsError
from inception_lab.images.methods import (
    BATCH,
    METHODS,
    STEPS,
    forwards,
    grad_cam,
    integrated_gradients,
    occlusion,
    window,
)


class Weighted(nn.Module):
    """score[k] = sum of (k + 1) * weights * x; `bent` adds a ReLU with a kink half-way from 0 to the image."""

    def __init__(self, weights: Tensor, *, bent: bool = False) -> None:
        super().__init__()
        self.register_buffer("weights", weights)
        self.bent = bent

    def forward(self, x: Tensor) -> Tensor:
        total = (x * self.weights).sum(dim=(1, 2, 3))  # type: ignore[operator]
        if self.bent:
            total = torch.relu(total - 2) + 1
        return torch.stack([total, 2 * total], dim=1)


class Small(nn.Module):
    """Two 1x1 channels with weights 1 and -1, their means weighted 3 and 2, so that Grad-CAM can be done by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 1, bias=False)
        self.conv.weight = nn.Parameter(torch.tensor([1.0, -1.0]).view(2, 1, 1, 1))
        self.relu = nn.ReLU()
        self.classifier = nn.Linear(2, 1, bias=False)
        self.classifier.weight = nn.Parameter(torch.tensor([[3.0, 2.0]]))

    def forward(self, x: Tensor) -> Tensor:
        features: Tensor = self.relu(self.conv(x))
        scores: Tensor = self.classifier(features.mean(dim=(2, 3)))
        return scores


IMAGE = torch.tensor([[[[1.0, -2.0], [4.0, 0.0]]]])


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def hooks(model: nn.Module) -> int:
    kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return sum(len(getattr(module, kind)) for module in model.modules() for kind in kinds)


def test_integrated_gradients_of_a_linear_score_are_weight_times_way() -> None:
    weights = torch.tensor([[[1.0, 2.0], [3.0, 4.0]], [[10.0, 0.0], [0.0, -1.0]]])
    image = torch.tensor([[[[1.0, 1.0], [2.0, 0.5]], [[0.0, 5.0], [5.0, 3.0]]]])
    baseline = torch.full_like(image, 0.5)
    found = integrated_gradients(Weighted(weights), image, 1, baseline=baseline)
    # channel 0: 2 * w * (x - 0.5) = 1, 2, 9, 0; channel 1: -10, 0, 0, -5
    assert found.values.tolist() == pytest.approx(np.array([[-9, 2], [9, -5]]), abs=1e-5)
    assert found.values.dtype == np.float32
    assert found.difference == pytest.approx(-3, abs=1e-5)
    assert found.completeness_error == pytest.approx(0, abs=1e-5)


def test_completeness_error_is_the_distance_from_the_difference_of_the_scores() -> None:
    """Straight up to 2, then slope 1 to 4: the true integral is 2; few steps miss the kink by a little, and say so."""
    model = Weighted(torch.ones(1, 2, 2), bent=True)
    image = torch.ones(1, 1, 2, 2)
    for steps in (5, 20, 50):
        found = integrated_gradients(model, image, 0, baseline=torch.zeros_like(image), steps=steps)
        assert found.difference == pytest.approx(2)
        assert found.completeness_error == pytest.approx(abs(float(found.values.sum()) - 2), abs=1e-5)
    assert found.values.sum() == pytest.approx(2, abs=0.05)


def test_grad_cam_by_hand() -> None:
    """Channel 1 is relu(x) with weight 3/4, channel 2 relu(-x) with weight 2/4: a negative pixel speaks through it."""
    model = Small()
    found = grad_cam(model, model.relu, IMAGE, 0)
    assert found.values.tolist() == pytest.approx(np.array([[0.75, 1.0], [3.0, 0.0]]))
    assert (found.completeness_error, found.difference) == (None, None)


def test_grad_cam_drops_what_speaks_against() -> None:
    model = Small()
    with torch.no_grad():
        model.classifier.weight.copy_(torch.tensor([[3.0, -2.0]]))
    assert grad_cam(model, model.relu, IMAGE, 0).values.tolist() == pytest.approx(np.array([[0.75, 0.0], [3.0, 0.0]]))


def test_grad_cam_is_enlarged_to_the_image() -> None:
    model = nn.Sequential(nn.AvgPool2d(2), nn.Flatten(), nn.Linear(4, 1, bias=False))
    with torch.no_grad():
        model[2].weight.fill_(4.0)  # type: ignore[operator,union-attr]
    image = torch.tensor([[[[0.0, 0, 8, 8], [0, 0, 8, 8], [0, 0, 0, 0], [0, 0, 0, 0]]]])
    # the layer's map is [[0, 8], [0, 0]] with mean gradient 4; bilinear, corners not aligned
    row = np.array([0, 8, 24, 32], float)
    expected = np.stack([row, row * 0.75, row * 0.25, row * 0])
    assert np.allclose(grad_cam(model, model[0], image, 0).values, expected)


def test_grad_cam_refuses_a_layer_without_a_map() -> None:
    model = Small()
    with pytest.raises(SettingsError, match="layer that puts out maps"):
        grad_cam(model, model.classifier, IMAGE, 0)


def test_occlusion_by_hand() -> None:
    """Squares of one pixel: covering a pixel with 0 takes away weight times value."""
    weights = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])
    found = occlusion(Weighted(weights), IMAGE, 0, baseline=torch.zeros_like(IMAGE), side=1, stride=1)
    assert found.values.tolist() == pytest.approx(np.array([[1, -4], [12, 0]]))


def test_occlusion_averages_the_squares_that_cover_a_pixel() -> None:
    """Squares 2 wide on a row of 3, moved by 1: they take away 3 and 5; the middle pixel lies under both."""
    image = torch.tensor([[[[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]]]])
    found = occlusion(Weighted(torch.ones(1, 2, 3)), image, 0, baseline=torch.zeros_like(image), side=2, stride=1)
    assert found.values.tolist() == pytest.approx(np.array([[3, 4, 5], [3, 4, 5]]))


@pytest.mark.parametrize("size", [5, 14, 28, 56])
def test_the_announced_cost_is_what_runs(size: int) -> None:
    model = Weighted(torch.ones(1, size, size))
    image, black = torch.rand(1, 1, size, size), torch.zeros(1, 1, size, size)
    side, stride = window(size)
    runs: dict[str, list[tuple[int, int]]] = {method: [] for method in METHODS}

    def told(method: str, done: int, total: int) -> None:
        runs[method].append((done, total))

    integrated_gradients(model, image, 0, baseline=black, progress=lambda d, t: told("integrated_gradients", d, t))
    occlusion(model, image, 0, baseline=black, side=side, stride=stride, progress=lambda d, t: told("occlusion", d, t))
    conv = nn.Sequential(nn.Conv2d(1, 1, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    grad_cam(conv, conv[0], image, 0, progress=lambda d, t: told("grad_cam", d, t))
    for method in METHODS:
        cost = forwards(method, size)
        assert {total for _, total in runs[method]} == {cost}
        assert runs[method][-1] == (cost, cost)
        counts = [done for done, _ in runs[method]]
        assert counts == sorted(counts)


def test_cost() -> None:
    assert [forwards(method, 224) for method in METHODS] == [STEPS + 2, 1, 1 + 13 * 13]
    with pytest.raises(SettingsError, match="There is no method 'saliency'; there are integrated_gradients, grad_cam"):
        forwards("saliency", 224)  # type: ignore[arg-type]


def test_methods_work_inside_inference_mode() -> None:
    model = Small()
    with torch.inference_mode():
        assert grad_cam(model, model.relu, torch.ones(1, 1, 2, 2), 0).values.max() > 0
        found = integrated_gradients(model, IMAGE, 0, baseline=torch.zeros_like(IMAGE))
    assert found.completeness_error == pytest.approx(0, abs=1e-4)


class Cancelled(Exception):
    pass


def test_fifty_repeats_and_fifty_cancellations_leave_no_hooks() -> None:
    model = Small()
    black = torch.zeros_like(IMAGE)

    def stop(done: int, _: int) -> None:
        if done >= BATCH or len(IMAGE) == done:
            raise Cancelled

    for _ in range(50):
        integrated_gradients(model, IMAGE, 0, baseline=black, steps=8)
        grad_cam(model, model.relu, IMAGE, 0)
        occlusion(model, IMAGE, 0, baseline=black, side=1, stride=1)
        with pytest.raises(Cancelled):
            grad_cam(model, model.relu, IMAGE, 0, progress=stop)
        with pytest.raises(Cancelled):
            integrated_gradients(model, IMAGE, 0, baseline=black, steps=8, progress=stop)
        with pytest.raises(Cancelled):
            occlusion(model, IMAGE, 0, baseline=black, side=1, stride=1, progress=stop)
    assert hooks(model) == 0
    assert all(parameter.grad is None for parameter in model.parameters())


def test_repeats_leave_no_tensors_behind() -> None:
    model = Small()

    def tensors() -> int:
        gc.collect()
        return sum(issubclass(type(thing), Tensor) for thing in gc.get_objects())

    grad_cam(model, model.relu, IMAGE, 0)
    before = tensors()
    for _ in range(20):
        grad_cam(model, model.relu, IMAGE, 0)
        integrated_gradients(model, IMAGE, 0, baseline=torch.zeros_like(IMAGE), steps=4)
    assert tensors() <= before
