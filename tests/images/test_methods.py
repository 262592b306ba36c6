"""Attribution on toy networks whose weights are set by hand, so that the right map is arithmetic."""

import gc
import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from inception_lab.errors import SettingsError
from inception_lab.images import methods
from inception_lab.images.gradients import (
    deeplift,
    guided_backprop,
    input_x_gradient,
    integrated_gradients,
    saliency,
    smoothgrad,
)
from inception_lab.images.layers import grad_cam, guided_grad_cam, layer_conductance
from inception_lab.images.methods import METHODS, TITLES, Map, Meter, Method, Score, passes, window
from inception_lab.images.perturbations import feature_ablation, occlusion, superpixels


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
    methods.prepare()
    yield
    torch.set_num_threads(before)


def hooks(model: nn.Module) -> int:
    kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return sum(len(getattr(module, kind)) for module in model.modules() for kind in kinds)


def test_integrated_gradients_of_a_linear_score_are_weight_times_way() -> None:
    weights = torch.tensor([[[1.0, 2.0], [3.0, 4.0]], [[10.0, 0.0], [0.0, -1.0]]])
    image = torch.tensor([[[[1.0, 1.0], [2.0, 0.5]], [[0.0, 5.0], [5.0, 3.0]]]])
    baseline = torch.full_like(image, 0.5)
    found = integrated_gradients(Score(Weighted(weights), 1), image, baseline=baseline)
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
        found = integrated_gradients(Score(model, 0), image, baseline=torch.zeros_like(image), steps=steps)
        assert found.difference == pytest.approx(2)
        assert found.completeness_error == pytest.approx(abs(float(found.values.sum()) - 2), abs=1e-5)
    assert found.values.sum() == pytest.approx(2, abs=0.05)


def test_grad_cam_by_hand() -> None:
    """Channel 1 is relu(x) with weight 3/4, channel 2 relu(-x) with weight 2/4: a negative pixel speaks through it."""
    model = Small()
    found = grad_cam(Score(model, 0), model.relu, IMAGE)
    assert found.values.tolist() == pytest.approx(np.array([[0.75, 1.0], [3.0, 0.0]]))
    assert (found.completeness_error, found.difference) == (None, None)


def test_grad_cam_drops_what_speaks_against() -> None:
    model = Small()
    with torch.no_grad():
        model.classifier.weight.copy_(torch.tensor([[3.0, -2.0]]))
    assert grad_cam(Score(model, 0), model.relu, IMAGE).values.tolist() == pytest.approx(
        np.array([[0.75, 0.0], [3.0, 0.0]])
    )


def test_grad_cam_is_enlarged_to_the_image() -> None:
    model = nn.Sequential(nn.AvgPool2d(2), nn.Flatten(), nn.Linear(4, 1, bias=False))
    with torch.no_grad():
        model[2].weight.fill_(4.0)  # type: ignore[operator,union-attr]
    image = torch.tensor([[[[0.0, 0, 8, 8], [0, 0, 8, 8], [0, 0, 0, 0], [0, 0, 0, 0]]]])
    # the layer's map is [[0, 8], [0, 0]] with mean gradient 4; bilinear, corners not aligned
    row = np.array([0, 8, 24, 32], float)
    expected = np.stack([row, row * 0.75, row * 0.25, row * 0])
    assert np.allclose(grad_cam(Score(model, 0), model[0], image).values, expected)


def test_grad_cam_refuses_a_layer_without_a_map() -> None:
    model = Small()
    with pytest.raises(SettingsError, match="layer that puts out maps"):
        grad_cam(Score(model, 0), model.classifier, IMAGE)


def test_occlusion_by_hand() -> None:
    """Squares of one pixel: covering a pixel with 0 takes away weight times value."""
    weights = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])
    found = occlusion(Score(Weighted(weights), 0), IMAGE, baseline=torch.zeros_like(IMAGE), side=1, stride=1)
    assert found.values.tolist() == pytest.approx(np.array([[1, -4], [12, 0]]))


def test_occlusion_averages_the_squares_that_cover_a_pixel() -> None:
    """Squares 2 wide on a row of 3, moved by 1: they take away 3 and 5; the middle pixel lies under both."""
    image = torch.tensor([[[[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]]]])
    found = occlusion(
        Score(Weighted(torch.ones(1, 2, 3)), 0), image, baseline=torch.zeros_like(image), side=2, stride=1
    )
    assert found.values.tolist() == pytest.approx(np.array([[3, 4, 5], [3, 4, 5]]))


class Stack(nn.Module):
    """score = 3 relu(2 x) summed less relu(-x): one bend, done by hand below. `gate` multiplies two parts of it."""

    def __init__(self, *, in_place: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 1, bias=False)
        self.conv.weight = nn.Parameter(torch.tensor([2.0, -1.0]).view(2, 1, 1, 1))
        self.relu = nn.ReLU(inplace=in_place)
        self.weights = nn.Parameter(torch.tensor([3.0, -1.0]).view(1, 2, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        total: Tensor = (self.relu(self.conv(x)) * self.weights).sum(dim=(1, 2, 3))
        return torch.stack([total, 2 * total, -total], dim=1)


def test_saliency_is_the_size_of_the_gradient_in_its_largest_channel() -> None:
    weights = torch.tensor([[[1.0, -2.0], [3.0, 0.0]], [[-10.0, 0.5], [0.0, -1.0]]])
    found = saliency(Score(Weighted(weights), 1), torch.rand(1, 2, 2, 2))
    assert found.values.tolist() == [[20, 4], [6, 2]]


def test_input_x_gradient_by_hand() -> None:
    """Slope 6 where x > 0, and -1 * -1 = 1 where it is negative: times the value."""
    found = input_x_gradient(Score(Stack(), 0), IMAGE)
    assert found.values.tolist() == [[6, -2], [24, 0]]


def test_a_contrast_is_the_difference_of_two_scores() -> None:
    """Class 1 is twice class 0, class 2 the opposite: 2 - 1 = 1 times, 0 - (-1) = 2 times, by every kind of method."""
    zeros = torch.zeros_like(IMAGE)
    model = Stack()
    run: list[Callable[[Score], Map]] = [
        lambda score: input_x_gradient(score, IMAGE),
        lambda score: integrated_gradients(score, IMAGE, baseline=zeros),
        lambda score: deeplift(score, IMAGE, baseline=zeros),
        lambda score: saliency(score, IMAGE),
        lambda score: smoothgrad(score, IMAGE, samples=3),
        lambda score: occlusion(score, IMAGE, baseline=zeros, side=1, stride=1),
        lambda score: feature_ablation(score, IMAGE, baseline=zeros, regions=np.arange(4).reshape(2, 2)),
        lambda score: layer_conductance(score, model.relu, IMAGE, baseline=zeros),
    ]
    for method in run:
        alone = method(Score(model, 0)).values
        assert np.abs(alone).max() > 0
        assert np.allclose(method(Score(model, 1, 0)).values, alone, rtol=1e-5)
        assert np.allclose(method(Score(model, 0, 2)).values, 2 * alone, rtol=1e-5)
    small = Stack()
    for guided in (guided_backprop(Score(small, 0, 2), IMAGE), guided_grad_cam(Score(small, 0, 2), small.relu, IMAGE)):
        assert guided.values.max() > 0
    assert np.allclose(
        grad_cam(Score(small, 0, 2), small.relu, IMAGE).values, 2 * grad_cam(Score(small, 0), small.relu, IMAGE).values
    )


def test_guided_backprop_lets_only_what_is_positive_through() -> None:
    """At each ReLU: gradient 3 passes the first, times 2; -1 is dropped at the second, where the gradient gave 1."""
    found = guided_backprop(Score(Stack(), 0), IMAGE)
    assert found.values.tolist() == [[6, 0], [6, 0]]
    assert saliency(Score(Stack(), 0), IMAGE).values.tolist() == [[6, 1], [6, 0]]


def test_guided_grad_cam_is_the_product() -> None:
    """Mean gradients 3 and -1 weigh 2x and 0 where x > 0: Grad-CAM 6, 0, 24, 0 (the gradient, not its mean over 4,
    reaches every cell); guided gradients 6, 0, 6, 0."""
    model = Stack()
    assert grad_cam(Score(model, 0), model.relu, IMAGE).values.tolist() == [[6, 0], [24, 0]]
    assert guided_grad_cam(Score(model, 0), model.relu, IMAGE).values.tolist() == [[36, 0], [144, 0]]


@pytest.mark.parametrize("in_place", [False, True])
def test_deeplift_by_hand(in_place: bool) -> None:
    """From -1: at 1 the first ReLU rises from 0 to 2 and the second falls from 1 to 0: 3 * 2 + 1 = 7; at -2 only the
    second rises by 1: -1; at 4: 24 + 1; at 0: 1. The gradient would have given others."""
    baseline = torch.full_like(IMAGE, -1.0)
    found = deeplift(Score(Stack(in_place=in_place), 0), IMAGE, baseline=baseline)
    assert found.values.tolist() == pytest.approx(np.array([[7, -1], [25, 1]]), abs=1e-5)
    assert found.difference == pytest.approx(32)
    assert found.completeness_error == pytest.approx(0, abs=1e-5)


def test_smoothgrad_is_the_tunnel_of_captum_with_the_same_noise() -> None:
    from captum.attr import NoiseTunnel, Saliency

    torch.manual_seed(5)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Softplus(), nn.Flatten(), nn.Linear(4 * 36, 2)).requires_grad_(False)
    image = torch.rand(1, 3, 8, 8)
    score = Score(model, 1)
    torch.manual_seed(7)
    deviation = float(0.15 * (image.max() - image.min()))
    tunnel = NoiseTunnel(Saliency(score)).attribute(
        image.clone().requires_grad_(), nt_samples=8, nt_samples_batch_size=1, stdevs=deviation, abs=False
    )
    found = smoothgrad(score, image, samples=8, seed=7, batch=4)
    assert np.allclose(found.values, tunnel.abs().amax(dim=1)[0].numpy(), rtol=1e-4, atol=1e-7)


def test_smoothgrad_of_a_linear_score_is_its_slope_whatever_the_noise() -> None:
    weights = torch.tensor([[[1.0, -2.0], [3.0, 0.0]], [[-10.0, 0.5], [0.0, -1.0]]])
    found = smoothgrad(Score(Weighted(weights), 1), torch.rand(1, 2, 2, 2))
    assert found.values.tolist() == pytest.approx(np.array([[20, 4], [6, 2]]))


def test_every_method_has_a_name_of_its_own() -> None:
    assert list(TITLES) == list(METHODS)
    assert len(set(TITLES.values())) == len(METHODS)


def test_smoothgrad_has_its_seed_and_leaves_torchs_alone() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 1), nn.Softplus(), nn.Flatten(), nn.Linear(8, 1)).requires_grad_(False)
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = smoothgrad(Score(model, 0), IMAGE)
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(100)
    assert np.array_equal(smoothgrad(Score(model, 0), IMAGE).values, first.values)
    assert not np.array_equal(smoothgrad(Score(model, 0), IMAGE, seed=1).values, first.values)


def test_feature_ablation_takes_whole_regions_away() -> None:
    weights = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])
    regions = np.array([[0, 1], [0, 1]])
    found = feature_ablation(Score(Weighted(weights), 0), IMAGE, baseline=torch.zeros_like(IMAGE), regions=regions)
    # 1 * 1 + 3 * 4 = 13 on the left, 2 * -2 + 4 * 0 = -4 on the right
    assert found.values.tolist() == [[13, -4], [13, -4]]


def test_superpixels_keep_to_the_colours() -> None:
    picture = np.zeros((40, 40, 3), np.uint8)
    picture[:, 20:] = (250, 200, 20)
    regions = superpixels(picture, 16)
    assert regions.shape == (40, 40)
    assert sorted(np.unique(regions)) == list(range(regions.max() + 1))
    assert not set(np.unique(regions[:, :19])) & set(np.unique(regions[:, 21:]))
    assert np.array_equal(regions, superpixels(picture, 16))


def test_layer_conductance_by_hand() -> None:
    """All of the score flows through the ReLU: each cell has what its pixel brings, 6x and for negative ones x."""
    model = Stack()
    found = layer_conductance(Score(model, 0), model.relu, IMAGE, baseline=torch.zeros_like(IMAGE), steps=200)
    assert found.values.tolist() == pytest.approx(np.array([[6, -2], [24, 0]]), abs=0.01)
    assert found.difference == pytest.approx(28)
    assert found.completeness_error == pytest.approx(abs(float(found.values.sum()) - 28), abs=1e-4)


@pytest.mark.parametrize("batch", [2, 3, 4, 51, 60])
def test_the_batches_of_conductance_are_counted_as_they_run(batch: int) -> None:
    model = Stack()
    meter = Meter()
    layer_conductance(Score(model, 0, meter=meter), model.relu, IMAGE, baseline=torch.zeros_like(IMAGE), batch=batch)
    assert meter.done == passes("layer_conductance", 2, batch=batch).images


def test_the_batch_changes_no_digit_that_counts() -> None:
    model, black = Stack(), torch.zeros_like(IMAGE)
    for method in (
        lambda batch: integrated_gradients(Score(model, 0), IMAGE, baseline=black, batch=batch),
        lambda batch: smoothgrad(Score(model, 0), IMAGE, batch=batch),
        lambda batch: occlusion(Score(model, 0), IMAGE, baseline=black, side=1, stride=1, batch=batch),
    ):
        assert np.allclose(method(1).values, method(4).values, atol=1e-5)


SIDE = 14


def ways(model: Stack, image: Tensor, meter: Meter, *, batch: int = 4) -> dict[Method, Callable[[], Map]]:
    """Every method on the toy, counted by `meter`."""
    score, black = Score(model, 0, meter=meter), torch.zeros_like(image)
    side, stride = window(image.shape[-1])
    regions = np.arange(image[0, 0].numel()).reshape(image.shape[2:]) % 6
    return {
        "saliency": lambda: saliency(score, image),
        "input_x_gradient": lambda: input_x_gradient(score, image),
        "integrated_gradients": lambda: integrated_gradients(score, image, baseline=black, batch=batch),
        "smoothgrad": lambda: smoothgrad(score, image, batch=batch),
        "guided_backprop": lambda: guided_backprop(score, image),
        "deeplift": lambda: deeplift(score, image, baseline=black),
        "grad_cam": lambda: grad_cam(score, model.relu, image),
        "guided_grad_cam": lambda: guided_grad_cam(score, model.relu, image),
        "layer_conductance": lambda: layer_conductance(score, model.relu, image, baseline=black, batch=batch),
        "occlusion": lambda: occlusion(score, image, baseline=black, side=side, stride=stride, batch=batch),
        "feature_ablation": lambda: feature_ablation(score, image, baseline=black, regions=regions, batch=batch),
    }


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", [5, 14, 28])
def test_the_announced_cost_is_what_runs(method: Method, size: int) -> None:
    told: list[tuple[int, int]] = []
    cost = passes(method, size, regions=6).images
    meter = Meter(cost, lambda done, total: told.append((done, total)))
    ways(Stack(), torch.rand(1, 1, size, size), meter)[method]()
    assert told[-1] == (cost, cost)
    counts = [done for done, _ in told]
    assert counts == sorted(counts)


def test_cost() -> None:
    assert {method: passes(method, 224, regions=50).images for method in METHODS} == {
        "integrated_gradients": 52,
        "saliency": 1,
        "input_x_gradient": 1,
        "smoothgrad": 25,
        "guided_backprop": 2,
        "deeplift": 3,
        "grad_cam": 1,
        "guided_grad_cam": 3,
        "layer_conductance": 69,
        "occlusion": 1 + 13 * 13,
        "feature_ablation": 51,
    }
    with pytest.raises(SettingsError, match="There is no method 'lime'; there are integrated_gradients, saliency"):
        passes("lime", 224)  # type: ignore[arg-type]


def test_methods_work_inside_inference_mode() -> None:
    model = Stack()
    with torch.inference_mode():
        image = torch.rand(1, 1, SIDE, SIDE)
        for run in ways(model, image, Meter()).values():
            assert np.abs(run().values).max() > 0


class Cancelled(Exception):
    pass


@pytest.mark.parametrize("method", METHODS)
def test_fifty_repeats_and_fifty_cancellations_leave_nothing(method: Method) -> None:
    """No hooks, no gradients, no tensors, no threads; the cancellations come at every place there is."""
    model = Stack().requires_grad_(False)
    image = torch.rand(1, 1, 3, 3)

    def tensors() -> int:
        gc.collect()
        return sum(issubclass(type(thing), Tensor) for thing in gc.get_objects())

    last: list[int] = []
    ways(model, image, Meter(0, lambda done, _: last.append(done)))[method]()
    before, threads = tensors(), threading.active_count()
    for turn in range(50):
        ways(model, image, Meter())[method]()
        left = turn % len(last)

        def stop(done: int, _: int) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise Cancelled

        with pytest.raises(Cancelled):
            ways(model, image, Meter(0, stop))[method]()
    assert hooks(model) == 0
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not hasattr(model.relu, "input")
    assert tensors() <= before
    assert threading.active_count() == threads
