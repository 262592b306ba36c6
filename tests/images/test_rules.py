"""Where DeepLift and guided backpropagation hold: what they miss is refused, what they cover adds up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inception_lab.errors import SettingsError
from inception_lab.images import methods
from inception_lab.images.gradients import deeplift, guided_backprop, saliency
from inception_lab.images.methods import Score
from inception_lab.images.rules import check, loose
from inception_lab.models.build import build
from inception_lab.nets.catalog import net

METHOD = {"DeepLift": deeplift, "guided backpropagation": guided_backprop}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    methods.prepare()
    yield
    torch.set_num_threads(before)


class Toy(nn.Module):
    """A convolution, something in between, and the sum of all values."""

    def __init__(self, kind: str, between: nn.Module | None = None) -> None:
        super().__init__()
        self.kind = kind
        self.conv = nn.Conv2d(1, 2, 1, bias=False)
        self.conv.weight = nn.Parameter(torch.tensor([2.0, -1.0]).view(2, 1, 1, 1), requires_grad=False)
        self.between = between or nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        match self.kind:
            case "twice":
                x = self.between(self.between(x) - 1)
            case "functional":
                x = F.relu(x)
            case "gate":
                x = x * self.between(x)
            case _:
                x = self.between(x)
        return x.sum(dim=(1, 2, 3))[:, None]


class Shared(nn.Module):
    """A value that goes to a pool and past it."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = nn.MaxPool2d(2)

    def forward(self, x: Tensor) -> Tensor:
        x = 1 * x
        total: Tensor = self.pool(x).sum(dim=(1, 2, 3)) + x.sum(dim=(1, 2, 3))
        return total[:, None]


class Negative(Toy):
    """The same with its sign turned."""

    def __init__(self, between: nn.Module) -> None:
        super().__init__("", between)

    def forward(self, x: Tensor) -> Tensor:
        return -super().forward(x)


IMAGE = torch.tensor([[[[1.0, -2.0, 0.5, 3.0], [4.0, 0.0, 2.0, -1.0], [0.3, 5.0, -3.0, 1.5], [2.5, 1.0, 0.7, 2.0]]]])
BASELINE = torch.full_like(IMAGE, -0.25)


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (Toy("twice"), "the module between.1 is used more than once in a pass"),
        (Toy("functional"), "1 of 1 uses of ReLU are no modules of their own"),
        (Toy("gate"), "multiplies two values that both depend on the picture"),
        (Toy("", nn.SiLU()), "no rule for the operation Silu"),
        (Toy("", nn.GELU()), "no rule for the operation Gelu"),
    ],
)
def test_deeplift_refuses_what_it_would_get_wrong(model: nn.Module, why: str) -> None:
    with pytest.raises(SettingsError, match=f"DeepLift is not sound on this network: .*{why}.*integrated gradients"):
        deeplift(Score(model, 0), IMAGE, baseline=BASELINE)


def test_guided_backprop_refuses_what_it_would_miss() -> None:
    for model, why in ((Toy("functional"), "no modules"), (Toy("", nn.SiLU()), "operation Silu")):
        with pytest.raises(SettingsError, match=f"Guided backpropagation is not sound on this network: .*{why}"):
            guided_backprop(Score(model, 0), IMAGE)
    assert guided_backprop(Score(Toy("twice"), 0), IMAGE).values.max() > 0, "a module used twice has its hook twice"


@pytest.mark.parametrize(
    "between",
    [
        nn.ReLU(inplace=True),
        nn.ReLU6(inplace=True),
        nn.MaxPool2d(2),
        nn.MaxPool2d(3, stride=1),
        nn.MaxPool2d(3, stride=2, padding=1),
        nn.Sequential(nn.BatchNorm2d(2), nn.ReLU6(), nn.MaxPool2d(3, stride=1, padding=1), nn.ReLU()),
    ],
)
def test_deeplift_adds_up(between: nn.Module) -> None:
    found = deeplift(Score(Toy("", between.eval()), 0), 2 * IMAGE, baseline=BASELINE)
    assert found.difference
    assert found.completeness_error == pytest.approx(0, abs=1e-4)


def test_captums_own_rule_loses_what_windows_share() -> None:
    """Why max pooling has a rule of its own: 9 is the largest of all four windows, Captum's rule counts it once."""
    from captum.attr import DeepLift

    image = torch.zeros(1, 1, 3, 3)
    image[0, 0, 1, 1] = 9
    model = Toy("", nn.MaxPool2d(2, stride=1))
    free = Score(model, 0)
    theirs = DeepLift(free).attribute(image.clone().requires_grad_(), baselines=torch.zeros_like(image))
    ours = deeplift(Score(model, 0), image, baseline=torch.zeros_like(image))
    assert ours.difference == 4 * 18  # four windows, 2 * 9 in the first channel, 0 in the second
    assert float(ours.values[1, 1]) == pytest.approx(72)
    assert float(theirs.detach().sum()) == pytest.approx(18)


def test_branches_that_share_an_input_keep_their_gradients() -> None:
    """The sum of x itself and of its pooled maxima: Captum alone would lose the first."""
    found = deeplift(Score(Shared(), 0), torch.ones(1, 1, 2, 2), baseline=torch.zeros(1, 1, 2, 2))
    assert found.difference == 5
    assert found.values.sum() == pytest.approx(5)


def test_pooling_apart_agrees_with_captum() -> None:
    from captum.attr import DeepLift

    model = Toy("", nn.Sequential(nn.ReLU(), nn.MaxPool2d(2)))
    theirs = DeepLift(Score(model, 0)).attribute(IMAGE.clone().requires_grad_(), baselines=BASELINE)
    ours = deeplift(Score(model, 0), IMAGE, baseline=BASELINE)
    assert torch.allclose(torch.from_numpy(ours.values), theirs[0, 0], atol=1e-6)


def test_relu6_is_guided_between_its_ends() -> None:
    """2x reaches its ceiling of 6 at 3: no gradient there. Each ReLU6 is the last bend, so all gradients are positive
    behind it; the weight -1 of the second channel then makes the gradient at the pixel 1 in size."""
    found = guided_backprop(Score(Toy("", nn.ReLU6()), 0), IMAGE)
    assert found.values.tolist() == [[2, 1, 2, 0], [0, 0, 2, 1], [2, 0, 1, 2], [2, 2, 2, 2]]
    against = guided_backprop(Score(Negative(nn.ReLU6()), 0), IMAGE)
    assert not against.values.any(), "a negative gradient does not pass"
    assert saliency(Score(Negative(nn.ReLU6()), 0), IMAGE).values.max() == 2


def test_the_network_itself_is_left_alone() -> None:
    model = Toy("", nn.ReLU6(inplace=True))
    free = loose(Score(model, 0))
    assert type(model.between) is nn.ReLU6
    assert model.between.inplace
    mine = {t.data_ptr() for t in model.parameters()}
    assert {t.data_ptr() for t in free.parameters()} == mine, "no second copy of the weights"
    assert check(free, IMAGE, "DeepLift") == 1


@pytest.mark.parametrize("name", ["inception_v3", "inception_v4", "inception_resnet_v2"])
def test_deeplift_adds_up_on_the_networks_of_the_lab(name: str) -> None:
    """Thin and untrained, in fp64; with overlapping pools, concatenations and scaled adds."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model: Any = build(net(name).thin(1 / 16), classes=5).eval().requires_grad_(False).double()
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.uniform_(module.weight, 0.5, 1.5)
                nn.init.normal_(module.bias, std=0.1)
            elif isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)  # so that the score still depends on the picture at the end
        image = torch.rand(1, 3, 139, 139, dtype=torch.float64)
    found = deeplift(Score(model, 1, 2), image, baseline=torch.zeros_like(image))
    assert found.difference
    assert found.completeness_error is not None
    assert found.completeness_error < 1e-6 * abs(found.difference)
