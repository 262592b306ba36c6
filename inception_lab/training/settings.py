"""What a run is: one frozen record that says everything needed to make the same numbers again.

A run's folder holds it as `settings.json`; `from_dict(to_dict())` gives an equal record back. Nothing here imports
torch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from difflib import get_close_matches
from typing import Any, Literal, Self, get_args

from inception_lab.errors import SettingsError, UnknownNetwork
from inception_lab.nets import catalog
from inception_lab.nets.ops import Net

Data = Literal["fashion_mnist_extract"]
Optimiser = Literal["rmsprop_tf", "sgd", "adam"]
Schedule = Literal["constant", "exponential"]
Init = Literal["he", "xavier", "truncated", "torch"]
Device = Literal["auto", "cpu", "cuda"]

CLASSES = 10
INPUTS = 1

_WORDS: dict[str, tuple[str, ...]] = {
    "data": get_args(Data),
    "optimiser": get_args(Optimiser),
    "schedule": get_args(Schedule),
    "init": get_args(Init),
    "device": get_args(Device),
}
# field: smallest, largest. The largest values are there to catch a slip of the hand, not to say what is wise.
_WHOLE: dict[str, tuple[int, int]] = {
    "image_size": (16, 331),
    "batch": (2, 2_000),
    "steps": (1, 1_000_000),
    "schedule_steps": (1, 1_000_000),
    "seed": (0, 2**31 - 1),
    "threads": (1, 256),
    "telemetry_every": (0, 1_000_000),
}
_REAL: dict[str, tuple[float, float]] = {
    "width": (0.03, 4.0),
    "scale": (0.0, 10.0),
    "rate": (0.0, 100.0),
    "momentum": (0.0, 0.9999),
    "decay": (0.0, 0.9999),
    "eps": (1e-12, 100.0),
    "schedule_factor": (1e-6, 1.0),
    "clip": (1e-6, 1e6),
    "average": (0.0, 0.999999),
}
_OPTIONAL = frozenset({"clip", "average"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """One training run. Defaults are the preset `micro` (see `presets`).

    The network: `network` from the catalogue, its channels times `width`, `repeats` of the stages A, B and C (None: as
    the catalogue has them), `small` for the stem made for about 32 pixels, every residual times `scale`, weights by
    `init`. The data: `image_size` is the side in pixels, to which images are resized; `batch` images a step, `steps`
    steps. The optimiser: `decay` and `eps` are RMSProp's alone (Adam takes `momentum` as its first beta, 0.999 as its
    second, and PyTorch's eps); `schedule` "exponential" multiplies `rate` by `schedule_factor` every `schedule_steps`
    steps; `clip` bounds the global norm of the gradient; `average` is the decay of the running average of the weights,
    used for the final evaluation. The machine: `seed` fixes weights and order of the images, `threads` torch's CPU
    threads; the same seed with another number of threads gives other numbers. `telemetry_every` measures the blocks
    every so many steps, 0 never.

    Raises `SettingsError` for anything that cannot be run.
    """

    preset: str = "micro"
    network: str = "inception_resnet_v2_paper"
    width: float = 0.25
    repeats: tuple[int, int, int] | None = (5, 10, 5)
    small: bool = True
    scale: float = 1.0
    data: Data = "fashion_mnist_extract"
    image_size: int = 28
    batch: int = 32
    steps: int = 120
    optimiser: Optimiser = "rmsprop_tf"
    rate: float = 0.2
    momentum: float = 0.9
    decay: float = 0.9
    eps: float = 1.0
    schedule: Schedule = "constant"
    schedule_factor: float = 0.94
    schedule_steps: int = 100
    clip: float | None = None
    average: float | None = None
    init: Init = "he"
    seed: int = 0
    device: Device = "auto"
    threads: int = 1
    telemetry_every: int = 1

    def __post_init__(self) -> None:
        _check_words(self)
        _check_numbers(self)
        _check_network(self)
        if self.preset == "wide" and self.rate >= 0.2:
            raise SettingsError(
                f"The preset wide with a rate of {self.rate:g} kills scale 0.1 as well as 1.0, so it shows nothing "
                "about scaling. Take a rate of 0.1 or less, or the preset micro."
            )

    def net(self) -> Net:
        """The network of this run. With the preset micro: 1,945,338 parameters and 26.5 million multiply-adds an
        image; with wide: 29,945,514 and 377.5 million.

        Width thins the network first, so the small stem keeps its own 32 and 64 channels and only its end is thinned.
        """
        net = catalog.net(self.network).thin(self.width).with_(inputs=INPUTS, classes=CLASSES, dropout=0.0)
        if self.repeats is not None:
            net = net.repeats(*self.repeats)
        if self.small:
            net = net.small()
        return net.scaled(self.scale).with_(size=self.image_size)

    def to_dict(self) -> dict[str, Any]:
        """Plain values under the names of the fields, ready for JSON."""
        values = asdict(self)
        return {**values, "repeats": None if self.repeats is None else list(self.repeats)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The settings that `to_dict` wrote; fields left out take their defaults.

        Raises `SettingsError` for a field there is not, and for values that cannot be run.
        """
        if not isinstance(values, Mapping):
            raise SettingsError(f"Settings are an object with a value for each name, not {values!r}.")
        _check_names(values)
        repeats = values.get("repeats")
        return cls(**{**values, "repeats": tuple(repeats)} if isinstance(repeats, list) else values)

    def with_(self, **changes: Any) -> Self:
        """The same settings with fields replaced, for example `settings.with_(scale=0.1, seed=3)`."""
        _check_names(changes)
        return replace(self, **changes)


FIELDS = tuple(field.name for field in fields(Settings))


def _check_names(values: Mapping[str, Any]) -> None:
    for name in values:
        if name not in FIELDS:
            near = get_close_matches(str(name), FIELDS, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"There are {', '.join(FIELDS)}."
            raise SettingsError(f"There is no setting {name!r}. {hint}")


def _check_words(settings: Settings) -> None:
    for name, words in _WORDS.items():
        value = getattr(settings, name)
        if value not in words:
            raise SettingsError(f"{name} cannot be {value!r}; it is one of {', '.join(words)}.")
    if not isinstance(settings.preset, str) or not settings.preset:
        raise SettingsError(f"preset must be a name, not {settings.preset!r}.")
    if not isinstance(settings.small, bool):
        raise SettingsError(f"small must be true or false, not {settings.small!r}.")


def _check_numbers(settings: Settings) -> None:
    for name, (least, most) in _WHOLE.items():
        value = getattr(settings, name)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise SettingsError(f"{name} must be a whole number from {least} to {most}, not {value!r}.")
    for name, (low, high) in _REAL.items():
        value = getattr(settings, name)
        if value is None and name in _OPTIONAL:
            continue
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise SettingsError(f"{name} must be a number from {low:g} to {high:g}, not {value!r}.")
        if not low <= value <= high or not math.isfinite(value):
            raise SettingsError(f"{name} must be from {low:g} to {high:g}, not {value!r}.")


def _check_network(settings: Settings) -> None:
    if not isinstance(settings.network, str):
        raise SettingsError(f"network must be a name, not {settings.network!r}.")
    try:
        catalog.net(settings.network)
    except UnknownNetwork as error:
        raise SettingsError(str(error)) from None
    repeats = settings.repeats
    if repeats is None:
        return
    if not isinstance(repeats, tuple) or len(repeats) != 3:
        raise SettingsError(f"repeats must be three counts for the stages A, B and C, not {repeats!r}.")
    if not all(isinstance(count, int) and not isinstance(count, bool) and 1 <= count <= 100 for count in repeats):
        raise SettingsError(f"repeats must be whole numbers from 1 to 100, not {list(repeats)}.")
