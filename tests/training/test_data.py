"""Batches: the order belongs to the seed, and the pixels are normalised as stated."""

from itertools import islice

import pytest
import torch

from inception_lab.training import data, extract


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
    images = data.training_images(extract.load(), size=28, device=torch.device("cpu"))
    x, y = images.batch(slice(0, 12_000))
    assert (x.shape, x.dtype, y.dtype) == ((12_000, 1, 28, 28), torch.float32, torch.int64)
    assert (float(x.min()), float(x.max())) == (-1, 1)
    assert float(x[3, 0, 14, 14]) == pytest.approx(int(extract.load().train_images[3, 14, 14]) / 127.5 - 1)


def test_other_sizes_are_resized() -> None:
    images = data.test_images(extract.load(), size=56, device=torch.device("cpu"))
    x, _ = images.batch(torch.tensor([5, 1]))
    assert (len(images), x.shape) == (2_000, (2, 1, 56, 56))
