"""The memory that the long questions take: `cap("trust", "inception_v4.tf_in1k", method="grad_cam")`, in bytes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, assert_never, get_args

import torch
from PIL import Image
from torch import nn

from inception_lab.errors import SettingsError
from inception_lab.images import deletion, estimate, residuals
from inception_lab.images.estimate import FIXED, HELD, LIVE, Measured, measured
from inception_lab.images.explain import entering, layer
from inception_lab.images.joints import residues, trunk
from inception_lab.images.methods import METHODS, Method
from inception_lab.images.networks import MODELS, Loaded
from inception_lab.images.randomised import calibration
from inception_lab.models.memory import weight_bytes
from inception_lab.models.records import EMBEDDED

Task = Literal["credit", "rho", "damage", "trust", "agreement"]
TASKS: tuple[Task, ...] = get_args(Task)

# Measured on EfficientNet-Lite0 by peaks as `bench.peak` takes them (PyTorch 2.15, one thread), with room for networks
# that have concatenations, or forty adds to copy.
DOUBLE = 8.0  # of a node's maps in credit: parts, slopes, products and sizes, in fp64 (1.5 measured over the way back)
FRESH = 8.0  # as `LIVE`, of a network whose batch norm learns: not folded, nothing done in place (5.6 measured)
KEPT = 1.5  # what credit keeps over what any way back keeps: outputs of adds, copied for the next step (1.1 measured)


def cap(task: Task, network: str = EMBEDDED, *, method: Method = "integrated_gradients", at: str | None = None) -> int:
    """The most bytes that `task` takes beside the network as it was loaded; `method` is for "trust" and "agreement",
    `at` the layer of a layer's method, by default the end of the last stage.

    From passes that are measured on this machine the first time, after which the second copy of the weights, in the
    processor's order, is there too (`models.packed`). Several networks of an agreement are asked one after the other:
    the largest cap counts. Errors as `images.attribute.estimate`.
    """
    if task not in TASKS:
        raise SettingsError(f"There is no task {task!r}; there are {', '.join(TASKS)}.")
    if method not in METHODS:
        raise SettingsError(f"There is no method {method!r}; there are {', '.join(METHODS)}.")
    loaded = MODELS.get(network)
    return FIXED + int(_beside(task, loaded, measured(loaded), method, at))


def _beside(task: Task, loaded: Loaded, found: Measured, method: Method, at: str | None) -> float:
    match task:
        case "rho":
            return LIVE * found.live
        case "credit":
            return KEPT * HELD * found.held + DOUBLE * found.live
        case "damage":
            return LIVE * residuals.ROWS * found.live + _rows(loaded)
        case "agreement":
            return max(_map(loaded, method, at), deletion.CHUNK * LIVE * found.live)
        case "trust":  # another network: its weights, their second copy, and what is written while they are folded
            again = 3 * weight_bytes(loaded.model)
            return again + max(_map(loaded, method, at), calibration() * FRESH * found.live)
        case _:
            assert_never(task)


def _map(loaded: Loaded, method: Method, at: str | None) -> int:
    module = layer(loaded, at)[1] if method in estimate.SHORT else None
    return estimate.estimate(method, estimate.reach(method, loaded, module), size=loaded.record.size).bytes


def _rows(loaded: Loaded) -> int:
    """Bytes of the images that go along in `damage`: those of a part, and the pieces they are joined from."""
    if not residues(loaded):
        return 0
    size = loaded.record.size
    sizes: list[int] = []
    with loaded.lock, torch.inference_mode():
        x = entering(loaded, Image.new("RGB", (size, size)))
        for module in trunk(loaded):
            x = module(x)
            sizes.append(x.nbytes)
    counts = _counts(loaded, trunk(loaded))
    return 2 * max((rows * (a + b) for rows, (a, b) in zip(counts[1:], pairwise(sizes), strict=True)), default=0)


def _counts(loaded: Loaded, parts: Sequence[nn.Module]) -> list[int]:
    """Rows that leave each part: one for each residual so far, and the image as it is."""
    modules = {residue.module for residue in residues(loaded)}
    counts, rows = [], 1
    for part in parts:
        rows += sum(inner in modules for inner in part.modules())
        counts.append(rows)
    return counts
