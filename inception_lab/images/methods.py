"""The attribution methods by name: what each is called, what it costs, and the score it explains.

The methods themselves are in `gradients`, `layers` and `perturbations`, by Captum on plain tensors: each takes a
`Score` and one image (1, C, H, W) and returns a `Map`. The caller keeps other threads off the model: hooks hang on it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from typing import Any, Literal, final, get_args

import numpy as np
import torch
from torch import Tensor, nn

from inception_lab.errors import SettingsError

Method = Literal[
    "integrated_gradients",
    "saliency",
    "input_x_gradient",
    "smoothgrad",
    "guided_backprop",
    "deeplift",
    "grad_cam",
    "guided_grad_cam",
    "layer_conductance",
    "occlusion",
    "feature_ablation",
]
METHODS: tuple[Method, ...] = get_args(Method)
TITLES: dict[Method, str] = {
    "integrated_gradients": "Integrated gradients",
    "saliency": "Saliency",
    "input_x_gradient": "Input × gradient",
    "smoothgrad": "SmoothGrad",
    "guided_backprop": "Guided backpropagation",
    "deeplift": "DeepLift",
    "grad_cam": "Grad-CAM",
    "guided_grad_cam": "Guided Grad-CAM",
    "layer_conductance": "Layer conductance",
    "occlusion": "Occlusion",
    "feature_ablation": "Superpixel ablation",
}
"""As sentences write them."""
AT_LAYER: tuple[Method, ...] = ("grad_cam", "guided_grad_cam", "layer_conductance")
"""Methods that look at one layer, which has an address."""
COMPLETE: tuple[Method, ...] = ("integrated_gradients", "deeplift", "layer_conductance")
"""Methods that promise that their parts add up to the change of the score."""
SIGNED: tuple[Method, ...] = ("input_x_gradient", *COMPLETE, "occlusion", "feature_ablation")
"""Methods whose values are amounts of the score, for the class or against it; the others tell only how much."""

Progress = Callable[[int, int], None]
"""Called with (images run forward, images in all); what it raises ends the attribution and leaves no hook behind."""

STEPS = 50
BATCH = 4  # on a CPU faster than 1 and than 8, measured for EfficientNet-Lite0 and Inception-v4 with gradients
SAMPLES, NOISE, SEED = 25, 0.15, 0  # of SmoothGrad; the noise as a share of the image's range (Smilkov et al. 2017)
REGIONS = 60  # superpixels asked for; a picture may have some more or fewer


def later(progress: Progress | None, done: int, total: int) -> Progress | None:
    """`progress` for a part that starts when `done` of `total` images are through."""
    return None if progress is None else lambda here, _: progress(min(done + here, total), total)


@dataclass(frozen=True, slots=True, eq=False)
class Map:
    """`values` (H, W); where the method promises a sum, `difference` is that sum and `completeness_error` what lacks.

    Both are in logits. What is said of completeness holds before a layer's map is enlarged to the image.
    """

    values: np.ndarray[Any, np.dtype[np.float32]]
    completeness_error: float | None = None
    difference: float | None = None


@dataclass(frozen=True, slots=True)
class Passes:
    """Images that go through the network: `gradient` of them forward and backward, `forward` of them forward only."""

    gradient: int
    forward: int

    @property
    def images(self) -> int:
        """All of them."""
        return self.gradient + self.forward


@final
class Meter:
    """Counts the images that went through, and tells `progress` before and after each batch."""

    def __init__(self, total: int = 0, progress: Progress | None = None) -> None:
        self.done = 0
        self._total = total
        self._progress = progress

    def add(self, images: int) -> None:
        """So many more are through."""
        self.done += images
        if self._progress is not None:
            self._progress(self.done, self._total)


@final
class Score(nn.Module):
    """What is explained, as a network of its own: (N, C, H, W) to (N,), in logits.

    The logit of class `target`, or with `against` that logit less the one of class `against`. `over` is the same score
    of another network, counted by the same meter; `last` holds the scores of the last batch.
    """

    def __init__(
        self, model: nn.Module, target: int, against: int | None = None, *, meter: Meter | None = None
    ) -> None:
        super().__init__()
        self.model = model
        self.target, self.against = target, against
        self.meter = meter or Meter()
        self.last = torch.zeros(0)

    def forward(self, x: Tensor) -> Tensor:
        """The score of each image."""
        self.meter.add(0)
        logits: Tensor = self.model(x)
        self.meter.add(len(x))
        values = logits[:, self.target]
        if self.against is not None:
            values = values - logits[:, self.against]
        self.last = values.detach()
        return values

    def over(self, model: nn.Module) -> Score:
        """The same score of another network."""
        return Score(model, self.target, self.against, meter=self.meter)


def prepare() -> None:
    """Imports Captum, which takes seconds the first time; better before a lock is held or a clock runs."""
    import captum.attr  # noqa: F401

    # Said at every call of DeepLift and guided backpropagation: here the hooks hang on a copy that is thrown away.
    warnings.filterwarnings("ignore", message=r"\s*Setting (forward, )?backward hooks", category=UserWarning)


def window(size: int) -> tuple[int, int]:
    """Side and stride in pixels of the square that occlusion moves: a seventh of the input, by half of itself."""
    side = max(1, round(size / 7))
    return side, max(1, side // 2)


def passes(method: Method, size: int, *, batch: int = BATCH, regions: int = REGIONS) -> Passes:
    """What a method runs through the network for one image of `size` x `size`.

    `batch` counts for layer conductance alone, whose batches overlap by one; `regions` for feature ablation.
    Raises `SettingsError` for a method that does not exist.
    """
    match method:
        case "integrated_gradients":
            return Passes(STEPS, 2)  # the two ends of the path give the difference to compare with
        case "saliency" | "input_x_gradient" | "grad_cam":
            return Passes(1, 0)
        case "smoothgrad":
            return Passes(SAMPLES, 0)
        case "guided_backprop":
            return Passes(1, 1)  # the pass without a gradient looks whether the method is sound here
        case "deeplift" | "guided_grad_cam":
            return Passes(2, 1)
        case "layer_conductance":
            return Passes(STEPS + ceil(STEPS / (max(batch, 2) - 1)), 2)
        case "occlusion":
            side, stride = window(size)
            return Passes(0, 1 + (ceil((size - side) / stride) + 1) ** 2)
        case "feature_ablation":
            return Passes(0, 1 + regions)
        case _:
            raise SettingsError(f"There is no method {method!r}; there are {', '.join(METHODS)}.")


@contextmanager
def recording(image: Tensor) -> Iterator[Tensor]:
    """A copy of the image that records gradients, whatever mode the calling thread is in."""
    with torch.inference_mode(False), torch.enable_grad():
        yield image.clone().requires_grad_()


@contextmanager
def entering_short(image: Tensor) -> Iterator[Tensor]:
    """A copy of the image for a method that looks at a layer: gradients are recorded from the layer on, where Captum's
    hook asks for them, and nothing is kept of what lies before it. The digits are those of a whole way back."""
    with torch.inference_mode(False), torch.enable_grad():
        yield image.clone()


def ends(score: Score, image: Tensor, baseline: Tensor) -> float:
    """score(image) - score(baseline)."""
    with torch.no_grad():
        first, last = score(torch.cat([baseline, image])).double().tolist()
    return float(last - first)


def plain(values: Tensor) -> np.ndarray[Any, np.dtype[np.float32]]:
    """(H, W) as NumPy, float32."""
    return np.ascontiguousarray(values.detach().cpu().numpy(), dtype=np.float32)
