"""What a run says while it runs: one JSON object a line in `events.jsonl`.

    {"type": "start", "addresses": [...], "version": ..., "threads": ..., "device": ..., "parameters": ...,
     "classes": 10, "together": 1, "libraries": {"torch": ..., ...}, "data": ""}
    {"type": "step", "step": 0, "loss": ..., "accuracy": ..., "rate": ..., "gradient_norm": ..., "zero_share": ...,
     "shortcut": [...], "residual": [...], "zeros": [...], "cosine": [...], "gradient": [...], "update": [...]}
    {"type": "change", "step": 40, "changes": {"rate": 0.02}}
    {"type": "pause", "step": 40}
    {"type": "end", "status": "finished", "error": null}

JSON knows no NaN or infinity, so a step carries them as the strings "nan", "inf" and "-inf"; in Python they are floats.
A file whose writer was killed may end in half a line: the reader leaves it for the next read.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal, Self

from inception_lab.errors import RunError
from inception_lab.training.libraries import versions

Status = Literal["finished", "cancelled", "failed"]
Event = dict[str, Any]

log = logging.getLogger(__name__)

_SAYS = {
    "start": {"addresses"},
    "step": {"step", "loss", "accuracy", "rate"},
    "change": {"step", "changes"},
    "pause": {"step"},
    "end": {"status"},
}
_WORDS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of training, measured before its update is applied: step 0 is the network as initialised.

    `loss` (cross-entropy in nats) and `accuracy` are those of the batch; `rate` is the rate of this step's update;
    `gradient_norm` the norm of all gradients before clipping. `zero_share` is the share of exact zeros in the tensor
    before the average pooling. `shortcut` and `residual` hold, for each residual block in order, the root mean square
    of x and of scale * F(x), `cosine` the cosine of the angle between the two (over batch, channels and places; nan if
    one is zero), `zeros` the share of exact zeros after the block's ReLU, `gradient` the root mean square of the loss's
    gradient at the sum before that ReLU. `update` is, for each block, the norm of the last update over the norm of the
    weights it met; there is none before step 1. Steps without telemetry have None and empty tuples there.
    """

    step: int
    loss: float
    accuracy: float
    rate: float
    gradient_norm: float | None = None
    zero_share: float | None = None
    shortcut: tuple[float, ...] = ()
    residual: tuple[float, ...] = ()
    zeros: tuple[float, ...] = ()
    cosine: tuple[float, ...] = ()
    gradient: tuple[float, ...] = ()
    update: tuple[float, ...] = ()

    @property
    def ratio(self) -> tuple[float, ...]:
        """residual / shortcut for each block; 0/0 is nan, as both sides of a dead block are zero."""
        return tuple(_ratio(r, x) for r, x in zip(self.residual, self.shortcut, strict=True))

    def to_dict(self) -> Event:
        """The step as an event."""
        return {
            "type": "step",
            "step": self.step,
            "loss": self.loss,
            "accuracy": self.accuracy,
            "rate": self.rate,
            "gradient_norm": self.gradient_norm,
            "zero_share": self.zero_share,
            "shortcut": list(self.shortcut),
            "residual": list(self.residual),
            "zeros": list(self.zeros),
            "cosine": list(self.cosine),
            "gradient": list(self.gradient),
            "update": list(self.update),
        }

    @classmethod
    def from_dict(cls, event: Mapping[str, Any]) -> Self:
        """The step that `to_dict` wrote."""
        return cls(
            step=event["step"],
            loss=event["loss"],
            accuracy=event["accuracy"],
            rate=event["rate"],
            gradient_norm=event.get("gradient_norm"),
            zero_share=event.get("zero_share"),
            shortcut=tuple(event.get("shortcut", ())),
            residual=tuple(event.get("residual", ())),
            zeros=tuple(event.get("zeros", ())),
            cosine=tuple(event.get("cosine", ())),
            gradient=tuple(event.get("gradient", ())),
            update=tuple(event.get("update", ())),
        )


def start(
    *,
    addresses: tuple[str, ...],
    version: str,
    threads: int,
    device: str,
    parameters: int,
    classes: int = 10,
    data: str = "",
) -> Event:
    """The first event of a run; `addresses` name the residual blocks that the lists of a step follow, `classes` counts
    those of its data. The versions of the libraries are those of this process; `data` is `datasets.fingerprint`."""
    return {
        "type": "start",
        "addresses": list(addresses),
        "version": version,
        "threads": threads,
        "device": device,
        "parameters": parameters,
        "classes": classes,
        "libraries": versions(),
        "data": data,
    }


def change(step: int, changes: Mapping[str, Any]) -> Event:
    """Settings that were changed in mid-run; `step` is the first whose update they decide."""
    return {"type": "change", "step": step, "changes": dict(changes)}


def pause(step: int) -> Event:
    """The run waits before `step`; it has gone on as soon as that step, or an end, follows."""
    return {"type": "pause", "step": step}


def end(status: Status, error: str | None = None) -> Event:
    """The last event of a run; a run without one lost its process."""
    return {"type": "end", "status": status, "error": error}


def encode(event: Mapping[str, Any]) -> str:
    """The event as one line of strict JSON, without the newline."""
    return json.dumps(jsonable(event), allow_nan=False, separators=(",", ":"))


def decode(line: str | bytes) -> Event:
    """The event in a line. Raises `RunError` if the line is not one JSON object that says what such an event says."""
    try:
        event = json.loads(line)
    except ValueError:
        event = None
    if not isinstance(event, dict) or not event.keys() >= _SAYS.get(event.get("type", ""), {"type of its own"}):
        raise RunError(f"A line is no event of a run: {line[:80]!r}. The file was damaged; run it again.")
    return {key: parsed(value) for key, value in event.items()} if event.get("type") == "step" else event


def read(path: Path, offset: int = 0) -> tuple[list[Event], int]:
    """Events of a file from byte `offset` on, and the offset to go on from; a missing file has no events yet.

    A last line without its newline is left for the next read. A file that is shorter than `offset`, or has no line
    beginning there, was started anew and is read from its beginning. A damaged line is left out, and logged.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            if offset and (offset > size or not _begins_line(file, offset)):
                offset = 0
            file.seek(offset)
            whole, newline, _ = file.read().rpartition(b"\n")
    except FileNotFoundError:
        return [], 0
    if not newline:
        return [], offset
    found = [_event(path, line) for line in whole.split(b"\n") if line.strip()]
    return [event for event in found if event], offset + len(whole) + 1


def read_steps(path: Path) -> list[Step]:
    """Every step in a run's `events.jsonl`."""
    events, _ = read(path)
    return [Step.from_dict(event) for event in events if event.get("type") == "step"]


def read_start(path: Path) -> Event:
    """The first event of a run, an empty one if it has not started or the line is damaged."""
    try:
        with path.open("rb") as file:
            line = file.readline()
    except FileNotFoundError:
        return {}
    event = _event(path, line) if line.endswith(b"\n") else {}
    return event if event.get("type") == "start" else {}


def jsonable(value: Any) -> Any:
    """`value` with NaN and infinities as strings and tuples as lists, all the way down."""
    match value:
        case float() if not math.isfinite(value):
            return str(value)
        case Mapping():
            return {key: jsonable(item) for key, item in value.items()}
        case list() | tuple():
            return [jsonable(item) for item in value]
        case _:
            return value


def parsed(value: Any) -> Any:
    """`value` with the strings "nan", "inf" and "-inf" as floats, all the way down lists."""
    if isinstance(value, list):
        return [parsed(item) for item in value]
    return _WORDS.get(value, value) if isinstance(value, str) else value


def _begins_line(file: BinaryIO, offset: int) -> bool:
    file.seek(offset - 1)
    return file.read(1) == b"\n"


def _event(path: Path, line: bytes) -> Event:
    """The event in a line, an empty one if the line is damaged: one bad line must not hide the others."""
    try:
        event = decode(line)
    except RunError as error:
        log.warning("%s: %s", path, error)
        return {}
    kind = event.get("type")
    if not isinstance(kind, str) or not _SAYS.get(kind, set()) <= event.keys():
        log.warning("%s: an event lacks what it should say: %r", path, line[:80])
        return {}
    return event


def _ratio(residual: float, shortcut: float) -> float:
    if shortcut == 0:
        return math.nan if residual == 0 or math.isnan(residual) else math.inf
    return residual / shortcut
