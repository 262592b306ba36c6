"""Batches: the order belongs to the seed, and the pixels are normalised as stated."""

from itertools import islice
from pathlib import Path

import pytest
import torch

from inception_lab.training import data, extract
from tests.training import datafiles


def test_the_order_follows_from_the_seed_alone() -> None:
    torch.manual_seed(1)
    first = torch.cat(list(islice(data.order(100, batch=7, seed=3), 40)))
    torch.manual_seed(2)
    torch.rand(5)
    assert torch.equal(torch.cat(list(islice(data.order(100, batch=7, seed=3), 40))), first)
    assert not torch.equal(torch.cat(list(islice(data.order(100, batch=7, seed=4), 40))), first)


def test_the_order_leaves_the_global_generator_alone() -> None:
    before = torch.random.get_rng_state()
    next(data.order(100, batch=7, seed=3))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_an_epoch_shows_each_image_once_and_the_next_another_order() -> None:
    batches = list(islice(data.order(12, batch=4, seed=0), 6))
    first, second = torch.cat(batches[:3]), torch.cat(batches[3:])
    assert sorted(first.tolist()) == sorted(second.tolist()) == list(range(12))
    assert first.tolist() != second.tolist()


def test_a_batch_larger_than_the_data_is_refused() -> None:
    with pytest.raises(ValueError, match="13 from 12"):
        next(data.order(12, batch=13, seed=0))


def test_pixels_run_from_minus_one_to_one() -> None:
    images = data.load("fashion_mnist_extract", size=28, device=torch.device("cpu"))[0]
    x, y = images.batch(slice(0, 12_000))
    assert (x.shape, x.dtype, y.dtype) == ((12_000, 1, 28, 28), torch.float32, torch.int64)
    assert (float(x.min()), float(x.max())) == (-1, 1)
    assert float(x[3, 0, 14, 14]) == pytest.approx(int(extract.load().train_images[3, 14, 14]) / 127.5 - 1)


def test_other_sizes_are_resized() -> None:
    images = data.load("fashion_mnist_extract", size=56, device=torch.device("cpu"))[1]
    x, _ = images.batch(torch.tensor([5, 1]))
    assert (len(images), x.shape) == (2_000, (2, 1, 56, 56))


def test_the_order_can_begin_anywhere() -> None:
    whole = list(islice(data.order(20, batch=6, seed=5), 12))
    for start in (0, 1, 2, 3, 7, 9):
        later = list(islice(data.order(20, batch=6, seed=5, start=start), 12 - start))
        assert all(torch.equal(one, other) for one, other in zip(whole[start:], later, strict=True)), start


def test_load_gives_the_extract_bit_for_bit() -> None:
    train, test = data.load("fashion_mnist_extract", size=28, device=torch.device("cpu"))
    assert (len(train), len(test), train.pixels.shape) == (12_000, 2_000, (12_000, 1, 28, 28))
    places = next(data.order(12_000, batch=32, seed=0))
    pixels = torch.tensor(extract.load().train_images)[places].unsqueeze(1)
    x, y = train.batch(places)
    assert torch.equal(x, pixels.float() / 127.5 - 1)
    assert y.tolist() == extract.load().train_labels[places.numpy()].tolist()


def test_load_reads_colour_too(tmp_path: Path) -> None:
    root = datafiles.folder(tmp_path / "grey", {"dark": 6, "light": 6})
    train, test = data.load(f"folder:{root}", size=24, device=torch.device("cpu"))
    x, y = train.batch(slice(0, 10))
    assert (x.shape, y.tolist(), len(test)) == ((10, 3, 24, 24), [0] * 5 + [1] * 5, 2)
    assert x[0, 0, 0, 0] == pytest.approx(10 / 127.5 - 1)


def one_by_one(x: torch.Tensor, moves: torch.Tensor) -> torch.Tensor:
    """What `moved` must be, said with slices."""
    out = torch.full_like(x, -1.0)
    side = x.shape[-1]
    for image, (flip, down, right) in enumerate(moves.tolist()):
        turned = x[image].flip(-1) if flip else x[image]
        rows, columns = (slice(max(by, 0), side + min(by, 0)) for by in (down, right))
        from_rows, from_columns = (slice(max(-by, 0), side + min(-by, 0)) for by in (down, right))
        out[image, :, rows, columns] = turned[:, from_rows, from_columns]
    return out


@pytest.mark.parametrize("side", [28, 33])
def test_augmentation_flips_and_shifts(side: int) -> None:
    x = torch.rand((64, 3, side, side), generator=torch.Generator().manual_seed(0)) * 2 - 1
    moves = data.moves(64, side=side, seed=3, step=7)
    assert torch.equal(data.moved(x, moves), one_by_one(x, moves))
    assert torch.equal(data.augmented(x, seed=3, step=7), one_by_one(x, moves))


def test_moves_follow_from_seed_and_step_alone() -> None:
    first = data.moves(64, side=32, seed=3, step=7)
    torch.rand(3)
    assert torch.equal(data.moves(64, side=32, seed=3, step=7), first)
    for seed, step in ((3, 8), (4, 7), (7, 3)):
        assert not torch.equal(data.moves(64, side=32, seed=seed, step=step), first)


def test_moves_reach_an_eighth_and_no_farther() -> None:
    moves = torch.cat([data.moves(100, side=32, seed=0, step=step) for step in range(20)])
    assert moves[:, 0].unique().tolist() == [0, 1]
    assert moves[:, 1].unique().tolist() == moves[:, 2].unique().tolist() == list(range(-4, 5))
    assert float(moves[:, 0].float().mean()) == pytest.approx(0.5, abs=0.05)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_augmentation_is_the_same_on_a_gpu() -> None:
    x = torch.rand((32, 3, 32, 32)) * 2 - 1
    assert torch.equal(data.augmented(x.cuda(), seed=1, step=2).cpu(), data.augmented(x, seed=1, step=2))
