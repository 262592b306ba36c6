"""The textures are the same bytes on every machine, and a small network learns to tell them apart."""

import hashlib

import numpy as np
import torch
from torch import nn

from inception_lab.training import data, textures


def test_they_are_these_bytes() -> None:
    images, labels = textures.images(64, part=0)
    assert labels[:9].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 0]
    assert hashlib.sha256(images.tobytes()).hexdigest()[:16] == "2cdc575c8fa37733"


def test_parts_differ_and_use_the_range() -> None:
    one, _ = textures.images(800, part=0)
    two, _ = textures.images(800, part=1)
    assert not {image.tobytes() for image in one} & {image.tobytes() for image in two}
    assert (one.min(), one.max()) == (0, 255)
    assert 110 < float(np.mean(one)) < 145


def test_a_small_network_learns_them() -> None:
    train, test = data.load("textures", size=32, device=torch.device("cpu"))
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 16, 5, stride=2),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.Conv2d(16, 32, 5, stride=2),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(32, 8),
    )
    optimiser = torch.optim.Adam(net.parameters(), lr=0.01)
    order = data.order(len(train), batch=64, seed=0)
    for _ in range(100):
        x, y = train.batch(next(order))
        optimiser.zero_grad()
        nn.functional.cross_entropy(net(x), y).backward()
        optimiser.step()
    net.eval()
    with torch.inference_mode():
        x, y = test.batch(slice(0, 1_000))
        assert float((net(x).argmax(1) == y).float().mean()) > 0.8
