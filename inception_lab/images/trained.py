"""Networks that a run of this machine has trained, under tags like "run:0c3f…" beside the public weights' own.

What is known of one is read from the run's folder without torch: the head of `model.safetensors` holds the network in
the lab's notation and the names of its classes, `result.json` the test accuracy. Only `network` loads the tensors.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inception_lab.errors import LabError, RunError, UnknownRun, WeightsMismatch, WeightsUnavailable
from inception_lab.home import lab_home
from inception_lab.models import records
from inception_lab.models.records import WeightRecord
from inception_lab.nets.ops import Net
from inception_lab.readers.notation import parse

if TYPE_CHECKING:
    from torch import nn

    from inception_lab.models.build import InceptionNet
    from inception_lab.models.hub import Progress

PREFIX = "run:"
MODEL, RESULT, SETTINGS = "model.safetensors", "result.json", "settings.json"
METADATA = "inception_lab"  # the one entry in the file's head
AGAIN = "Train it again: the same settings and seed give the same network."

_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")  # a tag may come from a link; no part of it may climb out of the folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A finished run whose weights were kept: its `record`, its network, its settings as they stand in the file.

    The network is the one that was evaluated, with what was changed in mid-run. `record.top1` is the run's own test
    accuracy in percent, nan if it made none.
    """

    record: WeightRecord
    net: Net
    settings: Mapping[str, Any]
    file: Path

    def network(self) -> InceptionNet:
        """The network as it was trained, in evaluation mode: (N, net.inputs, H, W) to (N, net.classes).

        Images run from -1 to 1. Raises `WeightsMismatch` for a damaged file.
        """
        import torch

        from inception_lab.models.build import build
        from inception_lab.models.weights import ready, tensors

        try:
            with torch.device("meta"):
                model = build(self.net)
            ready(model, tensors(self.file))
        except (RuntimeError, OSError, LabError) as problem:
            raise WeightsMismatch(f"{self.file} is damaged: {_brief(problem)}. {AGAIN}") from None
        return model


def is_run(tag: str) -> bool:
    """Whether a tag means a run of this machine."""
    return tag.startswith(PREFIX)


def known(tag: str) -> WeightRecord:
    """`models.records.record`, for runs too; errors as there and as `trained`."""
    return trained(tag).record if is_run(tag) else records.record(tag)


def trained(run: str | Path) -> Trained:
    """What the run with this id, tag or folder has trained.

    Raises `UnknownRun`, `RunError` for one that has not finished, `WeightsUnavailable` if its weights are gone and
    `WeightsMismatch` if they are damaged or come from a version of the lab that did not note the network.
    """
    folder = run if isinstance(run, Path) else _folder(run.removeprefix(PREFIX))
    name, file = folder.name, folder / MODEL
    result = _result(folder)
    if not file.is_file():
        raise WeightsUnavailable(f"The weights of run {name} are gone: there is no {file}. {AGAIN}")
    about = _about(file)
    net, labels, settings = _net(about, file), about.get("labels"), about.get("settings")
    if not isinstance(labels, list) or len(labels) != net.classes or not isinstance(settings, dict):
        raise WeightsMismatch(f"{file} is damaged: it does not name the {net.classes} classes. {AGAIN}")
    return Trained(
        record=_record(name, net, tuple(map(str, labels)), settings, result, file.stat().st_size),
        net=net,
        settings=settings,
        file=file,
    )


def pretrained(tag: str, *, progress: Progress | None = None) -> nn.Module:
    """The network of `tag` with its weights: public ones, or those of a run of this machine with "run:<id>".

    Evaluation mode, no gradients to the parameters. A run's network takes the channels it was trained on, from -1 to 1.
    Errors as `models.weights.pretrained` and `trained`.
    """
    if is_run(tag):
        return trained(tag).network()
    from inception_lab.models import weights

    return weights.pretrained(tag, progress=progress)


def _folder(id: str) -> Path:
    folder = lab_home() / "runs" / id
    if not _ID.fullmatch(id) or not (folder / SETTINGS).is_file():
        raise UnknownRun(f"There is no run {id[:64]!r} under {lab_home()}. List the runs to see their ids.")
    return folder


def _result(folder: Path) -> Mapping[str, Any]:
    """What a finished run wrote of itself."""
    try:
        result = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunError(f"Run {folder.name} has not finished; its weights are kept at its end.") from None
    except (OSError, ValueError) as problem:
        raise RunError(f"The result of run {folder.name} cannot be read: {_brief(problem)}. {AGAIN}") from None
    status = result.get("status", "finished") if isinstance(result, dict) else "damaged"
    if status != "finished":
        raise RunError(f"Run {folder.name} is {status}: only a run that finishes keeps its weights. Start it again.")
    return dict(result)


def _about(file: Path) -> Mapping[str, Any]:
    """The entry in the head of a run's weights."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="numpy") as opened:
            about = json.loads((opened.metadata() or {})[METADATA])
    except (SafetensorError, OSError, KeyError, ValueError) as problem:
        raise WeightsMismatch(f"{file} is damaged: {_brief(problem)}. {AGAIN}") from None
    if not isinstance(about, dict):
        raise WeightsMismatch(f"{file} is damaged: its head is no object. {AGAIN}")
    if "net" not in about:
        version = about.get("version", "an older version")
        raise WeightsMismatch(f"{file} was written by version {version}, which noted no network with it. {AGAIN}")
    return about


def _net(about: Mapping[str, Any], file: Path) -> Net:
    try:
        net = parse(str(about["net"]))
    except LabError as problem:
        raise WeightsMismatch(f"{file} is damaged: {_brief(problem)}. {AGAIN}") from None
    if not isinstance(net, Net):
        raise WeightsMismatch(f"{file} is damaged: it notes a part of a network. {AGAIN}")
    return net


def _record(
    name: str, net: Net, labels: tuple[str, ...], settings: Mapping[str, Any], result: Mapping[str, Any], size: int
) -> WeightRecord:
    accuracy = result.get("test_accuracy")
    return WeightRecord(
        tag=f"{PREFIX}{name}",
        network=net.name,
        origin=f"Trained on this machine: {result.get('steps', '?')} steps on {settings.get('data', '?')}",
        top1=100 * accuracy if isinstance(accuracy, int | float) else math.nan,
        top5=None,
        accuracy_source="the run's own test images, weights of one seed",
        megabytes=math.ceil(size / 1e6),
        crop_pct=1.0,
        size=net.size,
        interpolation="bilinear",
        channels=net.inputs,
        classes=net.classes,
        labels=labels,
        licence="your own",
        notes="It answers with one of its own classes whatever the picture shows.",
    )


def _brief(problem: BaseException) -> str:
    return " ".join(str(problem).split())[:160].rstrip(".") or type(problem).__name__
