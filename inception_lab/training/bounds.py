"""What each field of `Settings` may be. The largest numbers are there to catch a slip of the hand, not to say what is
wise; every refusal names the field, the value and the way out."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from inception_lab.errors import LabError, SettingsError, UnknownNetwork
from inception_lab.nets import catalog
from inception_lab.nets.address import blocks
from inception_lab.nets.ops import Net, Residual
from inception_lab.readers.notation import parse
from inception_lab.training.datasets import check_name

if TYPE_CHECKING:
    from inception_lab.training.settings import Settings

# These repeat the `Literal`s of the fields; a test holds the two together.
WORDS: dict[str, tuple[str, ...]] = {
    "gain": ("fixed", "learned", "zero"),
    "optimiser": ("rmsprop_tf", "sgd", "adam"),
    "schedule": ("constant", "exponential", "warmup", "ramp"),
    "init": ("he", "xavier", "truncated", "torch"),
    "precision": ("fp32", "bf16", "fp16"),
    "device": ("auto", "cpu", "cuda"),
}
WHOLE: dict[str, tuple[int, int]] = {
    "image_size": (16, 331),
    "batch": (2, 2_000),
    "steps": (1, 1_000_000),
    "schedule_steps": (1, 1_000_000),
    "warmup_steps": (1, 1_000_000),
    "seed": (0, 2**31 - 1),
    "threads": (1, 256),
    "telemetry_every": (0, 1_000_000),
    "checkpoint_every": (0, 1_000_000),
}
REAL: dict[str, tuple[float, float]] = {
    "width": (0.03, 4.0),
    "scale": (0.0, 10.0),
    "closing": (0.0, 10.0),
    "dropout": (0.0, 0.95),
    "rate": (0.0, 100.0),
    "momentum": (0.0, 0.9999),
    "decay": (0.0, 0.9999),
    "eps": (1e-12, 100.0),
    "schedule_factor": (1e-6, 1.0),
    "warmup_rate": (0.0, 100.0),
    "clip": (1e-6, 1e6),
    "average": (0.0, 0.999999),
}
FLAGS = ("small", "end_norm", "augment")
OPTIONAL = frozenset({"clip", "average"})
LONGEST_DESIGN = 100_000  # characters; the longest network of the catalogue takes a tenth


def check(settings: Settings) -> None:
    """Raise `SettingsError` for the first field that cannot be run."""
    _check_words(settings)
    _check_numbers(settings)
    _check_network(settings)
    _check_scales(settings)
    _check_fork(settings)
    try:
        check_name(settings.data)
    except LabError as error:
        raise SettingsError(str(error)) from None


def check_scaling(settings: Settings) -> None:
    """Raise `SettingsError` for settings that scale the residuals of a network without any.

    Asked before a run is queued and not of every record, so that runs made before this was refused can still be read.
    """
    plain = (settings.scale, settings.stage_scales, settings.gain, settings.closing) == (1.0, None, "fixed", 1.0)
    if not plain and not has_residuals(settings):
        said = "the design" if settings.design is not None else settings.network
        raise SettingsError(
            f"{said} has no residual block, so a scale would do nothing. Leave scale and closing at 1, stage_scales at "
            "none and gain fixed, or take a network with residuals."
        )


def has_residuals(settings: Settings) -> bool:
    """Whether the network of the settings has a residual block whose scale can matter."""
    return _has_residuals(settings.network, settings.design)


@lru_cache(maxsize=64)
def _has_residuals(network: str, design: str | None) -> bool:
    net = catalog.net(network) if design is None else parse(design)
    assert isinstance(net, Net)
    return any(isinstance(block, Residual) for _, block in blocks(net))


def _check_words(settings: Settings) -> None:
    for name, words in WORDS.items():
        value = getattr(settings, name)
        if value not in words:
            raise SettingsError(f"{name} cannot be {value!r}; it is one of {', '.join(words)}.")
    for name in ("preset", "data"):
        value = getattr(settings, name)
        if not isinstance(value, str) or not value:
            raise SettingsError(f"{name} must be a name, not {value!r}.")
    for name in FLAGS:
        if not isinstance(getattr(settings, name), bool):
            raise SettingsError(f"{name} must be true or false, not {getattr(settings, name)!r}.")


def _check_numbers(settings: Settings) -> None:
    for name, (least, most) in WHOLE.items():
        if not whole(value := getattr(settings, name)) or not least <= value <= most:
            raise SettingsError(f"{name} must be a whole number from {least} to {most}, not {value!r}.")
    for name, (low, high) in REAL.items():
        value = getattr(settings, name)
        if value is None and name in OPTIONAL:
            continue
        _check_real(name, value, low, high)


def _check_real(name: str, value: Any, low: float, high: float) -> None:
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
    _check_design(settings.design)
    repeats = settings.repeats
    if repeats is None:
        return
    if not isinstance(repeats, tuple) or len(repeats) != 3:
        raise SettingsError(f"repeats must be three counts for the stages A, B and C, not {repeats!r}.")
    if not all(whole(count) and 1 <= count <= 100 for count in repeats):
        raise SettingsError(f"repeats must be whole numbers from 1 to 100, not {list(repeats)}.")


def _check_design(design: str | None) -> None:
    if design is None:
        return
    if not isinstance(design, str) or len(design) > LONGEST_DESIGN:
        raise SettingsError(f"design must be a network in the lab's notation, at most {LONGEST_DESIGN:,} characters.")
    try:
        found = parse(design)
    except LabError as error:
        raise SettingsError(f"design cannot be read: {error}") from None
    if not isinstance(found, Net):
        raise SettingsError("design must be a whole network, Net(...), not a part of one.")


def _check_scales(settings: Settings) -> None:
    scales = settings.stage_scales
    if scales is None:
        return
    if not isinstance(scales, tuple) or len(scales) != 3:
        raise SettingsError(f"stage_scales must be three numbers for the stages A, B and C, not {scales!r}.")
    for scale in scales:
        _check_real("stage_scales", scale, *REAL["scale"])


def _check_fork(settings: Settings) -> None:
    fork = settings.fork
    if fork is None:
        return
    if not isinstance(getattr(fork, "run", None), str) or not whole(fork.step) or not 0 <= fork.step < settings.steps:
        raise SettingsError(f"fork must name a run and a step before the last, {settings.steps - 1}; not {fork!r}.")


def whole(value: Any) -> bool:
    """Whether a value is a whole number and no truth value."""
    return isinstance(value, int) and not isinstance(value, bool)
