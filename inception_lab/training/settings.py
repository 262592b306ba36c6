"""What a run is: one frozen record that says everything needed to make the same numbers again.

A run's folder holds it as `settings.json`; `from_dict(to_dict())` gives an equal record back. Nothing here imports
torch. What a field may be stands in `bounds`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from difflib import get_close_matches
from typing import Any, Literal, Self

from inception_lab.errors import SettingsError
from inception_lab.nets import catalog
from inception_lab.nets.ops import Gain, Net
from inception_lab.readers.notation import parse
from inception_lab.training import bounds
from inception_lab.training.datasets import described

Optimiser = Literal["rmsprop_tf", "sgd", "adam"]
Schedule = Literal["constant", "exponential", "warmup", "ramp"]
Init = Literal["he", "xavier", "truncated", "torch"]
Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["fp32", "bf16", "fp16"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork:
    """Where a run branched off: another run's id, and the first step that its own settings decide."""

    run: str
    step: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """One training run. Defaults are the preset `micro` (see `presets`).

    The network: `network` from the catalogue, or `design`, a whole network in the notation of Explore, in its place;
    its channels times `width`, `repeats` of the stages A, B and C (None: as the catalogue has them), `small` for the
    stem made for about 32 pixels. Every residual is multiplied by `scale`, or those of A, B and C by `stage_scales`;
    `gain` says whether that number is trained (see `nets.ops.Residual`). Weights come from `init`, and those of each
    residual's closing 1x1 are multiplied by `closing`. `end_norm` adds batch norm and ReLU before the pooling,
    `dropout` is the share dropped after it.

    The data: a name in `datasets`; `image_size` is the side in pixels, to which images are resized; `augment` flips
    and shifts the training images; `batch` images a step, `steps` steps.

    The optimiser: `decay` and `eps` are RMSProp's alone (Adam takes `momentum` as its first beta, 0.999 as its second,
    and PyTorch's eps). `schedule` "exponential" multiplies `rate` by `schedule_factor` every `schedule_steps` steps;
    "warmup" makes `warmup_steps` steps at `warmup_rate` before it jumps to `rate`, the paper's two phases; "ramp" rises
    in a line to `rate` over `warmup_steps` steps. `clip` bounds the global norm of the gradient; `average` is the decay
    of the running average of the weights, used for the final evaluation. `precision` is that of the forward pass;
    weights, batch norm's statistics and updates stay fp32.

    The machine: `seed` fixes weights and order of the images, `threads` torch's CPU threads; the same seed with another
    number of threads gives other numbers. `telemetry_every` measures the blocks every so many steps, 0 never;
    `checkpoint_every` keeps all that a fork needs every so many steps, 0 never. `fork` names the run and step this one
    branched from.

    Raises `SettingsError` for anything that cannot be run.
    """

    preset: str = "micro"
    network: str = "inception_resnet_v2_paper"
    design: str | None = None
    width: float = 0.25
    repeats: tuple[int, int, int] | None = (5, 10, 5)
    small: bool = True
    scale: float = 1.0
    stage_scales: tuple[float, float, float] | None = None
    gain: Gain = "fixed"
    closing: float = 1.0
    end_norm: bool = False
    dropout: float = 0.0
    data: str = "fashion_mnist_extract"
    image_size: int = 28
    augment: bool = False
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
    warmup_steps: int = 50
    warmup_rate: float = 1e-5
    clip: float | None = None
    average: float | None = None
    init: Init = "he"
    precision: Precision = "fp32"
    seed: int = 0
    device: Device = "auto"
    threads: int = 1
    telemetry_every: int = 1
    checkpoint_every: int = 0
    fork: Fork | None = None

    def __post_init__(self) -> None:
        bounds.check(self)
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
        data = described(self.data)
        net = self._drawn().thin(self.width).with_(inputs=data.channels, classes=data.classes, dropout=self.dropout)
        if self.repeats is not None:
            net = net.repeats(*self.repeats)
        if self.small:
            net = net.small()
        scale = self.scale if self.stage_scales is None else self.stage_scales
        return net.scaled(scale, gain=self.gain).with_(size=self.image_size, end_norm=self.end_norm)

    def to_dict(self) -> dict[str, Any]:
        """Plain values under the names of the fields, ready for JSON."""
        values = asdict(self)
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    def differences(self, usual: Self | None = None) -> dict[str, Any]:
        """As `to_dict`, but only what differs from `usual` (None: the defaults): a name made of this stays what it is
        when settings are added to the lab."""
        known = (type(self)() if usual is None else usual).to_dict()
        return {name: value for name, value in self.to_dict().items() if value != known[name]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The settings that `to_dict` wrote; fields left out take their defaults.

        Raises `SettingsError` for a field there is not, and for values that cannot be run.
        """
        if not isinstance(values, Mapping):
            raise SettingsError(f"Settings are an object with a value for each name, not {values!r}.")
        _check_names(values)
        plain: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
        }
        if isinstance(plain.get("fork"), Mapping):
            plain["fork"] = _fork(plain["fork"])
        return cls(**plain)

    def with_(self, **changes: Any) -> Self:
        """The same settings with fields replaced, for example `settings.with_(scale=0.1, seed=3)`."""
        _check_names(changes)
        return replace(self, **changes)

    def _drawn(self) -> Net:
        if self.design is None:
            return catalog.net(self.network)
        net = parse(self.design)
        assert isinstance(net, Net)  # bounds.check has seen to it
        return net


FIELDS = tuple(field.name for field in fields(Settings))


def told(value: Any) -> str:
    """A setting's value as people and the command line write it: none, true, 0.25, 5/10/5, ID@40."""
    match value:
        case None:
            return "none"
        case bool():
            return str(value).lower()
        case float():
            return f"{value:g}"
        case tuple() | list():
            return "/".join(map(told, value))
        case Fork(run=run, step=step):
            return f"{run}@{step}"
        case _:
            return str(value)


def _fork(values: Mapping[str, Any]) -> Fork:
    if values.keys() != {"run", "step"}:
        raise SettingsError(f"fork says run and step, not {sorted(values)}.")
    return Fork(run=values["run"], step=values["step"])


def _check_names(values: Mapping[str, Any]) -> None:
    for name in values:
        if name not in FIELDS:
            near = get_close_matches(str(name), FIELDS, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"There are {', '.join(FIELDS)}."
            raise SettingsError(f"There is no setting {name!r}. {hint}")
