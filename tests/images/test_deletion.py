"""Curves of networks so simple that each point is arithmetic."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from inception_lab.errors import SettingsError
from inception_lab.images.deletion import Asked, Curve, checked, curves, forwards, means, order_of, regions_of
from inception_lab.images.networks import Loaded
from inception_lab.models.records import WeightRecord

SIZE = 16  # 16 squares a side: a pixel each
WHITE = np.full((SIZE, SIZE, 3), 255, np.uint8)  # enters as 1; grey enters as 0
CORNER = np.zeros((SIZE, SIZE), np.float32)
CORNER[:8, :8] = 1


class Corner(nn.Module):
    """Class 0 has 8 times the mean of the upper left quarter, class 1 always 0."""

    def forward(self, x: Tensor) -> Tensor:
        score = 8 * x[:, :, :8, :8].mean(dim=(1, 2, 3))
        return torch.stack([score, torch.zeros_like(score)], dim=1)


def toy(model: nn.Module | None = None) -> Loaded:
    record = WeightRecord(
        tag="toy", network="toy", origin="", top1=0, top5=None, megabytes=0, size=SIZE, classes=2, labels=("a", "b")
    )
    return Loaded(record, model or Corner())


def asked(**options: object) -> Asked:
    return Asked(toy(), WHITE, target=0, ground="grey", regions=regions_of(WHITE, "squares"), **options)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_the_true_map_takes_the_score_with_the_first_quarter() -> None:
    found = curves(asked(), CORNER, regions_of(WHITE, "squares"), steps=4, seeds=5)
    assert found.shares.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert found.deletion.logit.tolist() == pytest.approx([8, 0, 0, 0, 0])
    assert found.insertion.logit.tolist() == pytest.approx([0, 8, 8, 8, 8])
    assert found.deletion.probability[[0, -1]].tolist() == pytest.approx([1 / (1 + np.exp(-8)), 0.5])
    assert (found.deletion.area("logit"), found.insertion.area("logit")) == (pytest.approx(1), pytest.approx(7))
    assert found.drop("logit") == pytest.approx(8)
    assert found.chance_areas("logit").mean() == pytest.approx(4, abs=0.4)  # shuffled squares go evenly
    assert len({tuple(curve.logit) for curve in found.chance}) == 5


def test_the_opposite_map_takes_it_last() -> None:
    found = curves(asked(), -CORNER, regions_of(WHITE, "squares"), steps=4, seeds=3)
    assert found.deletion.logit.tolist() == pytest.approx([8, 8, 8, 8, 0])
    assert found.insertion.logit.tolist() == pytest.approx([0, 0, 0, 0, 8])


def test_two_classes_are_compared_by_their_difference() -> None:
    found = curves(asked(against=1), CORNER, regions_of(WHITE, "squares"), steps=4, seeds=3)
    assert found.deletion.logit[0] == pytest.approx(8)
    assert found.deletion.probability[-1] == pytest.approx(0.5)


def test_images_run_are_those_announced_and_never_more_than_four_at_once() -> None:
    seen: list[tuple[int, int]] = []
    sizes: list[int] = []
    total = forwards(9, 3)

    class Watched(Corner):
        def forward(self, x: Tensor) -> Tensor:
            sizes.append(len(x))
            return super().forward(x)

    regions = regions_of(WHITE, "squares")
    question = Asked(
        toy(Watched()), WHITE, target=0, regions=regions, progress=lambda *told: seen.append(told), total=total
    )
    curves(question, CORNER, regions, steps=9, seeds=3)
    assert question.done == sum(sizes) == total == 2 + 5 * 8
    assert max(sizes) == 4
    assert seen[-1] == (total, total)


def test_regions() -> None:
    squares = regions_of(np.zeros((224, 224, 3), np.uint8), "squares")
    assert squares.max() == 255
    assert (squares == 0).sum() == 14 * 14
    assert squares[0, 14] == 1
    assert squares[14, 0] == 16
    assert len(np.unique(regions_of(np.zeros((299, 299, 3), np.uint8), "squares"))) == 256
    assert regions_of(WHITE, "pixels").max() == SIZE**2 - 1
    assert means(np.array([[1.0, 3.0], [5.0, 7.0]]), np.array([[0, 0], [1, 1]])).tolist() == [2, 6]


def test_equals_do_not_go_in_reading_order() -> None:
    order = order_of(CORNER, regions_of(WHITE, "pixels"))
    first = order[:64]
    assert set(first.tolist()) == set(np.flatnonzero(CORNER).tolist())
    assert first.tolist() != sorted(first.tolist())
    assert order.tolist() == order_of(CORNER, regions_of(WHITE, "pixels")).tolist()


def test_the_area_is_the_trapezoids() -> None:
    line = np.array([1.0, 0.5, 0.0])
    assert Curve(probability=line, logit=line * 4).area("logit") == pytest.approx(2)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [((1, 5, "blur", "squares"), "1 steps"), ((9, 2, "blur", "squares"), "2 random orders"),
     ((9, 5, "red", "squares"), "no ground 'red'"), ((9, 5, "blur", "rows"), "no regions 'rows'")],
)  # fmt: skip
def test_settings_that_test_nothing(wrong: tuple[int, int, str, str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        checked(*wrong)
