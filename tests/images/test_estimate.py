"""What is announced: batches that keep to the cap, seconds and bytes that hold in a process of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch
from torch import nn

from inception_lab.assets import asset
from inception_lab.images.announce import announce
from inception_lab.images.attribute import attribute
from inception_lab.images.estimate import CAP, FIXED, HELD, Measured, batch_of, estimate, measured, reach
from inception_lab.images.explain import layer
from inception_lab.images.methods import BATCH, METHODS
from inception_lab.images.networks import MODELS, Loaded
from inception_lab.models.records import EMBEDDED, record

SMALL = Measured(forward=0.01, gradient=0.03, live=1 << 20, held=1 << 20)


def test_the_cap_makes_the_batches() -> None:
    """An image that holds a third of the cap leaves room for one or two; one beyond it still runs, alone."""
    assert batch_of("integrated_gradients", SMALL) == BATCH
    third = Measured(0.1, 0.3, 1 << 20, int((CAP - FIXED) / HELD / 2.5))
    assert batch_of("integrated_gradients", third) == 2
    assert batch_of("occlusion", third) == BATCH, "nothing is held without gradients"
    huge = Measured(0.1, 0.3, 1 << 20, 4 * CAP)
    assert batch_of("integrated_gradients", huge) == 1
    assert batch_of("layer_conductance", huge) == 2, "it compares neighbours"
    said = estimate("integrated_gradients", huge, size=299)
    assert said.bytes > said.cap
    assert "more than the cap of 1074 MB" in str(said)


@pytest.mark.parametrize("method", METHODS)
def test_what_fits_is_within_the_cap(method: str) -> None:
    for held in (1 << 20, 64 << 20, 150 << 20):  # at most 2 at a time for conductance, which then fills the cap
        said = estimate(method, Measured(0.1, 0.3, held // 8, held), size=299)  # type: ignore[arg-type]
        assert said.bytes <= CAP


def test_seconds_are_images_times_their_time() -> None:
    assert estimate("integrated_gradients", SMALL, size=224).seconds == pytest.approx(50 * 0.03 + 3 * 0.01)
    assert estimate("occlusion", SMALL, size=224).seconds == pytest.approx(171 * 0.01)
    assert estimate("grad_cam", SMALL, size=224).seconds == pytest.approx(0.04)
    assert str(estimate("saliency", SMALL, size=224)).startswith(
        "2 images through the network, less than a second on this machine, at most about "
    )


def test_the_way_back_to_a_layer_is_shorter_than_to_the_image() -> None:
    """Grad-CAM's alone: what lies before its layer is neither kept nor passed on the way back."""
    loaded = MODELS.get(EMBEDDED)
    whole = reach("saliency", loaded, None)
    last, early = (reach("grad_cam", loaded, layer(loaded, at)[1]) for at in (None, "blocks/1"))
    assert last.held < early.held < whole.held
    assert last.held < whole.held / 8
    assert reach("integrated_gradients", loaded, layer(loaded, None)[1]) is whole
    assert reach("grad_cam", loaded, layer(loaded, None)[1]) is last, "it is measured once"
    assert reach("grad_cam", loaded, nn.Conv2d(3, 3, 1)).held == pytest.approx(whole.held, rel=0.01), "never run"


def test_grad_cam_keeps_nothing_of_what_lies_before_its_layer() -> None:
    kept = [0]

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        kept[0] += tensor.numel()
        return tensor

    def run(at: str) -> int:
        announce("attribute", method="grad_cam", at=at)  # its own passes are not counted
        kept[0] = 0
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            attribute(asset("samples", "coffee.jpg"), method="grad_cam", target=967, at=at)
        return kept[0]

    assert run("bn2") < run("blocks/1") / 4


def test_one_pass_is_measured_once() -> None:
    ran = []

    class Counted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 8, 3, padding=1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            ran.append(len(x))
            found: torch.Tensor = torch.relu(self.conv(x)).mean(dim=(2, 3))
            return found

    loaded = Loaded(replace(record(EMBEDDED), size=32), Counted().requires_grad_(False))
    first = measured(loaded)
    assert len(ran) == 4, "each kind of pass once to warm up and once for the clock"
    with loaded.lock, ThreadPoolExecutor(1) as other:
        assert other.submit(measured, loaded).result(10) is first, "what is known needs no lock"
    assert len(ran) == 4
    maps = 32 * 32 * 4
    assert 8 * maps <= first.held <= 3 * maps + 8 * maps * 2
    assert first.live == 8 * maps
    assert 0 < first.forward < 5


PEAK = """
import json, sys, torch
torch.set_num_threads(1)
from inception_lab.images.attribute import attribute, estimate
from inception_lab.images.estimate import CAP

def peak(name):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(name + ":"))

method, image = sys.argv[1:]
said = estimate(method, image=image)
with open("/proc/self/clear_refs", "w") as file:
    file.write("5")
before = peak("VmRSS")
attribute(image, method=method)
print(json.dumps({"took": peak("VmHWM") - before, "said": said.bytes, "cap": CAP}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's own count of a process's peak")
@pytest.mark.parametrize("method", ["smoothgrad", "deeplift"])
def test_the_peak_is_within_what_was_announced(method: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PEAK, method, str(asset("samples", "coffee.jpg"))],
        capture_output=True,
        text=True,
        check=True,
        timeout=240,
    )
    found = json.loads(done.stdout)
    assert 0.2 * found["said"] < found["took"] <= found["said"] <= found["cap"]
